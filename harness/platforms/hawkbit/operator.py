"""hawkBit for tests: what a device is given, and tenants.

hawkBit makes a tenant when one of its users comes first; users are start-up properties. So a server that many tests
share is started with a user for each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.platforms.hawkbit.platform import admin_of
from fleetrig.harness.platforms.hawkbit.settings import GATEWAY_KEY, GATEWAY_MODE
from fleetrig.harness.running_server.platform_part import DeviceCredentials, OperatorPart, OwnTenant
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.drivers.director import AdminCall

LINES: Final = ("* */rest/v*",)
TENANTS: Final = 100
TENANT: Final = "TEST-{n}"
PASSWORD: Final = "test"
USER: Final = "hawkbit.security.user."


def credentials_of(values: Mapping[str, str]) -> DeviceCredentials:
    """`url` is the device's base resource."""
    url = f"{values['url']}/{values['tenant']}/controller/v1/{quote(values['id'], safe='')}"
    scheme, name = ("TargetToken", "token") if values.get("token") else ("GatewayToken", "gateway_token")
    token = values[name]
    headers = {"Authorization": f"{scheme} {token}"}
    return DeviceCredentials(values["id"], values["tenant"], url, token=token, headers=headers, values=values)


def let_in(server: RemoteServer, device_id: str, secret: str) -> AdminCall[DeviceCredentials]:
    """The gateway token of the tenant, with which a target makes itself; one that is in use stays."""
    admin = admin_of(server)
    config = yield from admin.read_config()
    used = str(config.get(GATEWAY_KEY, {}).get("value") or "")
    wanted: dict[str, object] = {} if used else {GATEWAY_KEY: secret}
    if config.get(GATEWAY_MODE, {}).get("value") is not True:
        wanted[GATEWAY_MODE] = True
    yield from admin.configure(wanted)
    about = {"url": admin.url, "tenant": admin.tenant, "id": device_id}
    return credentials_of({**about, "gateway_token": used or secret})


def open_tenant(server: RemoteServer, name: str) -> AdminCall[OwnTenant]:
    """It comes into being when its user asks for something."""
    account = UserPassword(name.lower(), PASSWORD)
    yield from HawkbitAdmin(server.url, account, name).greet()
    return OwnTenant(name, account)


def _users() -> dict[str, str]:
    """One for each tenant of a test, who may do in it what an administrator may."""
    properties: dict[str, str] = {}
    for number in range(1, TENANTS + 1):
        name = TENANT.format(n=number)
        parts = {"password": PASSWORD, "roles": "TENANT_ADMIN", "tenant": name}
        properties |= {f"{USER}{name.lower()}.{part}": value for part, value in parts.items()}
    return properties


OPERATOR: Final = OperatorPart(
    LINES, credentials_of, TENANT, open_tenant, let_in=let_in, properties=_users(), most_tenants=TENANTS
)
