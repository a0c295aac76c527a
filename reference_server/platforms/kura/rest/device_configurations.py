"""Configurations and snapshots of a device, by CONF-V1 (spec 3.2, 5.5)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.reference_server.platform import HeldRequest
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload
from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.configuration_xml import (
    configurations_of,
    configurations_xml,
    snapshot_ids_of,
)
from fleetrig.reference_server.platforms.kura.rest.device_outcomes import Asked, Unreadable, ask_device
from fleetrig.reference_server.platforms.kura.rest.devices import wanted_device
from fleetrig.reference_server.platforms.kura.rest.forms import objects
from fleetrig.reference_server.platforms.kura.rest.replies import Reply
from fleetrig.reference_server.platforms.kura.safe_xml import BadXml
from fleetrig.reference_server.platforms.kura.state.errors import illegal

CONF: Final = "CONF-V1"


def read_all(call: Call) -> HeldRequest:
    return ask_device(call, wanted_device(call), Asked(CONF, "GET", "configurations"), _configurations)


def read(call: Call) -> HeldRequest:
    asked = Asked(CONF, "GET", f"configurations/{_segment(call, 'component')}")
    return ask_device(call, wanted_device(call), asked, _configurations)


def write_all(call: Call) -> HeldRequest:
    body = configurations_xml(objects(call.document, "configuration"))
    return ask_device(call, wanted_device(call), Asked(CONF, "PUT", "configurations", body=body))


def write(call: Call) -> HeldRequest:
    """The component in the path, whatever the document calls it."""
    pid = _segment(call, "component")
    body = configurations_xml([{**call.document, "id": pid}])
    return ask_device(call, wanted_device(call), Asked(CONF, "PUT", f"configurations/{pid}", body=body))


def read_snapshots(call: Call) -> HeldRequest:
    return ask_device(call, wanted_device(call), Asked(CONF, "GET", "snapshots"), _snapshots)


def read_snapshot(call: Call) -> HeldRequest:
    asked = Asked(CONF, "GET", f"snapshots/{_segment(call, 'snapshot')}")
    return ask_device(call, wanted_device(call), asked, _configurations)


def roll_back(call: Call) -> HeldRequest:
    """POST …/snapshots/{snapshot}/_rollback."""
    asked = Asked(CONF, "EXEC", f"rollback/{_segment(call, 'snapshot')}")
    return ask_device(call, wanted_device(call), asked)


def _segment(call: Call, name: str) -> str:
    """A variable of the path that becomes one segment of a topic. Raises Refused."""
    found = call.values[name]
    if not found or any(letter in found for letter in "/+#\0"):
        raise illegal(name, found[:80], "it becomes a part of a topic: no / + #")
    return found


def _configurations(reply: KuraPayload) -> Reply:
    try:
        document: dict[str, Any] = {"type": "deviceConfiguration", "configuration": configurations_of(reply.body)}
    except BadXml as bad:
        raise Unreadable(str(bad)) from None
    return Reply(document)


def _snapshots(reply: KuraPayload) -> Reply:
    try:
        ids = snapshot_ids_of(reply.body)
    except BadXml as bad:
        raise Unreadable(str(bad)) from None
    return Reply({"type": "deviceSnapshots", "snapshotId": [{"id": str(one), "timestamp": one} for one in ids]})
