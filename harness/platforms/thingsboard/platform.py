"""ThingsBoard for a run: everything that `harness.platform` asks of a platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.platform import Platform
from fleetrig.harness.platforms.thingsboard.admin import ThingsBoardAdmin
from fleetrig.harness.platforms.thingsboard.device_call import call_in
from fleetrig.harness.platforms.thingsboard.leniency import LENIENCY
from fleetrig.harness.platforms.thingsboard.own_server import OWN_SERVER
from fleetrig.harness.platforms.thingsboard.program import behaviour_values
from fleetrig.harness.platforms.thingsboard.registrar import ThingsBoardRegistrar
from fleetrig.harness.platforms.thingsboard.server import SERVER
from fleetrig.harness.platforms.thingsboard.setup import settings_in_force
from fleetrig.harness.platforms.thingsboard.vocabulary import VOCABULARY
from fleetrig.harness.platforms.thingsboard.work import ThingsBoardWork
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.contract.identity import Credential


def admin_of(server: RemoteServer) -> ThingsBoardAdmin:
    """A tenant administrator's account on a server."""
    return ThingsBoardAdmin(server.url, server.account, server.tenant or VOCABULARY.tenant)


def credential_values(_: Credential | None) -> Mapping[str, str]:
    """A program holds no credential but a certificate, which it is given as a file: it asks for one."""
    return {}


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
    leniency=LENIENCY,
    registrar=lambda site: ThingsBoardRegistrar(site, admin_of(site.server)),
)
