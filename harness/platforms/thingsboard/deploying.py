"""`fleetrig deploy` on ThingsBoard: an OTA package of the devices' profile, assigned to each of the devices.

How far a device is, it says itself, in its telemetry (`fw_state`, `sw_state`, spec 3.6). What stood there before the
assignment is of another package, so that only what is newer counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from fleetrig.harness.desk.deploying import Deploying, DeploySite, DeskUpdate, DeviceEnd, DeviceProgress
from fleetrig.harness.platforms.thingsboard.admin import JsonDict, ThingsBoardAdmin, id_of
from fleetrig.harness.platforms.thingsboard.platform import admin_of
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.drivers.director import AdminCall

PREFIXES: Final[Mapping[str, str]] = {"firmware": "fw", "software": "sw"}
"""Kind -> how its keys begin."""
ENDS: Final[Mapping[str, DeviceEnd]] = {"UPDATED": DeviceEnd.INSTALLED, "FAILED": DeviceEnd.FAILED}


class ThingsBoardDeployer:
    """A `Deployer`."""

    def __init__(self, site: DeploySite) -> None:
        self._admin: ThingsBoardAdmin = admin_of(site.server)
        self._admin.masks = site.secrets
        self._prefix = ""
        self._made = ""
        """The id of the package that was made."""
        self._before: list[JsonDict] = []
        """Devices as they were, of those that were changed."""
        self._ids: dict[str, str] = {}
        self._told_ms: dict[str, int] = {}
        """Device -> when it said what was told last, by the server's clock."""

    def knows(self, device: str) -> AdminCall[bool]:
        return (yield from self._admin.device(device)) is not None

    def devices(self) -> AdminCall[Sequence[str]]:
        return [str(one["name"]) for one in (yield from self._admin.devices())]

    def deploy(self, update: DeskUpdate, devices: Sequence[str]) -> AdminCall[Sequence[str]]:
        self._prefix = PREFIXES[update.kind]
        found = yield from self._known(devices)
        package_id, how = yield from self._package_of(update, profile_of(found))
        said = [f"{how} {update.title} ({update.kind} of the profile {found[0].get('type')}, package {package_id})"]
        for device in found:
            assigned = yield from self._assign(device, update, package_id)
            said.append(assigned)
        self._made, self._before = "", []
        return said

    def take_back(self) -> AdminCall[None]:
        while self._before:
            device = self._before.pop()
            now = yield from self._admin.device(str(device["name"]))
            if now is not None and (now.get(self._member) or {}).get("id") != (device.get(self._member) or {}).get(
                "id"
            ):
                yield from self._admin.save_device({**now, self._member: device.get(self._member)})
        if self._made:
            yield from self._admin.delete_package(self._made)
            self._made = ""

    def look(self, device: str) -> AdminCall[DeviceProgress]:
        state, at_ms = yield from self._state(device)
        if at_ms <= self._told_ms.get(device, 0):
            return DeviceProgress(())
        self._told_ms[device] = at_ms
        error = (yield from self._error(device)) if state == "FAILED" else ""
        at = datetime.fromtimestamp(at_ms / 1000).astimezone()
        return DeviceProgress([f"{at:%H:%M:%S}  {state}{error}"], ENDS.get(state))

    def remove(self, update: DeskUpdate, devices: Sequence[str]) -> AdminCall[Sequence[str]]:
        self._prefix = PREFIXES[update.kind]
        package = yield from self._admin.package((update.name, update.version))
        if package is None:
            raise UsageError(f"{self._admin.url} has no package {update.title}")
        said, package_id = [], id_of(package)
        for device in (yield from self._admin.devices()):
            is_meant = not devices or device.get("name") in devices
            if is_meant and self._assigned(device) == package_id:
                yield from self._admin.save_device({**device, self._member: None})
                said.append(f"taken from {device['name']}: it is told that there is no {update.kind} for it any more")
        yield from self._admin.delete_package(package_id)
        return [*said, f"removed {update.title} (package {package_id})"]

    @property
    def _member(self) -> str:
        """Of a device: what it is assigned."""
        return "firmwareId" if self._prefix == "fw" else "softwareId"

    def _assigned(self, device: JsonDict) -> str | None:
        """The id of its package."""
        return (device.get(self._member) or {}).get("id")

    def _known(self, devices: Sequence[str]) -> AdminCall[list[JsonDict]]:
        found = []
        for device in devices:
            known = yield from self._admin.device(device)
            if known is None:
                raise UsageError(f"{self._admin.url} has no device {device} any more")
            self._ids[device] = id_of(known)
            found.append(known)
        return found

    def _package_of(self, update: DeskUpdate, profile: JsonDict) -> AdminCall[tuple[str, str]]:
        """The id of a package with this very file, and whether it was made. Raises UsageError for another file."""
        [file] = update.files
        found = yield from self._admin.package((update.name, update.version))
        if found is not None:
            self._check_same(found, update, profile)
            return id_of(found), "found"
        about = {"title": update.name, "version": update.version, "type": update.kind.upper()}
        made = yield from self._admin.create_package({**about, "deviceProfileId": profile})
        self._made = id_of(made)
        yield from self._admin.fill_package(self._made, file.name, file.content, file.sha256)
        return self._made, "made"

    def _check_same(self, found: JsonDict, update: DeskUpdate, profile: JsonDict) -> None:
        is_same = found.get("checksum") == update.files[0].sha256 and found.get("type") == update.kind.upper()
        if is_same and (found.get("deviceProfileId") or {}).get("id") == profile.get("id"):
            return
        what = "for another profile" if is_same else "with another file"
        raise UsageError(
            f"{self._admin.url} has a package {update.title} already, {what}: give this one another --version, or "
            "remove that one first by --remove with the same --name and --version"
        )

    def _assign(self, device: JsonDict, update: DeskUpdate, package_id: str) -> AdminCall[str]:
        name = str(device["name"])
        _, self._told_ms[name] = yield from self._state(name)
        if self._assigned(device) == package_id:
            self._told_ms[name] = 0  # what stands there is about this package
            return f"{name} has been assigned it already"
        self._before.append(device)
        assigned = {"entityType": "OTA_PACKAGE", "id": package_id}
        yield from self._admin.save_device({**device, self._member: assigned})
        return f"assigned to {name}: it is told by shared attributes ({self._prefix}_title, {self._prefix}_version …)"

    def _state(self, device: str) -> AdminCall[tuple[str, int]]:
        """What it said last of its update, and when; empty and 0 if nothing."""
        found = yield from self._latest(device, f"{self._prefix}_state")
        # a real server gives null, and the time of the question, for what was never sent
        return (str(found["value"]), int(found.get("ts") or 0)) if found.get("value") else ("", 0)

    def _error(self, device: str) -> AdminCall[str]:
        found = yield from self._latest(device, f"{self._prefix}_error")
        return f": {found['value']}" if found.get("value") else ""

    def _latest(self, device: str, key: str) -> AdminCall[Mapping[str, Any]]:
        return (yield from self._admin.latest_of(self._ids[device], key))


def profile_of(devices: Sequence[JsonDict]) -> JsonDict:
    """The id of the one profile that all of them have, as an entity. Raises UsageError for several."""
    by_profile = {str(device["deviceProfileId"]["id"]): device for device in devices}
    if len(by_profile) > 1:
        first, second, *_ = by_profile.values()
        raise UsageError(
            f"{first['name']} is of the profile {first.get('type')}, {second['name']} of {second.get('type')}, and a "
            "package is for one profile: deploy to each of them, with another --version"
        )
    found: JsonDict = devices[0]["deviceProfileId"]
    return found


def deploying() -> Deploying:
    return Deploying(tuple(PREFIXES), ("announced",), 1, ThingsBoardDeployer)
