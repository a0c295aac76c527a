"""What a reference server is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.fronts.front import Limits
from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.platform import PlatformBuilder
from fleetrig.simulator.contract.json_types import Json

ANY_LOOPBACK_PORT: Final = Address("127.0.0.1", 0)


@dataclass(frozen=True, slots=True)
class PlatformOptions:
    """One platform and where it listens: listener name (`http`, `https`, `mqtt` …) -> address."""

    name: str
    build: PlatformBuilder
    listeners: Mapping[str, Address] = field(default_factory=lambda: {"http": ANY_LOOPBACK_PORT})
    client_auth: ClientAuth = ClientAuth.NONE
    """What its TLS listeners want of certificates of clients."""
    trusted_clients: bytes = b""
    """PEM: the authorities of clients, where TLS itself verifies them (OPTIONAL, REQUIRED)."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What a server is made of. Without `certificate` and `key`, TLS listeners get a throw-away authority."""

    platforms: tuple[PlatformOptions, ...]
    certificate: Path | None = None
    key: Path | None = None
    control: Address | None = None
    """Where the control interface listens (docs/control.md); beyond loopback it answers under any name."""
    store: str = "memory:"
    remove_leftovers: bool = False
    """Deletes the artifact files that the store does not name."""
    limits: Limits = field(default_factory=Limits)
    about: Mapping[str, Json] = field(default_factory=dict)
    """What the control interface says of this server in addition to what the server knows itself."""
