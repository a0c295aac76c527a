"""What faults do to datagrams: lost, twice, cut, or no message at all."""

from __future__ import annotations

import aiocoap  # type: ignore[import-untyped]
import pytest

from fleetrig.reference_server.coap_messages.wire import MalformedMessage, decode
from fleetrig.simulator.contract.coap import CoapResponse
from fleetrig.simulator.contract.envelope import Send, WireForm
from tests.coap.bench import HELLO, NON, POST, MessageBench, con, message


@pytest.fixture
def bench() -> MessageBench:
    return MessageBench()


def test_a_lost_answer_is_there_when_the_request_comes_again(bench: MessageBench) -> None:
    request = con("lost?2", 7)
    assert [bench.hear(request) for _ in range(4)] == [[], [], ["ACK 2.05 #7 t"], ["ACK 2.05 #7 t"]]
    assert len(bench.platform.heard) == 1
    assert bench.after(300) == [], "it was answered, so nothing is acknowledged"


def test_lost_transmissions_of_what_is_confirmable_keep_its_timers(bench: MessageBench) -> None:
    note = CoapResponse("2.05", observe=5, token=b"o", confirmable=True)
    assert bench.send(note, form=WireForm.LOST, copies=3) == []
    assert bench.after(3 + 6) == []
    assert len(bench.after(12)) == 1
    assert len(bench.after(24)) == 1
    assert bench.after(300) == []


def test_a_lost_notification_that_nobody_waits_for_is_gone(bench: MessageBench) -> None:
    assert bench.send(CoapResponse("2.05", observe=5, token=b"o"), form=WireForm.LOST) == []
    assert bench.after(300) == []


@pytest.mark.parametrize("confirmable", [True, False])
def test_twice(bench: MessageBench, confirmable: bool) -> None:
    assert bench.hear(con("twice", 7)) == ["ACK 2.05 #7 t"] * 2
    note = CoapResponse("2.05", observe=5, token=b"o", confirmable=confirmable)
    first, second = bench.send(note, form=WireForm.TWICE)
    assert first == second


def test_half(bench: MessageBench) -> None:
    bench.endpoint.received(con("half", 7, POST, payload=HELLO), 0)
    (cut,) = bench.taken()
    bench.endpoint.received(con("echo", 7 + 256, POST, payload=HELLO), 0)
    (whole,) = bench.taken()
    assert len(cut) == len(whole) // 2
    bench.endpoint.received(con("half", 7, POST, payload=HELLO), 0)
    assert bench.taken() == [whole[:2] + cut[2:4] + whole[4:]], "it is whole when it is asked for again"


@pytest.mark.parametrize("form", [WireForm.HALF, WireForm.MALFORMED])
def test_what_is_confirmable_is_whole_when_it_is_sent_again(bench: MessageBench, form: WireForm) -> None:
    note = CoapResponse("2.05", HELLO, observe=5, token=b"o", confirmable=True)
    bench.endpoint.perform(Send(1, note, form=form), 0)
    (first,) = bench.taken()
    with pytest.raises(MalformedMessage):
        decode(first)
    (second,) = bench.after(3)
    assert second.startswith("CON 2.05")


def test_cut_after_some_bytes(bench: MessageBench) -> None:
    note = CoapResponse("2.05", HELLO, observe=5, token=b"o")
    bench.endpoint.perform(Send(1, note, form=WireForm.HALF, cut_after_bytes=3), 0)
    assert [len(one) for one in bench.taken()] == [3]


@pytest.mark.parametrize("payload", [b"", HELLO, b"x" * 1_000])
@pytest.mark.parametrize("kind", [aiocoap.CON, NON])
def test_malformed_has_as_many_bytes_and_nobody_reads_it(bench: MessageBench, payload: bytes, kind: object) -> None:
    bench.endpoint.received(message(kind, POST, 7, b"", uri="malformed", payload=payload), 0)
    (datagram,) = bench.taken()
    bench.endpoint.received(message(kind, POST, 8, b"", uri="echo", payload=payload), 0)
    (whole,) = bench.taken()
    assert len(datagram) == len(whole)
    with pytest.raises(MalformedMessage):
        decode(datagram)
    if len(datagram) > 19:
        with pytest.raises(aiocoap.error.UnparsableMessage):
            aiocoap.Message.decode(datagram)
