"""The hawkBit that `fleetrig serve` starts: its start-up properties, its accounts, its profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fleetrig.harness.commands.serve_platform import PlatformArgs, PlatformConfig
from fleetrig.harness.platforms.hawkbit.server import SERVER
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.harness.servers.pem_file import pem_file
from fleetrig.harness.servers.secrets import secret_from
from fleetrig.harness.servers.served_account import ServedAccount, served_account
from fleetrig.reference_server.address import Address
from fleetrig.reference_server.platform import ClientVerifier, PlatformBuilder, ServerPlatform
from fleetrig.reference_server.platforms.hawkbit.platform import HawkbitPlatform
from fleetrig.reference_server.platforms.hawkbit.state.permissions import unknown_rights
from fleetrig.reference_server.platforms.hawkbit.state.properties import settings_from_properties
from fleetrig.reference_server.platforms.hawkbit.state.settings import Account, Profile, Settings
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.header_text import basic_credentials, why_no_basic_account
from fleetrig.simulator.contract.identity import UserPassword

if TYPE_CHECKING:
    from fleetrig.reference_server.client_certificates import ClientAuthorities

CERTIFICATE_MARK: Final = b"-----BEGIN CERTIFICATE-----"
LIST_MARK: Final = b"-----BEGIN X509 CRL-----"
FASTEST_POLLING: Final = "00:00:01"
FAST_CLEANUP_S: Final = 1.0
LOOPBACK_ALONE: Final = ("127.0.0.1",)
WELL_KNOWN: Final = Account(SERVER.account.user, SERVER.account.password)


def configure(args: PlatformArgs) -> PlatformConfig:
    """Raises UsageError, FileMistakes (for the accounts file)."""
    settings = replace(_with_accounts(_settings(args), args), client_verifier=_verifier(args.client_ca))
    _check_passwords(settings, args.addresses)

    return PlatformConfig(
        title=f"{SERVER.title} {settings.profile}",
        profile=str(settings.profile),
        build=builder_of(settings),
        accounts=tuple(_line_of(account) for account in settings.accounts),
        administrator=_administrator(settings, args),
        can=_can(settings),
        url_path=settings.context_path,
        secrets=tuple(("password", basic_credentials(one.user, one.password)) for one in settings.accounts),
    )


def _administrator(settings: Settings, args: PlatformArgs) -> ServedAccount | None:
    """`admin`, where there is one."""
    account = next((one for one in settings.accounts if one.user == WELL_KNOWN.user), None)
    if account is None:
        return None
    return served_account(UserPassword(account.user, account.password), SERVER.account, args.admin_password)


def _can(settings: Settings) -> frozenset[str]:
    """What start-up properties decide."""
    decided = {
        "hawkbit.fast_polling": settings.min_polling_time <= FASTEST_POLLING,
        "hawkbit.fast_cleanup": settings.action_cleanup_every_s <= FAST_CLEANUP_S,
        "hawkbit.trusted_ips": settings.trusted_ips == LOOPBACK_ALONE,
    }
    return frozenset(word for word, is_so in decided.items() if is_so)


def _verifier(client_ca: Sequence[Path]) -> ClientVerifier | None:
    if not client_ca:
        return None
    # Only here: the library takes long to import, and most servers ask for no certificates.
    from fleetrig.reference_server.client_certificates import ClientAuthorities

    authorities = ClientAuthorities()
    for file in client_ca:
        _add_file(authorities, file)
    if authorities.trusts_nobody:
        raise UsageError("--client-ca: no file holds an authority (-----BEGIN CERTIFICATE-----), there are lists only")
    return authorities


def _add_file(authorities: ClientAuthorities, file: Path) -> None:
    try:
        pem = pem_file(file)
        if CERTIFICATE_MARK not in pem and LIST_MARK in pem:
            authorities.add_crls(pem)
        else:
            authorities.add(pem)  # an empty file is none either
    except OSError as error:
        raise UsageError(f"--client-ca: cannot read {file}: {why_unread(file, error)}") from error
    except ValueError:
        raise UsageError(f"--client-ca: {file} holds no PEM certificate (-----BEGIN CERTIFICATE-----)") from None


def builder_of(settings: Settings) -> PlatformBuilder:
    """A platform with these settings."""

    def hawkbit(store: Store, blobs: Blobs, entropy: Entropy) -> ServerPlatform:
        return HawkbitPlatform(store, blobs, entropy, settings)

    return hawkbit


def _settings(args: PlatformArgs) -> Settings:
    try:
        settings = settings_from_properties(_properties(args.properties))
    except ValueError as error:
        raise UsageError(f"--set: {error}") from error
    return replace(settings, profile=Profile(args.profile))


def _properties(texts: Sequence[str]) -> dict[str, str]:
    properties = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {text!r}: expected KEY=VALUE, as in hawkbit.controller.minPollingTime=00:00:01")
        properties[name.strip()] = value
    return properties


def _with_accounts(settings: Settings, args: PlatformArgs) -> Settings:
    accounts = {account.user: account for account in settings.accounts}
    if args.admin_password is not None:
        password = secret_from(args.admin_password, "--admin-password")
        if why := why_no_basic_account("admin", password):
            raise UsageError(f"--admin-password: {why}")
        accounts["admin"] = replace(accounts.get("admin", WELL_KNOWN), password=password)
    if args.accounts is not None:
        # Only here: a schema library takes long to import, and most servers need no accounts file.
        from fleetrig.harness.platforms.hawkbit.accounts_file import read_accounts

        for account in read_accounts(args.accounts):
            _check_rights(account)
            accounts[account.user] = account
    return replace(settings, accounts=tuple(accounts.values()))


def _check_rights(account: Account) -> None:
    for wrong, near in unknown_rights(account.rights).items():
        hint = f"; did you mean {near}?" if near else ""
        raise UsageError(f"--accounts: the user {account.user!r} cannot have the right {wrong!r}: there is none{hint}")


def _check_passwords(settings: Settings, addresses: Mapping[str, Address]) -> None:
    open_to_all = [str(address) for address in addresses.values() if not address.is_loopback]
    if open_to_all and WELL_KNOWN.password in {a.password for a in settings.accounts if a.user == WELL_KNOWN.user}:
        raise UsageError(
            f"{open_to_all[0]} can be reached from outside this machine: admin needs a password that not everybody "
            "knows. Put one in an environment variable and add --admin-password env:NAME"
        )


def _line_of(account: Account) -> str:
    is_well_known = (account.user, account.password) == (WELL_KNOWN.user, WELL_KNOWN.password)
    password = f" / {account.password}" if is_well_known else "   (password as given)"
    return f"{account.user}{password}   tenant {account.tenant}, {', '.join(account.rights)}"
