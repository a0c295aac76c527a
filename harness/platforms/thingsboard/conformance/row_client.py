"""ThingsBoard as one conformance row uses it: profiles and devices of its own, and all of it removed again.

Devices without a name get one that nobody knows before, so everything that is in a profile of the row is removed.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fleetrig.harness.conformance.cleanup import NOT_AS_THE_CONTRACT_SAYS, Cleanup
from fleetrig.harness.conformance.exact_coap import ExactCoap
from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.expect import Mismatch, MissingCapability
from fleetrig.harness.conformance.handshakes import HandshakeRefused
from fleetrig.harness.conformance.row import Row
from fleetrig.harness.platforms.thingsboard.conformance.accounts import activated, email, tenant_profile_document
from fleetrig.harness.platforms.thingsboard.conformance.generations import GENERATIONS, Generation
from fleetrig.harness.platforms.thingsboard.conformance.operator_api import (
    Login,
    OperatorApi,
    id_of,
)
from fleetrig.harness.platforms.thingsboard.conformance.sweeping import sweep
from fleetrig.harness.platforms.thingsboard.conformance.tenant_api import TenantApi, profile_document
from fleetrig.harness.platforms.thingsboard.conformance.under_test import SYSADMIN, ServerUnderTest
from fleetrig.harness.run.interrupts import STOPPING, finishing_first, tell
from fleetrig.harness.verdict import Finding

STRATEGIES: Final = {
    "A": "ALLOW_CREATE_NEW_DEVICES",
    "C": "CHECK_PRE_PROVISIONED_DEVICES",
    "N": "DISABLED",
}


@dataclass(frozen=True, slots=True)
class Profile:
    """A device profile that a row made."""

    id: str
    name: str
    key: str
    secret: str

    def members(self, name: str | None = None, **more: Any) -> dict[str, Any]:
        """A request document."""
        named = {} if name is None else {"deviceName": name}
        return {**named, "provisionDeviceKey": self.key, "provisionDeviceSecret": self.secret, **more}


class RowMqtt(ExactMqtt):
    """A connection to a server of some generation."""

    generation: Generation


class RowClient(TenantApi):
    """One row's way to the server."""

    def __init__(
        self, under_test: ServerUnderTest, row: str, login: Login | None = None, cleanup: Cleanup | None = None
    ) -> None:
        super().__init__(under_test, login)
        self._row = row
        self._profiles: dict[str, Profile] = {}
        self._closing = contextlib.ExitStack()
        self.cleanup = cleanup or Cleanup()
        self.was_interrupted = False

    # -- making

    def name(self, hint: str = "d") -> str:
        """A name that nobody else uses or has used."""
        return f"{self.name_prefix}{hint}{next(self.under_test.numbers)}"

    @property
    def name_prefix(self) -> str:
        """What all names of this row begin with."""
        return f"{self.under_test.prefix}-{self._row}-"

    def profile(self, letter: str = "A") -> Profile:
        """The row's own profile with that strategy; any letter after the first makes another: `A2`."""
        if letter not in self._profiles:
            self.new_profile(letter, STRATEGIES[letter[0]], secrets.token_hex(10), f"s{secrets.token_hex(10)}")
        return self._profiles[letter]

    def new_profile(self, letter: str, strategy: str, key: str, secret: str, **more: Any) -> Profile:
        name = self.name(f"p{letter}")
        saved = self.asked("POST", "/deviceProfile", profile_document(name, strategy, key, secret, more))
        profile = Profile(id_of(saved), name, saved["provisionDeviceKey"], secret)
        self._profiles[letter] = profile
        self.undo(f"device profile {name}", partial(self.delete_profile, profile.id, name))
        return profile

    def save_profile(self, profile: Profile, strategy: str, secret: str) -> None:
        """Changes strategy and secret."""
        now = self.asked("GET", f"/deviceProfile/{profile.id}")
        document = profile_document(profile.name, strategy, profile.key, secret)
        self.asked("POST", "/deviceProfile", {**now, **document})

    def imported(self, profile: Profile, token: str | None = None) -> dict[str, Any]:
        """A device that the administrator made in a profile, before its first contact."""
        query = "" if token is None else f"?accessToken={token}"
        return dict(self.asked("POST", f"/device{query}", {"name": self.name("i"), "type": profile.name}))

    def another_tenant(self, **limits: Any) -> RowClient:
        """A tenant of the row's own with these limits (members of a tenant profile), as its administrator sees it.

        Raises MissingCapability without a system administrator.
        """
        if self.under_test.sysadmin is None:
            raise MissingCapability(f"an account {SYSADMIN} (--account {SYSADMIN}=USER:env:NAME)")
        above, name = OperatorApi(self.http, Login(self.under_test.sysadmin)), self.name("tenant")
        profile = above.asked("POST", "/tenantProfile", tenant_profile_document(above, name, limits))
        self.undo(f"tenant profile {name}", partial(above.remove, f"/tenantProfile/{id_of(profile)}"))
        tenant = above.asked("POST", "/tenant", {"title": name, "tenantProfileId": profile["id"]})
        self.undo(f"tenant {name}", partial(above.remove, f"/tenant/{id_of(tenant)}"))
        login = activated(above, {"email": email(name), "authority": "TENANT_ADMIN", "tenantId": tenant["id"]})
        other = RowClient(self.under_test, self._row, login, self.cleanup)
        self._closing.callback(other._closing.close)
        return other

    def customer(self) -> OperatorApi:
        """A user of a customer that the row makes."""
        name = self.name("customer")
        made = self.asked("POST", "/customer", {"title": name})
        self.undo(f"customer {name}", partial(self.remove, f"/customer/{id_of(made)}"))
        member = {"email": email(name), "authority": "CUSTOMER_USER", "customerId": made["id"]}
        return OperatorApi(self.http, activated(self, member))

    def forget_device(self, name: str) -> None:
        """A device outside the row's profiles, removed when the row ends."""
        self.undo(f"device {name}", partial(self._delete_named, name))

    def _delete_named(self, name: str) -> None:
        found = self.device(name)
        if found is not None:
            self.delete_device(found)

    @property
    def generation(self) -> Generation:
        """What to expect where generations differ."""
        return GENERATIONS[self.under_test.profile]

    # -- talking

    def mqtt(self, level: int = 4, listener: str = "mqtt", tls: Any = None) -> RowMqtt:
        """A new connection, closed when the row ends."""
        host, port = self.address(listener)
        connection = RowMqtt(host, port, level, tls)
        connection.generation = self.generation
        self._closing.callback(connection.close)
        return connection

    def coap(self) -> ExactCoap:
        endpoint = ExactCoap(*self.address("coap"))
        self._closing.callback(endpoint.close)
        return endpoint

    def address(self, listener: str) -> tuple[str, int]:
        """Raises MissingCapability for a listener that the server does not have."""
        if listener not in self.under_test.addresses:
            raise MissingCapability(listener)
        return self.under_test.addresses[listener]

    @property
    def transports(self) -> tuple[str, ...]:
        """Those on which a row can provision here."""
        return tuple(over for over in ("http", "mqtt", "coap") if over == "http" or over in self.under_test.addresses)

    # -- cleaning up

    def undo(self, what: str, removal: Callable[[], None]) -> None:
        """Does this when the row ends; what was made last goes first."""
        self.cleanup.owe(what, removal)

    def clean_up(self) -> None:
        """What the server would not take back is kept in `left_behind`. A second Ctrl-C ends it."""
        try:
            with finishing_first():
                self._closing.close()
                self.under_test.left_behind += self.cleanup.run()
                if self.was_interrupted:
                    self.under_test.left_behind += sweep(self.under_test, self.name_prefix)
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
        client.was_interrupted = True
        tell(STOPPING)
        raise
    finally:
        client.clean_up()


def without(members: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A document without one of its members."""
    return {key: value for key, value in members.items() if key != name}
