"""Devices that exist only while a fleet runs: a tenant of their own, made beforehand, deleted with all of them.

What there is to delete is looked up on the server, not remembered: whatever stands in that tenant is ours, also what a
first contact made that was broken off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fleetrig.harness.platforms.hono.admin import PROVISIONS_OTHERS, HonoAdmin
from fleetrig.harness.platforms.hono.settings import TRUSTED
from fleetrig.simulator.drivers.director import AdminCall


@dataclass(frozen=True, slots=True)
class RegisteredDevice:
    """One that an operator makes by hand."""

    device_id: str
    document: Mapping[str, Any]
    credentials: Sequence[Mapping[str, Any]] = field(repr=False)


@dataclass(slots=True)
class TemporaryTenant:
    """The tenant of one fleet on one server, and its devices: the `TemporaryDevices` of a simulation."""

    admin: HonoAdmin
    """Whose `tenant` is of this run alone."""
    document: dict[str, Any]
    registered: Sequence[RegisteredDevice]
    """Empty where devices provision themselves."""
    created: set[str] = field(default_factory=set)
    """Ids of devices of ours that were made, or found on the server."""
    noun: str = "devices"
    _has_tenant: bool = field(default=False, init=False)
    """It was asked for; whether the server made it may not be known."""
    _is_unlisted: bool = field(default=False, init=False)
    """The tenant is gone from a registry that has never listed its devices (1.1)."""

    def create(self) -> AdminCall[None]:
        """Raises BrokenBench when there is no registry or it does not accept the account."""
        yield from self.admin.greet()
        self._has_tenant = True
        yield from self.admin.create_tenant(self.document)
        for device in self.registered:
            self.created.add(device.device_id)
            yield from self.admin.create_device(device.device_id, dict(device.document))
            yield from self.admin.replace_credentials(device.device_id, device.credentials)

    def find_created(self) -> AdminCall[None]:
        """Where the registry lists none (1.1), what is known of stays."""
        found = (yield from self.admin.listed_ids()) if self._has_tenant else None
        if found is not None:
            self.created = set(found)

    def delete_all(self) -> AdminCall[None]:
        while self.created:
            yield from self.admin.delete_device(self.created.pop())

    def restore_settings(self) -> AdminCall[None]:
        """Deletes the tenant, and first whatever came into it since it was looked at: a registry may keep devices of
        a tenant that is gone.
        """
        if self._has_tenant:
            are_all_gone = yield from self.admin.delete_devices()
            yield from self.admin.delete_tenant()
            self._is_unlisted = not are_all_gone and self._provisions
        self._has_tenant = False

    def left_behind(self) -> str:
        if self._is_unlisted:
            return f"what was provisioned in {self.admin.tenant}, under ids that this registry does not list"
        if not self._has_tenant:
            return ""
        known = f"{len(self.created):,} devices such as {min(self.created)}" if self.created else "perhaps its devices"
        return f"the tenant {self.admin.tenant} and {known}"

    def how_to_remove(self) -> str:
        tenant = self.admin.tenant
        if self._is_unlisted:
            return f"DELETE {self.admin.url}/v1/devices/{tenant}/ID; the adapters' logs have the ids"
        return f"DELETE {self.admin.url}/v1/devices/{tenant}, then DELETE {self.admin.url}/v1/tenants/{tenant}"

    @property
    def _provisions(self) -> bool:
        """Devices may be there that no operator has made."""
        return TRUSTED in self.document or any(PROVISIONS_OTHERS in one.document.get("authorities", ()) for one in
                                               self.registered)  # fmt: skip
