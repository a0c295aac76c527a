"""What devices do, as the server saw it: events of the server lane turned into those that a device would tell.

`received` becomes `sent`, what was answered becomes `received`, and where faults kept an answer away, `no_reply`. They
stay in the server lane with their numbers, so that a finding points to what really stands in the trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from fleetrig.harness.platforms.hawkbit.naming import DeviceCall, device_call
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.trace import Lane, TraceEvent

EventView = Callable[[TraceEvent], Iterable[TraceEvent]]
"""What checks get to see of an event."""


def device_view(event: TraceEvent) -> tuple[TraceEvent, ...]:
    """Devices of our own tell themselves what they do."""
    return (event,)


def view_for(scenario: Scenario) -> EventView:
    """What the checks of a scenario are to see."""
    return ServerView() if scenario.devices.external else device_view


@dataclass(slots=True)
class ServerView:
    """A view. The events of one request stand together in the server lane: that is all it relies on."""

    _call: DeviceCall | None = None
    _is_spoilt: bool = False

    def __call__(self, event: TraceEvent) -> Iterator[TraceEvent]:
        if event.lane is not Lane.SERVER:
            yield event
            return
        match event.kind:
            case "received":
                yield from self._received(event)
            case "fault":
                self._is_spoilt = True
                yield event._replace(device=self._call.device if self._call else event.device)
            case "answered" | "refused":
                yield from self._answered(event)
            case "delivered":
                yield from self._told("no_reply" if event.reason else "received", event)

    def _received(self, event: TraceEvent) -> Iterator[TraceEvent]:
        self._call = device_call(event.envelope) if isinstance(event.envelope, HttpRequest) else None
        self._is_spoilt = False
        yield from self._told("sent", event)

    def _answered(self, event: TraceEvent) -> Iterator[TraceEvent]:
        """An answer that a fault has spoilt is only what the platform said; what was made of it follows."""
        if event.kind == "refused":
            yield event
        if not self._is_spoilt:
            yield from self._told("received", event)

    def _told(self, kind: str, event: TraceEvent) -> Iterator[TraceEvent]:
        if self._call is not None:
            yield event._replace(kind=kind, device=self._call.device, name=self._call.name)
