"""What happens without anybody asking: due work of the platforms, lazy writes, outages that begin and end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final, Self

from fleetrig.reference_server.fronts.http.delivering import OnBug
from fleetrig.reference_server.fronts.http.front import HttpFront
from fleetrig.reference_server.server import Server
from fleetrig.simulator.contract.clock import US_PER_S, Clock, to_s

ADVANCE_AT_LEAST_EVERY_US: Final = 10 * US_PER_S
"""A target's last poll time may lag by so much (§2.1)."""

LOOK_AT_LEAST_EVERY_S: Final = 0.25
"""A request may have made something due sooner than was known."""

LOOK_AT_MOST_EVERY_S: Final = 0.02

REST_AFTER_BUG_S: Final = 1.0


class Ticker:
    """Runs from entering to leaving, as one task of the event loop."""

    def __init__(self, server: Server, front: HttpFront, clock: Clock, on_bug: OnBug) -> None:
        self._server = server
        self._front = front
        self._clock = clock
        self._on_bug = on_bug
        self._wake = asyncio.Event()
        self._ticking = asyncio.Lock()
        self._is_refusing = False
        self._advanced_us = clock.now_us()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="fleetrig ticker")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def look_at_faults(self) -> None:
        """The plan of faults has changed: an outage that begins now begins at once, all else at the next tick."""
        self._begin_outage(self._clock.now_us())
        self._wake.set()

    async def settle(self) -> None:
        """Faults or clock were changed: whatever is due by now has happened when this returns."""
        await self._try()
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            if not await self._try():
                await asyncio.sleep(REST_AFTER_BUG_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s(self._clock.now_us())):
                    await self._wake.wait()

    async def _try(self) -> bool:
        """False when a bug came up: in due work it must not stop the clock."""
        async with self._ticking:
            try:
                await self._tick(self._clock.now_us())
            except Exception as bug:  # noqa: BLE001 (it is told, and the server goes on)
                self._on_bug(None, bug)
                return False
            return True

    async def _tick(self, now_us: int) -> None:
        self._begin_outage(now_us)
        if self._is_refusing and not self._server.faults.refuses_at(now_us):
            await self._front.accept_again()
            self._is_refusing = False
        due_us = self._server.next_due_us()
        is_due = due_us is not None and due_us <= now_us
        if is_due or now_us - self._advanced_us >= ADVANCE_AT_LEAST_EVERY_US:
            self._advanced_us = now_us
            self._server.advance(now_us)

    def _begin_outage(self, now_us: int) -> None:
        if not self._is_refusing and self._server.faults.refuses_at(now_us):
            self._is_refusing = True
            self._front.refuse()

    def _pause_s(self, now_us: int) -> float:
        edges = [self._server.next_due_us(), self._server.faults.next_change_us(now_us)]
        next_s = min((to_s(edge - now_us) for edge in edges if edge is not None), default=LOOK_AT_LEAST_EVERY_S)
        return min(max(next_s, LOOK_AT_MOST_EVERY_S), LOOK_AT_LEAST_EVERY_S)
