"""One request to the management API: account, route, size of the body, handler; each may refuse it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platform import HttpAnswer
from fleetrig.reference_server.platforms.hono.management.accounts import Accounts
from fleetrig.reference_server.platforms.hono.management.call import Call
from fleetrig.reference_server.platforms.hono.management.cors import CorsRules
from fleetrig.reference_server.platforms.hono.management.replies import NO_PAGE, error_response, respond
from fleetrig.reference_server.platforms.hono.management.routes import RESOURCES, SEARCHES
from fleetrig.reference_server.platforms.hono.management.routing import Handler, NoResource, Resource, Router
from fleetrig.reference_server.platforms.hono.state.errors import NO_TEXT, Refused
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse, body_length
from fleetrig.simulator.contract.session import Session

BAD_ESCAPE: Final = re.compile(r"%(?![0-9a-fA-F]{2})")
WITH_BODY: Final = frozenset({"POST", "PUT"})


class ManagementApi:
    """The registry as operators see it."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._router = Router(_of_generation(registry))
        self._accounts = Accounts(registry.settings.accounts)
        self._cors = CorsRules(registry.settings.cors_allowed_origin)

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer:
        refusal = self._accounts.refusal(request)
        if refusal is not None:
            return refusal
        try:
            resource, values = self._router.find(request.path)
        except NoResource:
            return HttpAnswer(_no_page(request), f"the management API has no path {request.path[:200]!r}")
        except Refused as refused:
            return _refused(refused)
        if "%" in request.query and BAD_ESCAPE.search(request.query):
            return _bad_query(request, resource)
        cors = self._cors.answer(request, resource)
        if cors.ends is not None:
            return cors.ends
        answer = self._handled(Call(request, self._registry, now_us, values), resource)
        return answer if not cors.headers else _with_headers(answer, cors.headers)

    def _handled(self, call: Call, resource: Resource) -> HttpAnswer:
        handler = resource.handlers.get(call.request.method)
        if handler is None:
            return _other_method(call.request, resource)
        most = self._registry.settings.registry_body_bytes
        if call.request.method in WITH_BODY and body_length(call.request.body) > most:
            return HttpAnswer(error_response(413, NO_TEXT), f"the body has more than {most} bytes (maxPayloadSize)")
        return _performed(call, handler)


def _bad_query(request: HttpRequest, resource: Resource) -> HttpAnswer:
    """Vert.x reads the query when it puts the variables of a path beside it; without any the handler fails."""
    why = f"the query has an escape that is none: {request.query[:100]!r}"
    if resource.names:
        return HttpAnswer(HttpResponse(400, body=b"Bad Request"), why)
    return HttpAnswer(error_response(500, "invalid hex byte in the query"), why)


def _performed(call: Call, handler: Handler) -> HttpAnswer:
    try:
        reply = handler(call)
    except Refused as refused:
        return _refused(refused)
    return HttpAnswer(respond(reply), device=reply.device, changed=reply.changed)


def _refused(refused: Refused) -> HttpAnswer:
    reason = refused.reason or refused.error
    return HttpAnswer(error_response(refused.status, refused.error), reason, rollback=True)


def _other_method(request: HttpRequest, resource: Resource) -> HttpAnswer:
    """A HEAD is not told what else there is."""
    allow: Headers = () if request.method == "HEAD" else (("Allow", resource.allow),)
    why = f"{request.method} {request.path[:200]}: only {resource.allow} is known here"
    return HttpAnswer(HttpResponse(405, allow), why)


def _no_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(NO_PAGE.status) if request.method == "HEAD" else NO_PAGE


def _with_headers(answer: HttpAnswer, headers: Headers) -> HttpAnswer:
    return replace(answer, response=replace(answer.response, headers=(*answer.response.headers, *headers)))


def _of_generation(registry: Registry) -> tuple[Resource, ...]:
    if registry.traits.has_search:
        return RESOURCES
    found = []
    for resource in RESOURCES:
        handlers = {method: one for method, one in resource.handlers.items() if one not in SEARCHES}
        allow = ",".join(method for method in resource.allow.split(",") if method in handlers)
        found.append(replace(resource, handlers=handlers, allow=allow))
    return tuple(found)
