"""The ThingsBoard that `fleetrig serve` starts: its start-up properties, its account, its profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from fleetrig.harness.commands.serve_platform import PlatformArgs, PlatformConfig
from fleetrig.harness.platforms.thingsboard.admin import account_secrets
from fleetrig.harness.platforms.thingsboard.server import SERVER
from fleetrig.harness.servers.secrets import secret_from
from fleetrig.harness.servers.served_account import served_account
from fleetrig.reference_server.platform import PlatformBuilder, ServerPlatform
from fleetrig.reference_server.platforms.thingsboard.platform import ThingsBoardPlatform
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.message_limits import read_limits
from fleetrig.reference_server.platforms.thingsboard.state.registry import WELL_KNOWN
from fleetrig.reference_server.platforms.thingsboard.state.settings import Account, Settings
from fleetrig.reference_server.platforms.thingsboard.state.tenant_configuration import ENTITIES, LIMIT_TITLES
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword

LOOPBACK: Final = ("127.", "localhost", "::1", "[::1]")
NUMBERS: Final = {
    "security.claim.duration": "claim_duration_ms",
    "security.jwt.tokenExpirationTime": "token_s",
    "transport.mqtt.netty.max_payload_size": "payload_bytes",
    "actors.session.max_concurrent_sessions_per_device": "sessions_per_device",
    "transport.sessions.inactivity_timeout": "session_inactivity_ms",
}
"""Property of the real server -> field of the settings."""
PROFILE_NUMBERS: Final = tuple(ENTITIES.values())
PROFILE_LIMITS: Final = tuple(name for name in LIMIT_TITLES if name.startswith("transport"))
"""What the default tenant profile begins with: it can be changed over the API."""
GUARD_NUMBERS: Final = {
    "transport.rate_limits.max_wrong_credentials_per_ip": "wrong_logins",
    "transport.rate_limits.ip_block_timeout": "block_ms",
}
GUARD: Final = "transport.rate_limits.ip_limits_enabled"
CLAIMING: Final = "security.claim.allowClaimingByDefault"
FLAGS: Final = {"true": True, "false": False}


def configure(args: PlatformArgs) -> PlatformConfig:
    """Raises UsageError."""
    if args.accounts is not None:
        raise UsageError(f"--accounts: {SERVER.title} has its demo tenant only; other accounts are made over its API")
    if args.client_ca:
        raise UsageError(
            f"--client-ca: {SERVER.title} trusts the authorities that device profiles name; save one there"
        )
    try:
        settings = settings_from(dict(_pair(text) for text in args.properties), args.profile)
    except ValueError as error:
        raise UsageError(f"--set: {error}") from error
    account = _account(args)
    administrator = settings.administrator
    if account.password != SERVER.account.password:
        administrator = replace(administrator, password=account.password)
    settings = replace(settings, accounts=(account,), administrator=administrator)
    return PlatformConfig(
        title=f"{SERVER.title} {settings.profile}",
        profile=str(settings.profile),
        build=builder_of(settings),
        accounts=(_line_of(account), _line_of(administrator)),
        secrets=tuple(account_secrets(account.password)),
        asks_for_certificates=True,
        administrator=served_account(
            UserPassword(account.email, account.password), SERVER.account, args.admin_password
        ),
    )


def builder_of(settings: Settings) -> PlatformBuilder:
    """A platform with these settings."""

    def thingsboard(store: Store, blobs: Blobs, entropy: Entropy) -> ServerPlatform:
        return ThingsBoardPlatform(store, blobs, entropy, settings)

    return thingsboard


def settings_from(properties: Mapping[str, str], profile: str) -> Settings:
    """Start-up properties as the server takes them. Raises ValueError for unknown ones, UsageError for a profile."""
    settings = Settings(profile=known_profile(profile))
    for name, value in properties.items():
        settings = _with(settings, name, value)
    return settings


def known_profile(text: str) -> Profile:
    """A generation of ThingsBoard. Raises UsageError."""
    try:
        return Profile(text)
    except ValueError:
        raise UsageError(f"there is no profile {text!r} of {SERVER.title}; there are {', '.join(Profile)}") from None


def _with(settings: Settings, name: str, value: str) -> Settings:
    if name in NUMBERS and value.isascii() and value.isdigit():
        changes: dict[str, int] = {NUMBERS[name]: int(value)}
        return replace(settings, **changes)  # type: ignore[arg-type]
    if name in PROFILE_NUMBERS and value.isascii() and value.isdigit():
        return _with_limit(settings, name, int(value))
    if name in PROFILE_LIMITS:
        read_limits(value)
        return _with_limit(settings, name, value)
    if name in GUARD_NUMBERS and value.isascii() and value.isdigit():
        limited: dict[str, int] = {GUARD_NUMBERS[name]: int(value)}
        return replace(settings, ip_guard=replace(settings.ip_guard, **limited))  # type: ignore[arg-type]
    if name == CLAIMING and value in FLAGS:
        return replace(settings, claiming_by_default=FLAGS[value])
    if name == GUARD and value in FLAGS:
        return replace(settings, ip_guard=replace(settings.ip_guard, is_on=FLAGS[value]))
    if name in (*NUMBERS, *PROFILE_NUMBERS, *GUARD_NUMBERS, CLAIMING, GUARD):
        raise ValueError(
            f"{name}: expected {'true or false' if name in (CLAIMING, GUARD) else 'a number'}, got {value!r}"
        )
    known = [*NUMBERS, *PROFILE_NUMBERS, *PROFILE_LIMITS, *GUARD_NUMBERS, GUARD, CLAIMING]
    raise ValueError(f"there is no property {name!r}; there are {', '.join(known)}")


def _with_limit(settings: Settings, name: str, value: int | str) -> Settings:
    return replace(settings, tenant_configuration={**settings.tenant_configuration, name: value})


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--set {text!r}: expected KEY=VALUE, as in maxDevices=100")
    return name.strip(), value


def _account(args: PlatformArgs) -> Account:
    if args.admin_password is not None:
        return Account(password=secret_from(args.admin_password, "--admin-password"))
    _refuse_strangers([f"{one.host}:{one.port}" for one in args.addresses.values()])
    return Account()


def _refuse_strangers(places: Sequence[str]) -> None:
    """Everybody knows the demo tenant's password. Raises UsageError."""
    for place in places:
        if not place.startswith(LOOPBACK):
            raise UsageError(
                f"{place} can be reached from outside this machine: the tenant's account needs a password that not "
                "everybody knows. Put one in an environment variable and add --admin-password env:NAME"
            )


def _line_of(account: Account) -> str:
    """`account` with its password if that is one that everybody knows."""
    password = f" / {account.password}" if account.password in WELL_KNOWN else "   (password as given)"
    return f"{account.email}{password}   {f'tenant {account.tenant}' if account.tenant else 'administers all tenants'}"
