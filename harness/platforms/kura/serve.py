"""The server of the Kura namespace that `fleetrig serve` starts: its start-up properties, its accounts, its profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from fleetrig.harness.commands.serve_platform import PlatformArgs, PlatformConfig
from fleetrig.harness.platforms.kura.account_names import ACCOUNT_NAME, ACCOUNT_NAME_FORM
from fleetrig.harness.platforms.kura.server import SERVER
from fleetrig.harness.servers.secrets import secret_from
from fleetrig.harness.servers.served_account import served_account
from fleetrig.reference_server.address import Address
from fleetrig.reference_server.platform import PlatformBuilder, ServerPlatform
from fleetrig.reference_server.platforms.kura.platform import KuraPlatform
from fleetrig.reference_server.platforms.kura.state.settings import (
    ADMIN_USER,
    BROKER_USER,
    WELL_KNOWN_PASSWORD,
    Profile,
    Settings,
)
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword

NUMBERS: Final = {
    "kura.job-timeout-s": ("job_timeout_s", 1),
    "kura.call-timeout-s": ("call_timeout_s", 1),
    "kura.birth-wait-s": ("birth_wait_s", 0),
    "kura.password-min-length": ("password_min_length", 1),
    "kura.token-s": ("token_s", 1),
    "kura.max-payload-bytes": ("payload_bytes", 1024),
}
"""Property -> field of the settings, and its least value."""
PROFILE: Final = "kura.profile"
STRICT_ERRORS: Final = "kura.strict-errors"
TARGET: Final = "kura.target-broker-url"
ACCOUNT: Final = "kura.provision-account"
APP_ID: Final = "kura.provision-app-id"
FLAGS: Final = {"true": True, "false": False}
BROKER_SCHEMES: Final = ("mqtt", "mqtts")
KNOWN: Final = (PROFILE, STRICT_ERRORS, TARGET, ACCOUNT, APP_ID, *NUMBERS)


def configure(args: PlatformArgs) -> PlatformConfig:
    """Raises UsageError."""
    if args.client_ca:
        raise UsageError(f"--client-ca: gateways sign in to {SERVER.title} with user and password")
    try:
        settings = settings_from(dict(_pair(text) for text in args.properties), args.profile)
    except ValueError as error:
        raise UsageError(f"--set: {error}") from error
    settings = _with_passwords(args, settings)
    if args.accounts is not None:
        # Only here: a schema library takes long to import, and most servers need no accounts file.
        from fleetrig.harness.platforms.kura.accounts_file import read_accounts

        settings = replace(settings, accounts=tuple(read_accounts(args.accounts)))
        _refuse_taken(user.user for user in settings.accounts)
    shown = _shown(settings.admin_password, is_kept=args.is_kept)
    own = [f"{ADMIN_USER}{shown}   administers all accounts"]
    own += [f"{BROKER_USER}{shown}   may connect to the broker, in all accounts"]
    return PlatformConfig(
        title=f"{SERVER.title} {settings.profile}",
        profile=str(settings.profile),
        build=builder_of(settings),
        accounts=(*own, *(f"{one.user}   (password as given)   account {one.name}" for one in settings.accounts)),
        administrator=served_account(
            UserPassword(ADMIN_USER, settings.admin_password), SERVER.account, args.admin_password
        ),
        secrets=tuple(("password", password) for password in _secrets(settings)),
    )


def builder_of(settings: Settings) -> PlatformBuilder:
    """A platform with these settings."""

    def kura(store: Store, blobs: Blobs, entropy: Entropy) -> ServerPlatform:
        return KuraPlatform(store, blobs, entropy, settings)

    return kura


def settings_from(properties: Mapping[str, str], profile: str) -> Settings:
    """Start-up properties as the server takes them. Raises ValueError for unknown ones, UsageError for a profile."""
    settings = Settings(profile=known_profile(profile))
    for name, value in properties.items():
        settings = _with(settings, name, value)
    return settings


def known_profile(text: str) -> Profile:
    """Raises UsageError."""
    try:
        return Profile(text)
    except ValueError:
        raise UsageError(f"there is no profile {text!r} of {SERVER.title}; there are {', '.join(Profile)}") from None


def _with(settings: Settings, name: str, value: str) -> Settings:
    match name:
        case "kura.profile" if value in tuple(Profile):
            return replace(settings, profile=Profile(value))
        case "kura.profile":
            raise ValueError(f"{name}: expected {' or '.join(Profile)}, got {value!r}")
        case "kura.strict-errors":
            return replace(settings, strict_errors=_flag(name, value))
        case "kura.target-broker-url":
            return replace(settings, target_broker_url=_broker_url(name, value))
        case "kura.provision-account":
            return replace(settings, provision_account=_word(name, value))
        case "kura.provision-app-id":
            return replace(settings, provision_app_id=_word(name, value))
        case _ if name in NUMBERS:
            field, least = NUMBERS[name]
            changes: dict[str, int] = {field: _number(name, value, least)}
            return replace(settings, **changes)  # type: ignore[arg-type]
        case _:
            raise ValueError(f"there is no property {name!r}; there are {', '.join(KNOWN)}")


def _flag(name: str, value: str) -> bool:
    if value.lower() not in FLAGS:
        raise ValueError(f"{name}: expected true or false, got {value!r}")
    return FLAGS[value.lower()]


def _number(name: str, value: str, least: int) -> int:
    if not (value.isascii() and value.isdigit()) or len(value) > 9 or int(value) < least:
        raise ValueError(f"{name}: expected a number of at least {least}, got {value!r}")
    return int(value)


def _word(name: str, value: str) -> str:
    """A level of a topic."""
    if not ACCOUNT_NAME.fullmatch(value):
        raise ValueError(f"{name}: expected {ACCOUNT_NAME_FORM}, got {value!r}")
    return value


def _broker_url(name: str, value: str) -> str:
    scheme, mark, place = value.partition("://")
    if scheme not in BROKER_SCHEMES or not mark or not place.strip("/"):
        raise ValueError(f"{name}: expected an address such as mqtt://127.0.0.1:1883, got {value!r}")
    return value.rstrip("/")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--set {text!r}: expected KEY=VALUE, as in {STRICT_ERRORS}=true")
    return name.strip(), value.strip()


def _with_passwords(args: PlatformArgs, settings: Settings) -> Settings:
    """With a password of his own for the administrator, nobody gets in by the one that everybody knows."""
    if args.admin_password is not None:
        password = secret_from(args.admin_password, "--admin-password")
        return replace(settings, admin_password=password, broker_password=password)
    _refuse_strangers(args.addresses)
    return settings


def _refuse_taken(users: Iterable[str]) -> None:
    """Otherwise the file's password would be shown as the one that counts, and the other one would count."""
    seen: set[str] = set()
    for user in users:
        if user in (ADMIN_USER, BROKER_USER):
            raise UsageError(f"--accounts: {user} is there already; --admin-password env:NAME gives it a password")
        if user in seen:
            raise UsageError(f"--accounts: {user} is there twice; a user has one account and one password")
        seen.add(user)


def _refuse_strangers(addresses: Mapping[str, Address]) -> None:
    """Everybody knows Kapua's passwords. Raises UsageError."""
    for place in addresses.values():
        if not place.is_loopback:
            raise UsageError(
                f"{place} can be reached from outside this machine: {ADMIN_USER} needs a password that not everybody "
                "knows. Put one in an environment variable and add --admin-password env:NAME"
            )


def _shown(password: str, *, is_kept: bool) -> str:
    """A password that was given counts in an old store, too; without one nobody knows what such a store has."""
    if password != WELL_KNOWN_PASSWORD:
        return "   (password as given)"
    return f" / {password}" + ("   (unless the store has another)" if is_kept else "")


def _secrets(settings: Settings) -> list[str]:
    given = [settings.admin_password, settings.broker_password, *(one.password for one in settings.accounts)]
    return [password for password in dict.fromkeys(given) if password != WELL_KNOWN_PASSWORD]
