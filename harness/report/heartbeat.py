"""Now and then a line that says how far something is, where nothing can be drawn: in a pipe, in the log of a CI.

It goes to stderr, so that what programs read stays as it is, and what is over soon says nothing. A thread does it,
since a run in virtual time lets nobody else in until it ends.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

FIRST_PAUSES_S: Final = (15.0, 15.0, 30.0)
LATER_PAUSE_S: Final = 60.0

HowFar = Callable[[float], str]
"""Seconds since the beginning -> how far it is, in a line; empty when there is nothing to say."""


@contextmanager
def heartbeat(how_far: HowFar) -> Iterator[None]:
    """While the block lasts."""
    over = threading.Event()
    thread = threading.Thread(target=beat, args=(how_far, _say, over.wait, time.monotonic), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def beat(
    how_far: HowFar, say: Callable[[str], object], is_over_in: Callable[[float], bool], clock_s: Callable[[], float]
) -> None:
    """`is_over_in` waits so many seconds at most, and is true once there is nothing more to say."""
    began_s = clock_s()
    for pause_s in _pauses_s():
        if is_over_in(pause_s):
            return
        if said := how_far(clock_s() - began_s):
            say(said)


def _pauses_s() -> Iterator[float]:
    yield from FIRST_PAUSES_S
    while True:
        yield LATER_PAUSE_S


def _say(sentence: str) -> None:
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{sentence}\n")
        sys.stderr.flush()
