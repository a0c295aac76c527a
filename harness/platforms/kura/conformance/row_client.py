"""A server as one conformance row uses it: accounts of its own, and all of it removed again.

Names are such that nobody knows them before, so whatever gateways register in an account is removed with it.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fleetrig.harness.conformance.cleanup import NOT_AS_THE_CONTRACT_SAYS, Cleanup
from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.expect import Mismatch, MissingCapability, expect
from fleetrig.harness.conformance.handshakes import HandshakeRefused, any_certificate
from fleetrig.harness.conformance.row import Row
from fleetrig.harness.platforms.kura.conformance.account_contents import remove_account
from fleetrig.harness.platforms.kura.conformance.gateway_session import GatewaySession
from fleetrig.harness.platforms.kura.conformance.kapua_api import CREATED, REQUESTS, KapuaApi
from fleetrig.harness.platforms.kura.conformance.under_test import ServerUnderTest
from fleetrig.harness.run.interrupts import STOPPING, finishing_first, tell
from fleetrig.harness.verdict import Finding, Severity

SERVICES: Final = (
    "org.eclipse.kapua.service.device.registry.DeviceRegistryService",
    "org.eclipse.kapua.service.user.UserService",
)
"""What an account may have is a setting of these, and nothing to begin with (§5.1)."""
DEVICES: Final = SERVICES[0]
CONNECTIONS: Final = "org.eclipse.kapua.service.device.registry.connection.DeviceConnectionService"
BROKER_CONNECT: Final = ("broker", "connect")
EVERYTHING: Final = ("", "")
ANYTHING: Final = dict.fromkeys(("domain", "action", "targetScopeId"))


@dataclass(frozen=True, slots=True)
class RowAccount:
    """An account that a row made, below that of the administrator."""

    name: str
    scope_id: str


@dataclass(frozen=True, slots=True)
class RowUser:
    """A user who signs in."""

    id: str
    name: str
    password: str
    credential_id: str = ""


@dataclass(frozen=True, slots=True)
class RowRequest:
    """A provision request that a row made, and what the gateway was told of it."""

    id: str
    client_id: str
    user_name: str
    password: str
    document: Mapping[str, Any]
    account: RowAccount

    @property
    def activation_key(self) -> str:
        return str(self.document["activationKey"])


class RowClient(KapuaApi):
    """One row's way to the server."""

    def __init__(self, under_test: ServerUnderTest, row: str) -> None:
        super().__init__(under_test.http, under_test.sign_in)
        self.under_test = under_test
        self.cleanup = Cleanup()
        self._row = row
        self._accounts: dict[str, RowAccount] = {}
        self._closing = contextlib.ExitStack()

    # -- making

    def name(self, hint: str = "g") -> str:
        """One that nobody else uses or has used; good for accounts, users and client ids."""
        return f"{self.under_test.prefix}-{self._row}-{hint}{next(self.under_test.numbers)}"

    def account(self, hint: str = "a") -> RowAccount:
        """The row's own account; another hint makes another."""
        if hint not in self._accounts:
            self._accounts[hint] = self.new_account(self.name(hint))
        return self._accounts[hint]

    def new_account(self, name: str, *, may_have_devices: bool = True) -> RowAccount:
        self.undo(f"account {name}", partial(remove_account, self, name))
        creator = {"name": name, "organizationName": name, "organizationEmail": f"{name}@example.org"}
        account = RowAccount(name, self.asked("POST", f"/v1/{self.scope_id}/accounts", creator, *CREATED)["id"])
        for service in SERVICES[not may_have_devices :]:
            self.set_service(account, service, infiniteChildEntities=("Boolean", "true"))
        return account

    def set_service(self, account: RowAccount, service: str, **properties: tuple[str, str]) -> None:
        """Properties with type and value of a service's configuration."""
        listed = [
            {"name": name, "array": False, "encrypted": False, "type": kind, "value": [value]}
            for name, (kind, value) in properties.items()
        ]
        document = {"id": service, "properties": {"property": listed}}
        self.asked("PUT", f"/v1/{account.scope_id}/serviceConfigurations/{service}", document, 200, 204)

    def user(self, account: RowAccount, *rights: tuple[str, str], password: str = "") -> RowUser:
        """A new user with a password and these rights (domain, action); broker:connect when none are given.

        `EVERYTHING` is the right to anything anywhere.
        """
        scope, name, password = account.scope_id, self.name("u"), password or new_password()
        made = self.asked("POST", f"/v1/{scope}/users", {"name": name, "status": "ENABLED"}, *CREATED)
        credential = {"userId": made["id"], "credentialType": "PASSWORD", "credentialKey": password}
        credential["credentialStatus"] = "ENABLED"
        given = self.asked("POST", f"/v1/{scope}/credentials", credential, *CREATED)
        granted = rights or (BROKER_CONNECT,)
        permissions = [
            {"domain": domain, "action": action, "targetScopeId": scope} if domain else dict(ANYTHING)
            for domain, action in granted
        ]
        self.asked("POST", f"/v1/{scope}/accessinfos", {"userId": made["id"], "permissions": permissions}, *CREATED)
        return RowUser(made["id"], name, password, given["id"])

    def request(self, account: RowAccount | None = None, client_id: str = "", **members: Any) -> RowRequest:
        """A new provision request, of the row's own account when none is given."""
        account = account or self.account()
        creator = self.creator(account, client_id or self.name(), **members)
        document = self.asked("POST", REQUESTS, creator, *CREATED)
        user, password = creator["provisionUserUsername"], creator["provisionUserPassword"]
        return RowRequest(document["id"], creator["clientId"], user, password, document, account)

    def creator(self, account: RowAccount, client_id: str, **members: Any) -> dict[str, Any]:
        """What is posted to make a provision request."""
        return {
            "accountId": account.scope_id,
            "clientId": client_id,
            "generateActivationKey": False,
            "provisionUserUsername": f"prov-{client_id}",
            "provisionUserPassword": new_password(),
            "retryMaxAttempts": 5,
            "overwriteIfDuplicate": False,
            "provisionSecureURL": False,
            **members,
        }

    # -- looking

    def request_document(self, request: RowRequest) -> dict[str, Any]:
        """As it stands now."""
        return dict(self.asked("GET", f"{REQUESTS}/{request.id}?accountId={request.account.scope_id}"))

    def job(self, request: RowRequest) -> dict[str, Any]:
        return dict(self.request_document(request)["provisionJob"])

    def expect_job(self, request: RowRequest, *statuses: str) -> dict[str, Any]:
        """Its job has one of these statuses, now or soon. Their names are public, the arrows between them are not."""
        found: list[dict[str, Any]] = []

        def look() -> None:
            found.append(self.job(request))
            if found[-1]["status"] not in statuses:
                wanted = f"status of the provision job: {' or '.join(statuses)}"
                raise Mismatch(Finding(wanted, str(found[-1]["status"])), self.severity_of_inferred)

        self.under_test.until(look)
        return found[-1]

    def expect_connection(self, account: RowAccount, client_id: str, status: str) -> None:
        """What the registry says of a connection, now or soon."""

        def look() -> None:
            found = self.connection(account.scope_id, client_id)
            expect(f"status of the connection of {client_id}", status, found and found["status"])

        self.under_test.until(look)

    def existing_device(self, account: RowAccount, client_id: str) -> dict[str, Any]:
        """The device of that client id. Raises Mismatch when there is none, nor comes to be soon."""
        found: list[dict[str, Any] | None] = []

        def look() -> None:
            found.append(self.device(account.scope_id, client_id))
            expect(f"whether there is a device {client_id}", True, found[-1] is not None)

        self.under_test.until(look)
        assert found[-1] is not None
        return found[-1]

    # -- judging

    def inferred(self, what: str, expected: object, got: object) -> None:
        """A fact that no public source states: other servers are warned."""
        try:
            expect(what, expected, got)
        except Mismatch as mismatch:
            raise Mismatch(mismatch.finding, self.severity_of_inferred) from None

    @property
    def severity_of_inferred(self) -> Severity | None:
        """None is that of the row."""
        return Severity.WARNING if self.under_test.is_foreign else None

    # -- talking

    def gateway(self, account: str, client_id: str = "") -> GatewaySession:
        """A connection on which nothing was said yet; closed when the row ends."""
        listener = "mqtt" if "mqtt" in self.under_test.addresses else "mqtts"
        if listener not in self.under_test.addresses:
            raise MissingCapability("mqtt")
        host, port = self.under_test.addresses[listener]
        connection = ExactMqtt(host, port, tls=any_certificate() if listener == "mqtts" else None)
        self.closing(connection.close)
        return GatewaySession(connection, account, client_id or self.name(), self.under_test.silence_s)

    def signed_in(self, account: RowAccount, user: RowUser, client_id: str = "", **more: Any) -> GatewaySession:
        """A session that is accepted."""
        session = self.gateway(account.name, client_id)
        expect(f"CONNECT of {session.client_id}", "CONNACK 0", session.connect(user.name, user.password, **more))
        return session

    def plain_gateway(self, *, account: RowAccount | None = None, client_id: str = "", **more: Any) -> GatewaySession:
        """A gateway with a user of its own, signed in, in the row's own account when none is given."""
        account = account or self.account()
        return self.signed_in(account, self.user(account), client_id, **more)

    # -- cleaning up

    def closing(self, close: Callable[[], object]) -> None:
        """Called when the row ends."""
        self._closing.callback(close)

    def undo(self, what: str, removal: Callable[[], None]) -> None:
        """Does this when the row ends; what was made last goes first."""
        self.cleanup.owe(what, removal)

    def clean_up(self) -> None:
        """What the server would not take back is kept in `left_behind`. A second Ctrl-C ends it."""
        try:
            with finishing_first():
                self._closing.close()
                self.under_test.left_behind += self.cleanup.run()
        except KeyboardInterrupt:
            self.under_test.left_behind += self.cleanup.pending()
            raise


@contextlib.contextmanager
def open_client(under_test: ServerUnderTest, row: Row[RowClient]) -> Iterator[RowClient]:
    """A client for one row, cleaned up when this is left."""
    client = RowClient(under_test, row.number.lower())
    try:
        yield client
    except HandshakeRefused as refused:
        raise Mismatch(Finding("a TLS handshake that succeeds", str(refused))) from None
    except NOT_AS_THE_CONTRACT_SAYS as error:
        last = client.http.last
        got = f"{last.request} answered {last.status} {last.text[:300]!r}" if last is not None else "nothing"
        raise Mismatch(Finding("an answer of the shape that the contract gives", f"{got} ({error!r})")) from error
    except KeyboardInterrupt:
        tell(STOPPING)
        raise
    finally:
        client.clean_up()


def new_password() -> str:
    """As Kapua wants one: 12 characters and more, upper, lower, digit and symbol."""
    return f"Fr-{secrets.token_hex(8)}!A"
