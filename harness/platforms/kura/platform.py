"""Kura for a run: everything that `harness.platform` asks of a platform."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.platform import Platform
from fleetrig.harness.platforms.kura.admin import KuraAdmin
from fleetrig.harness.platforms.kura.device_call import call_in
from fleetrig.harness.platforms.kura.leniency import LENIENCY
from fleetrig.harness.platforms.kura.own_server import OWN_SERVER
from fleetrig.harness.platforms.kura.payload_view import read_payload
from fleetrig.harness.platforms.kura.program import behaviour_values, credential_values, given_device
from fleetrig.harness.platforms.kura.registrar import KuraRegistrar
from fleetrig.harness.platforms.kura.server import SERVER
from fleetrig.harness.platforms.kura.setup import settings_in_force
from fleetrig.harness.platforms.kura.vocabulary import VOCABULARY
from fleetrig.harness.platforms.kura.work import KuraWork
from fleetrig.harness.servers.remote import RemoteServer


def admin_of(server: RemoteServer) -> KuraAdmin:
    """An administrator's account on a server."""
    return KuraAdmin(server.url, server.account, server.tenant or VOCABULARY.tenant)


PLATFORM: Final = Platform(
    name="kura",
    title=SERVER.title,
    vocabulary=VOCABULARY,
    admin=admin_of,
    work=KuraWork,
    own_server=OWN_SERVER,
    device_call=call_in,
    credential_values=credential_values,
    settings_in_force=settings_in_force,
    behaviour_values=behaviour_values,
    given_device=given_device,
    leniency=LENIENCY,
    read_body=read_payload,
    registrar=lambda site: KuraRegistrar(site, admin_of(site.server)),
)
