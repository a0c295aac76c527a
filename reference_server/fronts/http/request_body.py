"""The body of a request as it comes: what has come of it, how it ends, and who waits for more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from fleetrig.reference_server.fronts.http.body_framing import (
    BodyFraming,
    BrokenFraming,
    ChunkedFraming,
    LengthFraming,
)

WAITING_BYTES: Final = 64 * 1024
"""How much of a body waits to be read before the client has to wait."""


def nobody_waits() -> None:
    """Nothing depends on how much of a body is read."""


class RequestBody:
    """Fed by its connection, read by who answers (a `BodySource`). `length_bytes` None: it comes in chunks."""

    __slots__ = ("_blocks", "_framing", "_more", "_was_read", "broken", "has_arrived", "total_bytes", "waiting_bytes")

    def __init__(self, length_bytes: int | None, was_read: Callable[[], None] = nobody_waits) -> None:
        self._framing: BodyFraming = ChunkedFraming() if length_bytes is None else LengthFraming(length_bytes)
        self._was_read = was_read
        self._blocks: list[bytes] = []
        self._more: asyncio.Future[None] | None = None
        self.has_arrived = length_bytes == 0
        """All of it has come, read or not."""
        self.broken: BaseException | None = None
        self.total_bytes = 0
        self.waiting_bytes = 0

    @property
    def is_full(self) -> bool:
        return self.waiting_bytes > WAITING_BYTES

    def feed(self, data: bytes) -> bytes:
        """Takes what belongs to it; returns the rest. Nothing more can be fed once it has arrived or is broken."""
        try:
            block, used = self._framing.take(data)
        except BrokenFraming as broken:
            self.fail(broken)
            return b""
        if block:
            self._blocks.append(block)
            self.total_bytes += len(block)
            self.waiting_bytes += len(block)
        self.has_arrived = self._framing.is_done
        if block or self.has_arrived:
            self._wake()
        return data[used:]

    def fail(self, why: BaseException) -> None:
        """It never comes whole."""
        self.broken = why
        self._wake()

    def is_eof(self) -> bool:
        """Nothing is left to be read."""
        return self.has_arrived and not self._blocks

    def read_nowait(self) -> bytes:
        """What has come and was not read. Raises why it never comes whole, if that is so."""
        if self.broken is not None:
            raise self.broken
        blocks, self._blocks = self._blocks, []
        self.waiting_bytes = 0
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    async def readany(self) -> bytes:
        """The same, but waits while there is nothing and more is to come."""
        if not self._blocks and not self.has_arrived and self.broken is None:
            self._more = asyncio.get_running_loop().create_future()
            try:
                await self._more
            finally:
                self._more = None
        block = self.read_nowait()
        self._was_read()
        return block

    def _wake(self) -> None:
        if self._more is not None and not self._more.done():
            self._more.set_result(None)


NO_BODY: Final = RequestBody(0)
