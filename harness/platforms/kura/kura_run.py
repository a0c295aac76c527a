"""What Kura's part of a run holds: its accounts, the provision requests of its devices, and what those are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from fleetrig.harness.platforms.kura.admin import KuraAdmin
from fleetrig.harness.platforms.kura.gateway_names import GatewayNames, names_of
from fleetrig.harness.platforms.kura.settings import ACCOUNTS
from fleetrig.harness.platforms.kura.signers import Signer
from fleetrig.harness.run.context import RunContext
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword

PROVISION_ACCOUNT: Final = "kura.provision-account"
"""A start-up property of our own server."""
USUAL_PROVISION_ACCOUNT: Final = "ec-provisioning"
SHARED_USER: Final = "gateways"
PASSWORD_SALT: Final = "aA1!"
"""A password has a small and a capital letter, a digit and a symbol (spec 5.4)."""


@dataclass(frozen=True, slots=True)
class MadeRequest:
    """The newest provision request of a device, and what the device has to present."""

    id: str
    account: str
    """As scenario files call it."""
    password: str = field(repr=False)
    activation_key: str = field(repr=False)
    """Empty where the request has none."""


@dataclass(slots=True)
class KuraRun:
    """One run, as Kura's words, setup and devices share it."""

    context: RunContext
    settings: dict[str, Any] = field(default_factory=dict)
    """Of the run's accounts, as they are in force."""
    scopes: dict[str, str] = field(default_factory=dict)
    """Account, as scenario files call it -> its id."""
    asked_for: list[str] = field(default_factory=list)
    """Accounts that the server was asked to make; whether it did may not be known."""
    requests: dict[str, MadeRequest] = field(default_factory=dict)
    """Serial -> its newest request."""
    made_requests: list[str] = field(default_factory=list)
    """Ids of all that were made."""
    signers: dict[str, Sequence[Signer]] = field(default_factory=dict)
    """Account -> who signs control messages to its devices, the one in use first."""
    visited: set[str] = field(default_factory=set)
    """Serials of devices to which a technician has brought what is right, whatever the factory gave them."""
    clocks: dict[str, float] = field(default_factory=dict)
    """Serial -> how far an action has set its clock off, in seconds."""
    versions: dict[str, int] = field(default_factory=dict)
    """Serial -> how often its password in the account was replaced."""
    told: dict[str, int] = field(default_factory=dict)
    """Serial -> the version of the password that the device has."""
    _passwords: dict[tuple[str, ...], str] = field(default_factory=dict)
    """Purpose -> password: in real time no token is drawn twice."""

    @property
    def admin(self) -> KuraAdmin:
        return cast(KuraAdmin, self.context.server.admin)

    @property
    def kind(self) -> str:
        """What the devices prove themselves with."""
        return self.context.scenario.devices.credential

    @property
    def first_account(self) -> str:
        account: str = self.settings[ACCOUNTS][0]
        return account

    @property
    def provision_account(self) -> str:
        """Where devices provision themselves."""
        given = self.context.scenario.server.properties.get(PROVISION_ACCOUNT)
        return USUAL_PROVISION_ACCOUNT if given is None else str(given)

    def account_name(self, account: str) -> str:
        """As the server calls it: on a shared server all names of a run begin alike."""
        return f"{self.context.prefix}{account}"

    def account_of(self, name: object) -> str:
        """As scenario files call it."""
        return str(name).removeprefix(self.context.prefix)

    def scope(self, account: str | None) -> str:
        """The id of one of the run's accounts, the first where none is named. Raises BrokenBench."""
        name = self.first_account if account is None else account
        if name not in self.scopes:
            raise BrokenBench(f"the run has no account {name!r}: server.settings.accounts has {', '.join(self.scopes)}")
        return self.scopes[name]

    def names(self, serial: str) -> GatewayNames:
        """With `clones` all have those of the first."""
        devices = self.context.scenario.devices
        of = self.first_serial if getattr(devices, "clones", None) else serial
        return names_of(of, getattr(devices, "client_id", None) or "serial")

    @property
    def first_serial(self) -> str:
        return self.context.prefix + next(iter(self.context.scenario.devices.units())).serial

    def serials(self) -> list[str]:
        """Of all devices, before they are built too."""
        return [self.context.prefix + unit.serial for unit in self.context.scenario.devices.units()]

    def request_of(self, serial: str) -> MadeRequest:
        """Raises BrokenBench for a device without one."""
        made = self.requests.get(self.names(serial).serial)
        if made is None:
            raise BrokenBench(f"{serial} has no provision request of this run: say create_request first")
        return made

    def user_name(self, serial: str) -> str:
        """In the account that a device is configured for by hand. Names are unique over the whole server."""
        if getattr(self.context.scenario.devices, "shared_user", None):
            return f"{self.context.prefix}{SHARED_USER}"
        return f"user-{self.names(serial).serial}"

    def password(self, *purpose: str) -> str:
        """One that Kapua's rules take; it is masked from now on."""
        if purpose not in self._passwords:
            password = PASSWORD_SALT + self.context.new_token(" ".join(purpose))[:20]
            self.context.secrets.learn("password", password)
            self._passwords[purpose] = password
        return self._passwords[purpose]

    def account_password(self, serial: str, version: int | None = None) -> str:
        """Of the user that a device has by hand; the one that the server has when no version is given."""
        if getattr(self.context.scenario.devices, "shared_user", None):
            return self.password("shared user")
        of = self.names(serial).serial
        return self.password("user", of, str(self.versions.get(of, 0) if version is None else version))

    def credential_of(self, serial: str) -> UserPassword:
        """What the factory gives a unit: user name and password, of the provisioning account or of its own."""
        of = self.names(serial).serial
        if self.kind == "password":
            return UserPassword(self.user_name(serial), self.account_password(serial, self.told.get(of, 0)))
        made = self.requests.get(of)
        known = made.password if made is not None else self.password("nobody's", of)
        is_wrong = self.kind == "wrong_password" and serial not in self.visited
        password = self.password("wrong", of) if is_wrong else known
        return UserPassword(self.names(serial).user_name, password)

    def bootstrap_of(self, serial: str) -> UserPassword | None:
        """What a device presents to the provision broker; None where it has no request."""
        if self.kind != "password":
            return self.credential_of(serial)
        made = self.requests.get(self.names(serial).serial)
        return None if made is None else UserPassword(self.names(serial).user_name, made.password)

    def signing_certificates_of(self, account: str) -> Mapping[str, str]:
        """Alias -> certificate (PEM): who signs control messages of an account."""
        return {one.alias: one.own_pem for one in self.signers.get(account, ())[:1]}

    @property
    def trust_anchors(self) -> Mapping[str, str]:
        """Alias -> certificate (PEM): the roots above those that sign control messages of the run's accounts."""
        return {f"ca-{one.alias}": one.root_pem for signers in self.signers.values() for one in signers[:1]}

    def clock_error_s(self, serial: str) -> float:
        """More than 0: fast."""
        if serial in self.clocks:
            return self.clocks[serial]
        devices = self.context.scenario.devices
        ahead_s, behind_s = getattr(devices, "clock_ahead", None), getattr(devices, "clock_behind", None)
        return float(ahead_s or 0.0) - float(behind_s or 0.0)

    def activation_key_of(self, serial: str) -> str:
        """What the device presents; empty for nothing."""
        of = self.names(serial).serial
        made = self.requests.get(of)
        right = "" if made is None else made.activation_key
        if serial in self.visited:
            return right
        wrong = {"wrong_activation_key": self.password("wrong key", of), "no_activation_key": ""}
        return wrong.get(self.kind, right)

    def url(self, *, tls: bool) -> str:
        """Where devices reach the broker. Raises BrokenBench."""
        listener = "mqtts" if tls else "mqtt"
        place = self.context.server.listeners.get(listener)
        if place is None:
            raise BrokenBench(f"{self.context.server.name} has no {listener} listener that is known: name it in its "
                              "SERVER.yaml")  # fmt: skip
        return place if "://" in place else f"{listener}://{place}"
