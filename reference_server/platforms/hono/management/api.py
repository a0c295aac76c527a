"""One request to the management API: account, route, size of the body, handler; each may refuse it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platform import HttpAnswer
from fleetrig.reference_server.platforms.hono.management.accounts import Accounts
from fleetrig.reference_server.platforms.hono.management.call import Call
from fleetrig.reference_server.platforms.hono.management.replies import respond
from fleetrig.reference_server.platforms.hono.management.routes import RESOURCES, SEARCHES
from fleetrig.reference_server.platforms.hono.management.routing import Handler, NoResource, Resource, Router
from fleetrig.reference_server.platforms.hono.state.errors import NO_TEXT, Refused
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.vertx.cors import CorsRules, with_headers
from fleetrig.reference_server.platforms.hono.vertx.pages import BAD_REQUEST, error_response, no_page, wrong_method
from fleetrig.reference_server.platforms.hono.vertx.paths import BROKEN_ESCAPE
from fleetrig.simulator.contract.http import HttpRequest, body_length
from fleetrig.simulator.contract.session import Session

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
            return HttpAnswer(no_page(request), f"the management API has no path {request.path[:200]!r}")
        except Refused as refused:
            return _refused(refused)
        if "%" in request.query and BROKEN_ESCAPE.search(request.query):
            return _bad_query(request, resource)
        cors = self._cors.answer(request, resource.cors)
        if cors.ends is not None:
            return cors.ends
        return with_headers(self._handled(Call(request, self._registry, now_us, values), resource), cors.headers)

    def _handled(self, call: Call, resource: Resource) -> HttpAnswer:
        handler = resource.handlers.get(call.request.method)
        if handler is None:
            why = f"{call.request.method} {call.request.path[:200]}: only {resource.allow} is known here"
            return HttpAnswer(wrong_method(call.request, resource.allow), why)
        most = self._registry.settings.registry_body_bytes
        if call.request.method in WITH_BODY and body_length(call.request.body) > most:
            return HttpAnswer(error_response(413, NO_TEXT), f"the body has more than {most} bytes (maxPayloadSize)")
        return _performed(call, handler)


def _bad_query(request: HttpRequest, resource: Resource) -> HttpAnswer:
    """Vert.x reads the query when it puts the variables of a path beside it; without any the handler fails."""
    why = f"the query has an escape that is none: {request.query[:100]!r}"
    if resource.names:
        return HttpAnswer(BAD_REQUEST, why)
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


def _of_generation(registry: Registry) -> tuple[Resource, ...]:
    if registry.traits.has_search:
        return RESOURCES
    found = []
    for resource in RESOURCES:
        handlers = {method: one for method, one in resource.handlers.items() if one not in SEARCHES}
        allow = ",".join(method for method in resource.allow.split(",") if method in handlers)
        found.append(replace(resource, handlers=handlers, allow=allow))
    return tuple(found)
