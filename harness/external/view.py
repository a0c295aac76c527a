"""What devices do, as the server saw it: events of the server lane turned into those that a device would tell.

`received` becomes `sent`, what was answered becomes `received`, and where faults kept an answer away, `no_reply`. They
stay in the server lane with their numbers, so that a finding points to what really stands in the trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from fleetrig.harness.platforms.hawkbit.naming import Call, call_of
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.simulator.contract.by_session import BySession
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.trace import Lane, TraceEvent

Lens = Callable[[TraceEvent], Iterable[TraceEvent]]
"""What checks get to see of an event."""


def as_it_is(event: TraceEvent) -> tuple[TraceEvent, ...]:
    """Devices of our own tell themselves what they do."""
    return (event,)


def lens_of(scenario: Scenario) -> Lens:
    """What the checks of a scenario are to see."""
    return ServerView() if scenario.devices.external else as_it_is


@dataclass(slots=True)
class _Exchange:
    """What came last on a session."""

    call: Call
    is_distorted: bool = False


class ServerView:
    """A view. What came and what was said to it belong together by their session; others may stand in between."""

    def __init__(self) -> None:
        self._exchanges = BySession[_Exchange | None]()

    def __call__(self, event: TraceEvent) -> Iterator[TraceEvent]:
        if event.lane is not Lane.SERVER:
            yield event
            return
        match event.kind:
            case "received":
                yield from self._received(event)
            case "fault":
                yield self._fault(event)
            case "answered" | "refused":
                yield from self._answered(event)
            case "delivered":
                yield from self._told("no_reply" if event.reason else "received", event)

    def _received(self, event: TraceEvent) -> Iterator[TraceEvent]:
        call = call_of(event.envelope) if isinstance(event.envelope, HttpRequest) else None
        self._exchanges.put(event.session, None if call is None else _Exchange(call))
        yield from self._told("sent", event)

    def _fault(self, event: TraceEvent) -> TraceEvent:
        exchange = self._exchanges.get(event.session)
        if exchange is None:
            return event
        exchange.is_distorted = True
        return event._replace(device=exchange.call.device)

    def _answered(self, event: TraceEvent) -> Iterator[TraceEvent]:
        """An answer that a fault has distorted is only what the platform said; what was made of it follows."""
        if event.kind == "refused":
            yield event
        exchange = self._exchanges.get(event.session)
        if exchange is not None and not exchange.is_distorted:
            yield from self._told("received", event)

    def _told(self, kind: str, event: TraceEvent) -> Iterator[TraceEvent]:
        exchange = self._exchanges.get(event.session)
        if exchange is not None:
            yield event._replace(kind=kind, device=exchange.call.device, name=exchange.call.name)
