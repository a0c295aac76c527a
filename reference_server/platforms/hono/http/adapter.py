"""The HTTP adapter as one: telemetry, events and responses to commands (spec 4.1).

A request goes through the stations of the real one in its order: route, credentials, size of the body, tenant in the
path, quality of service and type, then what all adapters share (`provisioning.uploading`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fleetrig.reference_server.platform import HeldRequest, HttpAnswer, Reaction
from fleetrig.reference_server.platforms.hono.commands.device_command import status_in
from fleetrig.reference_server.platforms.hono.commands.notifying import GONE, notify_undelivered
from fleetrig.reference_server.platforms.hono.commands.responding import CommandAnswer, respond
from fleetrig.reference_server.platforms.hono.commands.router import CommandConsumer, CommandRouter
from fleetrig.reference_server.platforms.hono.commands.waiting_time import waiting_time_s
from fleetrig.reference_server.platforms.hono.http.authenticating import authenticate
from fleetrig.reference_server.platforms.hono.http.held_uploads import HeldUpload, HeldUploads
from fleetrig.reference_server.platforms.hono.http.replies import (
    ACCEPTED,
    BASIC_CHALLENGE,
    CHALLENGES,
    RETRY_AFTER,
    error_answer,
)
from fleetrig.reference_server.platforms.hono.http.requests import COMMAND, AdapterCall, AdapterRoute
from fleetrig.reference_server.platforms.hono.provisioning.assertion import assert_registration
from fleetrig.reference_server.platforms.hono.provisioning.by_secret import UNAUTHORIZED
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import HTTP, Denied, SignedIn
from fleetrig.reference_server.platforms.hono.provisioning.uploading import (
    UNAVAILABLE,
    Upload,
    Uploaded,
    type_flaw,
    upload_for,
)
from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.vertx.cors import CorsRules, with_headers
from fleetrig.reference_server.platforms.hono.vertx.pages import BAD_REQUEST, NO_PAGE, no_page, wrong_method
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse, body_length
from fleetrig.simulator.contract.session import Session

FOREIGN_TENANT: Final = "not authorized to upload data for device from other tenant"
NO_DEVICE_ID: Final = "request URI must contain device ID"
BROKEN_QUERY: Final = "the query has an escape that is none"
ENDPOINTS: Final = ("telemetry", "event")
BAD_QOS: Final = "unsupported QoS-Level header value"
MOST_HELD_S: Final = 48
"""80 % of the time after which the adapter ends a connection that is idle."""
FIRST_SERVER_ERROR: Final = 500
"""From here on an upload is told as unavailable, whatever it was."""


class HttpAdapter:
    def __init__(self, registry: Registry, router: CommandRouter) -> None:
        self._registry = registry
        self._router = router
        self._held = HeldUploads(router)
        self._cors = CorsRules(registry.settings.cors_allowed_origin)

    # What fronts say

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
        call = AdapterCall(request)
        try:
            route = call.route
        except Refused as refused:
            return self._refused(refused.status, refused.error, refused.reason)
        if route is None:
            return HttpAnswer(no_page(request), f"no route has the path {request.path[:200]!r}")
        cors = self._cors.answer(request, route.cors)
        if cors.ends is not None:
            return cors.ends
        call.cors_headers = cors.headers
        answer = self._routed(call, route, session, now_us)
        return answer if isinstance(answer, HeldRequest) else with_headers(answer, cors.headers)

    def _routed(
        self, call: AdapterCall, route: AdapterRoute, session: Session, now_us: int
    ) -> HttpAnswer | HeldRequest:
        request = call.request
        if request.method not in route.methods:
            why = f"{request.line[:200]}: only {', '.join(route.methods)}"
            return HttpAnswer(wrong_method(request, ",".join(route.methods)), why)
        found = authenticate(self._registry, call, session, now_us)
        if isinstance(found, Denied):
            return self._denied(found)
        flaw = self._flaw_of_put(call, found) if request.method == "PUT" else None
        if flaw is not None:
            return flaw
        if body_length(request.body) > self._registry.settings.payload_bytes:
            why = f"the body has more than {self._registry.settings.payload_bytes} bytes"
            return self._refused(413, "", why, found)
        if route.endpoint == COMMAND:
            return self._respond(call, found, now_us)
        return self._upload(call, found, session, now_us)

    def left(self, held_id: int) -> None:
        self._held.left(held_id)

    # By itself

    def next_due_us(self) -> int | None:
        return self._held.next_due_us()

    def advance(self, now_us: int) -> list[Reaction]:
        return list(self._held.advance(now_us))

    def hear_commands(self, now_us: int) -> Iterable[Reaction]:
        """Hands over what was sent to requests that wait."""
        for routed in self._router.take(HTTP):
            reaction = self._held.deliver(routed)
            if reaction is None:
                notify_undelivered(self._registry, routed.command, GONE, now_us)
            else:
                yield reaction

    # Telemetry and events

    def _upload(self, call: AdapterCall, sender: SignedIn, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
        is_own = call.request.method == "POST"
        if not is_own and not call.segment(2):
            return self._refused(404, NO_DEVICE_ID, "the path names no device", sender)
        payload, content_type = body_bytes(call.request.body), call.content_type
        if call.qos is None:
            return self._refused(400, BAD_QOS, f"qos-level is {call.request.header('qos-level')!r}", sender)
        if why := type_flaw(payload, content_type):
            return self._refused(400, why, why, sender)
        if call.segment(0) not in ENDPOINTS or (call.has_broken_query and call.asks_query):
            why = f"{call.request.target[:200]!r} is no target whose endpoint and parameters can be read"
            return self._denied_upload(
                Denied(503 if self._registry.traits.crashes else 400, "Bad Request", why), sender
            )
        device_id = sender.device_id if is_own else call.segment(2)
        waits_s = min(waiting_time_s(sender.tenant, HTTP, call.number("hono-ttd")), MOST_HELD_S)
        message = Upload(
            adapter=HTTP,
            endpoint=call.segment(0),
            qos=call.qos,
            payload=payload,
            content_type=content_type,
            orig_address=call.request.target,
            ttd_s=waits_s or None,
            ttl_s=call.number("hono-ttl"),
        )
        gateway_id = "" if device_id == sender.device_id else sender.device_id
        done = upload_for(self._registry, sender.tenant.tenant_id, device_id, gateway_id, message, now_us)
        if isinstance(done, Denied):
            return self._denied_upload(done, sender)
        if gateway_id:
            self._router.came_through(sender.tenant.tenant_id, device_id, gateway_id)
        return self._accepted(call, sender, done, session, (device_id, gateway_id), waits_s, now_us)

    def _flaw_of_put(self, call: AdapterCall, sender: SignedIn) -> HttpAnswer | None:
        """What is wrong with its path, before its body is read. One that names the endpoint only has no handler."""
        if len(call.parts) == 1:
            why = f"a PUT names the device in its path: /{call.parts[0]}/TENANT/DEVICE"
            return self._answer(NO_PAGE, Denied(404, "", why), sender)
        if call.named_tenant is None:
            return None
        if call.has_broken_query:
            return self._answer(BAD_REQUEST, Denied(400, "", BROKEN_QUERY), sender)
        if call.named_tenant != sender.tenant.tenant_id:
            named = call.named_tenant[:100]
            why = f"it belongs to the tenant {sender.tenant.tenant_id}, and the path names {named!r}"
            return self._refused(403, FOREIGN_TENANT, why, sender)
        return None

    def _accepted(
        self,
        call: AdapterCall,
        sender: SignedIn,
        done: Uploaded,
        session: Session,
        target: tuple[str, str],
        waits_s: int,
        now_us: int,
    ) -> HttpAnswer | HeldRequest:
        steps, changed = (*sender.steps, *done.steps), "; ".join(filter(None, (sender.changed, done.changed)))
        takes_us = max(sender.took_us + done.took_us, waits_s * US_PER_S)
        if not takes_us:
            return HttpAnswer(ACCEPTED, device=sender.called, changed=changed, steps=steps)
        held_id = self._held.next_id()
        device_id, gateway_id = target
        consumer = CommandConsumer(HTTP, sender.tenant.tenant_id, device_id, held_id, gateway_id) if waits_s else None
        held = HeldUpload(session.id, sender.called, consumer, call.cors_headers)

        def settled(committed: bool) -> None:
            if committed:
                self._held.hold(held_id, held, now_us + takes_us, now_us)

        self._registry.store.when_settled(settled)
        return HeldRequest(held_id, sender.called, changed, steps)

    # Responses to commands

    def _respond(self, call: AdapterCall, sender: SignedIn, now_us: int) -> HttpAnswer:
        """`POST /command/res/ID`, or of a gateway `PUT /command/res/TENANT/DEVICE/ID`."""
        is_own = call.request.method == "POST"
        flaw = self._flaw_of_own_response(call, sender) if is_own else self._flaw_of_response(call, sender)
        if flaw is not None:
            return flaw
        device_id, request_id = (sender.device_id, call.named_request) if is_own else (call.segment(3), call.segment(4))
        status = status_in(call.parameter("hono-cmd-status"))
        answer = CommandAnswer(request_id, status, body_bytes(call.request.body), call.content_type)
        if answer.correlation_id is None:
            shown = f"command-request-id [{request_id}] or status code [{'null' if status is None else status}]"
            return self._refused(400, f"{shown} is missing/invalid", "no command is answered by that", sender)
        gateway_id = None if device_id == sender.device_id else sender.device_id
        asserted = assert_registration(self._registry, sender.tenant, device_id, gateway_id, now_us)
        if isinstance(asserted, Denied):
            return self._denied(asserted, sender)
        done = respond(self._registry, asserted, answer, HTTP, now_us)
        if isinstance(done, Denied):
            return self._denied(done, sender)
        return HttpAnswer(ACCEPTED, device=sender.called, changed=done.changed, steps=(*sender.steps, *done.steps))

    def _flaw_of_own_response(self, call: AdapterCall, sender: SignedIn) -> HttpAnswer | None:
        if len(call.parts) != 3:
            why = "a POST names the request only: /command/res/ID"
            return self._answer(wrong_method(call.request, "PUT"), Denied(405, "", why), sender)
        if call.has_broken_query:
            return self._answer(BAD_REQUEST, Denied(400, "", BROKEN_QUERY), sender)
        return None

    def _flaw_of_response(self, call: AdapterCall, sender: SignedIn) -> HttpAnswer | None:
        if len(call.segments) < 5:
            error = "request URI must contain tenant, device and request ID"
            return self._refused(404, error, "expected /command/res/TENANT/DEVICE/ID", sender)
        if not call.segment(3):
            return self._refused(404, NO_DEVICE_ID, "the path names no device", sender)
        if call.has_broken_query:
            status = 500 if self._registry.traits.crashes else 400
            return self._refused(status, BROKEN_QUERY, BROKEN_QUERY, sender)
        return None

    # Refusals

    def _denied_upload(self, denied: Denied, sender: SignedIn) -> HttpAnswer:
        """A failure of the server itself is always told as one that passes."""
        if denied.status < FIRST_SERVER_ERROR:
            return self._denied(denied, sender)
        response = error_answer(self._registry, 503, UNAVAILABLE, (RETRY_AFTER,))
        return self._answer(response, denied, sender)

    def _denied(self, denied: Denied, sender: SignedIn | None = None) -> HttpAnswer:
        challenges = CHALLENGES if self._registry.traits.takes_tokens else BASIC_CHALLENGE
        headers = challenges if denied.error == UNAUTHORIZED else ()
        return self._answer(error_answer(self._registry, denied.status, denied.error, headers), denied, sender)

    def _answer(self, response: HttpResponse, denied: Denied, sender: SignedIn | None) -> HttpAnswer:
        before, called, changed = ((), "", "") if sender is None else (sender.steps, sender.called, sender.changed)
        return HttpAnswer(
            response,
            denied.reason,
            denied.called or called,
            "; ".join(filter(None, (changed, denied.changed))),
            denied.rollback,
            (*before, *denied.steps),
        )

    def _refused(self, status: int, error: str, reason: str, sender: SignedIn | None = None) -> HttpAnswer:
        denied = Denied(status, error, reason)
        return self._answer(error_answer(self._registry, status, error), denied, sender)
