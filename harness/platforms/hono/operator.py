"""Hono for tests: what a device is given, and tenants."""

from __future__ import annotations

import secrets as chance
import time
from collections.abc import Mapping
from typing import Any, Final

from fleetrig.harness.platforms.hono.admin import HonoAdmin
from fleetrig.harness.platforms.hono.certificates import distinguished, subject_of, trusted_entry
from fleetrig.harness.platforms.hono.platform import admin_of
from fleetrig.harness.platforms.hono.registrar import BY_SERIAL
from fleetrig.harness.platforms.hono.settings import DEVICE_ID_TEMPLATE, PROVISIONS, TRUSTED
from fleetrig.harness.running_server.platform_part import DeviceCredentials, OperatorPart, OwnTenant
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.header_text import basic_authorization
from fleetrig.simulator.drivers.director import AdminCall

LINES: Final = ("* /v1/*",)
TENANT: Final = "test-{n}"


def credentials_of(values: Mapping[str, str]) -> DeviceCredentials:
    user, password = values["user_name"], values["password"]
    return DeviceCredentials(
        values["id"],
        values["tenant"],
        values["adapter_url"],
        user=user,
        password=password,
        headers={"Authorization": basic_authorization(user, password)},
        values=values,
    )


def let_in(server: RemoteServer, device_id: str, secret: str) -> AdminCall[DeviceCredentials]:
    """A certificate of an authority that the tenant lets provision: it makes the device known at first contact.

    Each device has an authority of its own. No two tenants may trust one of the same name.
    """
    del secret
    admin = admin_of(server)
    name = distinguished("fleetrig", admin.tenant, chance.token_hex(8))
    authority = CertificateAuthority(name, time.time_ns() // 1000)
    flags = {PROVISIONS: True, DEVICE_ID_TEMPLATE: BY_SERIAL}
    entry = {**trusted_entry(authority.certificate, is_short=True), **flags}
    yield from _trust(admin, entry)
    shown = authority.issue_client(subject_of(device_id))
    url = server.listeners.get("https", "")
    return DeviceCredentials(
        device_id,
        admin.tenant,
        url,
        certificate_pem=shown.chain_pem,
        key_pem=shown.key_pem,
        values={"url": admin.url, "adapter_url": url, "tenant": admin.tenant, "id": device_id},
    )


def _trust(admin: HonoAdmin, entry: Mapping[str, Any]) -> AdminCall[None]:
    """Beside those whom the tenant trusts already; it is made if it is not there."""
    tenant = yield from admin.tenant_document()
    if tenant is None:
        yield from admin.create_tenant({TRUSTED: [entry]})
    else:
        yield from admin.replace_tenant({**tenant, TRUSTED: [*(tenant.get(TRUSTED) or ()), entry]})


def open_tenant(server: RemoteServer, name: str) -> AdminCall[OwnTenant]:
    yield from HonoAdmin(server.url, server.account, name).create_tenant({})
    return OwnTenant(name, server.account)


OPERATOR: Final = OperatorPart(LINES, credentials_of, TENANT, open_tenant, let_in=let_in)
