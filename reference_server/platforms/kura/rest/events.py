"""Events of devices: `/v1/{scope}/devices/{device}/events`; and what was refused: `/v1/{scope}/audit` (S-37).

Kapua has no audit over REST: that path is this server's own.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.replies import (
    Reply,
    counted,
    date,
    listed,
    paging_of_body,
    paging_of_query,
)
from fleetrig.reference_server.platforms.kura.state.accounts import is_within
from fleetrig.reference_server.platforms.kura.state.device_records import AuditRecord, DeviceEvent
from fleetrig.reference_server.platforms.kura.state.devices import needed_device
from fleetrig.reference_server.platforms.kura.state.errors import missing
from fleetrig.reference_server.platforms.kura.state.events import audit_of, events_of
from fleetrig.reference_server.platforms.kura.state.records import ROOT_SCOPE

ID_BYTES: Final = 8


def event_id(number: int) -> str:
    """The short form of an event's id."""
    raw = number.to_bytes(ID_BYTES, "big").lstrip(b"\0") or b"\0"
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def event_document(event: DeviceEvent) -> dict[str, Any]:
    shown = {
        "type": "deviceEvent",
        "id": event_id(event.number),
        "scopeId": event.scope_id,
        "createdOn": date(event.received_us),
        "createdBy": ROOT_SCOPE,
        "deviceId": event.device_id,
        "sentOn": date(event.sent_us),
        "receivedOn": date(event.received_us),
        "position": event.position,
        "resource": event.resource,
        "action": event.action,
        "responseCode": event.response_code,
        "eventMessage": event.event_message or None,
    }
    return {name: value for name, value in shown.items() if value is not None}


def list_all(call: Call) -> Reply:
    resource = call.parameter("resource")
    found = [one for one in _events(call) if resource in ("", one.resource)]
    return listed("deviceEvent", found, event_document, paging_of_query(call))


def query(call: Call) -> Reply:
    return listed("deviceEvent", _events(call), event_document, paging_of_body(call))


def count(call: Call) -> Reply:
    return counted(_events(call), event_document, paging_of_body(call))


def read(call: Call) -> Reply:
    wanted = call.values["event"]
    try:
        number = int.from_bytes(urlsafe_b64decode(wanted + "=" * (-len(wanted) % 4)), "big")
    except ValueError:
        number = 0
    found = next((one for one in _events(call) if one.number == number), None)
    if found is None:
        raise missing("deviceEvent", wanted)
    return Reply(event_document(found))


def list_audit(call: Call) -> Reply:
    """GET /v1/{scope}/audit: of one account, and what belongs to none for the root account."""
    found = [one for one in audit_of(call.registry, call.parameter("clientId")) if _concerns(call, one)]
    return listed("auditRecord", found, _audit_document, paging_of_query(call))


def _concerns(call: Call, record: AuditRecord) -> bool:
    return is_within(call.registry, record.scope_id or ROOT_SCOPE, call.scope.id)


def _audit_document(record: AuditRecord) -> dict[str, Any]:
    shown = {
        "type": "auditRecord",
        "id": event_id(record.number),
        "scopeId": record.scope_id or None,
        "createdOn": date(record.at_us),
        "stage": record.stage,
        "reason": record.reason,
        "clientId": record.client_id or None,
        "username": record.username or None,
        "remoteAddress": record.remote_address or None,
        "provisionRequestId": record.request_id or None,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _events(call: Call) -> list[DeviceEvent]:
    """Of the device in the path. Raises Refused."""
    device = needed_device(call.registry, call.scope.id, call.values["device"])
    return events_of(call.registry, call.scope.id, device.id)
