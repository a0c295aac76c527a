"""What devices do, as the server saw it: events of the server lane turned into events of a device.

`received` becomes `sent`, what was answered becomes `received`, and where faults kept an answer away, `no_reply`. They
stay in the server lane with their numbers, so that a finding points to what really stands in the trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from fleetrig.harness.platform import DeviceCall, platform_of
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.simulator.contract.by_session import BySession
from fleetrig.simulator.contract.trace import Lane, TraceEvent, TraceListener

EventView = Callable[[TraceEvent], Iterable[TraceEvent]]
"""What checks get to see of an event."""


def device_view(event: TraceEvent) -> tuple[TraceEvent, ...]:
    """Simulated devices emit their own events."""
    return (event,)


def view_for(scenario: Scenario) -> EventView:
    """What the checks of a scenario are to see."""
    return ServerView(platform_of(scenario.platform).device_call) if scenario.devices.external else device_view


class SeenExchange(NamedTuple):
    """What is under way in a session: who called, and whether a fault has distorted the answer."""

    call: DeviceCall | None
    is_distorted: bool = False


@dataclass(slots=True)
class ServerView:
    """A view. Request and answer are paired by session; events of other sessions may come in between."""

    _device_call: Callable[[TraceEvent], DeviceCall | None]
    _open: BySession[SeenExchange] = field(default_factory=BySession)

    def __call__(self, event: TraceEvent) -> Iterator[TraceEvent]:
        if event.lane is not Lane.SERVER:
            yield event
            return
        exchange = self._open.get(event.session) or SeenExchange(None)
        match event.kind:
            case "received":
                exchange = SeenExchange(self._device_call(event))
                self._open.put(event.session, exchange)
                yield from _from_device("sent", event, exchange)
            case "fault":
                self._open.put(event.session, exchange._replace(is_distorted=True))
                yield event._replace(device=exchange.call.device if exchange.call else event.device)
            case "answered" | "refused":
                yield from _answered(event, exchange)
            case "delivered":
                yield from _from_device("no_reply" if event.reason else "received", event, exchange)


def _answered(event: TraceEvent, exchange: SeenExchange) -> Iterator[TraceEvent]:
    """An answer that a fault has distorted is only what the platform said; what was made of it follows."""
    if event.kind == "refused":
        yield event
    if not exchange.is_distorted:
        yield from _from_device("received", event, exchange)


def _from_device(kind: str, event: TraceEvent, exchange: SeenExchange) -> Iterator[TraceEvent]:
    """The event as the device would emit it."""
    if exchange.call is not None:
        yield event._replace(kind=kind, device=exchange.call.device, name=exchange.call.name)


def note_heard(view: EventView, heard: set[str]) -> TraceListener:
    """A listener that notes which devices the server has heard."""

    def note(event: TraceEvent) -> None:
        heard.update(seen.device for seen in view(event) if is_heard(seen))

    return note


def is_heard(seen: TraceEvent) -> bool:
    """True for a request of a device, as the server saw it."""
    return seen.lane is Lane.SERVER and seen.kind == "sent"
