"""The HTTP adapter as the platform calls it."""

from __future__ import annotations

from fleetrig.reference_server.platform import HeldRequest, HttpAnswer
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session


class HttpAdapter:
    """Telemetry, events and responses to commands over HTTP."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
        return HttpAnswer(HttpResponse(404), "the HTTP adapter is not there yet")
