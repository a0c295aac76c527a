"""All connections of an HTTP front, and what they have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from fleetrig.reference_server.fronts.front import OnBug
from fleetrig.reference_server.fronts.http.known_heads import KnownHeads
from fleetrig.reference_server.fronts.http.request_body import RequestBody
from fleetrig.reference_server.fronts.http.request_head import Malformed, RequestHead

if TYPE_CHECKING:
    from fleetrig.reference_server.fronts.http.connection import HttpConnection

STOP_WITHIN_S: Final = 1.0

AnswerToCome = Coroutine[Any, Any, None]


@dataclass(frozen=True, slots=True)
class HttpConnections:
    """`take` answers a request, or gives what has to be awaited for that."""

    take: Callable[[HttpConnection, RequestHead | Malformed, RequestBody], AnswerToCome | None]
    next_session_id: Callable[[], int]
    on_bug: OnBug
    idle_s: float
    known_heads: KnownHeads = field(default_factory=KnownHeads)
    open: dict[int, HttpConnection] = field(default_factory=dict)
    """By session id."""

    async def close(self) -> None:
        """Lets answers that are on their way end within a second, then closes all."""
        connections = list(self.open.values())
        for connection in connections:
            connection.stop()
        tasks = [connection.task for connection in connections if connection.task is not None]
        if tasks:
            _, unfinished = await asyncio.wait(tasks, timeout=STOP_WITHIN_S)
            for task in unfinished:
                task.cancel()
            await asyncio.wait(tasks, timeout=STOP_WITHIN_S)
        for connection in connections:
            connection.close()
