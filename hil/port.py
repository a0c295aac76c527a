"""A serial port as the bench sees it: bytes out, bytes in, both kept as evidence; and the one way in which it is lost.

What a port is called is a URL: `/dev/serial/by-id/…`, `rfc2217://host:port`, `socket://host:port`, `loop://`.
`serial_port.py` opens them; a fake board and an emulated one are reached the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Protocol

from fleetrig.simulator.contract.errors import BrokenBench


class Way(StrEnum):
    """Which way bytes went, seen from the bench."""

    FROM_BOARD = "from_board"
    TO_BOARD = "to_board"


class PortBytes(NamedTuple):
    """A piece of what went over the line, as it was read or written at once."""

    at_us: int
    way: Way
    data: bytes


Watcher = Callable[[PortBytes], None]
"""Hears everything that goes over a port, in its order. Called on the event loop; must not block."""


class PortLost(BrokenBench):
    """The port is gone or unusable, whatever the library raised. `str()` says the cause and what to do.

    After it a port object is dead: open the board's port anew, by its stable id (`reconnect`), and synchronise.
    """

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(f"{url}: {cause}")
        self.url = url
        self.cause = cause


class PortBusy(BrokenBench):
    """Somebody else has the port or the board; the sentence says who, since when and until when."""


class ThreadPort(Protocol):
    """The same port for a library that blocks (XMODEM), used in a worker thread while nobody else reads."""

    def read(self, most_bytes: int, within_s: float) -> bytes:
        """Up to `most_bytes`, as soon as that many are there or the time is up. Raises PortLost."""

    def write(self, data: bytes, within_s: float) -> int:
        """Writes all of it, and returns how many bytes that were. Raises PortLost."""


class BoardPort(Protocol):
    """An open port. It has one reader at a time; watchers hear everything as well."""

    @property
    def url(self) -> str: ...

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Adds somebody who hears all bytes from now on; the returned function takes it away."""

    async def read(self, within_s: float) -> bytes:
        """What has come and nobody has read, at least one byte; `b""` when nothing came in time. Raises PortLost."""

    async def write(self, data: bytes, within_s: float = 10.0) -> None:
        """Sends it at the pace that the port was opened with. Raises PortLost, also when the line does not take it."""

    async def drop_input(self) -> None:
        """Forgets what has come and nobody has read. It stays in the evidence."""

    async def set_speed(self, baud: int) -> None: ...

    async def send_break(self, for_s: float = 0.25) -> None: ...

    async def set_lines(self, *, rts: bool | None = None, dtr: bool | None = None) -> None:
        """Raises BrokenBench where the port has no such lines (pseudo-terminals, `socket://`)."""

    def in_thread(self) -> ThreadPort: ...

    async def close(self) -> None:
        """Idempotent; never raises."""
