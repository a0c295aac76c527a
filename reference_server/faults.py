"""Which fault bites which request, and what it makes of the answer. Pure: time and chance are handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Final

from fleetrig.reference_server.http_rewrite import hide_headers, move_links, original_request, redirect, rewrite
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.delivery import Delivery, Ending, Framing
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse, body_length

DEFAULT_STATUS: Final = 503
DEFAULT_DELAY_S: Final = 1.0

DISTORTING: Final = (
    FaultKind.MOVED,
    FaultKind.REWRITE,
    FaultKind.LATENCY,
    FaultKind.DRIPPING,
    FaultKind.FRAMING,
    FaultKind.TRUNCATED_BODY,
    FaultKind.LOST_REPLY,
)
"""What can become of an HTTP answer, in this order."""

WORDS: Final = {
    FaultKind.CONNECT_REFUSED: "the connection is refused",
    FaultKind.CONNECT_UNANSWERED: "nothing is said any more",
    FaultKind.DUPLICATE_DELIVERY: "it comes twice",
    FaultKind.WITHHELD_ACK: "the acknowledgement is withheld",
    FaultKind.WITHHELD_PINGRESP: "the answer to a ping is withheld",
}
"""What a fault does that needs no parameter."""


@dataclass(slots=True)
class ScheduledFault:
    """A fault in the plan. `bites` counts what it did; a port closed by an outage cannot count who came in vain."""

    id: int
    fault: Fault
    from_us: int
    until_us: int | None
    bites: int = 0

    def is_on(self, now_us: int) -> bool:
        if self.fault.times is not None and self.bites >= self.fault.times:
            return False
        return self.from_us <= now_us and (self.until_us is None or now_us < self.until_us)

    def is_over(self, now_us: int) -> bool:
        """It will never bite again."""
        return now_us >= self.from_us and not self.is_on(now_us)


@dataclass(slots=True)
class FaultPlan:
    """The faults of a run. `draw` gives uniform numbers in [0,1)."""

    draw: Callable[[], float]
    _scheduled: list[ScheduledFault] = field(default_factory=list)
    _last_id: int = 0

    def add(self, fault: Fault, now_us: int) -> ScheduledFault:
        """Schedules a fault; its `at_s` counts from `now_us`."""
        self._last_id += 1
        from_us = now_us + to_us(fault.at_s)
        until_us = None if fault.for_s is None else from_us + to_us(fault.for_s)
        scheduled = ScheduledFault(self._last_id, fault, from_us, until_us)
        self._scheduled.append(scheduled)
        return scheduled

    @property
    def is_idle(self) -> bool:
        """True while nothing was ever scheduled, or all of it was taken back: requests then cost nothing here."""
        return not self._scheduled

    def scheduled(self) -> tuple[ScheduledFault, ...]:
        """In the order of their ids, also those that are over."""
        return tuple(self._scheduled)

    def remove(self, fault_id: int) -> None:
        self._scheduled = [entry for entry in self._scheduled if entry.id != fault_id]

    def clear(self) -> None:
        self._scheduled.clear()

    def blocking(self, request: HttpRequest, now_us: int) -> Fault | None:
        """The fault that keeps this request from the platform, if one bites."""

        def wanted(fault: Fault) -> bool:
            # A client that has followed a redirect is not sent on in circles.
            return blocks(fault) and not (
                fault.kind is FaultKind.MOVED and original_request(fault.text("below"), request)
            )

        return self.bite(wanted, (request.line,), now_us)

    def distorting(self, request: HttpRequest, now_us: int) -> list[Fault]:
        """The faults that distort its answer, one of each kind at most, in the order in which they do so."""
        found = (self.bite(_distorts_as(kind), (request.line,), now_us) for kind in DISTORTING)
        return [fault for fault in found if fault is not None]

    def original_request(self, request: HttpRequest) -> HttpRequest:
        """As if it had come to the usual place. A client that was sent elsewhere is served there for good."""
        for entry in self._scheduled:
            if entry.fault.kind is FaultKind.MOVED and (found := original_request(entry.fault.text("below"), request)):
                return found
        return request

    def refuses_at(self, now_us: int) -> bool:
        """True while nobody should be listening at all (an outage of everything that shows as refused)."""
        return any(entry.is_on(now_us) and refuses_all(entry.fault) for entry in self._scheduled)

    def next_change_us(self, now_us: int) -> int | None:
        """When the next fault begins or ends after `now_us`."""
        edges = [
            edge for e in self._scheduled for edge in (e.from_us, e.until_us) if edge is not None and edge > now_us
        ]
        return min(edges, default=None)

    def bite(self, wanted: Callable[[Fault], bool], lines: Sequence[str], now_us: int) -> Fault | None:
        """The first wanted fault that is on, that fits one of the lines and whose chance it is. Counts the bite."""
        for entry in self._scheduled:
            fault = entry.fault
            if not wanted(fault) or not entry.is_on(now_us):
                continue
            if not any(fnmatchcase(line, fault.hits) for line in lines):
                continue
            if fault.share < 1 and self.draw() >= fault.share:
                continue
            entry.bites += 1
            return fault
        return None


def refuses_all(fault: Fault) -> bool:
    """True for an outage of everything that shows as refused: the port is closed meanwhile."""
    is_refused = fault.kind is FaultKind.OUTAGE and shows_as(fault) is Ending.REFUSED
    return is_refused and fault.hits == "*" and fault.share >= 1


def blocks(fault: Fault) -> bool:
    """True when the platform never sees what this fault bites."""
    is_redirect = fault.kind is FaultKind.MOVED and "status" in fault.parameters
    return is_redirect or fault.kind in (FaultKind.OUTAGE, FaultKind.OVERLOAD)


def _distorts_as(kind: FaultKind) -> Callable[[Fault], bool]:
    return lambda fault: fault.kind is kind and not blocks(fault)


def shows_as(fault: Fault) -> Ending:
    """How a fault shows on the wire when the scenario does not say."""
    match fault.kind:
        case FaultKind.OUTAGE:
            return fault.shows_as or Ending.REFUSED
        case FaultKind.LOST_REPLY | FaultKind.DROP_AFTER_CONNACK:
            return fault.shows_as or Ending.CLOSED
        case FaultKind.TRUNCATED_BODY:
            return Ending.TRUNCATED
        case _:
            return Ending.WHOLE


def describe(fault: Fault) -> str:
    """What it does, for the trace."""
    parameters = ", ".join(f"{name} {value}" for name, value in fault.parameters.items())
    ending = shows_as(fault)
    return (parameters or WORDS.get(fault.kind, "")) if ending is Ending.WHOLE else f"shows as {ending}"


def replacement(fault: Fault, request: HttpRequest) -> Delivery:
    """What a device gets in place of the platform's answer."""
    match fault.kind:
        case FaultKind.OUTAGE:
            return Delivery(None, shows_as(fault))
        case FaultKind.MOVED:
            return redirect(fault, request)
        case _:
            status, retry_after_s = int(fault.number("status") or DEFAULT_STATUS), fault.number("retry_after_s")
            headers = (("Retry-After", str(int(retry_after_s))),) if retry_after_s is not None else ()
            return Delivery(HttpResponse(status, headers))


def filter_request(faults: Sequence[Fault], request: HttpRequest) -> HttpRequest:
    """The request as the platform gets to see it."""
    for fault in faults:
        if fault.kind in (FaultKind.REWRITE, FaultKind.MOVED):
            request = hide_headers(fault, request)
    return request


def distort(fault: Fault, request: HttpRequest, delivery: Delivery) -> Delivery:
    """An answer with one more fault on its way."""
    match fault.kind:
        case FaultKind.MOVED:
            return move_links(fault, request, delivery)
        case FaultKind.REWRITE:
            return rewrite(fault, delivery)
        case FaultKind.LATENCY:
            delay_s = fault.number("delay_s")
            late_us = to_us(DEFAULT_DELAY_S if delay_s is None else delay_s)
            return replace(delivery, delay_us=delivery.delay_us + late_us)
        case FaultKind.DRIPPING:
            return replace(delivery, bytes_per_s=fault.number("bytes_per_s"))
        case FaultKind.FRAMING:
            return replace(delivery, framing=Framing(fault.text("framed", Framing.LENGTH)))
        case FaultKind.TRUNCATED_BODY if delivery.response is not None and body_length(delivery.response.body) > 0:
            after = fault.number("after_bytes")
            return replace(delivery, ending=Ending.TRUNCATED, cut_after_bytes=None if after is None else int(after))
        case FaultKind.LOST_REPLY:
            return Delivery(None, shows_as(fault), delivery.delay_us)
        case _:
            return delivery
