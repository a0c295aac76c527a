"""hawkBit for a run: everything that `harness.platform` asks of a platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.platform import Platform
from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.platforms.hawkbit.device_call import call_in
from fleetrig.harness.platforms.hawkbit.leniency import LENIENCY
from fleetrig.harness.platforms.hawkbit.own_server import OWN_SERVER
from fleetrig.harness.platforms.hawkbit.registrar import HawkbitRegistrar
from fleetrig.harness.platforms.hawkbit.server import SERVER
from fleetrig.harness.platforms.hawkbit.setup import settings_in_force
from fleetrig.harness.platforms.hawkbit.vocabulary import VOCABULARY
from fleetrig.harness.platforms.hawkbit.work import HawkbitWork
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import (
    ClientCertificate,
    Credential,
    DeviceIdentity,
    GatewayToken,
    TargetToken,
)
from fleetrig.simulator.effects import Behaviour
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import HawkbitDevice


def admin_of(server: RemoteServer) -> HawkbitAdmin:
    """An operator's account on a server."""
    tenant = server.tenant or VOCABULARY.tenant
    return HawkbitAdmin(server.url, server.account, tenant, may_change_settings=server.may_change_settings)


def credential_values(credential: Credential | None) -> Mapping[str, str]:
    """The one token that a device holds, under its name. Raises UsageError for what programs are not given."""
    if isinstance(credential, ClientCertificate):
        raise UsageError("a program of yours is given tokens only: devices with certificates must be simulated ones")
    return {
        "token": credential.token if isinstance(credential, TargetToken) else "",
        "gateway_token": credential.token if isinstance(credential, GatewayToken) else "",
    }


def behaviour_values(behaviour: Behaviour) -> Mapping[str, str]:
    """What a device shall say when it is asked before an update; empty where it shall say nothing."""
    assert isinstance(behaviour, HawkbitDevice)
    return {"confirmation": str(behaviour.settings.confirmation.answer or "")}


def given_device(values: Mapping[str, str]) -> tuple[DeviceIdentity, HawkbitDevice]:
    """A device with the usual settings that polls as often as the server lets it. Raises UsageError."""
    credential = TargetToken(values["token"]) if values.get("token") else GatewayToken(values.get("gateway_token", ""))
    settings = HawkbitSettings(values.get("url", ""), install_s=0.5, install_slice_s=0.5)
    return DeviceIdentity(values.get("id", ""), values.get("tenant", "")), HawkbitDevice(settings, credential)


PLATFORM: Final = Platform(
    name="hawkbit",
    title=SERVER.title,
    vocabulary=VOCABULARY,
    admin=admin_of,
    work=HawkbitWork,
    own_server=OWN_SERVER,
    device_call=call_in,
    credential_values=credential_values,
    settings_in_force=settings_in_force,
    behaviour_values=behaviour_values,
    given_device=given_device,
    leniency=LENIENCY,
    registrar=lambda site: HawkbitRegistrar(site, admin_of(site.server)),
)
