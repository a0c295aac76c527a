"""Devices: created, found, changed and deleted by their operator (section 4, "Device")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import invalid
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.rest.credentials import credentials_in
from fleetrig.reference_server.platforms.thingsboard.rest.forms import device_form, entity_id
from fleetrig.reference_server.platforms.thingsboard.rest.lookups import (
    as_uuid,
    customer_at,
    device_at,
    device_called,
    is_visible,
    member_id,
    profile_at,
)
from fleetrig.reference_server.platforms.thingsboard.rest.members import mapping, text, whole_number
from fleetrig.reference_server.platforms.thingsboard.rest.pages import page_of
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import FormedCredentials, formed
from fleetrig.reference_server.platforms.thingsboard.state.devices import (
    NewDevice,
    create_device,
    credentials_of,
    delete_device,
    devices_of,
    save_credentials,
    save_device,
)
from fleetrig.reference_server.platforms.thingsboard.state.ota_packages import follow
from fleetrig.reference_server.platforms.thingsboard.state.profiles import default_profile, find_or_create
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    NULL_UUID,
    CredentialsType,
    Device,
    DeviceProfile,
)


def save(call: Call) -> Reply:
    """POST /api/device?accessToken=: a new one, or with an `id` the changed one, whose token stays as it is."""
    body, token = call.object, call.query.get("accessToken")
    is_given = bool(token) and body.get("id") is None
    return _saved(call, body, formed(CredentialsType.ACCESS_TOKEN, token, None) if is_given else None)


def save_with_credentials(call: Call) -> Reply:
    """POST /api/device-with-credentials."""
    body, given = mapping(call.object, "device"), mapping(call.object, "credentials")
    if body is None or given is None:
        raise invalid("JSON parse error", reason="expected the members device and credentials")
    return _saved(call, dict(body), credentials_in(call, given))


def read(call: Call, device_id: str) -> Reply:
    """GET /api/device/{id}."""
    device = device_at(call, device_id)
    return Reply(document=device_form(device), device=device.name)


def read_all(call: Call) -> Reply:
    """GET /api/tenant/devices."""
    wanted = call.query.get("type", "")
    devices = devices_of(call.registry, call.operator.tenant_id)
    return Reply(document=page_of(call, (device_form(each) for each in devices if not wanted or each.type == wanted)))


def read_called(call: Call) -> Reply:
    """GET /api/tenant/devices?deviceName=."""
    device = device_called(call, call.needed("deviceName", "String"))
    return Reply(document=device_form(device), device=device.name)


def read_of_customer(call: Call, customer_id: str) -> Reply:
    """GET /api/customer/{id}/devices."""
    customer, wanted = customer_at(call, customer_id), call.query.get("type", "").strip()
    devices = (each for each in devices_of(call.registry, customer.tenant_id) if each.customer_id == customer.id)
    return Reply(document=page_of(call, (device_form(each) for each in devices if wanted in ("", each.type))))


def read_some(call: Call) -> Reply:
    """GET /api/devices?deviceIds=: those of them that there are, and that the caller may see."""
    wanted = {as_uuid(one) for one in call.needed("deviceIds", "String[]").split(",")}
    devices = devices_of(call.registry, call.operator.tenant_id)
    return Reply(document=[device_form(each) for each in devices if each.id in wanted and is_visible(call, each)])


def read_types(call: Call) -> Reply:
    """GET /api/device/types: the types that devices have."""
    tenant_id = call.operator.tenant_id
    tenant = entity_id("TENANT", tenant_id)
    types = sorted({device.type for device in devices_of(call.registry, tenant_id)})
    return Reply(document=[{"tenantId": tenant, "entityType": "DEVICE", "type": each} for each in types])


def delete(call: Call, device_id: str) -> Reply:
    """DELETE /api/device/{id}; its sessions are closed (S85)."""
    device = device_at(call, device_id)
    delete_device(call.registry, device)
    return Reply(device=device.name, changed=f"device {device.name} deleted")


def assign(call: Call, customer_id: str, device_id: str) -> Reply:
    """POST /api/customer/{id}/device/{id}."""
    customer = customer_at(call, customer_id)
    return _assigned(call, device_at(call, device_id), customer.id)


def unassign(call: Call, device_id: str) -> Reply:
    """DELETE /api/customer/device/{id}."""
    device = device_at(call, device_id)
    if device.customer_id is None:
        raise invalid("Device isn't assigned to any customer!")
    return _assigned(call, device, None)


def _assigned(call: Call, device: Device, customer_id: str | None) -> Reply:
    saved = save_device(call.registry, replace(device, customer_id=customer_id))
    return Reply(document=device_form(saved), device=saved.name, changed=f"device {saved.name} changed hands")


def _saved(call: Call, body: dict[str, Any], credentials: FormedCredentials | None) -> Reply:
    device_id = member_id(body, "id")
    if device_id is None:
        made = _created(call, body, credentials)
        return Reply(document=device_form(made), device=made.name, changed=f"device {made.name} created")
    before = device_at(call, device_id)
    device = _changed(call, body, before)
    follow(call.registry, before, device, call.now_us)
    stored = credentials_of(call.registry, device.id)
    if credentials is not None and stored is not None:
        save_credentials(call.registry, stored, credentials)
    return Reply(document=device_form(device), device=device.name, changed=f"device {device.name} changed")


def _created(call: Call, body: dict[str, Any], credentials: FormedCredentials | None) -> Device:
    new = NewDevice(
        text(body, "name") or "",
        credentials,
        label=text(body, "label"),
        additional_info=mapping(body, "additionalInfo"),
        device_data=mapping(body, "deviceData"),
        customer_id=_customer_id(call, body),
        firmware_id=member_id(body, "firmwareId"),
        software_id=member_id(body, "softwareId"),
    )
    return create_device(call.registry, profile_of(call, body), new, call.now_us)


def _changed(call: Call, body: dict[str, Any], device: Device) -> Device:
    changed = replace(
        device,
        name=text(body, "name") or "",
        label=text(body, "label"),
        profile_id=profile_of(call, body).id,
        additional_info=mapping(body, "additionalInfo"),
        device_data=mapping(body, "deviceData") or device.device_data,
        customer_id=_customer_id(call, body),
        firmware_id=member_id(body, "firmwareId"),
        software_id=member_id(body, "softwareId"),
    )
    return save_device(call.registry, changed, whole_number(body, "version"))


def profile_of(call: Call, body: Mapping[str, Any]) -> DeviceProfile:
    """By `deviceProfileId`, else by `type`, which makes a profile of an unknown name; else the tenant's default."""
    profile_id = member_id(dict(body), "deviceProfileId")
    if profile_id is not None:
        return profile_at(call, profile_id)
    name = text(body, "type")
    tenant_id = call.operator.tenant_id
    if name:
        return find_or_create(call.registry, tenant_id, name, call.now_us)
    return default_profile(call.registry, tenant_id)


def _customer_id(call: Call, body: dict[str, Any]) -> str | None:
    if call.operator.customer_id is not None:
        return call.operator.customer_id
    given = member_id(body, "customerId")
    return None if given is None or given == NULL_UUID else customer_at(call, given).id
