"""Misconfigurations that a server shows: how each is set up, what the page says, how it is cured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.harness.doctor.kura.bench import CONNECTIONS, DEVICES, PROVISIONING, KuraBench, Options, in_ms


@dataclass(frozen=True)
class SeededGateway:
    """Whose turn it is: names that no other test has."""

    number: int

    @property
    def account(self) -> str:
        return f"acct-{self.number}"

    @property
    def mac(self) -> str:
        return f"00:60:0C:AB:{self.number // 256:02X}:{self.number % 256:02X}"

    @property
    def bare(self) -> str:
        return self.mac.replace(":", "")

    @property
    def serial(self) -> str:
        return f"SN{self.number}"

    @property
    def login(self) -> str:
        return f"{self.bare}-{self.serial}"

    @property
    def user(self) -> str:
        """In its own account."""
        return f"user-{self.number}"

    def asking(self, **options: str) -> Options:
        """A gateway that is to be provisioned, as it makes its names itself; options win."""
        usual = {"for": "provisioning", "account": PROVISIONING, "mac": self.mac, "serial": self.serial,
                 "secret": "env:SECRET"}  # fmt: skip
        return words({**usual, **options})

    def connected(self, **options: str) -> Options:
        """One that is configured by hand."""
        usual = {"for": "connection", "account": self.account, "client-id": f"gw-{self.number}", "login": self.user,
                 "secret": "env:SECRET"}  # fmt: skip
        return words({**usual, **options})

    @property
    def client_id(self) -> str:
        """When it is configured by hand."""
        return f"gw-{self.number}"


def words(options: dict[str, str]) -> Options:
    """Empty ones are left out."""
    return tuple(word for name, value in options.items() if value for word in (f"--{name.replace('_', '-')}", value))


@dataclass(frozen=True)
class SickGateway:
    """One that gets nowhere. `cure` does what the page says and gives the gateway's options from then on."""

    options: Options
    cause: str
    """Part of what is said to be wrong."""
    change: str
    """Part of what is said to do."""
    cure: Callable[[], Options]


Seed = Callable[[KuraBench, SeededGateway], SickGateway]


def named(wrong: Callable[[SeededGateway], str], cause: str, change: str = "Set the gateway's username to") -> Seed:
    """The request has another user name than the gateway makes for itself."""

    def seed(bench: KuraBench, gateway: SeededGateway) -> SickGateway:
        bench.request(gateway.account, gateway.bare, wrong(gateway))

        def cure() -> Options:
            bench.request(gateway.account, gateway.bare, gateway.login)
            return gateway.asking()

        return SickGateway(gateway.asking(), cause, change, cure)

    return seed


def without_serial(bench: KuraBench, gateway: SeededGateway) -> SickGateway:
    bench.request(gateway.account, gateway.bare, gateway.login)
    return SickGateway(
        gateway.asking(serial=""), "calls itself MAC-UNKNOWN", "Set kura.serialNumber", lambda: gateway.asking()
    )


def called(
    own: Callable[[SeededGateway], str], requested: Callable[[SeededGateway], str], cause: str,
    change: str = "Set client-id on the gateway to",
) -> Seed:  # fmt: skip
    """The gateway's client id is another than that of the request."""

    def seed(bench: KuraBench, gateway: SeededGateway) -> SickGateway:
        bench.request(gateway.account, requested(gateway), gateway.login)

        def cure() -> Options:
            bench.request(gateway.account, own(gateway).replace(".", "-"), gateway.login)
            return gateway.asking(client_id=own(gateway))

        return SickGateway(gateway.asking(client_id=own(gateway)), cause, change, cure)

    return seed


def missing(bench: KuraBench, gateway: SeededGateway) -> SickGateway:
    bench.account(gateway.account)

    def cure() -> Options:
        bench.request(gateway.account, gateway.bare, gateway.login)
        return gateway.asking()

    return SickGateway(gateway.asking(), "There is no provision request", "Create one in the account", cure)


def requested(
    cause: str, change: str, spoil: Callable[[KuraBench, SeededGateway], None], **members: Any
) -> Seed:  # fmt: skip
    """There is a request for it, which does not count; another one cures it."""

    def seed(bench: KuraBench, gateway: SeededGateway) -> SickGateway:
        bench.request(gateway.account, gateway.bare, gateway.login, **{
            name: value() if callable(value) else value for name, value in members.items()
        })  # fmt: skip
        spoil(bench, gateway)

        def cure() -> Options:
            bench.request(gateway.account, gateway.bare, gateway.login)
            return gateway.asking()

        return SickGateway(gateway.asking(), cause, change, cure)

    return seed


def nothing(_: KuraBench, __: SeededGateway) -> None:
    """The request itself is wrong."""


def disabled(bench: KuraBench, gateway: SeededGateway) -> None:
    bench.change_request(gateway.account, status="DISABLED")


def completed(bench: KuraBench, gateway: SeededGateway) -> None:
    given = bench.provisioned(gateway.bare, gateway.login, "STAGED")
    bench.born(gateway.account, gateway.bare, given["prov.username"], given["prov.password"])


def failed(bench: KuraBench, gateway: SeededGateway) -> None:
    bench.provisioned(gateway.bare, gateway.login, "FAILED")


def stopped(bench: KuraBench, gateway: SeededGateway) -> None:
    bench.provisioned(gateway.bare, gateway.login)
    bench.change_job(gateway.account, "STOPPED")


def keyed(option: str, cause: str) -> Seed:
    """The request has a key; the gateway has another."""

    def seed(bench: KuraBench, gateway: SeededGateway) -> SickGateway:
        bench.request(gateway.account, gateway.bare, gateway.login, generateActivationKey=True)

        def cure() -> Options:
            bench.request(gateway.account, gateway.bare, gateway.login, generateActivationKey=False)
            return gateway.asking()

        options = gateway.asking(activation_key=option)
        return SickGateway(options, cause, "Write the key of the request", cure)

    return seed


def wrong_account(bench: KuraBench, gateway: SeededGateway) -> SickGateway:
    bench.request(gateway.account, gateway.bare, gateway.login)
    options = gateway.asking(account=gateway.account)
    return SickGateway(options, "which all share", f"to {PROVISIONING}", lambda: gateway.asking())


def locked(bench: KuraBench, gateway: SeededGateway) -> SickGateway:
    bench.request(gateway.account, gateway.bare, gateway.login)
    for _ in range(3):
        bench.connects(gateway.bare, gateway.login, "Wrong-password-0!")
    assert bench.connects(gateway.bare, gateway.login) != "CONNACK 0"

    def cure() -> Options:
        scope = bench.account(PROVISIONING)
        (user,) = bench.items(f"/v1/{scope}/users?name={gateway.login}")
        one = bench.credential(PROVISIONING, user["id"])
        bench.asked("POST", f"/v1/{scope}/credentials/{one['id']}/_unlock")
        return gateway.asking()

    return SickGateway(gateway.asking(), "is locked until", "Unlock its credential", cure)


PROVISIONING_ROWS: tuple[tuple[str, Seed], ...] = (
    ("username-case", named(lambda one: one.login.lower(), "upper and lower case alone")),
    ("username-colons", named(lambda one: f"{one.mac}-{one.serial}", "without separators")),
    ("username-space", named(lambda one: f"{one.login} ", "a space at the beginning or the end")),
    ("username-serial", named(lambda one: f"{one.bare}-OTHER{one.number}", "the serial number is not")),
    ("username-differs", named(lambda one: f"someone-{one.number}", "its provision request has the user")),
    ("username-unknown-serial", without_serial),
    ("client-id-colons", called(lambda one: one.bare, lambda one: one.mac, "with colons")),
    ("client-id-case", called(lambda one: f"GW-{one.number}", lambda one: f"gw-{one.number}", "lower case alone")),
    ("client-id-sanitised", called(lambda one: f"gw.{one.number}", lambda one: f"gw.{one.number}",
                                   "replaces / + # and .", "Make the request anew for")),
    ("client-id-differs", called(lambda one: f"gw-{one.number}", lambda one: f"other-{one.number}",
                                 "One user name is one gateway's")),
    ("request-missing", missing),
    ("request-not-active-yet", requested("counts from", "earlier activatesOn", nothing,
                                         activatesOn=lambda: in_ms(3600))),
    ("request-expired", requested("expired on", "Make the request anew", nothing, expiresOn=lambda: in_ms(-3600))),
    ("request-disabled", requested("is DISABLED", "Enable it", disabled)),
    ("request-completed", requested("has been fulfilled", "anew", completed)),
    ("attempts-exhausted", requested("used up its attempts", "anew", failed, retryMaxAttempts=0)),
    ("job-stopped", requested("has stopped the job", "Reset its job", stopped)),
    ("job-skipped", requested("or its job stopped", "Reset its job", lambda bench, one:
                              bench.change_job(one.account, "STOPPED"))),
    ("activation-key-wrong", keyed("env:OTHER_KEY", "another activation key")),
    ("account-not-provisioning", wrong_account),
    ("user-locked", locked),
)  # fmt: skip


# -- connections


def by_hand(
    cause: str, change: str, spoil: Callable[[KuraBench, SeededGateway, str], None],
    cure: Callable[[KuraBench, SeededGateway, str], None], **user: Any,
) -> Seed:  # fmt: skip
    """A gateway whose user is there. `spoil` and `cure` get the id of the user."""

    def seed(bench: KuraBench, gateway: SeededGateway) -> SickGateway:
        user_id = bench.user(gateway.account, gateway.user, **user)
        spoil(bench, gateway, user_id)

        def cured() -> Options:
            cure(bench, gateway, user_id)
            return gateway.connected()

        return SickGateway(gateway.connected(), cause, change, cured)

    return seed


def as_it_is(_: KuraBench, __: SeededGateway, ___: str) -> None:
    """The user itself is wrong."""


def place(bench: KuraBench, gateway: SeededGateway, what: str) -> str:
    return f"/v1/{bench.account(gateway.account)}/{what}"


def unknown_user(bench: KuraBench, gateway: SeededGateway) -> SickGateway:
    bench.account(gateway.account)

    def cure() -> Options:
        bench.user(gateway.account, gateway.user)
        return gateway.connected()

    return SickGateway(gateway.connected(), "has no user", "create the user", cure)


def unknown_account(bench: KuraBench, gateway: SeededGateway) -> SickGateway:
    bench.user(gateway.account, gateway.user)
    options = gateway.connected(account=f"{gateway.account}x")
    return SickGateway(options, "There is no account", "Correct the account name", lambda: gateway.connected())


def strict(bench: KuraBench, gateway: SeededGateway, _: str) -> None:
    bench.user(gateway.account, f"former-{gateway.number}")
    bench.configure(gateway.account, CONNECTIONS, deviceConnectionUserCouplingDefaultMode="STRICT")
    assert bench.connects(gateway.client_id, f"former-{gateway.number}") == "CONNACK 0"


def reserved(bench: KuraBench, gateway: SeededGateway, _: str) -> None:
    other = bench.user(gateway.account, f"former-{gateway.number}")
    assert bench.connects(gateway.client_id, f"former-{gateway.number}") == "CONNACK 0"
    bench.options(gateway.account, gateway.client_id, reservedUserId=other)


def reserved_elsewhere(bench: KuraBench, gateway: SeededGateway, user_id: str) -> None:
    assert bench.connects(f"other-{gateway.number}", gateway.user) == "CONNACK 0"
    bench.options(gateway.account, f"other-{gateway.number}", reservedUserId=user_id)


def no_devices(bench: KuraBench, gateway: SeededGateway, _: str) -> None:
    bench.configure(gateway.account, DEVICES, infiniteChildEntities="false", maxNumberChildEntities="0")
    bench.born(gateway.account, gateway.client_id, gateway.user, serial_number=gateway.serial)
    assert bench.items(place(bench, gateway, "devices")) == []


def another_gateway(bench: KuraBench, gateway: SeededGateway) -> SickGateway:
    bench.user(gateway.account, gateway.user)
    bench.born(gateway.account, gateway.client_id, gateway.user, serial_number="SN-OF-ANOTHER")
    return SickGateway(
        gateway.connected(serial=gateway.serial), "told of the serial number SN-OF-ANOTHER", "a client id of its own",
        lambda: gateway.connected(serial=gateway.serial, client_id=f"own-{gateway.number}"),
    )  # fmt: skip


def device_disabled(bench: KuraBench, gateway: SeededGateway, _: str) -> None:
    bench.born(gateway.account, gateway.client_id, gateway.user)
    (one,) = bench.items(place(bench, gateway, "devices"))
    bench.change(place(bench, gateway, f"devices/{one['id']}"), status="DISABLED")


def device_enabled(bench: KuraBench, gateway: SeededGateway, _: str) -> None:
    (one,) = bench.items(place(bench, gateway, "devices"))
    bench.change(place(bench, gateway, f"devices/{one['id']}"), status="ENABLED")


def credential(**members: Any) -> Callable[[KuraBench, SeededGateway, str], None]:
    def change(bench: KuraBench, gateway: SeededGateway, user_id: str) -> None:
        one = bench.credential(gateway.account, user_id)
        bench.change(place(bench, gateway, f"credentials/{one['id']}"), **members)

    return change


def user(**members: Any) -> Callable[[KuraBench, SeededGateway, str], None]:
    return lambda bench, gateway, user_id: bench.change(place(bench, gateway, f"users/{user_id}"), **members)


CONNECTION_ROWS: tuple[tuple[str, Seed], ...] = (
    ("user-unknown", unknown_user),
    ("account-unknown", unknown_account),
    ("user-disabled", by_hand("is DISABLED", "Enable it", user(status="DISABLED"), user(status="ENABLED"))),
    ("user-expired", by_hand("expired on", "Set a later expirationDate", user(expirationDate=1_600_000_000_000),
                             user(expirationDate=None))),
    ("no-password", by_hand("has no password", "Create a credential", as_it_is, lambda bench, one, user_id:
                            bench.password(one.account, user_id), password=False)),
    ("password-disabled", by_hand("is DISABLED", "Enable its credential", credential(status="DISABLED"),
                                  credential(status="ENABLED"))),
    ("password-expired", by_hand("expired on", "Set a later expirationDate", credential(
        expirationDate=1_600_000_000_000), credential(expirationDate=None))),
    ("no-connect-permission", by_hand("no permission broker:connect", "Add the permission", as_it_is,
                                      lambda bench, one, user_id: bench.permit(one.account, user_id), connects=False)),
    ("coupling-strict", by_hand("its coupling is STRICT", "Set allowUserChange", strict, lambda bench, one, _:
                                bench.options(one.account, one.client_id, allowUserChange=True))),
    ("reserved-for-another-user", by_hand("is reserved for the user", "set reservedUserId", reserved,
                                          lambda bench, one, user_id: bench.options(
                                              one.account, one.client_id, reservedUserId=user_id))),
    ("user-reserved-elsewhere", by_hand("is reserved for the client id", "take that reservation away",
                                        reserved_elsewhere, lambda bench, one, _: bench.options(
                                            one.account, f"other-{one.number}", reservedUserId=None))),
    ("no-device-limit", by_hand("no device is made of it", "infiniteChildEntities", no_devices, lambda bench, one, _:
                                bench.configure(one.account, DEVICES, infiniteChildEntities="true"))),
    ("device-disabled", by_hand("is DISABLED", "Enable it", device_disabled, device_enabled)),
    ("client-id-of-another-gateway", another_gateway),
)  # fmt: skip
