"""A device's response to a command, on its way to the application that waits for it (CommandResponse)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.platforms.hono.commands.device_command import is_response_status
from fleetrig.reference_server.platforms.hono.northbound.command_ids import correlation_id_in
from fleetrig.reference_server.platforms.hono.northbound.messages import forward
from fleetrig.reference_server.platforms.hono.northbound.properties import COMMAND_RESPONSE, downstream_properties
from fleetrig.reference_server.platforms.hono.provisioning.assertion import Asserted
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import Denied
from fleetrig.reference_server.platforms.hono.provisioning.steps import Step
from fleetrig.reference_server.platforms.hono.provisioning.uploading import (
    UNAVAILABLE,
    Upload,
    Uploaded,
    refused_by_tenant,
)
from fleetrig.reference_server.platforms.hono.state.data_volume import count_message
from fleetrig.reference_server.platforms.hono.state.registry import Registry

AT_LEAST_ONCE: Final = 1


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """`request_id` as the device has it from the command; None where it has named none."""

    request_id: str | None
    status: int | None
    payload: bytes
    content_type: str | None

    @property
    def correlation_id(self) -> str | None:
        """What the application knows the command by; None for a response that cannot be told."""
        if self.request_id is None or not is_response_status(self.status):
            return None
        return correlation_id_in(self.request_id)


def respond(
    registry: Registry, asserted: Asserted, answer: CommandAnswer, adapter: str, now_us: int
) -> Uploaded | Denied:
    """`answer` has a correlation id. Steps and changes of the assertion are told too."""
    message = Upload(adapter, COMMAND_RESPONSE, AT_LEAST_ONCE, answer.payload)
    denied = refused_by_tenant(registry, asserted.tenant, message, now_us)
    if denied is None and not _forwarded(registry, asserted, answer, now_us):
        denied = Denied(503, UNAVAILABLE, f"applications of {asserted.tenant.tenant_id} cannot be reached")
    if denied is not None:
        return Denied(
            denied.status, denied.error, denied.reason, asserted.steps, during="connecting", changed=asserted.changed
        )
    count_message(registry, asserted.tenant, len(answer.payload), now_us)
    changed = "; ".join(filter(None, (asserted.changed, f"command {answer.correlation_id} answered")))
    return Uploaded((*asserted.steps, Step.MESSAGE_FORWARDED), changed, asserted.took_us)


def _forwarded(registry: Registry, asserted: Asserted, answer: CommandAnswer, now_us: int) -> bool:
    tenant, device = asserted.tenant, asserted.device
    own = {
        "correlation-id": answer.correlation_id,
        "tenant_id": tenant.tenant_id,
        "device_id": device.device_id,
        "status": answer.status,
    }
    if answer.content_type is not None:
        own["content-type"] = answer.content_type
    defaults = device.document.get("defaults") or {}
    has_payload = bool(answer.payload)
    properties = downstream_properties(
        COMMAND_RESPONSE, tenant.document, defaults, own, has_payload=has_payload, now_us=now_us
    )
    return forward(registry, COMMAND_RESPONSE, tenant.tenant_id, device.device_id, properties, answer.payload, now_us)
