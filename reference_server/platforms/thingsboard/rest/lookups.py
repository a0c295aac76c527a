"""What a path names, if the caller may see it: 404 for what there is not, 403 for what is another's.

A device of another tenant is not there (BaseController.checkEntityId finds it by tenant), a profile is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import crash, denied, invalid, missing
from fleetrig.reference_server.platforms.thingsboard.state.devices import device_by_id, device_named
from fleetrig.reference_server.platforms.thingsboard.state.people import customer_by_id, user_by_id
from fleetrig.reference_server.platforms.thingsboard.state.profiles import profile_by_id
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    Authority,
    Customer,
    Device,
    DeviceProfile,
    Tenant,
    TenantProfile,
    User,
)
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.reference_server.platforms.thingsboard.state.tenants import tenant_by_id, tenant_profile_by_id

R = TypeVar("R")
E = TypeVar("E", DeviceProfile, Customer)

UUID: Final = re.compile(r"[0-9a-f]{1,16}(?:-[0-9a-f]{1,16}){4}", re.IGNORECASE | re.ASCII)
UUID_CHARS: Final = 36
GROUP_CHARS: Final = (8, 4, 4, 4, 12)


def as_uuid(text: str) -> str:
    """An id in the form in which it is kept; as Java reads them, its groups may be too short. Raises 400."""
    if not UUID.fullmatch(text) or len(text) > UUID_CHARS:
        raise invalid(f"Invalid UUID string: {text[:100]}")
    groups = zip(text.lower().split("-"), GROUP_CHARS, strict=True)
    return "-".join(group[-chars:].rjust(chars, "0") for group, chars in groups)


def member_id(body: dict[str, Any], name: str) -> str | None:
    """The id in a member such as `{"entityType": "DEVICE", "id": "…"}`; None when it is missing or null."""
    found = body.get(name)
    if found is None:
        return None
    if not isinstance(found, dict) or not isinstance(found.get("id"), str):
        raise crash("JSON parse error", reason=f"{name}: expected an object with an id")
    return as_uuid(found["id"])


def device_at(call: Call, device_id: str) -> Device:
    device_id = as_uuid(device_id)
    device = device_by_id(call.registry, device_id)
    if device is None or device.tenant_id != call.operator.tenant_id:
        raise missing(f"Device with id [{device_id}] is not found", reason="no device of the tenant has this id")
    if not is_visible(call, device):
        raise denied("the device belongs to another customer, or to none")
    return device


def device_called(call: Call, name: str) -> Device:
    device = device_named(call.registry, call.operator.tenant_id, name)
    if device is None:
        raise missing(reason=f"no device of the tenant has the name {name[:100]!r}")
    return device


def is_visible(call: Call, device: Device) -> bool:
    """To a tenant's administrator all of its devices, to a customer's user those of the customer."""
    return call.operator.customer_id in (None, device.customer_id)


def profile_at(call: Call, profile_id: str) -> DeviceProfile:
    return _of_tenant(call, "Device profile", profile_id, profile_by_id)


def customer_at(call: Call, customer_id: str) -> Customer:
    return _of_tenant(call, "Customer", customer_id, customer_by_id)


def user_at(call: Call, user_id: str, *, writes: bool = False) -> User:
    """A user that the caller may read, or change and delete (`*UserPermissions` of the real server)."""
    user = _known(call, "User", user_id, user_by_id)
    if not _may_use(call.operator, user, writes=writes):
        raise denied("the user is none that this account may see or change")
    return user


def _may_use(caller: User, user: User, *, writes: bool) -> bool:
    match caller.authority:
        case Authority.SYS_ADMIN:
            return user.authority is not Authority.CUSTOMER_USER
        case Authority.TENANT_ADMIN:
            return user.tenant_id == caller.tenant_id
        case Authority.CUSTOMER_USER:
            return user.customer_id == caller.customer_id and (not writes or user.id == caller.id)


def tenant_at(call: Call, tenant_id: str, *, refusal: str = "") -> Tenant:
    """The administrator of the installation may do everything with it, that of the tenant read and delete it.

    `refusal`: what is said (400) of one that is not there, in place of 404.
    """
    if refusal and tenant_by_id(call.registry, tenant_id) is None:
        raise invalid(refusal)
    tenant = _known(call, "Tenant", tenant_id, tenant_by_id)
    if call.operator.authority is not Authority.SYS_ADMIN and tenant.id != call.operator.tenant_id:
        raise denied("it is another tenant")
    return tenant


def tenant_profile_at(call: Call, profile_id: str) -> TenantProfile:
    return _known(call, "Tenant profile", profile_id, tenant_profile_by_id)


def _of_tenant(call: Call, what: str, text: str, by_id: Callable[[Registry, str], E | None]) -> E:
    found = _known(call, what, text, by_id)
    if found.tenant_id != call.operator.tenant_id:
        raise denied("it belongs to another tenant")
    return found


def _known(call: Call, what: str, text: str, by_id: Callable[[Registry, str], R | None]) -> R:
    entity_id = as_uuid(text)
    found = by_id(call.registry, entity_id)
    if found is None:
        raise missing(f"{what} with id [{entity_id}] is not found", reason=f"no {what.lower()} has this id")
    return found
