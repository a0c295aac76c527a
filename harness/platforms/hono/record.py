"""A device as the registry shows it, under the words of scenario files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.harness.platform import Record
from fleetrig.harness.platforms.hono.admin import PROVISIONS_OTHERS, JsonDict
from fleetrig.harness.platforms.hono.hono_run import HonoRun
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.drivers.director import AdminCall

REGISTERED: Final = "registered"
PROVISIONED: Final = "provisioned"
DISABLED: Final = "disabled"
OLD_COMMENT: Final = "Auto-provisioned at "
"""What 1.1 says of a device that it has provisioned, in place of a flag (spec 6)."""
NOTIFICATION: Final = "application/vnd.eclipse-hono-device-provisioning-notification"
"""The content type of the event that says that a device was provisioned."""
OF_CREDENTIALS: Final = frozenset({"auth_id", "credentials_type", "credentials_enabled"})


def read_record(run: HonoRun, serial: str, wanted: frozenset[str]) -> AdminCall[Record | None]:
    device_id = yield from find_device(run, serial)
    device = None if device_id is None else (yield from run.admin.device(device_id))
    if device_id is None or device is None:
        return None
    entries = (yield from run.admin.credentials(device_id)) if wanted & OF_CREDENTIALS else []
    first: Mapping[str, Any] = entries[0] if entries else {}
    status = status_of(device)
    fields: dict[str, Json] = {
        "device_id": device_id,
        "auth_id": first.get("auth-id"),
        "credentials_type": first.get("type", "none"),
        "credentials_enabled": bool(first.get("enabled", True)) if entries else None,
        "auto_provisioned": is_provisioned(device),
        "notification_sent": bool(status.get("auto-provisioning-notification-sent")),
        "via": ",".join(str(one).removeprefix(run.context.prefix) for one in device.get("via") or ()),
        "may_provision": PROVISIONS_OTHERS in (device.get("authorities") or ()),
        "tenant_devices": (yield from run.admin.device_count()) if "tenant_devices" in wanted else None,
        "notifications": (yield from notifications_of(run, device_id)) if "notifications" in wanted else None,
    }
    return Record(serial, state_of(device), {}, fields)


def notifications_of(run: HonoRun, device_id: str) -> AdminCall[int]:
    """How often applications were told that the device was provisioned (spec 2.4).

    Raises BrokenBench where nobody tells: of a server of others only its message broker knows.
    """
    server = run.context.server
    if server.northbound is None:
        raise BrokenBench(
            f"{server.name} does not tell what applications get; say `needs: [reference.reasons]` to skip the scenario "
            "there, or `control: URL` in the SERVER.yaml of a `fleetrig serve`"
        )
    told = yield from server.northbound(run.tenant)
    return sum(one.key == device_id and one.properties.get("content-type") == NOTIFICATION for one in told)


def state_of(device: Mapping[str, Any]) -> str:
    if device.get("enabled") is False:
        return DISABLED
    return PROVISIONED if is_provisioned(device) else REGISTERED


def is_provisioned(device: Mapping[str, Any]) -> bool:
    comment = str((device.get("ext") or {}).get("comment"))
    return bool(status_of(device).get("auto-provisioned")) or comment.startswith(OLD_COMMENT)


def status_of(device: Mapping[str, Any]) -> JsonDict:
    return device.get("status") or {}


def find_device(run: HonoRun, serial: str) -> AdminCall[str | None]:
    """The id of the device: its serial, or that of the device which has its auth-id. None when there is neither.

    A registry gives ids of its own to what it provisions, and cannot be asked by auth-id: all devices of the tenant
    are read, each once.
    """
    device = run.context.devices.get(serial)
    auth_id = None if device is None else run.auth_id(serial, device.credential)
    for device_id in having(run, auth_id):
        if auth_id in (yield from read_auth_ids(run, device_id)):
            return device_id
    if (yield from run.admin.device(serial)) is not None:
        return serial
    for device_id in (yield from run.admin.device_ids()):
        if device_id not in run.known:
            yield from read_auth_ids(run, device_id)
    return next(iter(having(run, auth_id)), None)


def known_device(run: HonoRun, serial: str) -> AdminCall[str]:
    """Its id. Raises BrokenBench for a device that the registry does not know: nothing would be tried then."""
    device_id = yield from find_device(run, serial)
    if device_id is None:
        raise BrokenBench(f"{run.context.server.name} knows no device {serial}")
    return device_id


def having(run: HonoRun, auth_id: str | None) -> list[str]:
    """The devices that had it when they were read last."""
    return [] if auth_id is None else list(run.holders.get(auth_id, ()))


def read_auth_ids(run: HonoRun, device_id: str) -> AdminCall[tuple[str, ...]]:
    """Those of a device, as they are now."""
    entries = yield from run.admin.credentials(device_id)
    for auth_id in run.known.pop(device_id, ()):
        run.holders[auth_id].pop(device_id, None)
    if entries is None:
        return ()
    auth_ids = run.known[device_id] = tuple(str(entry.get("auth-id")) for entry in entries)
    for auth_id in auth_ids:
        run.holders.setdefault(auth_id, {})[device_id] = None
    return auth_ids
