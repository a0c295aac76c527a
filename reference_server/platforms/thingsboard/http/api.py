"""One HTTP request through the same stations, in the same order, as in the real server.

Authentication → size of the body → route → right → handler. A station that refuses raises, and ends in `_refused`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fleetrig.reference_server.http_container import HttpContainerRules
from fleetrig.reference_server.platform import HeldRequest, HttpAnswer
from fleetrig.reference_server.platforms.thingsboard.http.call import DEVICES, Call
from fleetrig.reference_server.platforms.thingsboard.http.container import CLOSES_AFTER, container_page
from fleetrig.reference_server.platforms.thingsboard.http.device_routes import DEVICE_ROUTES
from fleetrig.reference_server.platforms.thingsboard.http.errors import (
    JSON,
    HttpRefusal,
    broken_rule,
    crash,
    denied,
    plain,
    refusal_response,
)
from fleetrig.reference_server.platforms.thingsboard.http.firewall import check_request, container_answer
from fleetrig.reference_server.platforms.thingsboard.http.media_types import NoMediaType, accepted, accepts
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
LOGINS: Final = ("/api/auth/login", "/api/auth/token")
OPEN: Final = (DEVICES, *(f"{path}/" for path in LOGINS), "/api/noauth/")
"""Below `GUARDED`, and asked for no login: device paths, and what gives one."""
WRITABLE: Final = (JSON, "application/vnd.json+json", "application/problem+json", "application/cbor")
"""What a document of the operator's API can be asked for as; it stays JSON."""


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
        page = container_answer(request)
        if page is not None:
            return HttpAnswer(page, f"no URL of HTTP: {request.target[:200]!r}")
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
        check_request(call.request)
        if call.path in LOGINS and call.request.method != "POST":
            raise HttpRefusal(401, "Authentication method not supported", reason="a login is a POST")
        below = f"{call.path}/"
        if below.startswith(GUARDED) and not below.startswith(OPEN):
            authenticate(call)
        if body_length(call.request.body) > self._body_bytes:
            raise self._too_large()
        route, values = self._router.find(call.request.method, call.path, call.query)
        _check_types(call, route)
        if route.needs and call.operator.authority not in route.needs:
            raise denied(f"{call.operator.authority} may not {route.method} {route.path}")
        return route, values

    def _answered(self, call: Call, reply: Reply) -> HttpAnswer:
        accept = call.request.header("accept")
        refusal = _unwritable(call, reply, accept)
        response = respond(reply, accept) if refusal is None else refusal_response(refusal, call.now_us)
        reason = reply.reason if refusal is None else refusal.reason
        return HttpAnswer(without_body(call.request.method, response), reason, reply.device, reply.changed)

    def _refused(self, call: Call, refusal: HttpRefusal, *, rollback: bool) -> HttpAnswer:
        """What devices are told of their own mistakes is Spring's own, too."""
        refusal.framework = refusal.framework or (call.is_of_device and refusal.status < 500)
        if refusal.framework and refusal.document and (status := _without_document(call, refusal.status)):
            refusal = plain(status, reason=refusal.reason, headers=refusal.headers)
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


def _check_types(call: Call, route: Route) -> None:
    """Before the handler: OPTIONS, what a route says that it answers, what a device's body is. Raises HttpRefusal."""
    if call.request.method == "OPTIONS":
        raise HttpRefusal(403, "Forbidden", reason="nothing is allowed across origins", framework=True)
    if route.says_json and not _accepts(call.request.header("accept"), JSON):
        raise plain(406, reason=f"the answer is {JSON}, which Accept does not name")
    if call.is_of_device and route.method == "POST":
        _ = call.content_type


def _unwritable(call: Call, reply: Reply, accept: str | None) -> HttpRefusal | None:
    """What is done and cannot be told, since `Accept` names nothing that it could be written as: it stays done."""
    reason = "done, but Accept names no type that the answer could have"
    if call.is_of_device:
        is_writable = reply.text is None or _accepts(accept, "*/*", any_will_do=True)
        return None if is_writable else plain(406, reason=reason)
    if reply.document is not None and not call.path.startswith(LOGINS) and not _accepts(accept, *WRITABLE):
        return crash("No acceptable representation", reason=reason)
    return None


def _without_document(call: Call, status: int) -> int:
    """The status of a refusal whose document is not accepted; 0: it is."""
    try:
        return 0 if accepts(call.request.header("accept"), *WRITABLE) else 406
    except NoMediaType:
        return status


def _accepts(header: str | None, *essences: str, any_will_do: bool = False) -> bool:
    try:
        return bool(accepted(header)) if any_will_do else accepts(header, *essences)
    except NoMediaType:
        return False


def without_body(method: str, response: HttpResponse) -> HttpResponse:
    """HEAD is answered as GET, without what it would have said."""
    if method != "HEAD":
        return response
    length = ("Content-Length", str(body_length(response.body)))
    return replace(response, headers=(*response.headers, length), body=b"")
