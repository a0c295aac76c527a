"""How long the front waits for peers: all that wait for the same thing share one timer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleetrig.reference_server.fronts.mqtt.connection import MqttConnection


class Patience:
    """Connections that something must happen on within `within_s`. Each waits from its first `add` on."""

    __slots__ = ("_lost", "_since", "_timer", "_within_s")

    def __init__(self, within_s: float, lost: Callable[[MqttConnection], None]) -> None:
        """`lost` is called with a connection on which it did not happen."""
        self._within_s = within_s
        self._lost = lost
        self._since: dict[MqttConnection, float] = {}
        """In the order in which they were added, which is that in which they are lost."""
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._since)

    def __iter__(self) -> Iterator[MqttConnection]:
        """Who waits longest comes first."""
        return iter(self._since)

    @property
    def oldest(self) -> MqttConnection:
        return next(iter(self._since))

    def add(self, connection: MqttConnection) -> None:
        loop = asyncio.get_running_loop()
        self._since.setdefault(connection, loop.time())
        if self._timer is None:
            self._timer = loop.call_later(self._within_s, self._look)

    def discard(self, connection: MqttConnection) -> None:
        self._since.pop(connection, None)

    def close(self) -> None:
        self._since.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while self._since:
            connection = self.oldest
            left_s = self._since[connection] + self._within_s - loop.time()
            if left_s > 0:
                self._timer = loop.call_later(left_s, self._look)
                return
            del self._since[connection]
            self._lost(connection)
        self._timer = None
