"""The message layer of RFC 7252 §4: once is once, acknowledged in time, sent again until it is acknowledged."""

from __future__ import annotations

from typing import Any

import aiocoap  # type: ignore[import-untyped]
import pytest

from fleetrig.reference_server.coap_messages.endpoint import CoapEndpoint
from fleetrig.reference_server.coap_rules import CoapRules
from fleetrig.simulator.contract.coap import CoapOptions, CoapRequest, CoapResponse
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.session import Session
from tests.coap.bench import ACK, CON, GET, HELLO, NON, POST, RST, MessageBench, con, line, message


@pytest.fixture
def bench() -> MessageBench:
    return MessageBench()


def test_an_answer_at_once_is_piggybacked(bench: MessageBench) -> None:
    answer = bench.read(con("echo", 7, POST, payload=HELLO, content_format=0))
    assert (answer.mtype, answer.code.dotted, answer.mid, answer.token) == (ACK, "2.04", 7, b"t")
    assert (answer.payload, answer.opt.content_format) == (HELLO, 0)
    assert bench.after(300) == []


def test_the_platform_gets_what_the_request_says(bench: MessageBench) -> None:
    seen: list[CoapRequest] = []
    bench.endpoint._tell = seen.append  # type: ignore[assignment]
    bench.hear(con("a%20b/ü/?x=1&y=ä/?", 7, POST, payload=HELLO, uri_host="h.test", uri_port=99, accept=50))
    bench.hear(message(NON, 8, 8, uri="a"))
    first, second = seen
    assert (first.method, first.origin, first.target) == ("POST", "coap://h.test:99", "/a%2520b/%C3%BC?x=1&y=%C3%A4/?")
    assert (first.payload, first.token, first.confirmable) == (HELLO, b"t", True)
    assert first.options == ((3, b"h.test"), (7, b"c"), (17, b"2"))
    assert (second.method, second.origin, second.confirmable) == ("0.08", "coap://localhost:5683", False)


@pytest.mark.parametrize("kind", [CON, NON])
def test_a_message_that_comes_again_gets_the_same_answer_and_is_told_once(bench: MessageBench, kind: object) -> None:
    request = message(kind, POST, 7, uri="echo", payload=HELLO)
    bench.endpoint.received(request, bench.now_us)
    first = bench.taken()
    bench.endpoint.received(request, bench.now_us)
    assert bench.taken() == first != []
    assert bench.platform.heard == ["POST coap:/echo"]


@pytest.mark.parametrize(("kind", "lifetime_s"), [(CON, 247), (NON, 145)])
def test_a_message_id_is_forgotten_after_its_lifetime(bench: MessageBench, kind: object, lifetime_s: int) -> None:
    request = message(kind, GET, 7, uri="echo")
    bench.hear(request)
    bench.after(lifetime_s - 0.001)
    bench.hear(request)
    assert len(bench.platform.heard) == 1
    bench.after(0.001)
    bench.hear(request)
    assert len(bench.platform.heard) == 2


def test_other_message_ids_and_tokens_are_other_requests(bench: MessageBench) -> None:
    assert bench.hear(con("echo", 1)) == ["ACK 2.05 #1 t"]
    assert bench.hear(con("echo", 2)) == ["ACK 2.05 #2 t"]
    assert bench.hear(message(CON, GET, 3, b"", uri="echo")) == ["ACK 2.05 #3"]
    assert len(bench.platform.heard) == 3


def test_a_slow_answer_is_acknowledged_first_and_then_wants_an_acknowledgement(bench: MessageBench) -> None:
    request = con("late?1500", 7)
    assert bench.hear(request) == []
    assert bench.hear(request) == []
    assert bench.after(0.499) == []
    assert bench.after(0.001) == ["ACK 0.00 #7"]
    assert bench.hear(request) == ["ACK 0.00 #7"]
    (separate,) = bench.after(1.0)
    assert separate.startswith("CON 2.05 #")
    message_id = int(separate.split("#")[1].split()[0])
    assert bench.hear(message(ACK, 0, message_id, b"")) == []
    assert bench.after(300) == []


def test_a_platform_says_when_it_acknowledges() -> None:
    bench = MessageBench(CoapRules(empty_ack_after_us=50_000))
    assert bench.hear(con("late?60", 7)) == []
    assert bench.after(0.05) == ["ACK 0.00 #7"]


def test_a_slow_answer_to_a_non_confirmable_request_has_no_acknowledgement(bench: MessageBench) -> None:
    assert bench.hear(message(NON, GET, 7, uri="late?1500")) == []
    (answer,) = bench.after(1.5)
    assert answer.startswith("NON 2.05")
    assert bench.after(300) == []


def test_a_platform_may_want_its_answer_acknowledged_all_the_same(bench: MessageBench) -> None:
    bench.hear(message(NON, GET, 7, uri="silent"))
    (answer,) = bench.send(CoapResponse("2.05", token=b"t", confirmable=True))
    assert answer.startswith("CON 2.05")
    assert bench.after(3) == [answer]


def test_no_answer_at_all_is_an_acknowledgement_and_nothing_more(bench: MessageBench) -> None:
    assert bench.hear(con("silent", 7)) == []
    assert bench.after(300) == ["ACK 0.00 #7"]


def retransmissions_s(bench: MessageBench) -> list[float]:
    """When each transmission goes out, from now on."""
    times, begun_us = [], bench.now_us
    while (due_us := bench.agenda.next_us()) is not None:
        bench.now_us = due_us
        bench.agenda.run(due_us)
        times += [(due_us - begun_us) / 1e6] * len(bench.taken())
    return times


def test_what_nobody_acknowledges_is_sent_five_times_ever_slower(bench: MessageBench) -> None:
    bench.hear(con("late?600", 7))
    bench.after(0.5)
    assert len(bench.after(0.1)) == 1
    times = retransmissions_s(bench)
    first = times[0]
    assert 2.0 <= first < 3.0
    assert times == [pytest.approx(first * factor, abs=1e-5) for factor in (1, 3, 7, 15)]


def test_the_first_timeout_is_drawn() -> None:
    firsts = set()
    bench = MessageBench()
    for message_id in range(10):
        bench.hear(con("late?600", message_id))
        bench.after(0.6)
        firsts.add(retransmissions_s(bench)[0])
    assert len(firsts) == 10
    assert all(2.0 <= one < 3.0 for one in firsts)


@pytest.mark.parametrize("kind", [ACK, RST])
def test_an_acknowledgement_or_a_reset_ends_retransmission(bench: MessageBench, kind: object) -> None:
    bench.hear(con("late?600", 7))
    bench.after(0.6)
    bench.after(2.0)
    bench.after(2.0)
    assert bench.agenda.next_us() is not None
    bench.endpoint._replies.repeat(bench.layer.exchanges.get(1 << 16 | 7, bench.now_us))  # type: ignore[arg-type]
    bench.taken()
    waiting = next(iter(bench.endpoint._replies.confirmables._waiting))
    bench.hear(message(kind, 0, waiting, b""))
    assert bench.after(300) == []
    assert "RST" not in bench.platform.heard, "it was an answer and no notification"


def test_a_ping_is_answered_by_a_reset(bench: MessageBench) -> None:
    assert bench.hear(message(CON, 0, 9, b"")) == ["RST 0.00 #9"]
    assert bench.hear(message(NON, 0, 9, b"")) == []
    assert bench.platform.heard == []


STRANGE = [
    (message(CON, 69, 9), ["RST 0.00 #9"], "CON 2.05 answers nothing that was asked"),
    (message(NON, 69, 9), [], "NON 2.05 answers nothing that was asked"),
    (message(ACK, 69, 9), [], "ACK 2.05 answers nothing that was asked"),
    (message(ACK, 1, 9), [], "ACK 0.01 answers nothing that was asked"),
    (message(RST, 1, 9), [], "RST 0.01 answers nothing that was asked"),
    (message(CON, 33, 9), ["RST 0.00 #9"], "CON 1.01 answers nothing that was asked"),
    (message(CON, 225, 9), ["RST 0.00 #9"], "CON 7.01 answers nothing that was asked"),
    (bytes.fromhex("49010009") + b"x" * 9, ["RST 0.00 #9"], "a token length of 9"),
    (bytes.fromhex("59010009") + b"x" * 9, [], "a token length of 9"),
    (bytes.fromhex("40010009") + b"\0" * 256, ["RST 0.00 #9"], "more than 255 options"),
    (b"\xff" * 40, [], "version 3"),
    (b"", [], "0 bytes are no header"),
]


@pytest.mark.parametrize(("datagram", "answer", "why"), STRANGE)
def test_what_must_not_come(bench: MessageBench, datagram: bytes, answer: list[str], why: str) -> None:
    assert bench.hear(datagram) == answer
    assert bench.platform.heard == [why]
    assert not bench.endpoint.has_asked
    assert bench.hear(con("echo", 10)) == ["ACK 2.05 #10 t"], "it does not matter to what comes next"


def test_acknowledgements_and_resets_of_nothing_are_ignored(bench: MessageBench) -> None:
    assert bench.hear(message(ACK, 0, 9, b"")) == []
    assert bench.hear(message(RST, 0, 9, b"")) == []
    assert bench.platform.heard == []


def test_garbage_gets_so_many_answers_each_second(bench: MessageBench) -> None:
    answers = [answer for n in range(500) for answer in bench.hear(message(CON, 69, n))]
    assert len(answers) == len(bench.platform.heard) == 100
    bench.after(1.0)
    assert bench.hear(message(CON, 69, 600)) == ["RST 0.00 #600"]
    assert bench.platform.heard[-1] == "CON 2.05 answers nothing that was asked (and 400 more before it, untold)"


@pytest.mark.slow
def test_an_endpoint_that_asks_without_end_makes_none_forget_what_another_asked(
    bench: MessageBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.layer.exchanges, "_most", 4_200)
    silent = con("silent")
    flooding = CoapEndpoint(Session(id=2), bench.layer, lambda _: None, lambda _: None)
    assert bench.hear(con("echo", 1)) == ["ACK 2.05 #1 t"]
    for n in range(5_000):
        flooding.received(silent[:2] + n.to_bytes(2, "big") + silent[4:], bench.now_us)
    assert bench.hear(con("echo", 1)) == ["ACK 2.05 #1 t"]
    assert bench.platform.heard == ["GET coap:/echo"]


OPTIONS = [
    ({"if_none_match": True}, "2.05", True),
    ({"proxy_uri": "coap://elsewhere/"}, "5.05", False),
    ({"proxy_scheme": "coap"}, "5.05", False),
]


@pytest.mark.parametrize(("fields", "code", "is_told"), OPTIONS)
def test_options_of_a_request(bench: MessageBench, fields: dict[str, Any], code: str, is_told: bool) -> None:
    assert bench.read(con("echo", 7, **fields)).code.dotted == code
    assert (bench.platform.heard == ["GET coap:/echo"]) is is_told


RAW_OPTIONS = [
    ("b4" + b"echo".hex() + "d2fe0a0b", "2.05", "an elective one of 278 nobody knows"),
    ("90b4" + b"echo".hex(), "4.02", "critical 9, nobody knows"),
    ("34" + b"host".hex() + "04" + b"host".hex() + "84" + b"echo".hex(), "4.02", "Uri-Host twice"),
    ("30" + "84" + b"echo".hex(), "4.02", "Uri-Host without a host"),
    ("7301020344" + b"echo".hex(), "4.02", "Uri-Port of three bytes"),
    ("b2fffe", "4.02", "Uri-Path that is no UTF-8"),
    ("b4" + b"echo".hex() + "13010203", "2.05", "Content-Format of three bytes counts as not there"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "code", "why"), RAW_OPTIONS)
def test_options_that_are_not_as_they_should(bench: MessageBench, options: str, code: str, why: str) -> None:
    head = bytes.fromhex("40010007")
    answer = bench.read(head + bytes.fromhex(options))
    assert answer.code.dotted == code, why
    assert bool(bench.platform.heard[0].startswith("4.02: ")) is (code == "4.02")
    assert bench.hear(b"\x50\x01\x00\x08" + bytes.fromhex(options)) == ([] if code == "4.02" else [_non(bench)])


def _non(bench: MessageBench) -> str:
    return f"NON 2.05 #{bench.endpoint._replies._message_id}"


def test_a_platform_may_know_further_critical_options() -> None:
    bench = MessageBench(CoapRules(further_options=frozenset({9})))
    assert bench.read(con("echo", 7, oscore=b"x")).code is aiocoap.CONTENT


@pytest.mark.parametrize(("further", "told"), [(frozenset({65_000}), ((65_000, b""),)), (frozenset(), ())])
def test_a_platform_may_know_further_elective_options(further: frozenset[int], told: CoapOptions) -> None:
    """Such as 65000, by which a device asks one platform for the time."""
    bench = MessageBench(CoapRules(further_options=further))
    seen: list[CoapRequest] = []
    bench.endpoint._tell = seen.append  # type: ignore[assignment]
    bench.hear(bytes.fromhex("40010007") + b"\xb4echo" + b"\xe0\xfc\xd0")
    assert [request.options for request in seen] == [told]


def test_a_reset_in_place_of_an_answer(bench: MessageBench) -> None:
    assert bench.hear(con("reset", 7)) == ["RST 0.00 #7"]
    assert bench.hear(con("reset", 7)) == ["RST 0.00 #7"]
    assert bench.after(300) == []


@pytest.mark.parametrize(
    ("ending", "said"), [(Ending.RESET, ["RST 0.00 #6", "RST 0.00 #7"]), (Ending.CLOSED, []), (Ending.SILENCE, [])]
)
def test_the_end_of_a_session(bench: MessageBench, ending: Ending, said: list[str]) -> None:
    bench.hear(con("late?600", 5, token=b"a"))
    assert len(bench.after(0.6)) == 2, "a message that wants an acknowledgement is on its way"
    bench.hear(con("late?5000", 6, token=b"b"))
    assert bench.hear(con(f"close?{ending}", 7)) == said
    assert bench.closed == [ending]
    assert bench.after(300) == []


def test_unheard_requests_are_new_when_they_come_again(bench: MessageBench) -> None:
    request = con("unheard?3", 7)
    assert [bench.hear(request) for _ in range(5)] == [[], [], [], ["ACK 2.05 #7 t"], ["ACK 2.05 #7 t"]]
    assert len(bench.platform.heard) == 2
    assert bench.after(300) == []


def test_a_server_does_not_ask(bench: MessageBench) -> None:
    with pytest.raises(ModelError, match="does not send"):
        bench.send(CoapRequest("GET", "coap://h", "/a"))
    with pytest.raises(ModelError, match="no code"):
        bench.send(CoapResponse("9.99", token=b"t"))


def test_a_second_answer_is_a_message_of_its_own(bench: MessageBench) -> None:
    bench.hear(con("echo", 7))
    (again,) = bench.send(CoapResponse("2.05", token=b"t"))
    assert again.startswith("NON 2.05")


def test_memory_is_bounded(bench: MessageBench) -> None:
    for n in range(200):
        bench.hear(message(CON, GET, n, bytes((n,)), uri="silent"))
    assert len(bench.endpoint._pending) == 64
    assert bench.agenda.next_us() is not None
    for n in range(200):
        bench.hear(con("unheard?9", 1_000 + n))
        bench.platform.heard.clear()
    assert len(bench.endpoint._unheard) == 64
    for n in range(200):
        bench.send(CoapResponse("2.05", token=b"%d" % n, confirmable=True))
    assert len(bench.endpoint._replies.confirmables) == 64


def test_lines_are_those_of_messages() -> None:
    assert line(message(CON, 69, 3, b"ab")) == "CON 2.05 #3 ab"
