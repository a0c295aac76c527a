"""The CoAP front over sockets: sessions, endings, outages, garbage; and without, where it would take minutes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.coap_rules import CoapRules
from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.fronts.coap import front as front_module
from fleetrig.reference_server.fronts.coap.front import CoapFront
from fleetrig.reference_server.fronts.front import FrontTools
from fleetrig.reference_server.fronts.udp import DatagramListener
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.faults import FaultKind
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace
from tests.coap.bench import CON, GET, HELLO, NON, POST, con, line, message
from tests.coap.echo_platform import CoapEcho
from tests.coap.peer import CoapPeer
from tests.coap.served import ServedCoap, served_coap
from tests.reference_server.echo import until
from tests.reference_server.fronts.conftest import Noon

BURST = 400
"""Fewer than the files that a process may have open."""


@pytest.fixture
def coap() -> Iterator[ServedCoap]:
    with served_coap() as served:
        yield served


def test_its_url_names_its_scheme(coap: ServedCoap) -> None:
    assert coap.server.url("coap-echo", "coap") == coap.url


def test_an_endpoint_is_a_session_from_its_first_datagram_on(coap: ServedCoap) -> None:
    with coap.peer() as one, coap.peer() as two:
        assert one.ask(con("echo", 1)) == "ACK 2.05 #1 t"
        assert two.ask(con("no", 1)) == "ACK 4.03 #1 t"
        assert one.ask(con("echo", 2)) == "ACK 2.05 #2 t"
    assert coap.told(1) == ["opened 127.0.0.1", *["received GET coap:/echo", "answered 2.05"] * 2]
    assert coap.told(2) == ["opened 127.0.0.1", "received GET coap:/no", "refused 4.03"]
    assert [event.reason for event in coap.events if event.kind == "refused"] == ["nobody may"]


def test_the_end_of_the_server_ends_sessions(coap: ServedCoap) -> None:
    with coap.peer() as peer:
        peer.ask(con("echo", 1))
        coap.bench.stop(coap.server)
        assert coap.told(1)[-1].startswith("closed")
        assert coap.platform.open == set()
        peer.say(con("echo", 2))
        with pytest.raises(ConnectionRefusedError):
            peer.hear()


def test_an_answer_that_takes_longer_than_the_acknowledgement() -> None:
    with served_coap(CoapRules(empty_ack_after_us=20_000)) as coap, coap.peer() as peer:
        assert peer.ask(con("late?60", 1)) == "ACK 0.00 #1"
        assert line(peer.hear()).startswith("CON 2.05")


def test_what_is_not_acknowledged_comes_again() -> None:
    with served_coap(CoapRules(empty_ack_after_us=1_000, ack_timeout_us=20_000)) as coap, coap.peer() as peer:
        peer.ask(con("late?10", 1))
        first = peer.hear()
        assert [peer.hear() for _ in range(4)] == [first] * 4


def test_observers_are_told(coap: ServedCoap) -> None:
    with coap.peer() as one, coap.peer() as two:
        one.ask(con("counter", 1, observe=0))
        two.ask(con("counter", 1, POST))
        assert line(one.hear()).startswith("NON 2.05")
        until(lambda: "pushed 2.05" in coap.told(1))


def test_a_session_ends_and_its_endpoint_begins_another(coap: ServedCoap) -> None:
    with coap.peer() as peer:
        assert peer.ask(con("close?reset", 1)) == "RST 0.00 #1"
        assert peer.ask(con("echo", 1)) == "ACK 2.05 #1 t"
    assert coap.told(1)[-1] == "closed reset"
    assert coap.told(2)[0] == "opened 127.0.0.1"


def test_a_bug_is_answered_by_an_error(coap: ServedCoap) -> None:
    with coap.peer() as peer:
        assert peer.ask(con("broken", 1)) == "ACK 5.00 #1 t"
        assert peer.ask(con("echo", 2)) == "ACK 2.05 #2 t"
    assert [str(bug) for bug in coap.server.bugs] == ["a bug"]
    coap.server.bugs.clear()


def test_garbage_has_its_reason_in_the_trace_and_nobody_else_notices(coap: ServedCoap) -> None:
    with coap.peer() as stranger, coap.peer() as peer:
        assert stranger.ask(message(CON, 69, 7, b"")) == "RST 0.00 #7"
        stranger.say(b"\xff" * 1_000)
        assert peer.ask(con("echo", 1)) == "ACK 2.05 #1 t"
        stranger.say(b"")
        assert stranger.ask(message(CON, 0, 9, b"")) == "RST 0.00 #9"
    reasons = [event.reason for event in coap.events if event.kind == "refused" and event.session == 1]
    assert reasons == ["CON 2.05 answers nothing that was asked", "version 3", "0 bytes are no header"]


def test_an_outage_makes_the_port_unreachable(coap: ServedCoap) -> None:
    with coap.peer() as peer:
        peer.ask(con("echo", 1))
        coap.add_fault(FaultKind.OUTAGE, for_s=0.2)
        peer.say(con("echo", 2))
        with pytest.raises(ConnectionRefusedError):
            peer.hear()
        assert coap.told(1)[-1] == "closed reset"
        with pytest.raises(BrokenBench, match="in use"):
            DatagramListener("coap", Address("127.0.0.1", coap.port))

    def is_back() -> bool:
        with coap.peer() as again:
            again.say(con("echo", 3))
            try:
                return line(again.hear()) == "ACK 2.05 #3 t"
            except ConnectionRefusedError:
                return False

    until(is_back)


FAULTS = [
    (FaultKind.COAP_RESET, {}, ["RST 0.00 #1"]),
    (FaultKind.DUPLICATE_DATAGRAM, {}, ["ACK 2.05 #1 t", "ACK 2.05 #1 t"]),
    (FaultKind.OVERLOAD, {"status": 503, "retry_after_s": 3}, ["ACK 5.03 #1 t"]),
]


@pytest.mark.parametrize(("kind", "parameters", "said"), FAULTS)
def test_faults(coap: ServedCoap, kind: FaultKind, parameters: dict[str, int], said: list[str]) -> None:
    coap.add_fault(kind, times=1, parameters=parameters)
    with coap.peer() as peer:
        peer.say(con("echo", 1))
        assert [line(peer.hear()) for _ in said] == said
        assert peer.ask(con("echo", 2)) == "ACK 2.05 #2 t"


@pytest.mark.parametrize("hits", ["GET *", "2.05"])
def test_lost_datagrams_are_there_when_the_request_comes_again(coap: ServedCoap, hits: str) -> None:
    coap.add_fault(FaultKind.LOST_DATAGRAM, hits=hits, times=1, parameters={"copies": 2})
    with coap.peer() as peer:
        for _ in range(2):
            peer.say(con("echo", 1))
            assert peer.ask(message(CON, 0, 9, b"")) == "RST 0.00 #9", "nothing else was said"
        assert peer.ask(con("echo", 1)) == "ACK 2.05 #1 t"
    assert any(event.fault == "lost_datagram" for event in coap.events)


def test_both_addresses_of_a_host() -> None:
    with served_coap(address=Address("localhost", 0)) as coap:
        found = socket.getaddrinfo("localhost", coap.port, type=socket.SOCK_DGRAM)
        for host in {str(place[0]) for *_, place in found}:
            with CoapPeer(coap.port, host) as peer:
                assert peer.ask(con("echo", 1)) == "ACK 2.05 #1 t"


def test_a_port_in_use_is_said(coap: ServedCoap) -> None:
    with pytest.raises(BrokenBench, match="the port is in use"):
        DatagramListener("coap", Address("127.0.0.1", coap.port))


def test_a_burst_of_many_endpoints(coap: ServedCoap) -> None:
    """All of them send before anybody reads an answer; what the system's buffer has no room for comes again."""
    peers = [coap.peer() for _ in range(BURST)]
    for peer in peers:
        peer.say(con("echo", 1))
    answers = 0
    for peer in peers:
        peer.socket.settimeout(2.0)
        for _ in range(5):
            try:
                answers += line(peer.hear()) == "ACK 2.05 #1 t"
                break
            except TimeoutError:
                peer.say(con("echo", 1))
        peer.socket.close()
    assert answers == BURST


def test_nothing_is_due_when_the_front_is_closed() -> None:
    async def story() -> None:
        bench = FrontWithoutSockets(CoapRules())
        bench.front.perform(())
        assert bench.front._timer is None
        await bench.front.listen(DatagramListener("coap", Address("127.0.0.1", 0)))
        assert bench.front._timer is not None
        await bench.front.close()
        bench.front.perform(())  # another front of the platform still says something
        assert bench.front._timer is None

    asyncio.run(story())


# Without sockets


@dataclass
class Peer:
    session: Session
    sent: list[bytes] = field(default_factory=list)
    ended: list[Ending] = field(default_factory=list)

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self, ending: Ending) -> None:
        self.ended.append(ending)


class FrontWithoutSockets:
    """Time is what `now_us` says."""

    def __init__(self, rules: CoapRules) -> None:
        self.now_us = 0
        self.bugs: list[BaseException] = []
        self.platform = CoapEcho(coap_rules=rules)
        store = MemoryStore()
        server = Server(self.platform, store, FaultPlan(Random(1).random), Trace(), Secrets())
        perform: Callable[[Sequence[object]], None] = lambda outputs: self.front.perform(outputs)  # type: ignore[arg-type] # noqa: E731
        tools = FrontTools(
            Noon(), Trace(), lambda _, bug: self.bugs.append(bug), count(1).__next__, perform=perform,
            uniform=Random(1).uniform,
        )  # fmt: skip
        self.front = CoapFront(server, tools, rules, lambda: self.now_us)
        self.front._sweep(0)

    def peer(self, session: int, *, tls: bool = False) -> Peer:
        peer = Peer(Session(id=session, tls=tls))
        self.front.peer_opened(peer)
        return peer

    def after(self, seconds: float) -> None:
        until_us = self.now_us + int(seconds * 1e6)
        while (due_us := self.front._agenda.next_us()) is not None and due_us <= until_us:
            self.now_us = due_us
            self.front.run_due()
        self.now_us = until_us


def without_sockets(story: Callable[[FrontWithoutSockets], None], rules: CoapRules = CoapRules()) -> None:  # noqa: B008
    async def told() -> None:
        bench = FrontWithoutSockets(rules)
        story(bench)
        await bench.front.close()
        assert bench.bugs == []
        assert bench.platform.open == set()

    asyncio.run(told())


def test_who_is_silent_is_forgotten() -> None:
    def story(bench: FrontWithoutSockets) -> None:
        silent, observing, stranger = bench.peer(1), bench.peer(2), bench.peer(3)
        bench.front.received(silent, con("echo", 1))
        bench.front.received(observing, con("counter", 1, observe=0))
        bench.front.received(stranger, b"garbage")
        bench.after(15)
        assert (stranger.ended, silent.ended) == ([Ending.SILENCE], [])
        bench.after(290)
        assert (silent.ended, observing.ended) == ([Ending.SILENCE], [])
        assert bench.platform.open == {2}
        bench.after(3_600)
        assert observing.ended == [Ending.SILENCE]
        assert bench.platform.observers == []

    without_sockets(story, CoapRules(observing_idle_us=3_600_000_000))


def test_who_has_shaken_hands_is_for_its_carrier_to_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_module, "MOST_STRANGERS", 1)

    def story(bench: FrontWithoutSockets) -> None:
        one, two = bench.peer(1, tls=True), bench.peer(2, tls=True)
        bench.front.received(two, con("echo", 1))
        bench.after(3_600)
        assert (one.ended, two.ended) == ([], [])
        bench.front.peer_closed(one)
        assert (one.ended, bench.platform.open) == ([], {2})

    without_sockets(story)


def test_endpoints_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_module, "MOST_ENDPOINTS", 2)
    monkeypatch.setattr(front_module, "MOST_STRANGERS", 3)

    def story(bench: FrontWithoutSockets) -> None:
        known = [bench.peer(n) for n in (1, 2)]
        for peer in known:
            bench.front.received(peer, con("echo", 1))
        strangers = [bench.peer(n) for n in range(3, 103)]
        assert [len(peer.ended) for peer in strangers] == [1] * 97 + [0] * 3
        assert [peer.ended for peer in known] == [[], []], "garbage forgets nobody who has asked"
        bench.front.received(known[0], con("echo", 2))
        bench.front.received(strangers[-1], con("echo", 1))
        assert [peer.ended for peer in known] == [[], [Ending.SILENCE]], "the one that was silent for longer"

    without_sockets(story)


def test_who_only_asks_pushes_out_nobody_who_observes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Observers say nothing for hours, and a flood of new endpoints must not end them."""
    monkeypatch.setattr(front_module, "MOST_ENDPOINTS", 2)

    def story(bench: FrontWithoutSockets) -> None:
        observers = [bench.peer(n) for n in (1, 2, 3)]
        for peer in observers:
            bench.front.received(peer, con("counter", 1, observe=0))
        assert [peer.ended for peer in observers] == [[Ending.SILENCE], [], []], "they have a limit of their own"
        for n in range(4, 50):
            bench.front.received(bench.peer(n), con("echo", 1))
        assert [peer.ended for peer in observers[1:]] == [[], []]
        bench.front.received(observers[1], con("counter", 2, observe=1))
        for n in range(50, 60):
            bench.front.received(bench.peer(n), con("echo", 1))
        assert [peer.ended for peer in observers[1:]] == [[Ending.SILENCE], []], "it observes no more"

    without_sockets(story)


def test_late_answers_go_to_nobody_when_the_session_has_ended() -> None:
    def story(bench: FrontWithoutSockets) -> None:
        peer = bench.peer(1)
        bench.front.received(peer, con("late?600", 1))
        bench.front.peer_closed(peer)
        bench.after(10)
        assert (peer.sent, peer.ended) == ([], [])

    without_sockets(story)


VALID = [
    con("echo", 1, POST, payload=HELLO, content_format=50),
    con("counter?con", 2, observe=0, token=b"12345678"),
    con("large?5000", 3, block2=(0, False, 2), accept=0),
    con("echo", 4, POST, payload=b"x" * 64, block1=(0, True, 2), size1=100),
    message(NON, GET, 5, uri="late?1", uri_host="h.test"),
    message(CON, 0, 6, b""),
    con("no", 7, if_match=[b"x"], etag=b"y"),
]


def test_every_truncation_of_datagrams_is_survived() -> None:
    def story(bench: FrontWithoutSockets) -> None:
        peer = bench.peer(1)
        for datagram in VALID:
            for end in range(len(datagram)):
                bench.now_us += 1_000_000
                bench.front.received(peer, datagram[:end])
        bench.front.received(peer, con("echo", 999))
        assert line(peer.sent[-1]) == "ACK 2.05 #999 t"

    without_sockets(story)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_flipped_bytes_are_survived(draw: st.DataObject) -> None:
    def story(bench: FrontWithoutSockets) -> None:
        peer = bench.peer(1)
        for datagram in VALID:
            flipped = bytearray(datagram)
            for _ in range(draw.draw(st.integers(1, 3))):
                flipped[draw.draw(st.integers(0, len(flipped) - 1))] ^= draw.draw(st.integers(1, 255))
            bench.front.received(peer, bytes(flipped))
        bench.after(1)
        assert all(len(one) <= 1_200 for one in peer.sent)

    without_sockets(story)
