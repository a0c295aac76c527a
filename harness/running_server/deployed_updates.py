"""Files that a test gives to devices, as `fleetrig deploy` does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fleetrig.harness.desk.deploying import DeploySite, DeskUpdate, UpdateFile, deploying_of
from fleetrig.harness.desk.deployment import DeployOrder
from fleetrig.harness.desk.update_files import update_files
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.reference_server.address import Address
from fleetrig.simulator.contract.errors import FleetrigError, UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.drivers.director import AdminCall

NOWHERE: Final = Address("127.0.0.1", 0)


def deployed(
    server: RemoteServer, files: Sequence[Path], to: Sequence[str], *, name: str, version: str, kind: str, urgency: str
) -> AdminCall[DeskUpdate]:
    """Makes an update and assigns it. Raises UsageError, BrokenBench; then what was made is removed."""
    offered = deploying_of(server.platform)
    if offered.publishes:
        raise UsageError(f"a {server.platform} server keeps no files: `fleetrig deploy` gives them out itself")
    order = DeployOrder(update_files(files), to, name, version, kind, urgency, False, None, NOWHERE)
    try:
        update = order.update_for(server.platform, offered)
    except UsageError as wrong:
        raise UsageError(f"deploy: {str(wrong).replace('--type', 'kind').removeprefix('--')}") from None
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
