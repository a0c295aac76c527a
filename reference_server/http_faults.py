"""What faults do to HTTP: which keep a request from the platform, and what the others make of its answer. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from fleetrig.reference_server.fault_plan import DEFAULT_DELAY_S, DEFAULT_STATUS, FaultPlan, shows_as
from fleetrig.reference_server.http_rewrite import hide_headers, move_links, original_request, redirect, rewrite
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.delivery import Delivery, Ending, Framing
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse, body_length

DISTORTING: Final = (
    FaultKind.MOVED,
    FaultKind.REWRITE,
    FaultKind.LATENCY,
    FaultKind.SLOW_STORE,
    FaultKind.DRIPPING,
    FaultKind.FRAMING,
    FaultKind.TRUNCATED_BODY,
    FaultKind.LOST_REPLY,
)
"""The faults that distort an HTTP answer, in the order in which they do so."""


class HttpFaults:
    """The plan of faults as HTTP requests meet it."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan

    def blocking(self, request: HttpRequest, now_us: int) -> Fault | None:
        """The fault that keeps this request from the platform, if there is one."""

        def is_wanted(fault: Fault) -> bool:
            # A client that has followed a redirect is not sent on in circles.
            return blocks(fault) and not (
                fault.kind is FaultKind.MOVED and original_request(fault.text("below"), request)
            )

        return self._plan.trigger(is_wanted, (request.line,), now_us)

    def distorting(self, request: HttpRequest, now_us: int) -> list[Fault]:
        """The faults that distort its answer, one of each kind at most, in the order in which they do so."""
        found = (self._plan.trigger(_distorts_as(kind), (request.line,), now_us) for kind in DISTORTING)
        return [fault for fault in found if fault is not None]

    def original_request(self, request: HttpRequest) -> HttpRequest:
        """The request as if it had come to the usual place. The other place is served even when the fault is over."""
        for entry in self._plan.scheduled():
            if entry.fault.kind is FaultKind.MOVED and (found := original_request(entry.fault.text("below"), request)):
                return found
        return request


def blocks(fault: Fault) -> bool:
    """True for a fault that keeps requests from the platform."""
    is_redirect = fault.kind is FaultKind.MOVED and "status" in fault.parameters
    return is_redirect or fault.kind in (FaultKind.OUTAGE, FaultKind.OVERLOAD)


def _distorts_as(kind: FaultKind) -> Callable[[Fault], bool]:
    return lambda fault: fault.kind is kind and not blocks(fault)


def replacement(fault: Fault, request: HttpRequest) -> Delivery:
    """What a device gets in place of the platform's answer, from a fault that `blocks`."""
    match fault.kind:
        case FaultKind.OUTAGE:
            return Delivery(None, shows_as(fault))
        case FaultKind.MOVED:
            return redirect(fault, request)
        case FaultKind.CAPACITY if fault.shows_as is Ending.SILENCE:
            return Delivery(None, Ending.SILENCE)
        case FaultKind.OVERLOAD | FaultKind.CAPACITY:
            status, retry_after_s = int(fault.number("status") or DEFAULT_STATUS), fault.number("retry_after_s")
            headers = (("Retry-After", str(int(retry_after_s))),) if retry_after_s is not None else ()
            return Delivery(HttpResponse(status, headers))
        case _:
            raise ModelError(f"the fault {fault.kind} takes no request away from the platform")


def filter_request(faults: Sequence[Fault], request: HttpRequest) -> HttpRequest:
    """The request as the platform sees it."""
    for fault in faults:
        if fault.kind in (FaultKind.REWRITE, FaultKind.MOVED):
            request = hide_headers(fault, request)
    return request


def late_us(fault: Fault) -> int:
    delay_s = fault.number("delay_s")
    return to_us(DEFAULT_DELAY_S if delay_s is None else delay_s)


def distort(fault: Fault, request: HttpRequest, delivery: Delivery) -> Delivery:
    """The answer after one more fault."""
    match fault.kind:
        case FaultKind.MOVED:
            return move_links(fault, request, delivery)
        case FaultKind.REWRITE:
            return rewrite(fault, delivery)
        case FaultKind.LATENCY | FaultKind.SLOW_STORE:
            return delivery._replace(delay_us=delivery.delay_us + late_us(fault))
        case FaultKind.DRIPPING:
            return delivery._replace(bytes_per_s=fault.number("bytes_per_s"))
        case FaultKind.FRAMING:
            return delivery._replace(framing=Framing(fault.text("framed", Framing.LENGTH)))
        case FaultKind.TRUNCATED_BODY if delivery.response is not None and body_length(delivery.response.body) > 0:
            after = fault.number("after_bytes")
            return delivery._replace(ending=Ending.TRUNCATED, cut_after_bytes=None if after is None else int(after))
        case FaultKind.LOST_REPLY:
            return Delivery(None, shows_as(fault), delivery.delay_us)
        case _:
            return delivery
