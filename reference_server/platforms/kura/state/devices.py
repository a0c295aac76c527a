"""Devices: registered by BIRTH or by an administrator (spec 5.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.state.accounts import account_by_id, check_room
from fleetrig.reference_server.platforms.kura.state.device_records import DEVICE, EVENT, Device
from fleetrig.reference_server.platforms.kura.state.errors import Refused, duplicate, illegal, missing, stale
from fleetrig.reference_server.platforms.kura.state.events import events_of
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.simulator.contract.clock import US_PER_MS

CLIENT_ID: Final = re.compile(r"[^#+*&,?>/\x00-\x1f\x7f]{1,255}")


def device_by_id(registry: Registry, scope_id: str, device_id: str) -> Device | None:
    return registry.store.get(DEVICE, scope_id, device_id)


def device_by_client(registry: Registry, scope_id: str, client_id: str) -> Device | None:
    """Client ids mind case."""
    found = registry.store.find(DEVICE, scope_id, "client", client_id)
    return found[0] if found else None


def needed_device(registry: Registry, scope_id: str, device_id: str) -> Device:
    """Raises Refused."""
    found = device_by_id(registry, scope_id, device_id)
    if found is None:
        raise missing("device", device_id)
    return found


def devices_of(registry: Registry, scope_id: str) -> list[Device]:
    """In the order in which they were registered."""
    return sorted(registry.store.scan(DEVICE, scope_id), key=lambda device: (device.created_us, device.id))


def create_device(registry: Registry, device: Device, *, is_limited: bool = True) -> Device:
    """Raises Refused: a client id that is taken or none, and the registration limit, if it holds for that device."""
    if CLIENT_ID.fullmatch(device.client_id) is None or "::" in device.client_id:
        raise illegal(
            "deviceCreator.clientId", device.client_id[:80], "1 to 255 letters without # + * & , ? > / and ::"
        )
    if device_by_client(registry, device.scope_id, device.client_id) is not None:
        raise duplicate("device", device.client_id)
    account = account_by_id(registry, device.scope_id)
    if account is None:
        raise missing("account", device.scope_id)
    if is_limited:
        check_room(registry, account)
    registry.store.put(DEVICE, device.scope_id, device)
    return device


def update_device(registry: Registry, device: Device, optlock: int, now_us: int, by: str) -> Device:
    """`device` as it is to be. Raises Refused when somebody was faster."""
    if optlock != device.optlock:
        raise stale("device")
    changed = replace(device, optlock=device.optlock + 1, modified_us=now_us, modified_by=by)
    registry.store.put(DEVICE, device.scope_id, changed)
    return changed


def delete_device(registry: Registry, device: Device) -> None:
    """With its events; its connection stays, as in Kapua."""
    for event in events_of(registry, device.scope_id, device.id):
        registry.store.delete(EVENT, device.scope_id, event.number)
    registry.store.delete(DEVICE, device.scope_id, device.id)


def born(
    registry: Registry,
    scope_id: str,
    client_id: str,
    document: Mapping[str, Any],
    sent_ms: int | None,
    now_us: int,
    connection_id: str = "",
    *,
    is_provisioned: bool = False,
) -> Device:
    """A BIRTH has come: the device is made if there is none (auto-registration), otherwise updated.

    `document`: members of the REST API. A BIRTH that is older than the last one, by the time that it bears, changes
    nothing (2.2); one from the future counts as of now, or a clock that was wrong would shut out all that come later.
    An empty display name keeps the stored one. Raises Refused at the registration limit, and for a device that no
    request has provisioned in an account that takes no such. `is_provisioned`: a provision job waits for it; an
    administrator has asked for this very device, so that no limit keeps it from becoming a managed one (1.2).
    """
    found = device_by_client(registry, scope_id, client_id)
    if found is None:
        _check_may_register(registry, scope_id, client_id, is_provisioned)
        made = Device(registry.new_id(), scope_id, client_id, created_us=now_us, modified_us=now_us)
        found = create_device(registry, made, is_limited=not is_provisioned)
    return _told(registry, found, document, sent_ms, now_us, connection_id, is_birth=True)


def apps_changed(
    registry: Registry, scope_id: str, client_id: str, document: Mapping[str, Any], sent_ms: int | None, now_us: int
) -> Device:
    """An APPS has come. Raises Refused without a device."""
    found = device_by_client(registry, scope_id, client_id)
    if found is None:
        raise missing("device", client_id)
    return _told(registry, found, document, sent_ms, now_us, found.connection_id, is_birth=False)


def _told(
    registry: Registry,
    device: Device,
    document: Mapping[str, Any],
    sent_ms: int | None,
    now_us: int,
    connection_id: str,
    *,
    is_birth: bool,
) -> Device:
    if sent_ms is not None and sent_ms < device.birth_sent_ms:
        return device
    said = {name: value for name, value in document.items() if value or name != "displayName"}
    changed = replace(
        device,
        document={**device.document, **said},
        connection_id=connection_id or device.connection_id,
        born_us=now_us if is_birth else device.born_us,
        birth_sent_ms=device.birth_sent_ms if sent_ms is None else min(sent_ms, now_us // US_PER_MS),
        modified_us=now_us,
        optlock=device.optlock + 1,
    )
    registry.store.put(DEVICE, device.scope_id, changed)
    return changed


def _check_may_register(registry: Registry, scope_id: str, client_id: str, is_provisioned: bool) -> None:
    account = account_by_id(registry, scope_id)
    if account is not None and not account.settings.allows_unprovisioned and not is_provisioned:
        why = f"account {account.name} takes only provisioned devices: create a provision request for {client_id}"
        raise Refused(403, "NOT_PROVISIONED", why, why)
