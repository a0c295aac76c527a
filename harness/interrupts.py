"""Ctrl-C while nothing is awaited: a long virtual run must end at once, not when it is over."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ctrl_c_at_once() -> Iterator[None]:
    """Raises KeyboardInterrupt where the code stands; asyncio's own handler would wait for the next await."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
