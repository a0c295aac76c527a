"""Device profiles: the strategy, its key and its secret (section 2, section 4 "Profile")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import invalid
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.rest.authority_certificate import with_authority
from fleetrig.reference_server.platforms.thingsboard.rest.forms import entity_id, profile_form, profile_info_form
from fleetrig.reference_server.platforms.thingsboard.rest.lookups import member_id, profile_at
from fleetrig.reference_server.platforms.thingsboard.rest.members import (
    flag,
    mapping,
    text,
    unreadable,
    whole_number,
    word,
)
from fleetrig.reference_server.platforms.thingsboard.rest.pages import page_of
from fleetrig.reference_server.platforms.thingsboard.state.ota_packages import (
    PackageType,
    check_assigned,
    follow_profile,
)
from fleetrig.reference_server.platforms.thingsboard.state.profiles import (
    create_profile,
    default_profile,
    delete_profile,
    make_default,
    profiles_of,
    save_profile,
)
from fleetrig.reference_server.platforms.thingsboard.state.records import DeviceProfile, ProvisionType


def save(call: Call) -> Reply:
    """POST /api/deviceProfile: a new one, or with an `id` the changed one."""
    body = call.object
    profile_id = member_id(body, "id")
    if profile_id is None:
        made = create_profile(call.registry, _filled(call, body, _new(call)))
        return Reply(document=profile_form(made), changed=f"device profile {made.name} created")
    stored = profile_at(call, profile_id)
    saved = save_profile(call.registry, _filled(call, body, stored), whole_number(body, "version"))
    follow_profile(call.registry, stored, saved, call.now_us)
    return Reply(document=profile_form(saved), changed=f"device profile {saved.name} changed")


def read(call: Call, profile_id: str) -> Reply:
    """GET /api/deviceProfile/{id}."""
    return Reply(document=profile_form(profile_at(call, profile_id)))


def read_all(call: Call) -> Reply:
    """GET /api/deviceProfiles."""
    profiles = profiles_of(call.registry, call.operator.tenant_id)
    return Reply(document=page_of(call, map(profile_form, profiles)))


def read_infos(call: Call) -> Reply:
    """GET /api/deviceProfileInfos."""
    profiles = profiles_of(call.registry, call.operator.tenant_id)
    return Reply(document=page_of(call, map(profile_info_form, profiles)))


def read_names(call: Call) -> Reply:
    """GET /api/deviceProfile/names: by name."""
    profiles = sorted(profiles_of(call.registry, call.operator.tenant_id), key=lambda profile: profile.name)
    return Reply(document=[{"id": entity_id("DEVICE_PROFILE", each.id), "name": each.name} for each in profiles])


def read_default(call: Call) -> Reply:
    """GET /api/deviceProfileInfo/default."""
    return Reply(document=profile_info_form(default_profile(call.registry, call.operator.tenant_id)))


def read_info(call: Call, profile_id: str) -> Reply:
    """GET /api/deviceProfileInfo/{id}."""
    return Reply(document=profile_info_form(profile_at(call, profile_id)))


def set_default(call: Call, profile_id: str) -> Reply:
    """POST /api/deviceProfile/{id}/default: in the place of the one that was it."""
    made = make_default(call.registry, profile_at(call, profile_id))
    return Reply(document=profile_form(made), changed=f"device profile {made.name} is the default one")


def delete(call: Call, profile_id: str) -> Reply:
    """DELETE /api/deviceProfile/{id}."""
    profile = profile_at(call, profile_id)
    delete_profile(call.registry, profile)
    return Reply(changed=f"device profile {profile.name} deleted")


def _new(call: Call) -> DeviceProfile:
    return DeviceProfile(call.registry.new_id(call.now_us), call.operator.tenant_id, call.now_ms, "")


def _filled(call: Call, body: Mapping[str, Any], profile: DeviceProfile) -> DeviceProfile:
    """The profile as the document has it: what it does not name is gone, the strategy too (S106)."""
    kind, transport = text(body, "type"), text(body, "transportType")
    if not kind:
        raise invalid("Device profile type should be specified!")
    if not transport:
        raise invalid("Device profile transport type should be specified!")
    if flag(body, "default") and not profile.is_default:
        raise invalid("Another default device profile is present in scope of current tenant!")
    filled = replace(
        profile,
        name=text(body, "name") or "",
        type=kind,
        transport_type=transport,
        provision_type=_strategy(call, body),
        provision_device_key=text(body, "provisionDeviceKey"),
        profile_data=_profile_data(body),
        description=text(body, "description"),
        image=text(body, "image"),
        default_queue_name=text(body, "defaultQueueName"),
    )
    filled = with_authority(_with_references(body, filled))
    check_assigned(call.registry, filled.firmware_id, PackageType.FIRMWARE, filled.id)
    check_assigned(call.registry, filled.software_id, PackageType.SOFTWARE, filled.id)
    return filled


def _strategy(call: Call, body: Mapping[str, Any]) -> ProvisionType:
    """An older server does not know certificate chains (1.7)."""
    strategy = word(body, "provisionType", ProvisionType) or ProvisionType.DISABLED
    if strategy is ProvisionType.CERTIFICATE_CHAIN and not call.registry.traits.has_certificate_chain:
        raise unreadable(f"provisionType: this generation does not know {strategy}")
    return strategy


def _with_references(body: Mapping[str, Any], profile: DeviceProfile) -> DeviceProfile:
    wanted = dict(body)
    return replace(
        profile,
        default_rule_chain_id=member_id(wanted, "defaultRuleChainId"),
        default_dashboard_id=member_id(wanted, "defaultDashboardId"),
        default_edge_rule_chain_id=member_id(wanted, "defaultEdgeRuleChainId"),
        firmware_id=member_id(wanted, "firmwareId"),
        software_id=member_id(wanted, "softwareId"),
    )


def _profile_data(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the profile does, completed with the members that the server always writes."""
    given = mapping(body, "profileData")
    if given is None or not isinstance(given.get("transportConfiguration"), dict):
        raise invalid("Device profile data should be specified!", reason="profileData needs a transportConfiguration")
    configuration = given.get("provisionConfiguration")
    if configuration is not None and not isinstance(configuration, dict):
        raise invalid("JSON parse error", reason="provisionConfiguration: expected an object")
    return {"provisionConfiguration": None, "alarms": None, **given}
