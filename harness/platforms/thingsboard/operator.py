"""Devices that a test makes known on ThingsBoard, and tenants for tests."""

from __future__ import annotations

import secrets as chance
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from fleetrig.harness.platform import UnitSite
from fleetrig.harness.platforms.thingsboard.admin import ThingsBoardAdmin, id_of
from fleetrig.harness.platforms.thingsboard.server import SERVER
from fleetrig.harness.running_server.platform_part import DeviceCredentials, OperatorPart, OwnTenant
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.drivers.director import AdminCall

SYSTEM_ADMINISTRATOR: Final = UserPassword("sysadmin@thingsboard.org", "sysadmin")
"""Of a fresh server: who makes tenants."""
PROFILE: Final = "default"
TENANT: Final = "test-{n}"


class ThingsBoardOperator:
    """An `Operator`."""

    def __init__(self, server: RemoteServer) -> None:
        self._server = server
        self._admin = ThingsBoardAdmin(server.url, server.account, server.tenant or SERVER.tenant)

    def register(self, device_id: str, secret: str) -> AdminCall[DeviceCredentials]:
        """A device of the default profile with this access token, which is the user name of MQTT too."""
        if (yield from self._admin.device(device_id)) is not None:
            raise UsageError(f"register({device_id!r}): {self._admin.url} has such a device already")
        query = f"?accessToken={quote(secret, safe='')}"
        yield from self._admin.call("POST", f"/device{query}", {"name": device_id, "type": PROFILE})
        return DeviceCredentials(device_id, self._admin.tenant, self._admin.url, token=secret, user=secret)

    def let_in(self, device_id: str, secret: str) -> AdminCall[DeviceCredentials]:
        """Key and secret of a profile, with which a device that the profile knows by name asks for credentials."""
        # Only here: most tests need no registrar.
        from fleetrig.harness.platforms.thingsboard.registrar import ThingsBoardRegistrar

        site = UnitSite(self._server, Secrets(), lambda: chance.token_hex(10), "http")
        registrar = ThingsBoardRegistrar(site, self._admin)
        yield from registrar.prepare(frozenset())
        given = (yield from registrar.make_known(device_id, frozenset())).given
        return DeviceCredentials(
            device_id,
            self._admin.tenant,
            given["provision_url"],
            provision_key=given["provision_key"],
            provision_secret=given["provision_secret"],
        )

    def remove(self, device_id: str) -> AdminCall[None]:
        device = yield from self._admin.device(device_id)
        if device is not None:
            yield from self._admin.delete_device(id_of(device))

    def open_tenant(self, name: str) -> AdminCall[OwnTenant]:
        """A tenant and its administrator, who is brought to life by the link that a mail would hold."""
        above = ThingsBoardAdmin(self._admin.url, SYSTEM_ADMINISTRATOR, "")
        tenant = yield from above.call("POST", "/tenant", {"title": name})
        account = UserPassword(f"{name}@fleetrig.test", chance.token_hex(10))
        user = {"email": account.user, "authority": "TENANT_ADMIN", "tenantId": above.part(tenant, dict, "id")}
        made = above.part((yield from above.call("POST", "/user?sendActivationMail=false", user)), dict)
        link = yield from above.send(_for_text(above.request("GET", f"/user/{id_of(made)}/activationLink")))
        token = parse_qs(urlsplit(body_bytes(link.body).decode()).query)["activateToken"][0]
        body = {"activateToken": token, "password": account.password}
        yield from above.call("POST", "/noauth/activate?sendActivationMail=false", body)
        return OwnTenant(name, account)


def _for_text(request: HttpRequest) -> HttpRequest:
    """Who wants JSON alone gets 406 where the answer is a text."""
    return replace(request, headers=tuple(one for one in request.headers if one[0] != "Accept"))


OPERATOR: Final = OperatorPart(ThingsBoardOperator, ("* /api/[!v]*",), TENANT)
