"""What devices and gateways send: telemetry, events, responses to commands (TelemetryResource, EventResource,
CommandResponseResource)."""

from __future__ import annotations

from dataclasses import dataclass

from fleetrig.reference_server.platform import Reaction
from fleetrig.reference_server.platforms.hono.coap.answers import CHANGED, answer, changed_options, refusal
from fleetrig.reference_server.platforms.hono.coap.requests import (
    Addressed,
    CoapResource,
    addressed,
    command_request_id,
    content_type_of,
    query_of,
    ttd_s_of,
)
from fleetrig.reference_server.platforms.hono.coap.waiting import WaitingCoapRequest, WaitingRequests, consumer_for
from fleetrig.reference_server.platforms.hono.commands.device_command import status_in
from fleetrig.reference_server.platforms.hono.commands.responding import CommandAnswer, respond
from fleetrig.reference_server.platforms.hono.commands.router import CommandRouter
from fleetrig.reference_server.platforms.hono.commands.waiting_time import waiting_time_s
from fleetrig.reference_server.platforms.hono.provisioning.assertion import assert_registration
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import COAP, Denied, SignedIn
from fleetrig.reference_server.platforms.hono.provisioning.tenant_lookup import NO_SUCH_TENANT, tenant_named
from fleetrig.reference_server.platforms.hono.provisioning.uploading import (
    Upload,
    Uploaded,
    type_flaw,
    upload_for,
)
from fleetrig.reference_server.platforms.hono.state.records import Tenant
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.session import Session


@dataclass(frozen=True, slots=True)
class CoapCall:
    """A request to one of the adapter's resources, by POST or PUT. `signed_in`: whose DTLS session it came on."""

    registry: Registry
    router: CommandRouter
    waiting: WaitingRequests
    session: Session
    request: CoapRequest
    resource: CoapResource
    signed_in: SignedIn | None

    @property
    def called(self) -> str:
        return "" if self.signed_in is None else self.signed_in.called

    def refusal(self, denied: Denied, *steps: str) -> Reaction:
        return refusal(self.session, self.request, denied, denied.called or self.called, steps)

    def accepted(self, uploaded: Uploaded, called: str, now_us: int) -> Reaction:
        response = CoapResponse(CHANGED, options=changed_options(self.request, now_us))
        return answer(
            self.session, self.request, response, device=called, changed=uploaded.changed, steps=uploaded.steps
        )


def perform(call: CoapCall, segments: list[str], now_us: int) -> Reaction:
    target = addressed(call.request, segments, call.signed_in)
    if isinstance(target, Denied):
        return call.refusal(target)
    if call.resource is not CoapResource.TELEMETRY and not call.request.confirmable:
        what = call.resource.replace("_", " ")
        error = f"{what} endpoint supports confirmable request messages only"
        return call.refusal(Denied(400, error, "it came in a NON message, expected CON"))
    known = tenant_named(call.registry, COAP, target.tenant_id, now_us)
    if known is None:
        return call.refusal(Denied(404, NO_SUCH_TENANT, f"there is no tenant {target.tenant_id[:100]!r}"))
    if call.resource is CoapResource.COMMAND_RESPONSE:
        return _respond(call, known.tenant, target, segments, now_us)
    return _upload(call, known.tenant, target, now_us)


def _upload(call: CoapCall, tenant: Tenant, target: Addressed, now_us: int) -> Reaction:
    request, content_type = call.request, content_type_of(call.request)
    if flaw := type_flaw(request.payload, content_type):
        return call.refusal(Denied(400, flaw, flaw))
    waits_s = waiting_time_s(tenant, COAP, ttd_s_of(request))
    message = Upload(
        adapter=COAP,
        endpoint="event" if call.resource is CoapResource.EVENT else "telemetry",
        qos=1 if request.confirmable else 0,
        payload=request.payload,
        content_type=content_type,
        orig_address=request.path,
        ttd_s=waits_s or None,
    )
    found = upload_for(call.registry, tenant.tenant_id, target.device_id, target.gateway_id, message, now_us)
    if isinstance(found, Denied):
        return call.refusal(found)
    if target.gateway_id:
        call.router.came_through(tenant.tenant_id, target.device_id, target.gateway_id)
    called = call.called or target.device_id
    if not waits_s:
        return call.accepted(found, called, now_us)
    consumer = consumer_for(tenant.tenant_id, target.device_id, target.gateway_id, call.waiting.next_key())
    waiting = WaitingCoapRequest(call.session, request, consumer, called, call.signed_in is not None)
    due_us = now_us + to_us(waits_s)
    call.registry.store.when_settled(lambda committed: call.waiting.put(waiting, due_us, now_us) if committed else None)
    return Reaction(device=called, changed=found.changed, steps=found.steps)


def _respond(call: CoapCall, tenant: Tenant, target: Addressed, segments: list[str], now_us: int) -> Reaction:
    asserted = assert_registration(call.registry, tenant, target.device_id, target.gateway_id or None, now_us)
    if isinstance(asserted, Denied):
        return call.refusal(asserted)
    request_id, status = command_request_id(segments), query_of(call.request).get("hono-cmd-status")
    given = CommandAnswer(request_id, status_in(status), call.request.payload, content_type_of(call.request))
    if given.correlation_id is None:
        shown = f"command-request-id [{request_id or 'null'}] or status code [{given.status or 'null'}]"
        return call.refusal(
            Denied(400, f"{shown} is missing/invalid", "no command is answered by that"), *asserted.steps
        )
    found = respond(call.registry, asserted, given, COAP, now_us)
    return call.refusal(found) if isinstance(found, Denied) else call.accepted(found, call.called, now_us)
