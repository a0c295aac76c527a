"""Prints lines from a thread of its own: a terminal or pipe that nobody reads must not stop the server."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Final, TextIO

MOST_WAITING: Final = 2_000
CLOSE_WITHIN_S: Final = 1.0


class LineWriter:
    """Lines that find the queue full are dropped; one that cannot be written ends the writing, not the program."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._queue: Queue[str | None] = Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="fleetrig console", daemon=True)
        self._thread.start()

    def write(self, lines: Iterable[str]) -> None:
        for line in lines:
            with suppress(Full):
                self._queue.put_nowait(line)

    def close(self) -> None:
        """Gives what is waiting a second to get out."""
        with suppress(Full):
            self._queue.put_nowait(None)
        self._thread.join(CLOSE_WITHIN_S)

    def _run(self) -> None:
        with suppress(OSError, ValueError):  # closed at the other end, or by us
            while (line := self._queue.get()) is not None:
                waiting = [line]
                with suppress(Empty):
                    while len(waiting) < MOST_WAITING and (more := self._queue.get_nowait()) is not None:
                        waiting.append(more)
                self._stream.write("".join(f"{text}\n" for text in waiting))
                self._stream.flush()
