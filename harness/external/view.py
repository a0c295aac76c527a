"""What devices do, as the server saw it: events of the server lane turned into events of a device.

`received` becomes `sent`, what was answered becomes `received`, and where faults kept an answer away, `no_reply`. They
stay in the server lane with their numbers, so that a finding points to what really stands in the trace.

In a session that lasts not every message says whose it is: what one has said counts for those that follow, and where
there is only one device, it is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from fleetrig.harness.platform import DeviceCall, platform_of
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.simulator.contract.by_session import BySession
from fleetrig.simulator.contract.envelope import WireForm
from fleetrig.simulator.contract.mqtt import MqttPublish
from fleetrig.simulator.contract.trace import Lane, TraceEvent, TraceListener

EventView = Callable[[TraceEvent], Iterable[TraceEvent]]
"""What checks get to see of an event."""


def device_view(event: TraceEvent) -> tuple[TraceEvent, ...]:
    """Simulated devices emit their own events."""
    return (event,)


def view_for(scenario: Scenario) -> EventView:
    """What the checks of a scenario are to see, from its beginning on."""
    if not scenario.devices.external and not scenario.played:
        return device_view
    few = [unit.serial for unit in islice(scenario.devices.units(), 2)]
    seen = ServerView(platform_of(scenario.platform).device_call, few[0] if len(few) == 1 else "")
    return MixedView(seen, frozenset(scenario.played.values())) if scenario.played else seen


class SeenExchange(NamedTuple):
    """What is under way in a session: who called, and whether a fault has distorted the answer."""

    call: DeviceCall | None
    is_distorted: bool = False


@dataclass(slots=True)
class ServerView:
    """A view. Request and answer are paired by session; events of other sessions may come in between.

    It may be asked about an event several times, as long as that is the latest.
    """

    _device_call: Callable[[TraceEvent], DeviceCall | None]
    _alone: str = ""
    """The serial of the only device, without the prefix of the run until that has begun."""
    _open: BySession[SeenExchange] = field(default_factory=BySession)
    _devices: BySession[str] = field(default_factory=BySession)
    """Whose a session is, as far as anything in it has said so."""

    def __call__(self, event: TraceEvent) -> Iterator[TraceEvent]:
        if event.lane is not Lane.SERVER:
            if event.lane is Lane.BENCH and event.kind == "begun" and self._alone:
                self._alone = event.name + self._alone.removeprefix(event.name)
            yield event
            return
        exchange = self._open.get(event.session) or SeenExchange(None)
        match event.kind:
            case "received":
                exchange = SeenExchange(self._named(event))
                self._open.put(event.session, exchange)
                yield from _from_device("sent", event, exchange)
            case "fault":
                self._open.put(event.session, exchange._replace(is_distorted=True))
                yield event._replace(device=exchange.call.device if exchange.call else event.device)
            case "step":
                yield event if event.device or exchange.call is None else event._replace(device=exchange.call.device)
            case "answered" | "refused" | "pushed":
                yield from _answered(event, self._told(event, exchange))
            case "closed":
                yield from _from_device("sent", event, SeenExchange(self._named(event)))
            case "delivered":
                kind = "no_reply" if event.reason and event.reason != WireForm.TWICE else "received"
                yield from _from_device(kind, event, self._told(event, exchange))

    def _named(self, event: TraceEvent) -> DeviceCall | None:
        """Its call, with its device: the one that it names, that of its session, or the only one."""
        call = self._device_call(event)
        if call is None:
            return None
        if call.device:
            self._devices.put(event.session, call.device)
            return call
        return call._replace(device=self._devices.get(event.session) or self._alone)

    def _told(self, event: TraceEvent, exchange: SeenExchange) -> SeenExchange:
        """What is published to a device has a name of its own, in answer to something or unasked."""
        if not isinstance(event.envelope, MqttPublish):
            return exchange
        return exchange._replace(call=self._named(event))


ABOUT_ALL: Final = frozenset({"refused", "fault", "step"})
"""What the server lane says of every device, whoever it is."""


@dataclass(slots=True)
class MixedView:
    """A view for a fleet in which boards play some devices: the server saw those, all others tell themselves."""

    _server: ServerView
    _played: frozenset[str]
    """Their serials, without the prefix of the run until that has begun."""

    def __call__(self, event: TraceEvent) -> Iterator[TraceEvent]:
        if event.lane is Lane.BENCH and event.kind == "begun":
            self._played = frozenset(event.name + serial.removeprefix(event.name) for serial in self._played)
        for seen in self._server(event):
            if seen.lane is not Lane.SERVER or seen.device in self._played or seen.kind in ABOUT_ALL:
                yield seen


def _answered(event: TraceEvent, exchange: SeenExchange) -> Iterator[TraceEvent]:
    """An answer that a fault has distorted is only what the platform said; what was made of it follows."""
    if event.kind == "refused":
        yield event if event.device or exchange.call is None else event._replace(device=exchange.call.device)
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
