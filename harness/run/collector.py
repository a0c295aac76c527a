"""Python's garbage collector where it has little to find: in a process that serves, or plays a large fleet."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

NEW_OBJECTS: Final = 10_000
"""So many more than have gone before the youngest are looked through. A request leaves some ten behind in the trace."""
ROUNDS: Final = 20
"""Of the youngest before those that stayed, and of these before all."""


@contextmanager
def spared_collector() -> Iterator[None]:
    """From when all is started to the end. Modules and tables stay for good; records and events make no cycles, so that
    what the collector looks for is rare."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, ROUNDS, ROUNDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def keep_what_is_there() -> None:
    """What exists now stays for good too, such as devices that were switched on since. It is not looked through first:
    that would hold up all of them for half a second."""
    gc.freeze()
