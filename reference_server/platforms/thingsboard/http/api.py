"""One HTTP request through the same stations, in the same order, as in the real server.

Authentication → size of the body → route → right → handler. A station that refuses raises, and ends in `_refused`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fleetrig.reference_server.http_container import HttpContainerRules
from fleetrig.reference_server.platform import HeldRequest, HttpAnswer
from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.container import CLOSES_AFTER, container_page
from fleetrig.reference_server.platforms.thingsboard.http.device_routes import DEVICE_ROUTES
from fleetrig.reference_server.platforms.thingsboard.http.errors import (
    HttpRefusal,
    broken_rule,
    denied,
    plain,
    refusal_response,
)
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply, respond
from fleetrig.reference_server.platforms.thingsboard.http.routing import Route, Router
from fleetrig.reference_server.platforms.thingsboard.http.waiting import Wait, WaitingRequests
from fleetrig.reference_server.platforms.thingsboard.rest.authentication import authenticate
from fleetrig.reference_server.platforms.thingsboard.rest.routes import ROUTES
from fleetrig.reference_server.platforms.thingsboard.state.errors import ErrorCode, RuleBroken
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse, body_length
from fleetrig.simulator.contract.session import Session

TOO_LARGE: Final = 413
GUARDED: Final = "/api/"
DEVICES: Final = "/api/v1/"
OPEN: Final = (DEVICES, "/api/auth/login", "/api/auth/token", "/api/noauth/")
"""Below `GUARDED`, and asked for no login: device paths, and what gives one."""


class HttpApi:
    """Both APIs: the operator's and the devices'."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.waiting = WaitingRequests(registry.settings.async_request_ms)
        self._router = Router((*ROUTES, *DEVICE_ROUTES))
        self._body_bytes = registry.settings.request_body_bytes
        self.container_rules = HttpContainerRules(
            self._error_page, CLOSES_AFTER, upload_bytes=self._body_bytes, failure=self._failure
        )

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
        call = Call(request, session, now_us, self._registry)
        try:
            route, values = self._admitted(call)
        except HttpRefusal as refusal:
            return self._refused(call, refusal, rollback=False)
        try:
            reply = route.handler(call, *values)
        except RuleBroken as broken:
            return self._refused(call, broken_rule(broken), rollback=True)
        except HttpRefusal as refusal:
            return self._refused(call, refusal, rollback=True)
        return self._held(call, reply) if isinstance(reply, Wait) else self._answered(call, reply)

    def _held(self, call: Call, wait: Wait) -> HeldRequest:
        held_id, session, now_us = self.waiting.new_id(), call.session.id, call.now_us

        def settled(committed: bool) -> None:
            if committed:
                self.waiting.hold(held_id, session, wait, now_us)

        self._registry.store.when_settled(settled)
        return HeldRequest(held_id, wait.device)

    def _admitted(self, call: Call) -> tuple[Route, list[str]]:
        """Everything before the handler. Raises HttpRefusal."""
        if call.request.method == "OPTIONS":
            raise plain(403, "Invalid CORS request", reason="nothing is allowed across origins")
        if call.path.startswith(GUARDED) and not call.path.startswith(OPEN):
            authenticate(call)
        if body_length(call.request.body) > self._body_bytes:
            raise self._too_large()
        route, values = self._router.find(call.request.method, call.path, call.query)
        if route.needs and call.operator.authority not in route.needs:
            raise denied(f"{call.operator.authority} may not {route.method} {route.path}")
        return route, values

    def _answered(self, call: Call, reply: Reply) -> HttpAnswer:
        response = without_body(call.request.method, respond(reply, call.request.header("accept")))
        return HttpAnswer(response, reply.reason, reply.device, reply.changed)

    def _refused(self, call: Call, refusal: HttpRefusal, *, rollback: bool) -> HttpAnswer:
        response = without_body(call.request.method, refusal_response(refusal, call.now_us))
        return HttpAnswer(response, refusal.reason, rollback=rollback)

    def _too_large(self) -> HttpRefusal:
        """Told as a JSON text, quotes included (S95)."""
        said = f'"Payload size exceeds the limit of {self._body_bytes} bytes"'
        return plain(TOO_LARGE, said, reason=f"the body has more than {self._body_bytes} bytes")

    def _error_page(self, status: int) -> HttpResponse:
        """The front itself refuses a body of more bytes than it takes."""
        return refusal_response(self._too_large(), 0) if status == TOO_LARGE else container_page(status)

    def _failure(self, request: HttpRequest, now_us: int) -> HttpResponse:
        """The database has failed: an operator is told (ThingsboardErrorResponseHandler), a device is not (S98)."""
        if request.path.startswith(DEVICES):
            return HttpResponse(500)
        refusal = HttpRefusal(500, "Database error", reason="the store has failed", code=ErrorCode.DATABASE)
        return refusal_response(refusal, now_us)


def without_body(method: str, response: HttpResponse) -> HttpResponse:
    """HEAD is answered as GET, without what it would have said."""
    if method != "HEAD":
        return response
    length = ("Content-Length", str(body_length(response.body)))
    return replace(response, headers=(*response.headers, length), body=b"")
