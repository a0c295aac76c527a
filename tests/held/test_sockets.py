"""Held requests over sockets: other connections go on, clients leave, the clock is moved, the server stops."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.faults import Fault, FaultKind
from tests.golden.served import StandingClock
from tests.held.doorbell import Doorbell
from tests.reference_server.echo import ServerBench, running, until
from tests.reference_server.fronts.peer import Peer


@dataclass
class Street:
    """A server whose clock stands still until it is moved."""

    bench: ServerBench
    doors: list[Doorbell] = field(default_factory=list)

    def __post_init__(self) -> None:
        platform = PlatformOptions("doorbell", self._build, {"http": ANY_LOOPBACK_PORT})
        self.server = self.bench.run(ReferenceServer(ServerOptions((platform,)), clock=StandingClock()))

    def _build(self, store: Store, blobs: Blobs, entropy: Entropy) -> Doorbell:
        self.doors.append(Doorbell(store))
        return self.doors[0]

    @property
    def door(self) -> Doorbell:
        return self.doors[0]

    def peer(self) -> Peer:
        return Peer(self.server.addresses["doorbell"]["http"].port)

    def waiting(self, peer: Peer, count: int = 1) -> None:
        peer.send(b"GET /wait?1000 HTTP/1.1\r\nHost: h\r\n\r\n")
        until(lambda: len(self.door.waiting) == count)

    def pass_s(self, seconds: int) -> None:
        self.server._clock.skip(seconds * US_PER_S)
        self.bench.loop.run(self.server._scheduler.run_due_now())


def ring(peer: Peer) -> int:
    peer.send(b"POST /ring HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\ndong")
    return peer.answer("POST").status


@pytest.fixture
def street() -> Iterator[Street]:
    with running() as bench:
        yield (one := Street(bench))
        assert one.server.bugs == []


def test_others_go_on_while_one_waits_and_its_connection_lives_on(street: Street) -> None:
    with street.peer() as waiting, street.peer() as other:
        street.waiting(waiting)
        assert other.get().status == 200
        assert ring(other) == 200
        answer = waiting.answer()
        assert (answer.status, answer.body) == (200, b"dong")
        assert waiting.get().status == 200
        street.waiting(waiting)
        street.pass_s(1)
        assert waiting.answer().status == 408


def test_requests_that_come_meanwhile_are_answered_after_it(street: Street) -> None:
    with street.peer() as waiting, street.peer() as other:
        street.waiting(waiting)
        waiting.send(b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n")
        ring(other)
        assert [waiting.answer().body, waiting.answer().body] == [b"dong", b""]


def test_a_client_that_breaks_off_waits_no_longer(street: Street) -> None:
    with street.peer() as other:
        waiting = street.peer()
        street.waiting(waiting)
        waiting.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        waiting.socket.close()
        until(lambda: street.door.gone == [1])
        assert (street.door.waiting, ring(other)) == ({}, 200)


def test_a_client_that_closes_its_connection_may_be_listening_still(street: Street) -> None:
    """TCP does not tell these apart before something is sent to it."""
    with street.peer() as other:
        with street.peer() as waiting:
            street.waiting(waiting)
        assert other.get().status == 200
        assert (len(street.door.waiting), street.door.gone) == (1, [])
        street.pass_s(1)
        assert (street.door.waiting, street.door.gone, other.get().status) == ({}, [], 200)


def test_who_only_listens_still_gets_its_answer(street: Street) -> None:
    """It has closed the half of the connection on which it speaks."""
    with street.peer() as waiting, street.peer() as other:
        street.waiting(waiting)
        waiting.say_no_more()
        assert ring(other) == 200
        assert waiting.rest().endswith(b"dong")


def test_many_wait_at_once(street: Street) -> None:
    with ExitStack() as stack, street.peer() as other:
        peers = [stack.enter_context(street.peer()) for _ in range(50)]
        for number, peer in enumerate(peers, 1):
            street.waiting(peer, number)
        assert ring(other) == 200
        assert {peer.answer().body for peer in peers} == {b"dong"}


def test_a_server_that_stops_lets_nobody_wait(street: Street) -> None:
    with street.peer() as waiting:
        street.waiting(waiting)
        street.bench.stop(street.server)
        assert waiting.rest() == b""
        assert street.door.gone == [1]


def test_an_outage_ends_what_waits(street: Street) -> None:
    with street.peer() as waiting:
        street.waiting(waiting)
        street.bench.loop.call(lambda: street.server.add_fault(Fault(FaultKind.OUTAGE)))
        with pytest.raises(ConnectionResetError):
            waiting.rest()
        until(lambda: street.door.gone == [1])


def test_a_lost_reply_hits_the_late_answer(street: Street) -> None:
    street.bench.loop.call(lambda: street.server.add_fault(Fault(FaultKind.LOST_REPLY, hits="GET /wait*")))
    with street.peer() as waiting, street.peer() as other:
        street.waiting(waiting)
        assert ring(other) == 200
        assert waiting.rest() == b""
