"""Follows the trace of a remote reference server: events about this run's devices go into the run's own trace.

So `refused` with a reason, and faults, can be judged on a remote server. Times are the server's; the events are
numbered in the run's server lane, which has no other writer then.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fleetrig.harness.servers.control import ControlInterface
from fleetrig.simulator.contract.by_session import BySession
from fleetrig.simulator.contract.errors import FleetrigError
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.effects import Pause

POLL_EVERY_S: Final = 0.2


@asynccontextmanager
async def follow_remote_trace(control: ControlInterface | None, bench: RealBench, prefix: str) -> AsyncIterator[None]:
    """Follows inside the `with` block. Raises BrokenBench if the server stops answering."""
    if control is None:
        yield
        return
    number = await bench.run(control.last_number())
    task = asyncio.create_task(bench.run(follow(control, bench.trace, prefix, number)))
    try:
        yield
    finally:
        task.cancel()
        [ended] = await asyncio.gather(task, return_exceptions=True)
    if isinstance(ended, FleetrigError):
        raise ended


def follow(control: ControlInterface, trace: Trace, prefix: str, number: int) -> Director[None]:
    """Runs until it is cancelled. `prefix` begins the names of the run's devices."""
    selection = EventsOfRun(prefix)
    while True:
        told = yield from control.events_since(number)
        number = told.until
        for event in told.events:
            if selection.has(event):
                copy_event(trace, event)
        if told.is_all:
            yield Pause(POLL_EVERY_S, POLL_EVERY_S, "until there is more in the server's trace")


class EventsOfRun:
    """Which events of a shared server are about the devices of one run.

    A fault event names no device, but the line of its message may, and else its session. Of a first message that the
    platform never saw, on a platform whose lines name nobody, it is the run's, which has set the fault that it checks.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._is_ours: BySession[bool] = BySession()
        self._lines_name_devices = False

    def has(self, event: TraceEvent) -> bool:
        if is_about(event, self._prefix):
            self._is_ours.put(event.session, True)
            self._lines_name_devices |= event.kind == "fault"
            return True
        if event.device:
            self._is_ours.put(event.session, False)
        is_known = self._is_ours.get(event.session)
        return event.kind == "fault" and (not self._lines_name_devices if is_known is None else is_known)


def is_about(event: TraceEvent, prefix: str) -> bool:
    """Its device or the line of its message says so."""
    words = re.split(r"[/ :]", event.envelope.line) if event.envelope is not None else []
    return any(word.startswith(prefix) for word in (event.device, *words))


def copy_event(trace: Trace, event: TraceEvent) -> None:
    trace.emit(
        event.at_us,
        event.lane,
        event.kind,
        event.device,
        envelope=event.envelope,
        fault=event.fault,
        reason=event.reason,
        name=event.name,
        session=event.session,
    )
