"""One study at a time writes to a folder: two would replace each other's results."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fleetrig.simulator.contract.errors import UsageError


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Until the end of the block, or of the process, however that comes. Raises UsageError while another has it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # there are network file systems without locks
            _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(
            f"another `fleetrig study` is at work in {folder}: wait for it, or give another folder (--results)"
        ) from None
