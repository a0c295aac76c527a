"""Hono for a run: everything that `harness.platform` asks of a platform."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.platform import Platform
from fleetrig.harness.platforms.hono.admin import HonoAdmin
from fleetrig.harness.platforms.hono.device_call import call_in
from fleetrig.harness.platforms.hono.leniency import LENIENCY
from fleetrig.harness.platforms.hono.own_server import OWN_SERVER
from fleetrig.harness.platforms.hono.program import behaviour_values, credential_values
from fleetrig.harness.platforms.hono.registrar import HonoRegistrar
from fleetrig.harness.platforms.hono.server import SERVER
from fleetrig.harness.platforms.hono.setup import settings_in_force
from fleetrig.harness.platforms.hono.vocabulary import VOCABULARY
from fleetrig.harness.platforms.hono.work import HonoWork
from fleetrig.harness.servers.remote import RemoteServer


def admin_of(server: RemoteServer) -> HonoAdmin:
    """An operator's account on a registry."""
    return HonoAdmin(server.url, server.account, server.tenant or VOCABULARY.tenant)


PLATFORM: Final = Platform(
    name="hono",
    title=SERVER.title,
    vocabulary=VOCABULARY,
    admin=admin_of,
    work=HonoWork,
    own_server=OWN_SERVER,
    device_call=call_in,
    credential_values=credential_values,
    settings_in_force=settings_in_force,
    behaviour_values=behaviour_values,
    leniency=LENIENCY,
    registrar=lambda site: HonoRegistrar(site, admin_of(site.server)),
)
