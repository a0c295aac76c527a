"""Real lines for tests: a pseudo-terminal with a test at its other end, and an RFC 2217 server over `loop://`."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import serial
import serial.rfc2217

from fleetrig.hil.port import BoardPort
from fleetrig.hil.ports.pty_line import PtyLine

PATIENCE_S = 20.0


class WallClock:
    def now_us(self) -> int:
        return time.time_ns() // 1_000


class FarEnd:
    """The board's side of a pseudo-terminal: keeps what was typed, says what it is told to."""

    def __init__(self, link: Path) -> None:
        self.typed = bytearray()
        self.line = PtyLine(link, self.typed.extend)

    @property
    def url(self) -> str:
        return str(self.line.link)

    async def until_typed(self, data: bytes) -> None:
        await until(lambda: data in self.typed)


async def until(is_so: Callable[[], bool]) -> None:
    """A condition with a bound, for machines that are busy."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - what is awaited happens in another process
            await asyncio.sleep(0.005)


async def read_until(port: BoardPort, end: bytes) -> bytes:
    got = b""
    async with asyncio.timeout(PATIENCE_S):
        while not got.endswith(end):
            got += await port.read(PATIENCE_S)
    return got


@contextmanager
def rfc2217_server() -> Iterator[str]:
    """A port on the network whose other end is itself: what is sent comes back, RTS feeds CTS. Serves one client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=_serve, args=(listener,), daemon=True)
        serving.start()
        yield f"rfc2217://127.0.0.1:{listener.getsockname()[1]}"
        listener.close()
        serving.join(PATIENCE_S)


def _serve(listener: socket.socket) -> None:
    with suppress(OSError), serial.serial_for_url("loop://", timeout=0.02) as looped:
        connection, _ = listener.accept()
        port_manager: Any = serial.rfc2217.PortManager  # its stubs want a port for both
        manager = port_manager(looped, _Answering(connection))
        pumping = threading.Thread(target=_pump, args=(looped, manager, connection), daemon=True)
        pumping.start()
        with connection:
            while data := connection.recv(4_096):
                looped.write(b"".join(manager.filter(data)))
        pumping.join(PATIENCE_S)


class _Answering:
    """What PortManager writes its answers to."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def write(self, data: bytes) -> None:
        self._connection.sendall(data)


def _pump(looped: Any, manager: Any, connection: socket.socket) -> None:
    with suppress(OSError):
        while connection.fileno() >= 0:
            if data := looped.read(max(1, looped.in_waiting)):
                connection.sendall(b"".join(manager.escape(data)))
