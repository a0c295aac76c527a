"""Prints lines in a separate thread: a terminal or pipe that is not read must not block the server."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, TextIO

MAX_WAITING: Final = 2_000
CLOSE_WITHIN_S: Final = 1.0


class LineWriter:
    """Drops lines while too many are waiting. After a write error nothing more is written; the program continues."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: list[str] = []
        self._is_closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="fleetrig console", daemon=True)
        self._thread.start()

    def write(self, lines: Sequence[str]) -> None:
        """Returns at once. Without lines the thread is not woken: that would cost more than answering a poll."""
        if not lines:
            return
        with self._changed:
            for line in lines:
                if len(self._waiting) < MAX_WAITING:
                    self._waiting.append(line)
            self._changed.notify()

    def close(self) -> None:
        """Waits up to a second until everything is written."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(CLOSE_WITHIN_S)

    def _run(self) -> None:
        with suppress(OSError, ValueError):  # closed at the other end, or by us
            while lines := self._next():
                self._stream.write("".join(f"{line}\n" for line in lines))
                self._stream.flush()

    def _next(self) -> list[str]:
        """Blocks until there is something to write; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            lines, self._waiting = self._waiting, []
            return lines
