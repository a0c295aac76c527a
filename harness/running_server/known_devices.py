"""Devices that a test makes known on a server, as `fleetrig register` does."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.desk.registering import DeviceRegistrar, RegisterSite, registering_of
from fleetrig.harness.running_server.platform_part import PROVISION, DeviceCredentials, OperatorPart
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.drivers.director import AdminCall


class KnownDevices:
    """Of one server. Secrets are handed in: they begin as the platform wants it."""

    def __init__(self, server: RemoteServer, part: OperatorPart) -> None:
        self._server, self._part = server, part
        self._offered = registering_of(server.platform)
        self.secret_begins: Final = self._offered.secret_begins

    def register(self, device_id: str, secret: str) -> AdminCall[DeviceCredentials]:
        """Makes one known. Raises UsageError for a name that is taken, or that no device can have; BrokenBench."""
        self._check(f"register({device_id!r})", device_id)
        return (yield from self._made(f"register({device_id!r})", device_id, secret, self._offered.credentials[0]))

    def let_in(self, device_id: str, secret: str) -> AdminCall[DeviceCredentials]:
        """Prepares a first contact. Raises the same."""
        self._check(f"let_in({device_id!r})", device_id)
        if self._part.let_in is not None:
            return (yield from self._part.let_in(self._server, device_id, secret))
        return (yield from self._made(f"let_in({device_id!r})", device_id, secret, PROVISION))

    def remove(self, device_id: str) -> AdminCall[None]:
        """Harmless for what is not there."""
        yield from self._registrar("", self._offered.credentials[0]).remove(device_id)

    def _made(self, called: str, device_id: str, secret: str, credential: str) -> AdminCall[DeviceCredentials]:
        registrar = self._registrar(secret, credential)
        yield from registrar.prepare()
        if (yield from registrar.knows(device_id)):
            raise UsageError(f"{called}: the server knows {device_id} already, in the tenant {self._server.tenant}")
        return self._part.credentials((yield from registrar.register(device_id)).values)

    def _check(self, called: str, device_id: str) -> None:
        if not device_id or (why := self._offered.why_no_name(device_id)):
            raise UsageError(f"{called}: {why if device_id else 'expected a name'}")

    def _registrar(self, secret: str, credential: str) -> DeviceRegistrar:
        group = self._part.group(self._server.tenant)
        site = RegisterSite(self._server, self._server.url, Secrets(), lambda: secret, credential, group)
        return self._offered.registrar(site)
