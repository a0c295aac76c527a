"""Tenant profiles, which limit what tenants have and say (TenantProfileController)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import invalid
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.rest.forms import tenant_profile_form, tenant_profile_info_form
from fleetrig.reference_server.platforms.thingsboard.rest.lookups import member_id, tenant_profile_at
from fleetrig.reference_server.platforms.thingsboard.rest.members import (
    flag,
    mapping,
    text,
    unreadable,
    whole_number,
)
from fleetrig.reference_server.platforms.thingsboard.rest.pages import page_of
from fleetrig.reference_server.platforms.thingsboard.state.records import TenantProfile
from fleetrig.reference_server.platforms.thingsboard.state.tenant_configuration import (
    LIMIT_TITLES,
    NUMBERS,
    default_configuration,
)
from fleetrig.reference_server.platforms.thingsboard.state.tenants import (
    default_tenant_profile,
    delete_tenant_profile,
    make_default,
    profile_data_of,
    save_tenant_profile,
    tenant_profiles,
)


def save(call: Call) -> Reply:
    """POST /api/tenantProfile: a new one, or with an `id` the changed one, whose limits hold at once."""
    body = call.object
    profile_id = member_id(body, "id")
    if profile_id is None:
        stored, what = TenantProfile(call.registry.new_id(call.now_us), call.now_ms, "", {}), "created"
    else:
        stored, what = tenant_profile_at(call, profile_id), "changed"
    saved = save_tenant_profile(call.registry, _filled(body, stored))
    return Reply(document=tenant_profile_form(saved), changed=f"tenant profile {saved.name} {what}")


def read(call: Call, profile_id: str) -> Reply:
    """GET /api/tenantProfile/{id}."""
    return Reply(document=tenant_profile_form(tenant_profile_at(call, profile_id)))


def read_info(call: Call, profile_id: str) -> Reply:
    """GET /api/tenantProfileInfo/{id}."""
    return Reply(document=tenant_profile_info_form(tenant_profile_at(call, profile_id)))


def read_default(call: Call) -> Reply:
    """GET /api/tenantProfileInfo/default."""
    return Reply(document=tenant_profile_info_form(default_tenant_profile(call.registry, call.now_us)))


def read_all(call: Call) -> Reply:
    """GET /api/tenantProfiles."""
    return Reply(document=page_of(call, map(tenant_profile_form, tenant_profiles(call.registry))))


def read_infos(call: Call) -> Reply:
    """GET /api/tenantProfileInfos."""
    return Reply(document=page_of(call, map(tenant_profile_info_form, tenant_profiles(call.registry))))


def set_default(call: Call, profile_id: str) -> Reply:
    """POST /api/tenantProfile/{id}/default."""
    made = make_default(call.registry, tenant_profile_at(call, profile_id))
    return Reply(document=tenant_profile_form(made), changed=f"tenant profile {made.name} is the default one")


def delete(call: Call, profile_id: str) -> Reply:
    """DELETE /api/tenantProfile/{id}."""
    profile = tenant_profile_at(call, profile_id)
    delete_tenant_profile(call.registry, profile)
    return Reply(changed=f"tenant profile {profile.name} deleted")


def _filled(body: Mapping[str, Any], profile: TenantProfile) -> TenantProfile:
    return replace(
        profile,
        name=text(body, "name") or "",
        description=text(body, "description"),
        is_default=flag(body, "default"),
        is_isolated=flag(body, "isolatedTbRuleEngine"),
        profile_data=_data(body),
    )


def _data(body: Mapping[str, Any]) -> dict[str, Any]:
    """Raises 400 for limits that cannot be read."""
    data = mapping(body, "profileData")
    if data is None:
        return profile_data_of({"configuration": default_configuration()})
    configuration = mapping(data, "configuration")
    if configuration is None:
        raise invalid("Tenant profile data configuration should be specified!")
    if configuration.get("type") != "DEFAULT":
        raise unreadable("profileData.configuration: expected the type DEFAULT")
    read: dict[str, Any] = {"type": "DEFAULT", "smsEnabled": configuration.get("smsEnabled")}
    read |= {name: text(configuration, name) for name in LIMIT_TITLES if name in configuration}
    read |= {name: _number(configuration, name) for name in NUMBERS if name in configuration}
    return profile_data_of({**data, "configuration": read})


def _number(configuration: Mapping[str, Any], name: str) -> int | float:
    """A null is 0, as everywhere where Java has no null."""
    if name == "warnThreshold" and isinstance(found := configuration.get(name), float):
        return found
    return whole_number(configuration, name) or 0
