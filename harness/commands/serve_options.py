"""The words of `fleetrig serve` as what a server is made of. Raises UsageError for every word that cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from fleetrig.harness.run.version import VERSION
from fleetrig.harness.servers.secrets import secret_from
from fleetrig.reference_server.fronts.addresses import Address, parse_address
from fleetrig.reference_server.platform import Platform
from fleetrig.reference_server.platforms.hawkbit.platform import HawkbitPlatform
from fleetrig.reference_server.platforms.hawkbit.state.permissions import unknown_rights
from fleetrig.reference_server.platforms.hawkbit.state.properties import settings_from_properties
from fleetrig.reference_server.platforms.hawkbit.state.settings import Account, Profile, Settings
from fleetrig.reference_server.reference import PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.errors import UsageError

PLATFORMS: Final = ("hawkbit",)
DEFAULT_HTTP: Final = "127.0.0.1:8080"
DEFAULT_CONTROL: Final = "127.0.0.1:0"
NO_CONTROL: Final = "off"
WELL_KNOWN: Final = Account("admin", "admin")


@dataclass(frozen=True, slots=True)
class Words:
    """The command's options as they were typed."""

    platforms: Sequence[str] = ()
    profiles: Sequence[str] = ()
    http: str = DEFAULT_HTTP
    https: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    store: str = "memory:"
    accounts: Path | None = None
    admin_password: str | None = None
    properties: Sequence[str] = ()
    control: str = DEFAULT_CONTROL


@dataclass(frozen=True, slots=True)
class Serving:
    """What will be served, before anything is opened."""

    options: ServerOptions
    settings: Settings


def understand(words: Words) -> Serving:
    """Everything that can be known to be wrong before a port or a file is touched."""
    _check_platforms(words.platforms)
    settings = _with_accounts(_settings(words), words)
    listening = [parse_address(words.http), *([parse_address(words.https)] if words.https else [])]
    _check_passwords(settings, listening)
    if not words.https and (words.certificate or words.key):
        raise UsageError("--cert and --key are for --https HOST:PORT, which is missing")
    if words.key and not words.certificate:
        raise UsageError("--key needs --cert, the certificate that it belongs to")

    def hawkbit(store: Store, blobs: Blobs, entropy: Entropy) -> Platform:
        return HawkbitPlatform(store, blobs, entropy, settings)

    options = ServerOptions(
        (PlatformOptions("hawkbit", hawkbit, dict(zip(("http", "https"), listening, strict=False))),),
        certificate=words.certificate,
        key=words.key,
        control=_control(words.control),
        store=words.store,
        about={"version": VERSION, "profiles": {"hawkbit": str(settings.profile)}},
    )
    return Serving(options, settings)


def _control(text: str) -> Address | None:
    try:
        return None if text == NO_CONTROL else parse_address(text)
    except UsageError as error:
        raise UsageError(f"--control: {error}, or {NO_CONTROL} to leave it out") from error


def _check_platforms(names: Sequence[str]) -> None:
    for name in names:
        if name not in PLATFORMS:
            raise UsageError(f"--platform {name}: {_expected(name, PLATFORMS)}")


def _settings(words: Words) -> Settings:
    try:
        settings = settings_from_properties(_properties(words.properties))
    except ValueError as error:
        raise UsageError(f"--set: {error}") from error
    for text in words.profiles:
        platform, equals, profile = text.partition("=")
        if not equals or platform not in PLATFORMS:
            raise UsageError(f"--profile {text}: expected PLATFORM=PROFILE, as in hawkbit={Profile.OLD}")
        if profile not in list(Profile):
            raise UsageError(f"--profile {text}: {_expected(profile, list(Profile))}")
        settings = replace(settings, profile=Profile(profile))
    return settings


def _properties(texts: Sequence[str]) -> dict[str, str]:
    properties = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {text!r}: expected KEY=VALUE, as in hawkbit.controller.minPollingTime=00:00:01")
        properties[name.strip()] = value
    return properties


def _with_accounts(settings: Settings, words: Words) -> Settings:
    accounts = {account.user: account for account in settings.accounts}
    if words.admin_password is not None:
        password = secret_from(words.admin_password, "--admin-password")
        accounts["admin"] = replace(accounts.get("admin", WELL_KNOWN), password=password)
    if words.accounts is not None:
        # Only here: a schema library takes long to import, and most servers need no accounts file.
        from fleetrig.harness.commands.serve_accounts import read_accounts

        for account in read_accounts(words.accounts):
            _check_rights(account)
            accounts[account.user] = account
    return replace(settings, accounts=tuple(accounts.values()))


def _check_rights(account: Account) -> None:
    for wrong, near in unknown_rights(account.rights).items():
        hint = f"; did you mean {near}?" if near else ""
        raise UsageError(f"--accounts: the user {account.user!r} cannot have the right {wrong!r}: there is none{hint}")


def _check_passwords(settings: Settings, listening: Sequence[Address]) -> None:
    open_to_all = [str(address) for address in listening if not address.is_loopback]
    if open_to_all and WELL_KNOWN.password in {a.password for a in settings.accounts if a.user == WELL_KNOWN.user}:
        raise UsageError(
            f"{open_to_all[0]} can be reached from outside this machine: admin needs a password that not everybody "
            "knows. Put one in an environment variable and add --admin-password env:NAME"
        )


def _expected(got: str, known: Sequence[str]) -> str:
    near = get_close_matches(got, known, n=1)
    return f"expected {' or '.join(known)}" + (f"; did you mean {near[0]}?" if near else "")
