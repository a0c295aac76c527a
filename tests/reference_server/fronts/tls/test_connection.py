"""One connection with an engine and a TCP connection that are fakes: what no real peer can be made to do on time."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

from fleetrig.reference_server.fronts.tls.connection import UNHEARD_BYTES, TlsConnection, TlsConnections
from fleetrig.reference_server.fronts.tls.handshakes import Handshakes
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from tests.reference_server.fronts.conftest import Noon
from tests.reference_server.fronts.tls.tls_bench import FakeJudge

HELLO = b"\x16"


class Talkative:
    """A `TlsEngine` that shakes hands at once, hears nothing, and has an alert to send whenever something comes."""

    server_name = ""

    def __init__(self, said: bytes) -> None:
        self._said, self._ready = said, b""

    def feed(self, ciphertext: bytes) -> None:
        self._ready = self._said

    def shake(self) -> bool:
        return True

    def certificates(self) -> tuple[bytes, ...]:
        return ()

    def read(self) -> bytes | None:
        return None

    def write(self, data: memoryview) -> int:
        return len(data)

    def end(self) -> None:
        pass

    def outgoing(self) -> bytes:
        ready, self._ready = self._ready, b""
        return ready


class Unread(asyncio.Transport):
    """A TCP connection to a peer that reads nothing."""

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

    def abort(self) -> None:
        self.is_aborted = True


def test_who_makes_tls_answer_without_reading_is_ended() -> None:
    events: list[TraceEvent] = []
    asyncio.run(flood(events, Unread()))
    assert [event.reason for event in events] == ["TLS: it goes on making TLS answer, and reads no answers"]


async def flood(events: list[TraceEvent], transport: Unread) -> None:
    trace = Trace()
    trace.listen(events.append)
    handshakes = Handshakes(FakeJudge(), Noon(), trace, lambda *_: None, count(1).__next__)
    connections = TlsConnections("toys", handshakes, lambda *_: Talkative(bytes(UNHEARD_BYTES // 4)))
    connection = TlsConnection(connections, asyncio.Protocol)
    connection.connection_made(transport)
    for _ in range(4):
        connection.data_received(HELLO)
        assert not transport.is_aborted
    connection.data_received(HELLO)
    assert transport.is_aborted
    connection.connection_lost(None)
