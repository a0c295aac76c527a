"""Targets that a test makes known on hawkBit, and tenants for tests.

hawkBit makes a tenant when one of its users comes first; users are start-up properties. So a server that many tests
share is started with a user for each of them.
"""

from __future__ import annotations

from typing import Final

from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.platforms.hawkbit.server import SERVER
from fleetrig.harness.platforms.hawkbit.settings import GATEWAY_KEY, GATEWAY_MODE, TARGET_MODE
from fleetrig.harness.platforms.hawkbit.simulated_fleet import check_id
from fleetrig.harness.running_server.platform_part import DeviceCredentials, OperatorPart, OwnTenant
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.header_text import why_no_header_text
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.drivers.director import AdminCall

TENANTS: Final = 100
TENANT: Final = "TEST-{n}"
PASSWORD: Final = "test"
USER: Final = "hawkbit.security.user."


class HawkbitOperator:
    """An `Operator`."""

    def __init__(self, server: RemoteServer) -> None:
        tenant = server.tenant or SERVER.tenant
        self._admin = HawkbitAdmin(server.url, server.account, tenant, may_change_settings=server.may_change_settings)

    def register(self, device_id: str, secret: str) -> AdminCall[DeviceCredentials]:
        """A target with this security token; the tenant lets devices in that have such a token."""
        check_id(device_id, "register")
        if why := why_no_header_text(secret):
            raise UsageError(f"register({device_id!r}): the token {why}, so no device can send it")
        if (yield from self._admin.target(device_id)) is not None:
            raise UsageError(f"register({device_id!r}): {self._admin.url} has such a target already")
        config = yield from self._admin.read_config()
        if config.get(TARGET_MODE, {}).get("value") is False:
            yield from self._admin.configure({TARGET_MODE: True})
        yield from self._admin.create_targets([{"controllerId": device_id, "securityToken": secret}])
        return self._credentials(device_id, "TargetToken", secret)

    def let_in(self, device_id: str, secret: str) -> AdminCall[DeviceCredentials]:
        """The gateway token of the tenant, with which a target makes itself; one that is in use stays."""
        check_id(device_id, "let_in")
        config = yield from self._admin.read_config()
        if not config.get(GATEWAY_KEY, {}).get("value"):
            yield from self._admin.configure({GATEWAY_MODE: True, GATEWAY_KEY: secret})
        elif config.get(GATEWAY_MODE, {}).get("value") is False:
            yield from self._admin.configure({GATEWAY_MODE: True})
        used = str(config.get(GATEWAY_KEY, {}).get("value") or secret)
        return self._credentials(device_id, "GatewayToken", used)

    def _credentials(self, device_id: str, scheme: str, token: str) -> DeviceCredentials:
        url = f"{self._admin.url}/{self._admin.tenant}/controller/v1/{device_id}"
        headers = {"Authorization": f"{scheme} {token}"}
        return DeviceCredentials(device_id, self._admin.tenant, url, token=token, headers=headers)

    def remove(self, device_id: str) -> AdminCall[None]:
        yield from self._admin.delete_target(device_id)

    def open_tenant(self, name: str) -> AdminCall[OwnTenant]:
        """It comes into being when its user asks for something."""
        account = UserPassword(name.lower(), PASSWORD)
        yield from HawkbitAdmin(self._admin.url, account, name).greet()
        return OwnTenant(name, account)


def _users() -> dict[str, str]:
    """One for each tenant of a test, who may do in it what an administrator may."""
    properties: dict[str, str] = {}
    for number in range(1, TENANTS + 1):
        name = TENANT.format(n=number)
        parts = {"password": PASSWORD, "roles": "TENANT_ADMIN", "tenant": name}
        properties |= {f"{USER}{name.lower()}.{part}": value for part, value in parts.items()}
    return properties


OPERATOR: Final = OperatorPart(HawkbitOperator, ("* */rest/v*",), TENANT, _users(), most_tenants=TENANTS)
