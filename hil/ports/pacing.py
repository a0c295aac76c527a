"""Sending no faster than a line is: where the other side is not a real UART, nothing else would slow us down."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

BITS_PER_BYTE: Final = 10
"""Start bit, eight data bits, stop bit."""
PIECE_BYTES: Final = 16


class Pace:
    """Keeps to an absolute deadline: sleeps that are added up drift by 5 %."""

    def __init__(
        self, baud: int, now_s: Callable[[], float] = time.monotonic, sleep_s: Callable[[float], None] = time.sleep
    ) -> None:
        self._s_per_byte = BITS_PER_BYTE / baud
        self._now_s = now_s
        self._sleep_s = sleep_s
        self._free_at_s = 0.0

    def wait_for(self, size_bytes: int) -> None:
        """Blocks until the line has sent what it was given before, then counts `size_bytes` more."""
        now_s = self._now_s()
        if self._free_at_s > now_s:
            self._sleep_s(self._free_at_s - now_s)
        self._free_at_s = max(self._free_at_s, now_s) + size_bytes * self._s_per_byte


def pieces(data: bytes, pace: Pace | None) -> Iterator[bytes]:
    """The bytes as they are to be written: at once, or in pieces, each when the line is free for it."""
    if pace is None:
        yield data
        return
    for at in range(0, len(data), PIECE_BYTES):
        piece = data[at : at + PIECE_BYTES]
        pace.wait_for(len(piece))
        yield piece
