"""One REST request: account, route, right, handler; each may refuse it."""

from __future__ import annotations

from fleetrig.reference_server.http_container import HttpContainerRules
from fleetrig.reference_server.platform import HeldRequest, HttpAnswer
from fleetrig.reference_server.platforms.kura.rest.device_calls import DeviceCalls
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session


class RestApi:
    """`/v1` and `/v2` of one platform."""

    def __init__(self, registry: Registry, calls: DeviceCalls) -> None:
        self._registry = registry
        self._calls = calls
        self.container_rules = HttpContainerRules()

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
        return HttpAnswer(HttpResponse(404), "there is no such resource")
