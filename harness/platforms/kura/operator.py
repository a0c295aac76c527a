"""The Kura namespace for tests: what a gateway is given, and accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.platforms.kura.admin import KuraAdmin
from fleetrig.harness.platforms.kura.registering import account_for_devices
from fleetrig.harness.platforms.kura.server import SERVER
from fleetrig.harness.running_server.platform_part import DeviceCredentials, OperatorPart, OwnTenant
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.drivers.director import AdminCall

LINES: Final = ("* /v[12]/*",)
TENANT: Final = "test-{n}"


def credentials_of(values: Mapping[str, str]) -> DeviceCredentials:
    """`tenant` is the account that a gateway signs in to."""
    return DeviceCredentials(
        values["id"],
        values["account_name"],
        values["broker_url"],
        user=values["user_name"],
        password=values["password"],
        client_id=values["client_id"],
        activation_key=values.get("activation_key", ""),
        values=values,
    )


def account_of_devices(tenant: str) -> str:
    """The administrator's own account has no devices: the usual one is taken."""
    return "" if tenant == SERVER.tenant else tenant


def open_tenant(server: RemoteServer, name: str) -> AdminCall[OwnTenant]:
    """An account below the administrator's, who stays the same."""
    yield from account_for_devices(KuraAdmin(server.url, server.account, SERVER.tenant), name)
    return OwnTenant(name, server.account)


OPERATOR: Final = OperatorPart(LINES, credentials_of, TENANT, open_tenant, group=account_of_devices)
