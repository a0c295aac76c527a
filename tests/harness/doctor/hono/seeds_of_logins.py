"""Misconfigurations of passwords, pre-shared keys and gateways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.harness.doctor.hono.bench import TENANT, HonoBench, Options, days, password, psk
from tests.harness.doctor.hono.seeds import SeedDevice, SeededDevice, SickDevice

LOGIN: Final = f"sensor1@{TENANT}"
RIGHT: Final[Options] = ("--login", LOGIN, "--secret", "env:PASSWORD")
PLAIN: Final = ("http", "mqtt", "mqtts")
BOTH: Final = [password(), psk()]


def said(login: str, cause: str, change: str) -> SeedDevice:
    """The device calls itself wrongly."""

    def seed(bench: HonoBench) -> SickDevice:
        bench.tenant()
        bench.device("d-1", BOTH)
        return SickDevice(("--login", login, "--secret", "env:PASSWORD"), cause, change, lambda: RIGHT)

    return seed


def stored(change: Callable[[HonoBench], None], cause: str, advice: str, options: Options = RIGHT) -> SeedDevice:
    """The registry has it wrongly; the cure is to register the device right."""

    def seed(bench: HonoBench) -> SickDevice:
        bench.tenant()
        change(bench)

        def cure() -> Options:
            bench.tenant()
            bench.device("d-1", BOTH)
            return options

        return SickDevice(options, cause, advice, cure)

    return seed


def dated(begin: float, end: float) -> dict[str, str]:
    stated = days(begin, end)
    return {"not_before": f"{stated.begin:%Y-%m-%dT%H:%M:%SZ}", "not_after": f"{stated.end:%Y-%m-%dT%H:%M:%SZ}"}


def disabled(bench: HonoBench) -> None:
    bench.device("d-1", [{**password(), "enabled": False}])


def without_the_adapter(bench: HonoBench) -> None:
    bench.tenant({"adapters": [{"type": "hono-amqp", "enabled": True}]})
    bench.device("d-1", BOTH)


def disabled_tenant(bench: HonoBench) -> None:
    bench.tenant({"enabled": False})
    bench.device("d-1", BOTH)


def wrong_secret(bench: HonoBench) -> SickDevice:
    bench.tenant()
    bench.device("d-1", BOTH)
    return SickDevice(
        ("--login", LOGIN, "--secret", "env:OTHER"), "is not that of device d-1", "Set it anew", lambda: RIGHT
    )


# -- gateways: the sign-in goes well, what they send is refused


def gateway(change: Callable[[HonoBench], None], cause: str, advice: str, edge: str = "e-1") -> SeedDevice:
    options = (*RIGHT, "--for", edge)

    def seed(bench: HonoBench) -> SickDevice:
        bench.tenant()
        bench.device("gw-1", BOTH)
        change(bench)

        def cure() -> Options:
            bench.device("gw-1", authorities=["auto-provisioning-enabled"])
            bench.device("e-1", via=["gw-1"])
            return (*RIGHT, "--for", "e-1")

        return SickDevice(options, cause, advice, cure)

    return seed


def may_provision(bench: HonoBench) -> None:
    bench.device("gw-1", authorities=["auto-provisioning-enabled"])


LOGIN_ROWS = (
    SeededDevice("no tenant in the login", "login-without-tenant",
                 said("sensor1", "is no auth-id@tenant", "sensor1@TENANT"), (*PLAIN, "coaps")),
    SeededDevice("no auth-id in the login", "login-without-tenant",
                 said(f"@{TENANT}", "the auth-id is empty", "auth-id@tenant"), ("mqtt",)),
    SeededDevice("a tenant of nobody", "no-such-tenant",
                 said(f"sensor1@{TENANT}x", f"did you mean {TENANT}?", "Correct the tenant"), (*PLAIN, "coaps")),
    SeededDevice("two @", "no-such-tenant",
                 said(f"a@sensor1@{TENANT}", "behind the first @", "Correct the tenant"), ("http",)),
    SeededDevice("tenant@auth-id", "login-swapped",
                 said(f"{TENANT}@sensor1", "in each other's place", f"sensor1@{TENANT}"), ("http", "coaps")),
    SeededDevice("the device-id for the auth-id", "device-id-for-auth-id",
                 said(f"d-1@{TENANT}", "is the device's id", f"sensor1@{TENANT}"), ("mqtt", "coaps")),
    SeededDevice("auth-id mistyped", "auth-id-unknown",
                 said(f"sensor11@{TENANT}", "did you mean sensor1?", "Correct the auth-id"),
                 ("http", "mqtts", "coaps")),
    SeededDevice("a key only", "credentials-of-another-type", stored(
        lambda bench: bench.device("d-1", [psk()]), "has psk credentials", "hashed-password credentials too"),
        ("http",)),
    SeededDevice("a password only", "credentials-of-another-type", stored(
        lambda bench: bench.device("d-1", [password()]), "has hashed-password credentials", "psk credentials too"),
        ("coaps",)),
    SeededDevice("password wrong", "secret-differs", wrong_secret, (*PLAIN, "coaps")),
    SeededDevice("password expired", "secret-out-of-date", stored(
        lambda bench: bench.device("d-1", [password(**dated(-30, -1))]), "it expired on", "new dates"), ("http",)),
    SeededDevice("password not yet valid", "secret-not-yet-valid", stored(
        lambda bench: bench.device("d-1", [password(**dated(1, 30))]), "it counts from", "new dates"), ("mqtt",)),
    SeededDevice("password disabled", "secret-disabled", stored(
        lambda bench: bench.device("d-1", [password(enabled=False)]), "it is disabled", "Send the credentials"),
        ("mqtt",)),
    SeededDevice("credentials disabled", "credentials-disabled", stored(
        disabled, "are disabled", "Enable them"), ("http", "mqtt")),
    SeededDevice("bound to another client id", "client-id-bound", stored(
        lambda bench: bench.device("d-1", [{**password(), "ext": {"client-id": "m-1"}}]), "says m-2", "--client-id",
        (*RIGHT, "--client-id", "m-2")), ("mqtt",)),
    SeededDevice("device disabled", "device-disabled", stored(
        lambda bench: bench.device("d-1", BOTH, enabled=False), "is disabled", "Enable it"), ("http", "mqtt", "coaps")),
    SeededDevice("adapter not listed", "adapter-not-listed", stored(
        without_the_adapter, "is not among them", "List"), ("http", "mqtt", "coaps")),
    SeededDevice("tenant disabled", "tenant-disabled", stored(
        disabled_tenant, "is disabled", "Enable it"), ("http", "mqtt", "coaps")),
    SeededDevice("gateway without the authority", "gateway-without-authority", gateway(
        lambda _: None, "its authorities lack auto-provisioning-enabled", "Register the device"), ("http", "mqtt")),
    SeededDevice("gateway not in via", "gateway-not-in-via", gateway(
        lambda bench: bench.device("e-1", via=["gw-2"]), "its via has gw-2", "Add the gateway"), ("http", "mqtt")),
    SeededDevice("gateway of another group", "gateway-not-in-via", gateway(
        lambda bench: bench.device("e-1", viaGroups=["g"]), "its via has nobody", "Add the gateway"), ("http",)),
    SeededDevice("edge device disabled", "edge-device-disabled", gateway(
        lambda bench: bench.device("e-1", via=["gw-1"], enabled=False), "for which the gateway sends, is disabled",
        "Enable it"), ("http",)),
    SeededDevice("an illegal edge device", "edge-device-id-illegal", gateway(
        may_provision, "is no device-id", "otherwise", "e 1"), ("http",)),
)  # fmt: skip
