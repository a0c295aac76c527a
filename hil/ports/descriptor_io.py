"""Bytes in and out of a descriptor that does not block. pyserial does it with `select`, which knows 1,024 descriptors.

A run with many simulated devices has more descriptors than that, and a port's thread must not die of it.
"""

from __future__ import annotations

import errno
import os
import select
import time
from collections.abc import Callable
from typing import Final

READ_BYTES: Final = 65_536


def read_some(descriptor: int, within_s: float) -> bytes:
    """Empty when nothing came in time. Raises OSError, also when the other side has ended."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if not poll.poll(within_s * 1_000):
        return b""
    try:
        data = os.read(descriptor, READ_BYTES)
    except BlockingIOError:
        return b""
    if not data:
        raise OSError(errno.EPIPE, "the other side has closed the line")
    return data


def write_now(descriptor: int, data: bytes) -> int:
    """As much as it takes at once, perhaps nothing. Raises OSError."""
    try:
        return os.write(descriptor, data)
    except BlockingIOError:
        return 0


def can_write(descriptor: int, within_s: float, look_s: float, is_over: Callable[[], bool]) -> bool:
    """Waits until it takes bytes again. False when it did not in time, or `is_over` says that nobody wants it now."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    deadline_s = time.monotonic() + within_s
    while not is_over() and (left_s := deadline_s - time.monotonic()) > 0:
        if poll.poll(min(look_s, left_s) * 1_000):
            return True
    return False
