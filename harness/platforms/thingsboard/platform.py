"""ThingsBoard for a run: everything that `harness.platform` asks of a platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.platform import Platform
from fleetrig.harness.platforms.thingsboard.admin import ThingsBoardAdmin
from fleetrig.harness.platforms.thingsboard.device_call import call_in
from fleetrig.harness.platforms.thingsboard.own_server import OWN_SERVER
from fleetrig.harness.platforms.thingsboard.server import SERVER
from fleetrig.harness.platforms.thingsboard.setup import settings_in_force
from fleetrig.harness.platforms.thingsboard.vocabulary import VOCABULARY
from fleetrig.harness.platforms.thingsboard.work import ThingsBoardWork
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import Credential
from fleetrig.simulator.effects import Behaviour
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice


def admin_of(server: RemoteServer) -> ThingsBoardAdmin:
    """A tenant administrator's account on a server."""
    return ThingsBoardAdmin(server.url, server.account, server.tenant or VOCABULARY.tenant)


def credential_values(credential: Credential | None) -> Mapping[str, str]:
    """A program holds no credential of its own: it asks for one. Raises UsageError for certificates."""
    if credential is not None:
        raise UsageError("a program of yours is given a key and a secret: devices with certificates are simulated ones")
    return {}


def behaviour_values(behaviour: Behaviour) -> Mapping[str, str]:
    """The key of its make, and where it asks."""
    assert isinstance(behaviour, ThingsBoardDevice)
    key = behaviour.key
    return {
        "provision_key": "" if key is None else key.key,
        "provision_secret": "" if key is None else key.secret,
        "provision_url": behaviour.settings.provision_url,
    }


PLATFORM: Final = Platform(
    name="thingsboard",
    title=SERVER.title,
    vocabulary=VOCABULARY,
    admin=admin_of,
    work=ThingsBoardWork,
    own_server=OWN_SERVER,
    device_call=call_in,
    credential_values=credential_values,
    settings_in_force=settings_in_force,
    behaviour_values=behaviour_values,
)
