"""Devices that exist only while a fleet runs: a tenant of their own, made beforehand, deleted with all of them.

What there is to delete is looked up on the server, not remembered: whatever stands in that tenant is ours, also what a
first contact made that was broken off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fleetrig.harness.platforms.hono.admin import HonoAdmin
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
        if self._has_tenant:
            self.created = set((yield from self.admin.device_ids()))

    def delete_all(self) -> AdminCall[None]:
        while self.created:
            yield from self.admin.delete_device(self.created.pop())

    def restore_settings(self) -> AdminCall[None]:
        """Deletes the tenant."""
        if self._has_tenant:
            yield from self.admin.delete_tenant()
        self._has_tenant = False

    def left_behind(self) -> str:
        if not self._has_tenant:
            return ""
        known = f"{len(self.created):,} devices such as {min(self.created)}" if self.created else "perhaps its devices"
        return f"the tenant {self.admin.tenant} and {known}"

    def how_to_remove(self) -> str:
        tenant = self.admin.tenant
        return f"DELETE {self.admin.url}/v1/devices/{tenant}, then DELETE {self.admin.url}/v1/tenants/{tenant}"
