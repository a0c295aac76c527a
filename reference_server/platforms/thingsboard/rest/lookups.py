"""What a path names, if the caller may see it: 404 for what there is not, 403 for what is another's.

A device of another tenant is not there (BaseController.checkEntityId finds it by tenant), a profile is.
"""

from __future__ import annotations

import re
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import denied, invalid, missing
from fleetrig.reference_server.platforms.thingsboard.state.devices import device_by_id, device_named
from fleetrig.reference_server.platforms.thingsboard.state.people import customer_by_id, user_by_id
from fleetrig.reference_server.platforms.thingsboard.state.profiles import profile_by_id
from fleetrig.reference_server.platforms.thingsboard.state.records import Customer, Device, DeviceProfile, User

UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def as_uuid(text: str) -> str:
    """An id in the form in which it is kept. Raises 400."""
    if not UUID.fullmatch(text):
        raise invalid(f"Invalid UUID string: {text[:100]}")
    return text.lower()


def member_id(body: dict[str, Any], name: str) -> str | None:
    """The id in a member such as `{"entityType": "DEVICE", "id": "…"}`; None when it is missing or null."""
    found = body.get(name)
    if found is None:
        return None
    if not isinstance(found, dict) or not isinstance(found.get("id"), str):
        raise invalid("JSON parse error", reason=f"{name}: expected an object with an id")
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
    profile_id = as_uuid(profile_id)
    profile = profile_by_id(call.registry, profile_id)
    if profile is None:
        raise missing(f"Device profile with id [{profile_id}] is not found", reason="no device profile has this id")
    _same_tenant(call, profile.tenant_id)
    return profile


def customer_at(call: Call, customer_id: str) -> Customer:
    customer_id = as_uuid(customer_id)
    customer = customer_by_id(call.registry, customer_id)
    if customer is None:
        raise missing(f"Customer with id [{customer_id}] is not found", reason="no customer has this id")
    _same_tenant(call, customer.tenant_id)
    return customer


def user_at(call: Call, user_id: str) -> User:
    user_id = as_uuid(user_id)
    user = user_by_id(call.registry, user_id)
    if user is None:
        raise missing(f"User with id [{user_id}] is not found", reason="no user has this id")
    _same_tenant(call, user.tenant_id)
    return user


def _same_tenant(call: Call, tenant_id: str) -> None:
    if tenant_id != call.operator.tenant_id:
        raise denied("it belongs to another tenant")
