"""Gateways that a test makes known in the Kura namespace, and accounts for tests."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.platform import UnitSite
from fleetrig.harness.platforms.kura.account_names import ACCOUNT_NAME, ACCOUNT_NAME_FORM
from fleetrig.harness.platforms.kura.admin import KuraAdmin
from fleetrig.harness.platforms.kura.device_places import broker_url
from fleetrig.harness.platforms.kura.server import SERVER
from fleetrig.harness.platforms.kura.settings import ALL_DEVICES
from fleetrig.harness.platforms.kura.setup import DEVICES, USERS
from fleetrig.harness.platforms.kura.simulated_fleet import PASSWORD_SALT
from fleetrig.harness.running_server.platform_part import DeviceCredentials, OperatorPart, OwnTenant
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.drivers.director import AdminCall

TENANT: Final = "test-{n}"
USUAL_ACCOUNT: Final = "fleetrig"
"""Of gateways where no other account is meant: the administrator's own has none."""


class KuraOperator:
    """An `Operator`."""

    def __init__(self, server: RemoteServer) -> None:
        self._server = server
        self._admin = KuraAdmin(server.url, server.account, SERVER.tenant)
        self._account = USUAL_ACCOUNT if server.tenant in ("", SERVER.tenant) else server.tenant

    def register(self, device_id: str, secret: str) -> AdminCall[DeviceCredentials]:
        """A user of the account with this password, as whom the gateway connects; an account is made if need be."""
        user = f"{self._account}-{device_id}"
        if not ACCOUNT_NAME.fullmatch(user):
            raise UsageError(f"register({device_id!r}): the user {user!r} has no name that Kapua takes: expected "
                             f"{ACCOUNT_NAME_FORM}")  # fmt: skip
        scope = (yield from self._admin.account_id(self._account)) or (yield from self._make(self._account))
        if (yield from self._admin.user(scope, user)) is not None:
            raise UsageError(f"register({device_id!r}): the account {self._account} has such a user already")
        yield from self._admin.create_user(scope, user, secret)
        url = broker_url(self._server, None)
        return DeviceCredentials(device_id, self._account, url, user=user, password=secret, client_id=device_id)

    def let_in(self, device_id: str, secret: str) -> AdminCall[DeviceCredentials]:
        """A provision request: user, password and activation key with which a gateway asks for its place."""
        # Only here: most tests need no registrar.
        from fleetrig.harness.platforms.kura.registrar import KuraRegistrar

        site = UnitSite(self._server, Secrets(), lambda: secret.removeprefix(PASSWORD_SALT), group=self._account)
        registrar = KuraRegistrar(site, self._admin)
        yield from registrar.prepare(frozenset())
        given = (yield from registrar.make_known(device_id, frozenset())).given
        return DeviceCredentials(
            device_id,
            given["account_name"],
            given["broker_url"],
            user=given["user_name"],
            password=given["password"],
            client_id=given["client_id"],
            activation_key=given["activation_key"],
        )

    def remove(self, device_id: str) -> AdminCall[None]:
        """The user, and the device that the gateway has announced."""
        scope = yield from self._admin.account_id(self._account)
        if scope is None:
            return
        user = yield from self._admin.user(scope, f"{self._account}-{device_id}")
        device = yield from self._admin.device(scope, device_id)
        for kind, found in (("users", user), ("devices", device)):
            if found is not None:
                yield from self._admin.delete(f"{scope}/{kind}/{self._admin.part(found, str, 'id')}")

    def open_tenant(self, name: str) -> AdminCall[OwnTenant]:
        yield from self._make(name)
        return OwnTenant(name, self._server.account)

    def _make(self, name: str) -> AdminCall[str]:
        """An account that may have users and devices."""
        scope = yield from self._admin.create_account(name)
        yield from self._admin.configure(scope, USERS, {ALL_DEVICES: True})
        yield from self._admin.configure(scope, DEVICES, {ALL_DEVICES: True})
        return scope


OPERATOR: Final = OperatorPart(KuraOperator, ("* /v[12]/*",), TENANT, secret_prefix=PASSWORD_SALT)
