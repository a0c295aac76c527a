"""The Hono that `fleetrig serve` starts: its configuration, its accounts, its profile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from fleetrig.harness.commands.serve_platform import PlatformArgs, PlatformConfig
from fleetrig.harness.platforms.hono.server import SERVER
from fleetrig.harness.servers.secrets import secret_from
from fleetrig.harness.servers.served_account import ServedAccount, served_account
from fleetrig.reference_server.address import Address
from fleetrig.reference_server.platform import PlatformBuilder, ServerPlatform
from fleetrig.reference_server.platforms.hono.platform import HonoPlatform
from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.reference_server.platforms.hono.state.settings import Account, Settings
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.reference_server.webhook import webhook_url
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.header_text import basic_credentials, why_no_basic_account
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.unreadable import why_no_pattern

ADMIN: Final = "admin"
"""Who `--admin-password` is for: Hono itself has no account that everybody knows."""
NUMBERS: Final = {
    "hono.registry.http.maxPayloadSize": "registry_body_bytes",
    "hono.http.maxPayloadSize": "payload_bytes",
    "hono.mqtt.maxPayloadSize": "payload_bytes",
    "hono.coap.maxPayloadSize": "payload_bytes",
    "hono.registry.svc.maxBcryptCostFactor": "max_bcrypt_cost",
    "hono.registry.svc.maxDevicesPerTenant": "devices_per_tenant",
}
"""Property of the real components -> field of the settings. The adapters have one size in common."""
ORIGIN: Final = "hono.registry.http.corsAllowedOrigin"
LISTS: Final = {"hono.registry.svc.hashAlgorithmsAllowList": "hash_functions"}
WEBHOOK: Final = "fleetrig.webhook"
"""Our own: an external system on this machine that hears of devices which were provisioned."""
OLD_DEVICES_PER_TENANT: Final = 100
"""What generation 1 begins with (spec 6)."""
MOST_COST: Final = 31


def configure(args: PlatformArgs) -> PlatformConfig:
    """Raises UsageError."""
    if args.client_ca:
        raise UsageError(f"--client-ca: {SERVER.title} trusts the authorities that its tenants name; save one there")
    try:
        settings = settings_from(dict(_pair(text) for text in args.properties), args.profile)
    except ValueError as error:
        raise UsageError(f"--set: {error}") from error
    settings = replace(settings, accounts=_accounts(args))
    _refuse_strangers(settings, args.addresses)
    return PlatformConfig(
        title=f"{SERVER.title} {settings.profile}",
        profile=str(settings.profile),
        build=builder_of(settings),
        accounts=tuple(f"{one.user}   (password as given)" for one in settings.accounts)
        or ("none: everybody who can reach the registry may change it",),
        secrets=tuple(("password", basic_credentials(one.user, one.password)) for one in settings.accounts),
        asks_for_certificates=True,
        administrator=_administrator(settings, args),
    )


def _administrator(settings: Settings, args: PlatformArgs) -> ServedAccount | None:
    """The first of those that may use the registry; None where everybody may."""
    if not settings.accounts:
        return None
    first = next((one for one in settings.accounts if one.user == ADMIN), settings.accounts[0])
    reference = args.admin_password if first.user == ADMIN else None
    return served_account(UserPassword(first.user, first.password), SERVER.account, reference)


def builder_of(settings: Settings) -> PlatformBuilder:
    """A platform with these settings."""

    def hono(store: Store, blobs: Blobs, entropy: Entropy) -> ServerPlatform:
        return HonoPlatform(store, blobs, entropy, settings)

    return hono


def settings_from(properties: Mapping[str, str], profile: str) -> Settings:
    """Configuration as the components take it. Raises ValueError for unknown ones, UsageError for a profile."""
    settings = Settings(profile=known_profile(profile))
    if settings.profile is Profile.OLD:
        settings = replace(settings, devices_per_tenant=OLD_DEVICES_PER_TENANT)
    for name, value in properties.items():
        settings = _with(settings, name, value)
    return settings


def known_profile(text: str) -> Profile:
    """A generation of Hono. Raises UsageError."""
    try:
        return Profile(text)
    except ValueError:
        raise UsageError(f"there is no profile {text!r} of {SERVER.title}; there are {', '.join(Profile)}") from None


def _with(settings: Settings, name: str, value: str) -> Settings:
    if name in NUMBERS:
        number = _number(name, value)
        changes: dict[str, int] = {NUMBERS[name]: number}
        return replace(settings, **changes)  # type: ignore[arg-type]
    if name == ORIGIN:
        return replace(settings, cors_allowed_origin=_origin(value))
    if name == WEBHOOK:
        webhook_url(value)
        return replace(settings, webhook=value)
    if name in LISTS:
        return replace(settings, hash_functions=tuple(filter(None, (part.strip() for part in value.split(",")))))
    raise ValueError(f"there is no property {name!r}; there are {', '.join((*NUMBERS, ORIGIN, *LISTS, WEBHOOK))}")


def _origin(pattern: str) -> str:
    """`*`, or a regular expression for the whole of an origin."""
    try:
        re.compile(pattern if pattern != "*" else ".*")
    except re.error as error:
        raise ValueError(f"{ORIGIN}: {pattern!r} is no regular expression: {why_no_pattern(error)}") from None
    return pattern


def _number(name: str, value: str) -> int:
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 9:
        raise ValueError(f"{name}: expected a number, got {value!r}")
    number = int(value)
    if name.endswith("CostFactor") and not 4 <= number <= MOST_COST:
        raise ValueError(f"{name}: expected 4 to {MOST_COST}, got {value!r}")
    return number


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--set {text!r}: expected KEY=VALUE, as in hono.registry.svc.maxDevicesPerTenant=100")
    return name.strip(), value


def _accounts(args: PlatformArgs) -> tuple[Account, ...]:
    accounts: dict[str, Account] = {}
    if args.admin_password is not None:
        password = secret_from(args.admin_password, "--admin-password")
        if why := why_no_basic_account(ADMIN, password):
            raise UsageError(f"--admin-password: {why}")
        accounts[ADMIN] = Account(ADMIN, password)
    if args.accounts is not None:
        # Only here: a schema library takes long to import, and most servers need no accounts file.
        from fleetrig.harness.platforms.hono.accounts_file import read_accounts

        accounts |= {account.user: account for account in read_accounts(args.accounts)}
    return tuple(accounts.values())


def _refuse_strangers(settings: Settings, addresses: Mapping[str, Address]) -> None:
    """A registry without accounts is for this machine alone. Raises UsageError."""
    registry = addresses.get(SERVER.admin)
    if registry is not None and not registry.is_loopback and not settings.accounts:
        raise UsageError(
            f"{registry} can be reached from outside this machine: the registry needs an account there. Put a password "
            "in an environment variable and add --admin-password env:NAME"
        )
