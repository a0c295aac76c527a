"""Devices that exist only while a fleet runs: a device profile of their own, made beforehand, deleted with all of them.

What there is to delete is looked up on the server, not remembered: whatever belongs to that profile is ours, also what
a request made that was broken off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fleetrig.harness.platforms.thingsboard.admin import ThingsBoardAdmin, id_of
from fleetrig.harness.platforms.thingsboard.settings import CHECK
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.drivers.director import AdminCall

BATCH: Final = 200


@dataclass(slots=True)
class TemporaryProfile:
    """The profile of one fleet on one server, and its devices: the `TemporaryDevices` of a simulation."""

    admin: ThingsBoardAdmin
    profile: dict[str, Any]
    """As the REST API takes it; its name is of this run alone."""
    serials: Sequence[str]
    children: Collection[str] = ()
    """Names of devices behind gateways: those get the profile that the server chooses."""
    created: set[str] = field(default_factory=set)
    """Names of devices of ours that were found on the server, or imported."""
    noun: str = "devices"
    _ids: dict[str, str] = field(default_factory=dict, init=False)
    """Name -> id, of those that are to be deleted."""
    _has_profile: bool = field(default=False, init=False)
    """It was asked for; whether the server made it may not be known."""

    @property
    def name(self) -> str:
        return str(self.profile["name"])

    def create(self) -> AdminCall[None]:
        """Raises UsageError when a device of that name exists, and BrokenBench when there is no server or it does not
        accept the account.
        """
        yield from self.admin.greet()
        yield from self._refuse_taken_names()
        self._has_profile = True
        yield from self.admin.save_profile(self.profile)
        for batch in self._batches() if self.profile["provisionType"] == CHECK else ():
            yield from self.admin.import_devices(self.name, [{"serial": serial} for serial in batch])
            self.created.update(batch)

    def find_created(self) -> AdminCall[None]:
        if not self._has_profile:
            return
        found = yield from self.admin.devices()
        self._ids = {str(device["name"]): id_of(device) for device in found if self._is_ours(device)}
        self.created = set(self._ids)

    def delete_all(self) -> AdminCall[None]:
        while self._ids:
            name, device_id = self._ids.popitem()
            yield from self.admin.delete_device(device_id)
            self.created.discard(name)

    def restore_settings(self) -> AdminCall[None]:
        """Deletes the profile."""
        if not self._has_profile:
            return
        for profile in (yield from self.admin.profiles()):
            if profile.get("name") == self.name:
                yield from self.admin.delete_profile(id_of(profile))
        self._has_profile = False

    def left_behind(self) -> str:
        if not self._has_profile:
            return ""
        known = f"{len(self.created):,} devices such as {min(self.created)}" if self.created else "perhaps its devices"
        return f"the device profile {self.name} and {known}"

    def how_to_remove(self) -> str:
        behind = f", those behind gateways ({min(self.children)} …)" if self.children else ""
        return f"delete the devices of that profile{behind}, then the profile itself"

    def _is_ours(self, device: dict[str, Any]) -> bool:
        return device.get("type") == self.name or device.get("name") in self.children

    def _refuse_taken_names(self) -> AdminCall[None]:
        """An import would move a device of that name into our profile, and a request would be refused."""
        wanted = {*self.serials, *self.children}
        taken = sorted(wanted & {str(device.get("name")) for device in (yield from self.admin.devices())})
        if taken:
            raise UsageError(
                f"{len(taken):,} of these devices exist already on {self.admin.url}, {taken[0]} for one: delete them, "
                "or give the devices other names with --serial, for instance --serial 'MINE-{n:04d}'"
            )

    def _batches(self) -> Iterator[Sequence[str]]:
        return (self.serials[start : start + BATCH] for start in range(0, len(self.serials), BATCH))
