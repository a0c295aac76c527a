"""The HTTP front of a platform: what the platform needs to read of a body, and who has to hear of its requests."""

from __future__ import annotations

from dataclasses import replace

from fleetrig.reference_server.fronts.front import FrontTools
from fleetrig.reference_server.fronts.http.front import HttpFront
from fleetrig.reference_server.platform import HttpPlatform, SessionPlatform
from fleetrig.reference_server.server import Server
from fleetrig.simulator.contract.delivery import Delivery, HttpHandler
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session


def http_front(server: Server, tools: FrontTools) -> HttpFront:
    """Raises ModelError for a platform that speaks no HTTP."""
    if not isinstance(server.platform, HttpPlatform):
        raise ModelError(f"the platform {server.platform.name} speaks no HTTP, so it cannot listen for it")
    rules = server.platform.container_rules

    def needs_body(request: HttpRequest, session: Session, now_us: int) -> bool:
        try:
            return not server.faults.is_idle or rules.needs_body(request, session, now_us)
        except Exception:  # noqa: BLE001 (whatever it is, it comes up again where there is an answer to it)
            return True

    handle = _heard_by_sessions(server, tools) if isinstance(server.platform, SessionPlatform) else server.exchange
    return HttpFront(handle, replace(rules, needs_body=needs_body), tools, server.left)


def _heard_by_sessions(server: Server, tools: FrontTools) -> HttpHandler:
    """What a request makes due for sessions of other fronts is not left to the next tick: a deleted device's end."""

    def handle(request: HttpRequest, session: Session, now_us: int) -> Delivery:
        delivery = server.exchange(request, session, now_us)
        tools.perform(())
        return delivery

    return handle
