"""`fleetrig deploy` on hawkBit: a software module with the files, a distribution set with the module, an assignment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from fleetrig.harness.desk.deploying import (
    Deploying,
    DeploySite,
    DeskUpdate,
    DeviceEnd,
    DeviceProgress,
)
from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin, JsonDict, UploadedFile
from fleetrig.harness.platforms.hawkbit.deploy_words import MOST_FILES
from fleetrig.harness.platforms.hawkbit.platform import admin_of
from fleetrig.harness.platforms.hawkbit.updates import SET_TYPES
from fleetrig.harness.servers.http_admin import OtherStatus
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.drivers.director import AdminCall

TAKEN: Final = 409
MOST_MESSAGES: Final = 4
ENDS: Final[Mapping[str, DeviceEnd]] = {
    "finished": DeviceEnd.INSTALLED,
    "downloaded": DeviceEnd.INSTALLED,
    "error": DeviceEnd.FAILED,
    "canceled": DeviceEnd.FAILED,
}
"""What an action that is over has come to; `downloaded` is the end of one that is to be downloaded only."""
URGENCIES: Final[Mapping[str, str]] = {"forced": "forced", "soft": "soft", "download-only": "downloadonly"}
"""Word -> the type of an assignment."""


class HawkbitDeployer:
    """A `Deployer`."""

    def __init__(self, site: DeploySite) -> None:
        self._admin: HawkbitAdmin = admin_of(site.server)
        self._made: list[str] = []
        """Paths of what was made, the newest last."""
        self._actions: dict[str, int] = {}
        """Device -> its action."""
        self._told: dict[str, int] = {}
        """Device -> how much of its action's history was told."""

    def knows(self, device: str) -> AdminCall[bool]:
        return (yield from self._admin.target(device)) is not None

    def devices(self) -> AdminCall[Sequence[str]]:
        return [str(one["controllerId"]) for one in (yield from self._admin.targets())]

    def deploy(self, update: DeskUpdate, devices: Sequence[str]) -> AdminCall[Sequence[str]]:
        set_id, how = yield from self._set_of(update)
        said = [f"{how} {update.title} (distribution set {set_id})"]
        yield from self._admin.assign(set_id, devices, URGENCIES[update.urgency])
        for device in devices:
            self._actions[device], is_new = yield from self._action_of(device, set_id)
            told = f"assigned to {device} ({update.urgency}), action {self._actions[device]}"
            said.append(told if is_new else f"{device} has it already: action {self._actions[device]} is over")
        self._made.clear()
        return said

    def take_back(self) -> AdminCall[None]:
        while self._made:
            yield from self._admin.delete(self._made.pop())

    def look(self, device: str) -> AdminCall[DeviceProgress]:
        action_id = self._actions[device]
        history = yield from self._admin.action_history(device, action_id)
        news = [told(one) for one in history[self._told.get(device, 0) :]]
        self._told[device] = len(history)
        action = yield from self._admin.action(device, action_id)
        end = None if action.get("active") else ENDS.get(str(action.get("status")), DeviceEnd.FAILED)
        return DeviceProgress(news, end)

    def remove(self, update: DeskUpdate, devices: Sequence[str]) -> AdminCall[Sequence[str]]:
        found = yield from self._found("/distributionsets", update)
        if found is None:
            raise UsageError(f"{self._admin.url} has no distribution set {update.title}")
        set_id, said = self._admin.part(found, int, "id"), []
        assigned = yield from self._admin.search(f"/distributionsets/{set_id}/assignedTargets")
        for device in devices or [str(one["controllerId"]) for one in assigned]:
            action_id, is_open = yield from self._action_of(device, set_id)
            if is_open:
                yield from self._admin.cancel_action(device, action_id)
                said.append(f"called off on {device}: action {action_id} is being cancelled, and the device is asked")
        modules = self._admin.part(found, list, "modules")
        yield from self._admin.delete(f"/distributionsets/{set_id}")
        for module in modules:
            if (module.get("name"), module.get("version")) == (update.name, update.version):  # others are not ours
                yield from self._admin.delete(f"/softwaremodules/{self._admin.part(module, int, 'id')}")
        return [*said, f"removed {update.title} (distribution set {set_id}) and its files"]

    def _set_of(self, update: DeskUpdate) -> AdminCall[tuple[int, str]]:
        """The id of a set with these very files, and whether it was made. Raises UsageError for one with others."""
        found = yield from self._found("/distributionsets", update)
        if found is not None:
            yield from self._check_same(found, update)
            return self._admin.part(found, int, "id"), "found"
        try:
            return (yield from self._made_set(update)), "made"
        except OtherStatus as wrong:
            if wrong.status != TAKEN:
                raise
        raise UsageError(
            f"{update.title} was deployed on {self._admin.url} before and removed, and a hawkBit does not give such a "
            "name and version again: give another --version"
        )

    def _made_set(self, update: DeskUpdate) -> AdminCall[int]:
        module_id = yield from self._admin.create_bare_module(update.name, update.version, update.kind)
        self._made.append(f"/softwaremodules/{module_id}")
        for file in update.files:
            yield from self._admin.upload_artifact(module_id, UploadedFile(file.name, file.content))
        kind = SET_TYPES[frozenset({update.kind})]
        set_id = yield from self._admin.create_set(update.name, update.version, kind, [module_id])
        self._made.append(f"/distributionsets/{set_id}")
        return set_id

    def _found(self, path: str, update: DeskUpdate) -> AdminCall[JsonDict | None]:
        query = f"name=={quoted(update.name)};version=={quoted(update.version)}"
        found = yield from self._admin.search(path, query)
        named = [one for one in found if (one.get("name"), one.get("version")) == (update.name, update.version)]
        return named[0] if named else None

    def _check_same(self, found: JsonDict, update: DeskUpdate) -> AdminCall[None]:
        stored = set()
        for module in self._admin.part(found, list, "modules"):
            module_id = self._admin.part(module, int, "id")
            artifacts = self._admin.part(
                (yield from self._admin.call("GET", f"/softwaremodules/{module_id}/artifacts")), list
            )
            stored |= {(one.get("providedFilename"), (one.get("hashes") or {}).get("sha256")) for one in artifacts}
        if stored != {(file.name, file.sha256) for file in update.files}:
            raise UsageError(
                f"{self._admin.url} has a distribution set {update.title} already, with other files: give these "
                "another --version, or remove that one first by --remove with the same --name and --version"
            )

    def _action_of(self, device: str, set_id: int) -> AdminCall[tuple[int, bool]]:
        """The newest action of a device that is for this set, and whether it is open; 0 for none."""
        for action in (yield from self._admin.actions(device)):
            action_id = self._admin.part(action, int, "id")
            if (yield from self._admin.action_set(device, action_id)) == set_id:
                return action_id, bool(action.get("active")) and action.get("status") != "canceling"
        return 0, False


def told(entry: Mapping[str, Any]) -> str:
    """A line of an action's history: when, what, and what was said. Some clients send their whole log: its ends do."""
    at = datetime.fromtimestamp(int(entry.get("reportedAt") or 0) / 1000).astimezone()
    messages = [str(message) for message in entry.get("messages") or ()]
    if len(messages) > MOST_MESSAGES:
        messages = [messages[0], f"… {len(messages) - 2} more …", messages[-1]]
    code = f" (code {entry['code']})" if entry.get("code") is not None else ""
    return f"{at:%H:%M:%S}  {entry.get('type')}{code}" + (f": {' · '.join(messages)}" if messages else "")


def quoted(text: str) -> str:
    """A value of an RSQL query. A `*` stands for anything, so that what is found is compared."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def deploying() -> Deploying:
    return Deploying(("os", "application"), tuple(URGENCIES), MOST_FILES, HawkbitDeployer)
