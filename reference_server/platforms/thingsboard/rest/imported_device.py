"""One line of a bulk import as a device: made, or changed if the tenant has one of that name (section 4, "Bulk")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import (
    FormedCredentials,
    basic_value,
    formed,
)
from fleetrig.reference_server.platforms.thingsboard.state.devices import (
    NewDevice,
    check_free,
    create_device,
    credentials_of,
    device_named,
    save_credentials,
    save_device,
)
from fleetrig.reference_server.platforms.thingsboard.state.errors import RuleBroken, bad_credentials
from fleetrig.reference_server.platforms.thingsboard.state.field_rules import check_name
from fleetrig.reference_server.platforms.thingsboard.state.ota_packages import follow
from fleetrig.reference_server.platforms.thingsboard.state.profiles import default_profile, find_or_create
from fleetrig.reference_server.platforms.thingsboard.state.records import CredentialsType, Device, DeviceProfile

BASIC: Final = ("MQTT_CLIENT_ID", "MQTT_USER_NAME", "MQTT_PASSWORD")


def save_line(call: Call, fields: Mapping[str, str]) -> tuple[Device, bool]:
    """The device, and whether it is new. `fields`: type of column -> cell. Raises RuleBroken.

    A line without a name is refused; the real server overwrites some other device of the tenant instead (S100).
    """
    name = fields.get("NAME", "")
    call.registry.learn("mqtt-password", fields.get("MQTT_PASSWORD"))
    call.registry.learn("access-token", fields.get("ACCESS_TOKEN"))
    credentials = _credentials(fields)
    check_name("Device name", name)
    stored = device_named(call.registry, call.operator.tenant_id, name)
    if credentials is not None:
        check_free(call.registry, credentials.credentials_id, but_for="" if stored is None else stored.id)
    profile = _profile(call, fields, stored)
    if stored is None:
        return _created(call, fields, profile, credentials), True
    return _changed(call, stored, fields, profile, credentials), False


def _profile(call: Call, fields: Mapping[str, str], stored: Device | None) -> DeviceProfile:
    """An unknown type makes a profile; without a type a device stays in its own, and a new one gets the default."""
    tenant_id = call.operator.tenant_id
    type_name = fields.get("TYPE") or (stored.type if stored is not None else "")
    if not type_name:
        return default_profile(call.registry, tenant_id)
    return find_or_create(call.registry, tenant_id, type_name, call.now_us)


def _created(
    call: Call, fields: Mapping[str, str], profile: DeviceProfile, credentials: FormedCredentials | None
) -> Device:
    new = NewDevice(
        fields["NAME"],
        credentials,
        label=fields.get("LABEL"),
        additional_info=_additional_info({}, fields),
        customer_id=call.operator.customer_id,
    )
    return create_device(call.registry, profile, new, call.now_us)


def _changed(
    call: Call,
    stored: Device,
    fields: Mapping[str, str],
    profile: DeviceProfile,
    credentials: FormedCredentials | None,
) -> Device:
    """Its credentials stay, unless the line brings some."""
    changed = replace(
        stored,
        label=fields.get("LABEL", stored.label),
        profile_id=profile.id,
        additional_info=_additional_info(stored.additional_info or {}, fields),
    )
    saved = save_device(call.registry, changed)
    follow(call.registry, stored, saved, call.now_us)
    present = credentials_of(call.registry, stored.id)
    if credentials is not None and present is not None:
        save_credentials(call.registry, present, credentials)
    return saved


def _additional_info(info: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """In the order of the columns."""
    filled = dict(info)
    for kind, cell in fields.items():
        if kind == "DESCRIPTION":
            filled["description"] = cell
        elif kind == "IS_GATEWAY":
            filled["gateway"] = cell.lower() == "true"
    return filled


def _credentials(fields: Mapping[str, str]) -> FormedCredentials | None:
    """Of the line's columns; None when it has none. Raises RuleBroken."""
    try:
        if "X509" in fields:
            return formed(CredentialsType.X509_CERTIFICATE, None, fields["X509"])
        if any(name in fields for name in BASIC):
            return formed(CredentialsType.MQTT_BASIC, None, basic_value(*(fields.get(name) for name in BASIC)))
        if "ACCESS_TOKEN" in fields:
            return formed(CredentialsType.ACCESS_TOKEN, fields["ACCESS_TOKEN"], None)
    except RuleBroken as broken:
        raise bad_credentials(f"Invalid device credentials: {broken.message}") from None
    return None
