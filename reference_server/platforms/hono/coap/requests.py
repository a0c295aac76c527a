"""What a request asks for: its resource, whom it is for, and its parameters (AbstractHonoResource, CoapContext)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

from fleetrig.reference_server.platforms.hono.coap.answers import CONTENT_FORMAT
from fleetrig.reference_server.platforms.hono.coap.content_formats import media_type_of
from fleetrig.reference_server.platforms.hono.commands.device_command import status_in
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import Denied, SignedIn
from fleetrig.simulator.contract.coap import CoapRequest

EMPTY_NOTIFICATION: Final = "application/vnd.eclipse-hono-empty-notification"


class CoapResource(StrEnum):
    TELEMETRY = "telemetry"
    EVENT = "event"
    COMMAND_RESPONSE = "command_response"


RESOURCES: Final = {
    "telemetry": CoapResource.TELEMETRY,
    "t": CoapResource.TELEMETRY,
    "event": CoapResource.EVENT,
    "e": CoapResource.EVENT,
    "command_response": CoapResource.COMMAND_RESPONSE,
    "cr": CoapResource.COMMAND_RESPONSE,
}
"""By the first segment of the path; what comes below is the resource's own."""
SHORT_NAMES: Final = frozenset({"t", "e", "cr"})


@dataclass(frozen=True, slots=True)
class Addressed:
    """Whom a request is for, and the gateway that it comes from, if it is one."""

    tenant_id: str
    device_id: str
    gateway_id: str = ""


def segments_of(request: CoapRequest) -> list[str]:
    return [unquote(segment) for segment in request.path.split("/")[1:]]


def query_of(request: CoapRequest) -> dict[str, str]:
    """The last of each parameter; `true` for one without a value."""
    found: dict[str, str] = {}
    for part in request.query.split("&"):
        name, is_given, value = unquote(part).partition("=")
        found[name] = value if is_given else "true"
    return found


def content_type_of(request: CoapRequest) -> str | None:
    if "empty" in query_of(request):
        return EMPTY_NOTIFICATION
    number = next((value for option, value in request.options if option == CONTENT_FORMAT), None)
    return None if number is None else media_type_of(int.from_bytes(number, "big"))


def ttd_s_of(request: CoapRequest) -> int | None:
    """How long the device waits for a command; None when it does not say so in a number."""
    return status_in(query_of(request).get("hono-ttd"))


def command_request_id(segments: list[str]) -> str | None:
    """`/command_response/{id}`, or `/command_response/{tenant}/{device}/{id}`."""
    return segments[-1] if len(segments) in (2, 4) else None


def addressed(request: CoapRequest, segments: list[str], signed_in: SignedIn | None) -> Addressed | Denied:
    """A device POSTs for itself; a gateway PUTs for another, and so does a device without DTLS for itself."""
    if request.method == "POST":
        if signed_in is None:
            why = "the session has no DTLS: a device without it PUTs to /telemetry/TENANT/DEVICE"
            return Denied(401, "DTLS session does not contain authenticated Device", why)
        return Addressed(signed_in.tenant.tenant_id, signed_in.device_id)
    tenant_id, device_id = (*segments[1:3], "", "")[:2]
    if signed_in is None:
        if tenant_id and device_id:
            return Addressed(tenant_id, device_id)
        why = "without DTLS the path names tenant and device"
        return Denied(404, "request URI must contain tenant and device ID", why)
    own_tenant_id = signed_in.tenant.tenant_id
    if not device_id:
        return Denied(404, "request URI must contain device ID", "a PUT names the device: /telemetry//DEVICE")
    if tenant_id not in ("", own_tenant_id):
        why = f"it belongs to the tenant {own_tenant_id}, and the path names {tenant_id[:100]!r}"
        return Denied(403, "tenant ID in request URI must match provided credentials", why)
    return Addressed(own_tenant_id, device_id, signed_in.device_id if device_id != signed_in.device_id else "")
