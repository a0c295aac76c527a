"""ThingsBoard for tests: what a device is given, and tenants."""

from __future__ import annotations

import secrets as chance
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qs, urlsplit

from fleetrig.harness.platforms.thingsboard.admin import ThingsBoardAdmin, id_of
from fleetrig.harness.running_server.platform_part import DeviceCredentials, OperatorPart, OwnTenant
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.drivers.director import AdminCall

LINES: Final = ("* /api/[!v]*",)
SYSTEM_ADMINISTRATOR: Final = UserPassword("sysadmin@thingsboard.org", "sysadmin")
"""Of a fresh server: who makes tenants."""
TENANT: Final = "test-{n}"


def credentials_of(values: Mapping[str, str]) -> DeviceCredentials:
    """`url` is for HTTP. The access token is the user name of MQTT too."""
    token = values.get("access_token", "")
    return DeviceCredentials(
        values["id"],
        values["tenant"],
        values["url"],
        token=token,
        user=token,
        provision_key=values.get("provision_key", ""),
        provision_secret=values.get("provision_secret", ""),
        values=values,
    )


def open_tenant(server: RemoteServer, name: str) -> AdminCall[OwnTenant]:
    """A tenant and its administrator, who is brought to life by the link that a mail would hold."""
    above = ThingsBoardAdmin(server.url, SYSTEM_ADMINISTRATOR, "")
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


OPERATOR: Final = OperatorPart(LINES, credentials_of, TENANT, open_tenant)
