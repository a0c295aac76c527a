"""Which fault bites which request: pure, told the time and given its chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from simulator.contract.clock import to_us
from simulator.contract.faults import Fault, FaultKind
from simulator.contract.wire import Delivery, Ending, HttpRequest, HttpResponse, body_length

BEFORE = frozenset({FaultKind.OUTAGE, FaultKind.OVERLOAD})
DEFAULT_STATUS = 503


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

    def scheduled(self) -> tuple[Scheduled, ...]:
        """In the order of their ids, also those that are over."""
        return tuple(self._scheduled)

    def remove(self, fault_id: int) -> None:
        self._scheduled = [entry for entry in self._scheduled if entry.id != fault_id]

    def clear(self) -> None:
        self._scheduled.clear()

    def before(self, request: HttpRequest, now_us: int) -> Fault | None:
        """The fault that keeps this request from the platform, if one bites."""
        return self._bite(request, now_us, BEFORE)

    def after(self, request: HttpRequest, now_us: int) -> list[Fault]:
        """The faults that spoil an answer already committed, one of each kind at most."""
        if not self._scheduled:
            return []
        found = (self._bite(request, now_us, frozenset({kind})) for kind in FaultKind if kind not in BEFORE)
        return [fault for fault in found if fault is not None]

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

    def _bite(self, request: HttpRequest, now_us: int, kinds: frozenset[FaultKind]) -> Fault | None:
        for entry in self._scheduled:
            fault = entry.fault
            if fault.kind not in kinds or not entry.is_on(now_us):
                continue
            if not fnmatchcase(f"{request.method} {request.path}", fault.hits):
                continue
            if fault.share < 1 and self.draw() >= fault.share:
                continue
            entry.bites += 1
            return fault
        return None


def shows_as(fault: Fault) -> Ending:
    """How a fault shows on the wire when the scenario does not say."""
    match fault.kind:
        case FaultKind.OUTAGE:
            return fault.shows_as or Ending.REFUSED
        case FaultKind.LOST_REPLY:
            return fault.shows_as or Ending.CLOSED
        case FaultKind.TRUNCATED_BODY:
            return Ending.TRUNCATED
        case FaultKind.LATENCY | FaultKind.OVERLOAD:
            return Ending.WHOLE


def instead(fault: Fault) -> Delivery:
    """What a device gets in place of the platform's answer."""
    if fault.kind is FaultKind.OUTAGE:
        return Delivery(None, shows_as(fault))
    status = int(fault.parameters.get("status", DEFAULT_STATUS))
    retry_after_s = _optional_int(fault, "retry_after_s")
    headers = (("Retry-After", str(retry_after_s)),) if retry_after_s is not None else ()
    return Delivery(HttpResponse(status, headers))


def spoil(fault: Fault, delivery: Delivery) -> Delivery:
    """An answer with one more fault on its way."""
    response = delivery.response
    match fault.kind:
        case FaultKind.LATENCY:
            delay_us = delivery.delay_us + to_us(float(fault.parameters.get("delay_s", 1.0)))
            return Delivery(response, delivery.ending, delay_us)
        case FaultKind.TRUNCATED_BODY if response is not None and body_length(response.body) > 0:
            return Delivery(response, Ending.TRUNCATED, delivery.delay_us, _optional_int(fault, "after_bytes"))
        case FaultKind.LOST_REPLY:
            return Delivery(None, shows_as(fault), delivery.delay_us)
        case _:
            return delivery


def _optional_int(fault: Fault, name: str) -> int | None:
    value = fault.parameters.get(name)
    return None if value is None else int(value)
