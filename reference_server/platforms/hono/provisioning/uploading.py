"""Telemetry and events on their way to applications: sizes, limits, properties (spec 4.1 to 4.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from fleetrig.reference_server.platforms.hono.northbound.messages import forward
from fleetrig.reference_server.platforms.hono.northbound.properties import EVENT, TELEMETRY, downstream_properties
from fleetrig.reference_server.platforms.hono.provisioning.assertion import Asserted, assert_registration
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import MQTT, Denied
from fleetrig.reference_server.platforms.hono.provisioning.steps import Step
from fleetrig.reference_server.platforms.hono.provisioning.tenant_lookup import (
    TENANT_DISABLED,
    check_tenant,
    tenant_named,
)
from fleetrig.reference_server.platforms.hono.state.data_volume import count_message, exceeds_data_volume
from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.records import Tenant
from fleetrig.reference_server.platforms.hono.state.registry import Registry

EMPTY_NOTIFICATION: Final = "application/vnd.eclipse-hono-empty-notification"
VOLUME_EXCEEDED: Final = "tenant's accumulated message data volume exceeds configured maximum value"
UNAVAILABLE: Final = "temporarily unavailable"


@dataclass(frozen=True, slots=True)
class Upload:
    """A message as an adapter has read it. `content_type` None: the device has named none."""

    adapter: str
    endpoint: str
    """`telemetry` or `event`."""
    qos: int
    payload: bytes
    content_type: str | None = None
    orig_address: str = ""
    """What it was sent to, as the device has written it."""
    ttd_s: int | None = None
    """How long the device waits for a command."""
    ttl_s: int | None = None
    is_retained: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further properties."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    steps: tuple[str, ...] = ()
    changed: str = ""
    took_us: int = 0
    """How much later the adapter answers."""


def type_flaw(payload: bytes, content_type: str | None) -> str:
    """Why a body does not fit its type; empty when it does. No body needs a type, an empty notification no body."""
    fits = bool(content_type) if not payload else content_type != EMPTY_NOTIFICATION
    return "" if fits else f"content type [{content_type or 'null'}] does not match payload"


def upload(registry: Registry, asserted: Asserted, message: Upload, now_us: int) -> Uploaded | Denied:
    """For a device that may send. Steps and changes of both are told."""
    denied = refused_by_tenant(registry, asserted.tenant, message, now_us) or _flaw(message)
    is_taken = denied is None and _forwarded(registry, asserted, message, now_us)
    if denied is None and not is_taken and not _is_sent_and_forgotten(message):
        why = f"applications of {asserted.tenant.tenant_id} cannot be reached"
        denied = Denied(503, UNAVAILABLE, why, during="connecting")
    if denied is not None:
        return Denied(
            denied.status, denied.error, denied.reason, asserted.steps, during="connecting", changed=asserted.changed
        )
    count_message(registry, asserted.tenant, len(message.payload), now_us)
    steps = (*asserted.steps, Step.MESSAGE_FORWARDED) if is_taken else asserted.steps
    return Uploaded(steps, asserted.changed, asserted.took_us)


def upload_for(
    registry: Registry, tenant_id: str, device_id: str, gateway_id: str, message: Upload, now_us: int
) -> Uploaded | Denied:
    """Everything that comes after the sign-in, in the adapters' order. A gateway's unknown device is provisioned also
    where the tenant has sent too much."""
    known = tenant_named(registry, message.adapter, tenant_id, now_us)
    if known is None:
        return Denied(404, TENANT_DISABLED, f"the tenant {tenant_id} has been deleted", during="connecting")
    denied = _refused(known.tenant, message.adapter)
    if denied is not None:
        return denied
    asserted = assert_registration(registry, known.tenant, device_id, gateway_id or None, now_us)
    if isinstance(asserted, Denied):
        too_much = refused_by_tenant(registry, known.tenant, message, now_us)
        if too_much is None:
            return asserted
        return replace(asserted, status=too_much.status, error=too_much.error, reason=too_much.reason)
    return upload(registry, asserted, message, now_us)


def refused_by_tenant(registry: Registry, tenant: Tenant, message: Upload, now_us: int) -> Denied | None:
    """The tenant, its adapter or what it may send is the reason."""
    denied = _refused(tenant, message.adapter)
    if denied is not None:
        return denied
    why = exceeds_data_volume(registry, tenant, len(message.payload), now_us)
    return Denied(429, VOLUME_EXCEEDED, why, during="connecting") if why else None


def _refused(tenant: Tenant, adapter: str) -> Denied | None:
    try:
        check_tenant(tenant, adapter)
    except Refused as refused:
        return Denied(refused.status, refused.error, refused.reason or refused.error, during="connecting")
    return None


def _flaw(message: Upload) -> Denied | None:
    flaw = type_flaw(message.payload, message.content_type)
    if flaw and message.adapter == MQTT:
        flaw = f"Content-Type {message.content_type or 'null'} does not match payload"
    return Denied(400, flaw, flaw, during="connecting") if flaw else None


def _forwarded(registry: Registry, asserted: Asserted, message: Upload, now_us: int) -> bool:
    """False when nobody takes it."""
    own = {
        "content-type": message.content_type or None,
        "device_id": asserted.device_id,
        "orig_adapter": message.adapter,
        "orig_address": message.orig_address,
        "qos": 1 if message.endpoint == EVENT else message.qos,
        "ttd": message.ttd_s,
        "ttl": message.ttl_s if message.endpoint == EVENT else None,
        "x-opt-retain": True if message.is_retained else None,
        **message.more,
    }
    given = {name: value for name, value in own.items() if value is not None}
    defaults = asserted.device.document.get("defaults") or {}
    has_payload = bool(message.payload)
    properties = downstream_properties(
        message.endpoint, asserted.tenant.document, defaults, given, has_payload=has_payload, now_us=now_us
    )
    tenant_id = asserted.tenant.tenant_id
    return forward(registry, message.endpoint, tenant_id, asserted.device_id, properties, message.payload, now_us)


def _is_sent_and_forgotten(message: Upload) -> bool:
    """Whoever sends it does not hear whether somebody has taken it."""
    return message.endpoint == TELEMETRY and message.qos == 0
