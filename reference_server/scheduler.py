"""What happens by itself: due work of the platforms, lazy writes, outages that begin and end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.fronts.front import Front, OnBug
from fleetrig.reference_server.server import Server
from fleetrig.simulator.contract.clock import US_PER_S, Clock, earliest_us, to_s, to_us
from fleetrig.simulator.contract.envelope import Output

ADVANCE_AT_LEAST_EVERY_US: Final = 10 * US_PER_S
"""Lazy writes (`Store.flush`), such as when a device was last seen, may be this late."""

TICK_AT_LEAST_EVERY_S: Final = 0.25
"""An HTTP request to a platform without sessions may have made something due sooner."""

TICK_AT_MOST_EVERY_S: Final = 0.02

STEP_AT_MOST_EVERY_S: Final = 0.001
"""While a platform has steps of something long to do: it gives way to whoever asks, and goes on."""

REST_AFTER_BUG_S: Final = 1.0


@dataclass(slots=True)
class ServedPlatform:
    """A platform's server and the fronts that speak for it."""

    server: Server
    advanced_us: int
    """When `advance` was last called."""
    fronts: tuple[Front, ...] = ()

    def perform(self, outputs: Sequence[Output]) -> None:
        for front in self.fronts:
            front.perform(outputs)


class Scheduler:
    """Runs as one task of the event loop, while its context is entered."""

    def __init__(self, served: Sequence[ServedPlatform], faults: FaultPlan, clock: Clock, on_bug: OnBug) -> None:
        self._served = served
        self._fronts = [front for one in served for front in one.fronts]
        self._faults = faults
        self._clock = clock
        self._on_bug = on_bug
        self._wake = asyncio.Event()
        self._ticking = asyncio.Lock()
        self._is_refusing = False
        self._next_tick_us = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="fleetrig scheduler")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def faults_changed(self) -> None:
        """The plan of faults has changed: an outage that begins now begins at once, all else at the next tick."""
        self._begin_outage(self._clock.now_us())
        self._wake.set()

    def wake_if_due(self, server: Server) -> None:
        """Call it after something came on a session: it may have made something due before the next tick."""
        due_us = server.next_due_us()
        if due_us is not None and due_us < self._next_tick_us:
            self._wake.set()

    async def run_due_now(self) -> None:
        """Call it after a change of faults or clock: all that is due by now has happened when this returns."""
        await self._tick_safely()
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            if not await self._tick_safely():
                await asyncio.sleep(REST_AFTER_BUG_S)
            now_us = self._clock.now_us()
            pause_s = STEP_AT_MOST_EVERY_S if self._is_under_way() else self._pause_s(now_us)
            self._next_tick_us = now_us + to_us(pause_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()

    async def _tick_safely(self) -> bool:
        """Performs what is due. Returns False after a bug, which must not stop the clock."""
        async with self._ticking:
            now_us = self._clock.now_us()
            try:
                await self._follow_outages(now_us)
            except Exception as bug:  # noqa: BLE001 (it is noted, and the server goes on)
                self._on_bug(None, bug)
                return False
            went_well = [self._advance(served, now_us) for served in self._served]
            return all(went_well)

    async def _follow_outages(self, now_us: int) -> None:
        self._begin_outage(now_us)
        if self._is_refusing and not self._faults.refuses_at(now_us):
            for front in self._fronts:
                await front.accept_again()
            self._is_refusing = False

    def _advance(self, served: ServedPlatform, now_us: int) -> bool:
        """Returns False after a bug: it must not keep other platforms from their due work."""
        try:
            due_us = served.server.next_due_us()
            is_due = due_us is not None and due_us <= now_us
            if is_due or now_us - served.advanced_us >= ADVANCE_AT_LEAST_EVERY_US:
                served.advanced_us = now_us
                served.perform(served.server.advance(now_us))
        except Exception as bug:  # noqa: BLE001 (it is noted, and the server goes on)
            self._on_bug(None, bug)
            return False
        return True

    def _begin_outage(self, now_us: int) -> None:
        if not self._is_refusing and self._faults.refuses_at(now_us):
            self._is_refusing = True
            for served in self._served:
                self._advance(served, now_us)  # sessions end as the server says, before the sockets are closed
            for front in self._fronts:
                front.refuse()

    def _is_under_way(self) -> bool:
        """Something was due when it was last looked for, and still is."""
        due_us = (served.server.next_due_us() for served in self._served)
        latest = zip(due_us, self._served, strict=True)
        return any(due is not None and due <= served.advanced_us for due, served in latest)

    def _next_due_us(self) -> int | None:
        return earliest_us(*(served.server.next_due_us() for served in self._served))

    def _pause_s(self, now_us: int) -> float:
        edge_us = earliest_us(self._next_due_us(), self._faults.next_change_us(now_us))
        next_s = TICK_AT_LEAST_EVERY_S if edge_us is None else to_s(edge_us - now_us)
        return min(max(next_s, TICK_AT_MOST_EVERY_S), TICK_AT_LEAST_EVERY_S)
