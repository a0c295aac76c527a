"""Devices that a test makes known on a server, and updates that it gives them: what `fleetrig register` and `deploy`
do, from a test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fleetrig.harness.desk.deploying import DeploySite, DeskUpdate, UpdateFile, deploying_of
from fleetrig.harness.desk.deployment import DeployOrder
from fleetrig.harness.desk.registering import DeviceRegistrar, RegisterSite, registering_of
from fleetrig.harness.desk.update_files import update_files
from fleetrig.harness.running_server.platform_part import PROVISION, DeviceCredentials, OperatorPart
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.reference_server.address import Address
from fleetrig.simulator.contract.errors import FleetrigError, UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.drivers.director import AdminCall

NOWHERE: Final = Address("127.0.0.1", 0)


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


def deployed(
    server: RemoteServer, files: Sequence[Path], to: Sequence[str], *, name: str, version: str, kind: str, urgency: str
) -> AdminCall[DeskUpdate]:
    """Makes an update and assigns it. Raises UsageError, BrokenBench; then what was made is removed."""
    offered = deploying_of(server.platform)
    if offered.publishes:
        raise UsageError(f"a {server.platform} server keeps no files: `fleetrig deploy` gives them out itself")
    order = DeployOrder(update_files(files), to, name, version, kind, urgency, False, None, NOWHERE)
    update = order.update_for(server.platform, offered)
    deployer = offered.deployer(DeploySite(server, Secrets(), _not_published))
    for device in to:
        if not (yield from deployer.knows(device)):
            raise UsageError(f"deploy: the server knows no device {device} in the tenant {server.tenant}")
    try:
        yield from deployer.deploy(update, to)
    except FleetrigError:
        yield from deployer.take_back()
        raise
    return update


def _not_published(file: UpdateFile) -> str:
    raise AssertionError(f"{file.name} is kept by the server")
