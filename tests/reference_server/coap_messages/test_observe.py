"""Observations (RFC 7641): registered by the platform's answer, ended by GET, RST, silence or an error."""

from __future__ import annotations

import aiocoap  # type: ignore[import-untyped]
import pytest

from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from tests.coap.bench import ACK, NON, POST, RST, MessageBench, con, message


@pytest.fixture
def bench() -> MessageBench:
    return MessageBench()


def observe(bench: MessageBench, wants: str = "", token: bytes = b"o", message_id: int = 1) -> aiocoap.Message:
    return bench.read(con(f"counter?{wants}", message_id, token=token, observe=0))


def count(bench: MessageBench, message_id: int) -> list[aiocoap.Message]:
    """The notifications."""
    bench.endpoint.received(con("counter", message_id, POST, token=b"p"), bench.now_us)
    found = [aiocoap.Message.decode(datagram) for datagram in bench.taken()]
    return [one for one in found if one.token != b"p"]


def test_a_notification_has_token_and_sequence(bench: MessageBench) -> None:
    first = observe(bench)
    assert (first.mtype, first.opt.observe, first.payload) == (ACK, 2, b"0 ")
    assert bench.endpoint.observes
    (second,) = count(bench, 2)
    (third,) = count(bench, 3)
    assert (second.mtype, second.token, second.opt.observe, second.payload) == (NON, b"o", 3, b"1 ")
    assert third.opt.observe == 4
    assert third.mid != second.mid
    assert bench.after(300) == []


def test_a_confirmable_notification_is_sent_until_it_is_acknowledged(bench: MessageBench) -> None:
    observe(bench, "con")
    (note,) = count(bench, 2)
    assert note.mtype is aiocoap.CON
    assert bench.after(3) == [f"CON 2.05 #{note.mid} o"]
    assert bench.hear(message(ACK, 0, note.mid, b"")) == []
    assert bench.after(300) == []
    assert bench.platform.observers != []


def acknowledge(bench: MessageBench, note: aiocoap.Message) -> list[aiocoap.Message]:
    bench.endpoint.received(message(ACK, 0, note.mid, b""), bench.now_us)
    return [aiocoap.Message.decode(datagram) for datagram in bench.taken()]


def test_one_confirmable_notification_is_under_way_and_the_latest_follows(bench: MessageBench) -> None:
    """RFC 7641 §4.5.1 and §4.5.2: NSTART is 1, and what is no longer so is not sent."""
    observe(bench, "con")
    (first,) = count(bench, 2)
    assert [count(bench, message_id) for message_id in (3, 4)] == [[], []]
    (latest,) = acknowledge(bench, first)
    assert (latest.mtype, latest.opt.observe, latest.payload) == (aiocoap.CON, 5, b"3 ")
    assert acknowledge(bench, latest) == []
    assert bench.after(300) == []


def test_in_place_of_a_repetition_the_latest_is_sent_and_time_goes_on(bench: MessageBench) -> None:
    """RFC 7641 §4.5.2: with the number of attempts and the patience that are left."""
    observe(bench, "con")
    count(bench, 2)
    assert count(bench, 3) == []
    said = bench.after(91)
    assert [one.startswith("CON 2.05") for one in said] == [True] * 4
    assert len(set(said)) == 1, "all attempts that were left are the latest"
    bench.after(5)
    assert bench.platform.heard[-1] == "RST"
    assert bench.after(300) == []


def test_a_reset_takes_along_what_was_to_follow(bench: MessageBench) -> None:
    observe(bench, "con", token=b"")
    (first,) = count(bench, 2)
    assert count(bench, 3) == []
    assert bench.hear(message(RST, 0, first.mid, b"")) == []
    assert bench.platform.observers == []
    assert bench.after(300) == []


@pytest.mark.parametrize("again", [0, 1])
def test_what_is_taken_back_or_begins_anew_leaves_nothing_under_way(bench: MessageBench, again: int) -> None:
    observe(bench, "con")
    count(bench, 2)
    assert count(bench, 3) == []
    answer = bench.read(con("counter?con", 5, token=b"o", observe=again))
    assert (answer.payload.strip(), answer.opt.observe) == (b"2", 4 if again == 0 else None)
    assert bench.after(300) == []
    assert bench.endpoint.observes is (again == 0)


def test_the_platform_is_told_which_of_too_many_has_ended(bench: MessageBench) -> None:
    for n in range(70):
        assert observe(bench, token=b"%d" % n, message_id=n + 1).opt.observe is not None
    assert bench.platform.heard.count("RST") == 6
    assert [one.token for one in bench.platform.observers] == [b"%d" % n for n in range(6, 70)]


def test_observations_do_not_wait_for_each_other(bench: MessageBench) -> None:
    observe(bench, "con", token=b"o", message_id=1)
    observe(bench, "con", token=b"q", message_id=2)
    assert [note.token for note in count(bench, 3)] == [b"o", b"q"]


@pytest.mark.parametrize("wants", ["", "con"])
def test_a_reset_ends_it(bench: MessageBench, wants: str) -> None:
    observe(bench, wants)
    (note,) = count(bench, 2)
    assert bench.hear(message(RST, 0, note.mid, b"")) == []
    assert bench.platform.heard[-1] == "RST"
    assert bench.platform.observers == []
    assert not bench.endpoint.observes
    assert count(bench, 3) == []
    assert bench.after(300) == []


def test_one_that_nobody_acknowledges_ends_like_one_that_is_refused(bench: MessageBench) -> None:
    observe(bench, "con")
    count(bench, 2)
    assert len(bench.after(91)) == 4
    bench.after(5)
    assert bench.platform.heard[-1] == "RST"
    assert not bench.endpoint.observes


def test_a_get_takes_it_back(bench: MessageBench) -> None:
    observe(bench)
    answer = bench.read(con("counter", 5, token=b"o", observe=1))
    assert (answer.code.dotted, answer.opt.observe) == ("2.05", None)
    assert not bench.endpoint.observes
    assert count(bench, 6) == []


def test_an_answer_without_a_sequence_observes_nothing(bench: MessageBench) -> None:
    assert bench.read(con("echo", 1, observe=0)).opt.observe is None
    assert not bench.endpoint.observes


def test_an_error_ends_it(bench: MessageBench) -> None:
    observe(bench)
    (said,) = bench.send(CoapResponse("4.04", token=b"o"))
    assert said.startswith("NON 4.04")
    assert not bench.endpoint.observes


def test_other_values_and_methods_do_not_observe(bench: MessageBench) -> None:
    told: list[Envelope] = []
    bench.endpoint._tell = told.append
    bench.hear(con("counter", 1, observe=2))
    bench.hear(con("counter", 2, POST, observe=0))
    bench.hear(con("counter", 3, observe=0))
    assert [one.observe for one in told if isinstance(one, CoapRequest)] == [None, None, 0]


def test_two_observations_of_one_endpoint(bench: MessageBench) -> None:
    observe(bench, token=b"o", message_id=1)
    observe(bench, "con", token=b"q", message_id=2)
    notes = count(bench, 3)
    assert [(note.token, note.mtype) for note in notes] == [(b"o", aiocoap.NON), (b"q", aiocoap.CON)]


def test_a_large_notification_is_fetched_in_blocks(bench: MessageBench) -> None:
    first = observe(bench, "2500")
    assert (tuple(first.opt.block2), first.opt.observe) == ((0, True, 6), 2)
    (note,) = count(bench, 2)
    assert (tuple(note.opt.block2), note.opt.observe, len(note.payload)) == ((0, True, 6), 3, 1_024)
    told = len(bench.platform.heard)
    rest = [bench.read(con("counter?2500", 10 + n, token=b"r", block2=(n, False, 6))) for n in (1, 2)]
    assert [one.opt.observe for one in rest] == [None, None]
    assert {one.opt.etag for one in rest} == {note.opt.etag} != {first.opt.etag}
    assert (note.payload + rest[0].payload + rest[1].payload).rstrip(b".") == b"1 "
    assert len(bench.platform.heard) == told, "they are served from what was sent"


def test_notifications_come_in_blocks_of_the_size_that_was_asked_for(bench: MessageBench) -> None:
    first = bench.read(con("counter?300", 1, token=b"o", observe=0, block2=(0, False, 2)))
    (note,) = count(bench, 2)
    assert tuple(first.opt.block2) == tuple(note.opt.block2) == (0, True, 2)
    assert len(note.payload) == 64


def test_memory_is_bounded(bench: MessageBench) -> None:
    for n in range(200):
        observe(bench, token=b"%d" % n, message_id=n)
    assert len(bench.endpoint._replies.observations) == 64
    count(bench, 300)
    assert len(bench.endpoint._replies._noted) == 64


def test_message_ids_of_a_server_go_round(bench: MessageBench) -> None:
    observe(bench)
    bench.endpoint._replies._message_id = 0xFFFE
    assert [count(bench, n)[0].mid for n in (2, 3)] == [0xFFFF, 0]
