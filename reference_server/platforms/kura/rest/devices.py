"""Devices: `/v1/{scope}/devices` (spec 5.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.events import event_id
from fleetrig.reference_server.platforms.kura.rest.forms import needed_text, needed_whole, objects, text, texts, word
from fleetrig.reference_server.platforms.kura.rest.replies import (
    Reply,
    counted,
    created,
    done,
    entity,
    listed,
    paging_of_body,
    paging_of_query,
)
from fleetrig.reference_server.platforms.kura.state.connections import connection_by_client
from fleetrig.reference_server.platforms.kura.state.device_records import Device, DeviceStatus
from fleetrig.reference_server.platforms.kura.state.devices import (
    create_device,
    delete_device,
    device_by_client,
    devices_of,
    needed_device,
    update_device,
)

SHORT: Final = 1_024
TEXTS: Final = (
    "displayName", "serialNumber", "modelId", "modelName", "imei", "imsi", "iccid", "biosVersion", "firmwareVersion",
    "osVersion", "jvmVersion", "osgiFrameworkVersion", "applicationFrameworkVersion", "connectionInterface",
    "connectionIp", "applicationIdentifiers", "acceptEncoding", "customAttribute1", "customAttribute2",
    "customAttribute3", "customAttribute4", "customAttribute5", "tamperStatus",
)  # fmt: skip
"""What a document says of a device; BIRTH fills in the same members."""
EXTENDED: Final = "extendedProperties"


def device_document(device: Device) -> dict[str, Any]:
    members = {
        "tagIds": list(device.tag_ids) or None,
        "groupIds": list(device.group_ids) or None,
        "clientId": device.client_id,
        "connectionId": device.connection_id or None,
        "status": device.status.value,
        "lastEventId": event_id(device.last_event_id) if device.last_event_id else None,
        **device.document,
    }
    return entity("device", device, members)


def list_all(call: Call) -> Reply:
    """GET: `clientId`, `serialNumber` and `status` of the query choose, others as Kapua has them are ignored."""
    client_id = call.parameter("clientId")
    if client_id:
        one = device_by_client(call.registry, call.scope.id, client_id)
        found = [] if one is None else [one]
    else:
        found = devices_of(call.registry, call.scope.id)
    serial, status = call.parameter("serialNumber"), call.parameter("status")
    fitting = [
        one for one in found if serial in ("", one.document.get("serialNumber")) and status in ("", one.status.value)
    ]
    return listed("device", fitting, device_document, paging_of_query(call))


def query(call: Call) -> Reply:
    return listed("device", devices_of(call.registry, call.scope.id), device_document, paging_of_body(call))


def count(call: Call) -> Reply:
    return counted(devices_of(call.registry, call.scope.id), device_document, paging_of_body(call))


def create(call: Call) -> Reply:
    client_id = needed_text(call.document, "clientId", SHORT)
    connection = connection_by_client(call.registry, call.scope.id, client_id)
    made = Device(
        call.registry.new_id(),
        call.scope.id,
        client_id,
        connection_id="" if connection is None else connection.id,
        created_us=call.now_us,
        created_by=call.operator.id,
        modified_us=call.now_us,
        modified_by=call.operator.id,
    )
    device = create_device(call.registry, _told(call, made))
    return created(device_document(device), "device created", device.client_id)


def read(call: Call) -> Reply:
    return Reply(device_document(wanted_device(call)))


def update(call: Call) -> Reply:
    device = _told(call, wanted_device(call))
    saved = update_device(call.registry, device, needed_whole(call.document, "optlock"), call.now_us, call.operator.id)
    return Reply(device_document(saved), changed="device changed", device=saved.client_id)


def delete(call: Call) -> Reply:
    device = wanted_device(call)
    delete_device(call.registry, device)
    return done("device deleted", device.client_id)


def wanted_device(call: Call) -> Device:
    """The device in the path. Raises Refused."""
    return needed_device(call.registry, call.scope.id, call.values["device"])


def _told(call: Call, device: Device) -> Device:
    """What a document says of a device; what it does not say stays."""
    asked = call.document
    said: dict[str, Any] = {name: value for name in TEXTS if (value := text(asked, name, SHORT)) is not None}
    if EXTENDED in asked:
        said[EXTENDED] = [_property(one) for one in objects(asked, EXTENDED)]
    return replace(
        device,
        status=DeviceStatus(word(asked, "status", tuple(DeviceStatus)) or device.status),
        document={**device.document, **said},
        tag_ids=texts(asked, "tagIds") if "tagIds" in asked else device.tag_ids,
        group_ids=texts(asked, "groupIds") if "groupIds" in asked else device.group_ids,
    )


def _property(said: Mapping[str, Any]) -> dict[str, Any]:
    members = {name: needed_text(said, name, SHORT) for name in ("groupName", "name")}
    return {"type": "deviceExtendedProperty", **members, "value": text(said, "value", SHORT) or ""}
