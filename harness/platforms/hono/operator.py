"""Devices that a test makes known in a Hono registry, and tenants for tests."""

from __future__ import annotations

import re
import secrets as chance
import time
from functools import cached_property
from typing import Final

from fleetrig.harness.platforms.hono.admin import HonoAdmin
from fleetrig.harness.platforms.hono.certificates import distinguished, subject_of, trusted_entry
from fleetrig.harness.platforms.hono.hono_run import HASHED_PASSWORD
from fleetrig.harness.platforms.hono.registrar import BY_SERIAL
from fleetrig.harness.platforms.hono.server import SERVER
from fleetrig.harness.platforms.hono.settings import DEVICE_ID_TEMPLATE, PROVISIONS, TRUSTED
from fleetrig.harness.running_server.platform_part import DeviceCredentials, OperatorPart, OwnTenant
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.header_text import basic_authorization
from fleetrig.simulator.drivers.director import AdminCall

TENANT: Final = "test-{n}"
OWN_AUTHORITY: Final = "authority-of-tests"
DEVICE_ID: Final = re.compile(r"[a-zA-Z0-9-_.:=]+", re.ASCII)
"""As a registry takes ids unless it is told otherwise (spec 1.2)."""


class HonoOperator:
    """An `Operator`."""

    def __init__(self, server: RemoteServer) -> None:
        self._server = server
        self._admin = HonoAdmin(server.url, server.account, server.tenant or SERVER.tenant)

    def register(self, device_id: str, secret: str) -> AdminCall[DeviceCredentials]:
        """A device with a password, its id as auth-id; the tenant is made if there is none."""
        self._check_id("register", device_id)
        if (yield from self._admin.tenant_document()) is None:
            yield from self._admin.create_tenant({})
        if (yield from self._admin.device(device_id)) is not None:
            raise UsageError(f"register({device_id!r}): the tenant {self._admin.tenant} has such a device already")
        yield from self._admin.create_device(device_id, {})
        entry = {"type": HASHED_PASSWORD, "auth-id": device_id, "secrets": [{"pwd-plain": secret}]}
        yield from self._admin.replace_credentials(device_id, [entry])
        user = f"{device_id}@{self._admin.tenant}"
        return DeviceCredentials(
            device_id,
            self._admin.tenant,
            self._server.listeners.get("http", ""),
            user=user,
            password=secret,
            headers={"Authorization": basic_authorization(user, secret)},
        )

    def let_in(self, device_id: str, secret: str) -> AdminCall[DeviceCredentials]:
        """A certificate of an authority that the tenant lets provision: it makes the device known at first contact."""
        del secret
        self._check_id("let_in", device_id)
        authority = self._authority
        tenant = yield from self._admin.tenant_document()
        flags = {PROVISIONS: True, DEVICE_ID_TEMPLATE: BY_SERIAL}
        entry = {"id": OWN_AUTHORITY, **trusted_entry(authority.certificate), **flags}
        if tenant is None:
            yield from self._admin.create_tenant({TRUSTED: [entry]})
        elif not any(one.get("id") == OWN_AUTHORITY for one in tenant.get(TRUSTED) or ()):
            yield from self._admin.replace_tenant({**tenant, TRUSTED: [*(tenant.get(TRUSTED) or ()), entry]})
        shown = authority.issue_client(subject_of(device_id))
        return DeviceCredentials(
            device_id,
            self._admin.tenant,
            self._server.listeners.get("https", ""),
            certificate_pem=shown.chain_pem,
            key_pem=shown.key_pem,
        )

    @cached_property
    def _authority(self) -> CertificateAuthority:
        """No two tenants may trust an authority of the same name."""
        name = distinguished("fleetrig", self._admin.tenant, chance.token_hex(8))
        return CertificateAuthority(name, time.time_ns() // 1000)

    def remove(self, device_id: str) -> AdminCall[None]:
        yield from self._admin.delete_device(device_id)

    def _check_id(self, called: str, device_id: str) -> None:
        if not DEVICE_ID.fullmatch(device_id):
            raise UsageError(f"{called}({device_id!r}): an id of Hono holds letters, digits and -_.:= only")

    def open_tenant(self, name: str) -> AdminCall[OwnTenant]:
        yield from HonoAdmin(self._admin.url, self._server.account, name).create_tenant({})
        return OwnTenant(name, self._server.account)


OPERATOR: Final = OperatorPart(HonoOperator, ("* /v1/*",), TENANT)
