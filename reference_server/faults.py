"""Which fault bites which request, and what it makes of the answer: pure, told the time and given its chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Final

from fleetrig.reference_server.http_rewrite import as_seen, move_links, original_request, redirect, rewrite
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.delivery import Delivery, Ending, Framing
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse, body_length

DEFAULT_STATUS: Final = 503
DEFAULT_DELAY_S: Final = 1.0


@dataclass(slots=True)
class Scheduled:
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
    _scheduled: list[Scheduled] = field(default_factory=list)
    _last_id: int = 0

    def add(self, fault: Fault, now_us: int) -> Scheduled:
        """Schedules a fault; its `at_s` counts from `now_us`."""
        self._last_id += 1
        from_us = now_us + to_us(fault.at_s)
        until_us = None if fault.for_s is None else from_us + to_us(fault.for_s)
        scheduled = Scheduled(self._last_id, fault, from_us, until_us)
        self._scheduled.append(scheduled)
        return scheduled

    @property
    def is_idle(self) -> bool:
        """True while nothing was ever scheduled, or all of it was taken back: requests then cost nothing here."""
        return not self._scheduled

    def scheduled(self) -> tuple[Scheduled, ...]:
        """In the order of their ids, also those that are over."""
        return tuple(self._scheduled)

    def remove(self, fault_id: int) -> None:
        self._scheduled = [entry for entry in self._scheduled if entry.id != fault_id]

    def clear(self) -> None:
        self._scheduled.clear()

    def blocking(self, request: HttpRequest, now_us: int) -> Fault | None:
        """The fault that keeps this request from the platform, if one bites."""
        return self._bite(request, now_us, blocks)

    def distorting(self, request: HttpRequest, now_us: int) -> list[Fault]:
        """The faults that spoil its answer, one of each kind at most, in the order in which they do so."""
        found = (self._bite(request, now_us, _distorts_as(kind)) for kind in FaultKind)
        return [fault for fault in found if fault is not None]

    def original_request(self, request: HttpRequest) -> HttpRequest:
        """As if it had come to the usual place. Whoever was sent elsewhere is served there for good."""
        for entry in self._scheduled:
            if entry.fault.kind is FaultKind.MOVED and (found := original_request(entry.fault.text("below"), request)):
                return found
        return request

    def refuses_at(self, now_us: int) -> bool:
        """True while nobody should be listening at all (an outage of everything that shows as refused)."""
        return any(
            entry.is_on(now_us) and entry.fault.kind is FaultKind.OUTAGE
            and shows_as(entry.fault) is Ending.REFUSED and entry.fault.hits == "*" and entry.fault.share >= 1
            for entry in self._scheduled
        )  # fmt: skip

    def next_change_us(self, now_us: int) -> int | None:
        """When the next fault begins or ends after `now_us`."""
        edges = [
            edge for e in self._scheduled for edge in (e.from_us, e.until_us) if edge is not None and edge > now_us
        ]
        return min(edges, default=None)

    def _bite(self, request: HttpRequest, now_us: int, wanted: Callable[[Fault], bool]) -> Fault | None:
        for entry in self._scheduled:
            fault = entry.fault
            if not wanted(fault) or not entry.is_on(now_us):
                continue
            if not fnmatchcase(f"{request.method} {request.path}", fault.hits):
                continue
            if fault.kind is FaultKind.MOVED and blocks(fault) and original_request(fault.text("below"), request):
                continue  # who has followed a redirect is not sent on in circles
            if fault.share < 1 and self.draw() >= fault.share:
                continue
            entry.bites += 1
            return fault
        return None


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
        case FaultKind.LOST_REPLY:
            return fault.shows_as or Ending.CLOSED
        case FaultKind.TRUNCATED_BODY:
            return Ending.TRUNCATED
        case _:
            return Ending.WHOLE


def describe(fault: Fault) -> str:
    """What it does, for the trace."""
    parameters = ", ".join(f"{name} {value}" for name, value in fault.parameters.items())
    ending = shows_as(fault)
    return parameters if ending is Ending.WHOLE and parameters else f"shows as {ending}"


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
            request = as_seen(fault, request)
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
