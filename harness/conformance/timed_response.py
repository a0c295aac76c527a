"""Answers of `http.client` that must be whole by a deadline.

A socket's own timeout counts from byte to byte: a server that sends a byte now and then would block a run for ever.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable
from typing import Any, Final

AT_MOST_BYTES: Final = 65 * 1024 * 1024
"""Of one answer, head and all interim answers included."""


class Deadline:
    """When the answer that is under way has to be here, and how long it may be."""

    def __init__(self, within_s: float) -> None:
        self.within_s = within_s
        self._ends_s = 0.0
        self.restart()

    def restart(self) -> None:
        self._ends_s = time.monotonic() + self.within_s
        self._left_bytes = AT_MOST_BYTES

    def take(self, count: int) -> None:
        """So many bytes have come, of whatever kind. Raises HTTPException when that is too much for one answer."""
        self._left_bytes -= count
        if self._left_bytes < 0:
            raise http.client.HTTPException(f"an answer of more than {AT_MOST_BYTES >> 20} MiB")

    def left_s(self) -> float:
        """Seconds that are left. Raises TimeoutError when there are none."""
        left_s = self._ends_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s


def timed(deadline: Deadline) -> Callable[..., http.client.HTTPResponse]:
    """What a connection has to have as its `response_class`."""

    def response(sock: socket.socket, *positional: Any, **named: Any) -> http.client.HTTPResponse:
        return http.client.HTTPResponse(_TimedSocket(sock, deadline), *positional, **named)  # type: ignore[arg-type]

    return response


class _TimedSocket:
    """As much of a socket as an HTTPResponse uses: its file."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReads(self._sock, self._deadline))


class _TimedReads(io.RawIOBase):
    """Reads of a socket, each with what is left of the deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)  # keeps the socket open while the connection lets go of it
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._deadline.left_s())
        count = self._raw.readinto(buffer)
        self._deadline.take(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
