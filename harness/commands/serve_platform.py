"""What `fleetrig serve` hands to a platform, and what the platform returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleetrig.harness.platforms import load
from fleetrig.harness.servers.description import ServerDescription, description_of
from fleetrig.harness.servers.served_account import ServedAccount
from fleetrig.reference_server.address import Address
from fleetrig.reference_server.platform import PlatformBuilder


@dataclass(frozen=True, slots=True)
class PlatformArgs:
    """The options of `serve` that are meant for one platform."""

    addresses: Mapping[str, Address]
    """Listener -> where it is to listen."""
    profile: str
    """One of the platform's generations."""
    properties: Sequence[str] = ()
    """Start-up properties, `KEY=VALUE` each, not yet read."""
    accounts: Path | None = None
    admin_password: str | None = None
    """A reference to it: `env:NAME` or a file."""
    is_kept: bool = False
    """The store may hold what an earlier server has left."""
    client_ca: Sequence[Path] = ()
    """The authorities whose client certificates are accepted, and lists of what they have revoked (PEM); TLS listeners
    ask for certificates then."""


@dataclass(frozen=True, slots=True)
class PlatformConfig:
    """A platform that can be served."""

    title: str
    """The platform's name as people write it, and its generation."""
    profile: str
    build: PlatformBuilder
    accounts: tuple[str, ...]
    """A line of the banner for each."""
    secrets: tuple[tuple[str, str], ...]
    """(kind, value) of secrets that must not appear in a trace."""
    asks_for_certificates: bool = False
    """Devices over TLS may show a certificate, which the platform judges itself."""
    administrator: ServedAccount | None = None
    """None where nobody needs an account."""
    can: frozenset[str] = frozenset()
    """Words of `needs` that hold for this server by its start-up properties, beside those of its generation."""
    url_path: str = ""
    """What its URLs begin with after their host."""


@dataclass(frozen=True, slots=True)
class ServablePlatform:
    """A platform as `serve` needs it."""

    description: ServerDescription
    configure: Callable[[PlatformArgs], PlatformConfig]
    """Raises UsageError for what cannot be served, before a port or a file is touched."""


def servable(platform: str) -> ServablePlatform:
    """The platform of that name in the table; its engine is imported once it is configured."""

    def configure(args: PlatformArgs) -> PlatformConfig:
        config: PlatformConfig = load(platform, "serve:configure")(args)
        return config

    return ServablePlatform(description_of(platform), configure)
