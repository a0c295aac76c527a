"""A device's attributes and latest telemetry, as its operator reads and writes them (section 4)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.device_api.documents import read_json
from fleetrig.reference_server.platforms.thingsboard.device_api.values import BadValue, read_telemetry, read_values
from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import DENIED, HttpRefusal, invalid, plain
from fleetrig.reference_server.platforms.thingsboard.http.java_numbers import java_int
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.rest.forms import attribute_form
from fleetrig.reference_server.platforms.thingsboard.rest.lookups import as_uuid, is_visible
from fleetrig.reference_server.platforms.thingsboard.state.attributes import (
    attributes_of,
    delete_attributes,
    delete_latest,
    latest_of,
    put_attributes,
    put_telemetry,
)
from fleetrig.reference_server.platforms.thingsboard.state.devices import device_by_id
from fleetrig.reference_server.platforms.thingsboard.state.records import Device, Scope

DEVICE: Final = "DEVICE"
WRITABLE: Final = (Scope.SERVER, Scope.SHARED)


def read(call: Call, kind: str, device_id: str, scope: str) -> Reply:
    """GET …/{kind}/{id}/values/attributes/{scope}?keys=; an empty list where nothing is set."""
    device = _device(call, kind, device_id)
    found = attributes_of(call.registry, device.id, _scope(scope), _keys(call))
    return Reply(document=[attribute_form(each) for each in found], device=device.name)


def read_all(call: Call, kind: str, device_id: str) -> Reply:
    """GET …/{kind}/{id}/values/attributes?keys=: of all scopes."""
    device, keys = _device(call, kind, device_id), _keys(call)
    found = [each for scope in Scope for each in attributes_of(call.registry, device.id, scope, keys)]
    return Reply(document=[attribute_form(each) for each in found], device=device.name)


def read_latest(call: Call, kind: str, device_id: str) -> Reply:
    """GET …/{kind}/{id}/values/timeseries?keys=: the newest value of each key, as text."""
    device, keys = _device(call, kind, device_id), _keys(call)
    document: dict[str, Any] = {
        each.key: [{"ts": each.at_ms, "value": _as_text(each.value)}]
        for each in latest_of(call.registry, device.id)
        if keys is None or each.key in keys
    }
    return Reply(document=document, device=device.name)


def read_keys(call: Call, kind: str, device_id: str) -> Reply:
    """GET …/{kind}/{id}/keys/attributes: of all scopes."""
    device = _device(call, kind, device_id)
    found = {each.key for scope in Scope for each in attributes_of(call.registry, device.id, scope)}
    return Reply(document=sorted(found), device=device.name)


def read_keys_of_scope(call: Call, kind: str, device_id: str, scope: str) -> Reply:
    """GET …/{kind}/{id}/keys/attributes/{scope}."""
    device = _device(call, kind, device_id)
    found = attributes_of(call.registry, device.id, _scope(scope))
    return Reply(document=[each.key for each in found], device=device.name)


def read_latest_keys(call: Call, kind: str, device_id: str) -> Reply:
    """GET …/{kind}/{id}/keys/timeseries."""
    device = _device(call, kind, device_id)
    return Reply(document=sorted(each.key for each in latest_of(call.registry, device.id)), device=device.name)


def write_telemetry(call: Call, kind: str, device_id: str, scope: str) -> Reply:
    """POST …/{kind}/{id}/timeseries/{scope}, whatever the scope is called: telemetry as a device says it."""
    try:
        given = read_json(call.text.encode("utf-8", "replace"))
    except BadValue:
        said = "Unable to parse time series payload: Invalid JSON body!"
        raise plain(400, said, reason="the body is no JSON") from None
    try:
        measurements = read_telemetry(given)
    except BadValue as bad:
        said = f"Unable to parse time series payload. Invalid JSON body: {bad}"
        raise plain(400, said, reason="the body is no telemetry") from None
    if not any(measured.values for measured in measurements):
        raise plain(400, "No time series data found in request body!", reason="the body names no value")
    device = _device(call, kind, device_id)
    for measured in measurements:
        at_ms = call.now_ms if measured.at_ms is None else measured.at_ms
        put_telemetry(call.registry, device.id, measured.values, at_ms)
    return Reply(device=device.name, changed=f"telemetry of {device.name} written")


def delete_telemetry(call: Call, kind: str, device_id: str) -> Reply:
    """DELETE …/{kind}/{id}/timeseries/delete?keys=&deleteAllDataForKeys=: here only the newest values are kept."""
    keys, query = _keys(call), call.query
    if keys is None:
        raise plain(400, "Empty keys: []", reason="the query names no keys")
    is_all = query.get("deleteAllDataForKeys") == "true"
    if not is_all and not ("startTs" in query and "endTs" in query):
        said = "When deleteAllDataForKeys is false, start and end timestamp values shouldn't be empty"
        raise plain(400, said, reason="the query says neither that all goes nor from when to when")
    device = _device(call, kind, device_id)
    between_ms = (0, call.now_ms) if is_all else (java_int(query["startTs"]), java_int(query["endTs"]))
    gone = delete_latest(call.registry, device.id, keys, between_ms)
    return Reply(device=device.name, changed=f"telemetry of {device.name} deleted" if gone else "")


def write(call: Call, kind: str, device_id: str, scope: str) -> Reply:
    """POST …/{kind}/{id}/{scope}, and …/{kind}/{id}/attributes/{scope}."""
    wanted = _scope(scope)
    if wanted not in WRITABLE:
        raise plain(400, f"Invalid scope: {scope}", reason="operators write SERVER_SCOPE and SHARED_SCOPE")
    device = _device(call, kind, device_id)
    put_attributes(call.registry, device.id, wanted, _values(call), call.now_us)
    return Reply(device=device.name, changed=f"attributes of {device.name} written")


def delete(call: Call, kind: str, device_id: str, scope: str) -> Reply:
    """DELETE …/{kind}/{id}/{scope}?keys=; provisionState too: the reset of a pre-provisioned device (2.3)."""
    keys, wanted = _keys(call), _scope(scope)
    if keys is None:
        raise plain(400, "Empty keys: []", reason="the query names no keys")
    device = _device(call, kind, device_id)
    gone = delete_attributes(call.registry, device.id, wanted, keys)
    return Reply(device=device.name, changed=f"attributes of {device.name} deleted" if gone else "")


def write_of_device(call: Call, device_id: str, scope: str) -> Reply:
    """POST …/{id}/{scope}."""
    return write(call, DEVICE, device_id, scope)


def delete_of_device(call: Call, device_id: str, scope: str) -> Reply:
    """DELETE …/{id}/{scope}?keys=."""
    return delete(call, DEVICE, device_id, scope)


def _device(call: Call, kind: str, device_id: str) -> Device:
    if kind != DEVICE:
        raise invalid(f"No attributes are kept of {kind[:50]}", reason="this server keeps attributes of devices only")
    return _found(call, as_uuid(device_id))


def _found(call: Call, device_id: str) -> Device:
    """Here a refusal is a text without a document (AccessValidator)."""
    device = device_by_id(call.registry, device_id)
    if device is None or device.tenant_id != call.operator.tenant_id:
        raise plain(404, "Device with requested id wasn't found!", reason="no device of the tenant has this id")
    if not is_visible(call, device):
        raise plain(403, DENIED, reason="the device belongs to another customer, or to none")
    return device


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError:
        raise invalid(f"No enum constant AttributeScope.{text[:50]}", reason="expected a scope of attributes") from None


def _keys(call: Call) -> list[str] | None:
    given = call.query.get("keys", "")
    return [key for key in given.split(",") if key] or None


def _values(call: Call) -> dict[str, Any]:
    """As leniently as devices are read: the same library reads it."""
    try:
        document = read_json(call.text.encode("utf-8", "replace"))
    except BadValue as bad:
        raise plain(400, "Invalid JSON", reason=f"the body is no JSON: {bad}") from None
    if not isinstance(document, dict):
        raise plain(400, "Request is not a JSON object", reason="the body is no JSON object")
    values = _read(document)
    if not values:
        raise plain(400, "No attributes data found in request body!", reason="the body names no attribute")
    if any(not key.strip() for key in values):
        raise plain(400, "Key cannot be blank", reason="an attribute has no name")
    return values


def _read(document: dict[str, Any]) -> dict[str, Any]:
    """Text that looks like a number is one here too (S102)."""
    try:
        return dict(read_values(document))
    except BadValue as bad:
        raise HttpRefusal(500, str(bad), reason=str(bad)) from None


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
