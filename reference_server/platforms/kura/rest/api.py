"""One REST request: account, route, scope, right, handler; each may refuse it."""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.http_container import HttpContainerRules
from fleetrig.reference_server.platform import HeldRequest, HttpAnswer
from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.device_calls import DeviceCalls
from fleetrig.reference_server.platforms.kura.rest.refusals import login_answer, refusal_answer
from fleetrig.reference_server.platforms.kura.rest.replies import Reply, json_response, respond
from fleetrig.reference_server.platforms.kura.rest.routes import ROUTES
from fleetrig.reference_server.platforms.kura.rest.routing import Route, Router
from fleetrig.reference_server.platforms.kura.rest.scopes import account_of
from fleetrig.reference_server.platforms.kura.rest.xml_refusals import refusal_in_xml, wants_xml
from fleetrig.reference_server.platforms.kura.state.access_tokens import access_token_with
from fleetrig.reference_server.platforms.kura.state.errors import LoginFailure, LoginRefused, Refused
from fleetrig.reference_server.platforms.kura.state.events import Peer, audit
from fleetrig.reference_server.platforms.kura.state.permissions import check_permitted
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.reference_server.platforms.kura.state.sign_in import check_usable, sign_in
from fleetrig.reference_server.platforms.kura.state.users import user_by_id
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse, body_length
from fleetrig.simulator.contract.session import Session

BEARER: Final = "Bearer "
BASIC: Final = "basic "
V2: Final = "/v2/"
CHALLENGE: Final[Headers] = (("WWW-Authenticate", 'Basic realm="provisioning"'),)
"""Of `/v2` alone, which takes HTTP Basic too."""
TOO_LARGE: Final = 413


class RestApi:
    """`/v1` and `/v2` of one platform."""

    def __init__(self, registry: Registry, calls: DeviceCalls) -> None:
        self._registry = registry
        self._calls = calls
        self._router = Router(ROUTES)
        self.container_rules = HttpContainerRules(_page, failure=_failure)

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
        """One request, in a transaction that `server.py` has opened."""
        call = Call(request, session, now_us, self._registry, self._calls)
        answer = self._answer(call)
        return without_body(answer) if request.method == "HEAD" and isinstance(answer, HttpAnswer) else answer

    def _answer(self, call: Call) -> HttpAnswer | HeldRequest:
        path = call.request.path
        found = self._router.find(path)
        if found is None:
            return HttpAnswer(HttpResponse(404), f"the API has no path {path[:200]!r}")
        method = "GET" if call.request.method == "HEAD" else call.request.method
        route = found.routes.get(method)
        if route is None:
            why = f"{call.request.method} {path[:200]}: only {found.allow} is known here"
            return HttpAnswer(HttpResponse(405, (("Allow", found.allow),)), why)
        call.values = found.variables
        try:
            return self._performed(call, route)
        except LoginRefused as refused:
            peer = Peer(username=call.claimed_user, remote_address=call.session.peer)
            audit(self._registry, peer, "login", str(refused), call.now_us)
            return login_answer(refused, CHALLENGE if path.startswith(V2) else ())
        except Refused as refused:
            if path.startswith(V2) and wants_xml(call.request):
                return refusal_in_xml(refused)
            return refusal_answer(refused, is_v1=not path.startswith(V2))

    def _performed(self, call: Call, route: Route) -> HttpAnswer | HeldRequest:
        """Raises LoginRefused, Refused."""
        most = self._registry.settings.request_body_bytes
        if body_length(call.request.body) > most:
            raise Refused(TOO_LARGE, "", "Payload Too Large", f"the body has more than {most} bytes", type="")
        if not route.is_open:
            _authenticate(call)
        if "scope" in call.values:
            call.account = account_of(call, call.values["scope"])
        if route.right is not None and call.account is not None:
            check_permitted(self._registry, call.operator, *route.right, call.account.id)
        reply = route.handler(call)
        return _answered(reply) if isinstance(reply, Reply) else reply


def _authenticate(call: Call) -> None:
    """Fills in who has sent the request. Raises LoginRefused."""
    presented = call.request.header("authorization") or ""
    if presented.startswith(BEARER):
        call.token = access_token_with(call.registry, presented.removeprefix(BEARER).strip(), call.now_us)
        call.user = user_by_id(call.registry, call.token.user_id)
    elif presented.lower().startswith(BASIC) and call.request.path.startswith(V2):
        call.claimed_user, password = _basic(presented[len(BASIC) :])
        call.user, _ = sign_in(call.registry, call.claimed_user, password, call.now_us)
    else:
        raise _unauthenticated("no Authorization: Bearer <token>; log in at POST /v1/authentication/user first")
    if call.user is None:
        raise _unauthenticated("the user of this token has been deleted")
    check_usable(call.registry, call.user, call.now_us)


def _basic(credentials: str) -> tuple[str, str]:
    try:
        user, colon, password = b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise _unauthenticated("HTTP Basic that is no Base64 of UTF-8") from None
    if not colon:
        raise _unauthenticated("HTTP Basic without a colon between user and password")
    return user, password


def _unauthenticated(reason: str) -> LoginRefused:
    return LoginRefused(LoginFailure.BAD_CREDENTIALS, reason)


def _answered(reply: Reply) -> HttpAnswer:
    return HttpAnswer(respond(reply), device=reply.device, changed=reply.changed, steps=reply.steps)


def without_body(answer: HttpAnswer) -> HttpAnswer:
    """HEAD is answered as GET, without what it would have said."""
    length = ("Content-Length", str(body_length(answer.response.body)))
    response = replace(answer.response, headers=(*answer.response.headers, length), body=b"")
    return replace(answer, response=response)


def _page(status: int) -> HttpResponse:
    return HttpResponse(status)


def _failure(request: HttpRequest, now_us: int) -> HttpResponse:
    """The database has failed (ThrowableMapper)."""
    said = {"type": "throwableInfo", "httpErrorCode": 500, "message": "An internal error occurred: database."}
    return json_response(500, said)
