"""One connection with an engine and a TCP connection that are fakes: what no real peer can be made to do on time."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Sequence
from itertools import count
from typing import Any, cast

from fleetrig.reference_server.fronts.tls.connection import UNHEARD_BYTES, TlsConnection
from fleetrig.reference_server.fronts.tls.connections import TlsConnections
from fleetrig.reference_server.fronts.tls.handshakes import Handshakes
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from tests.reference_server.fronts.conftest import Noon
from tests.reference_server.fronts.tls.tls_bench import FakeJudge

HELLO = b"\x16"


class FakeEngine:
    """A `TlsEngine` that shakes hands at once, hears what it is told to, and says something whenever anything comes."""

    server_name = ""

    def __init__(self, said: bytes = b"", heard: Sequence[bytes] = ()) -> None:
        self._said, self._ready = said, b""
        self._heard = list(heard)

    def feed(self, ciphertext: bytes) -> None:
        self._ready = self._said

    def shake(self) -> bool:
        return True

    def certificates(self) -> tuple[bytes, ...]:
        return ()

    def read(self) -> bytes | None:
        return self._heard.pop(0) if self._heard else None

    def write(self, data: memoryview) -> int:
        return len(data)

    def end(self) -> None:
        pass

    def outgoing(self) -> bytes:
        ready, self._ready = self._ready, b""
        return ready


class FakeTcp(asyncio.Transport):
    """A TCP connection to a peer that reads nothing, and has gone when we want to say that there is no more."""

    def __init__(self) -> None:
        super().__init__()
        self.buffered = 0
        self.is_aborted = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.buffered += len(data)

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def is_closing(self) -> bool:
        return self.is_aborted

    def write_eof(self) -> None:
        raise OSError(errno.ENOTCONN, "the peer has reset the connection")

    def close(self) -> None:
        self.is_aborted = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def abort(self) -> None:
        self.is_aborted = True


def test_who_makes_tls_answer_without_reading_is_ended() -> None:
    events: list[TraceEvent] = []
    asyncio.run(flood(events, FakeTcp()))
    assert [event.reason for event in events] == ["TLS: it goes on making TLS answer, and reads no answers"]


async def flood(events: list[TraceEvent], transport: FakeTcp) -> None:
    connection = connected(events, transport, FakeEngine(said=bytes(UNHEARD_BYTES // 4)), asyncio.Protocol())
    for _ in range(4):
        connection.data_received(HELLO)
        assert not transport.is_aborted
    connection.data_received(HELLO)
    assert transport.is_aborted
    connection.connection_lost(None)


def connected(
    events: list[TraceEvent], transport: FakeTcp, engine: FakeEngine, front: asyncio.Protocol
) -> TlsConnection:
    trace = Trace()
    trace.listen(events.append)
    handshakes = Handshakes(FakeJudge(), Noon(), trace, lambda *_: None, count(1).__next__)
    connection = TlsConnection(TlsConnections("toys", handshakes, lambda *_: engine), lambda: front)
    connection.connection_made(transport)
    return connection


def test_who_has_gone_while_we_end_is_no_trouble() -> None:
    transport = FakeTcp()
    asyncio.run(ends(transport))
    assert transport.is_aborted


async def ends(transport: FakeTcp) -> None:
    connection = connected([], transport, FakeEngine(), asyncio.Protocol())
    connection.data_received(HELLO)
    connection.close()
    connection.close()
    connection.connection_lost(None)


class PausesAtOnce(asyncio.Protocol):
    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.heard.append(data)
        self.transport.pause_reading()


def test_what_has_come_already_waits_too_while_a_front_pauses() -> None:
    front = PausesAtOnce()
    asyncio.run(pauses(front))
    assert front.heard == [b"one", b"two"]


async def pauses(front: PausesAtOnce) -> None:
    connection = connected([], FakeTcp(), FakeEngine(heard=[b"one", b"two"]), front)
    connection.data_received(HELLO)
    assert front.heard == [b"one"]
    front.transport.resume_reading()
    front.transport.resume_reading()  # once more changes nothing
    await asyncio.sleep(0)
    connection.connection_lost(None)
