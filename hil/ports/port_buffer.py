"""What has come over a line and nobody has read: a port's thread fills it, the event loop or a worker empties it."""

from __future__ import annotations

import asyncio
import threading
from typing import Final

from fleetrig.hil.port import PortLost

UNREAD_LIMIT_BYTES: Final = 16 * 1024 * 1024
"""A board that talks for days while nobody reads must not fill the memory: then the oldest is forgotten."""


class PortBuffer:
    """Bytes in their order, and the end of the line once it is lost."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._unread = bytearray()
        self._changed = threading.Condition()
        self._arrived = asyncio.Event()
        self._lost: PortLost | None = None
        self._told = 0
        """How many of the unread bytes the watchers have heard, less those that a thread took before: only these are
        for readers on the event loop, so that nobody acts on what is not in the evidence yet."""
        self.forgotten_bytes = 0
        """How much nobody read in time."""

    def put(self, data: bytes) -> None:
        """From the port's thread."""
        with self._changed:
            self._unread += data
            excess = len(self._unread) - UNREAD_LIMIT_BYTES
            if excess > 0:
                del self._unread[:excess]
                self._told -= excess
                self.forgotten_bytes += excess
            self._changed.notify_all()

    def end(self, lost: PortLost) -> None:
        """From any thread. What is there can still be read; then readers hear of the loss."""
        with self._changed:
            self._lost = self._lost or lost
            self._changed.notify_all()

    def wake(self, told_bytes: int = 0) -> None:
        """On the event loop, after `put`, when the watchers have heard of that many bytes, or after `end`."""
        with self._changed:
            self._told += told_bytes
        self._arrived.set()

    @property
    def lost(self) -> PortLost | None:
        return self._lost

    def drop(self) -> None:
        """Forgets what is there. Raises PortLost when nothing is there and nothing will come."""
        with self._changed:
            self._take(len(self._unread))

    def _take_told(self) -> bytes:
        with self._changed:
            return self._take(max(0, self._told))

    def _take(self, most_bytes: int) -> bytes:
        if not self._unread and self._lost is not None:
            raise self._lost
        taken = bytes(self._unread[:most_bytes])
        del self._unread[:most_bytes]
        self._told -= len(taken)
        return taken

    async def read(self, within_s: float) -> bytes:
        """At least one byte, or `b""` when nothing came in time. Raises PortLost."""
        deadline_s = self._loop.time() + within_s
        while True:
            self._arrived.clear()
            if taken := self._take_told():
                return taken
            try:
                async with asyncio.timeout_at(deadline_s):
                    await self._arrived.wait()
            except TimeoutError:
                return self._take_told()

    def read_blocking(self, most_bytes: int, within_s: float) -> bytes:
        """For a worker thread: `most_bytes`, or what came in time. Raises PortLost."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._unread) >= most_bytes or self._lost is not None, within_s)
            return self._take(most_bytes)
