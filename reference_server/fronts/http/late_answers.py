"""HTTP requests whose answer comes later: connections that wait for it, and those that were left by their clients."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.envelope import LateAnswer


class LateAnswers:
    """`left(held_id)` hears of requests whose clients have gone, or that the server's end has cut off."""

    def __init__(self, left: Callable[[int], None]) -> None:
        self._left = left
        self._waiting: dict[int, asyncio.Future[Delivery]] = {}

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def after(self, delivery: Delivery) -> Delivery:
        """The delivery itself, or what comes later in its place. Cancelled with the connection, it tells of that."""
        if delivery.ending is not Ending.HELD:
            return delivery
        future: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()
        self._waiting[delivery.held_id] = future
        try:
            return await future
        except asyncio.CancelledError:
            self._waiting.pop(delivery.held_id, None)
            self._left(delivery.held_id)
            raise

    def give(self, answer: LateAnswer) -> None:
        """Lets the connection that waits go on."""
        future = self._waiting.pop(answer.held_id, None)
        if future is not None and not future.done():
            future.set_result(answer.delivery)

    def cancel(self) -> None:
        """The server ends: nobody gets an answer any more."""
        for future in self._waiting.values():
            future.cancel()
