"""A remote server, by its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleetrig.harness.servers.control import ControlInterface
from fleetrig.simulator.contract.identity import UserPassword


@dataclass(frozen=True, slots=True)
class ClientCa:
    """The authority whose client certificates a server accepts."""

    pem: bytes = field(repr=False)
    """Its certificate and its key."""
    told_as: str = ""
    """What the server gets to know of it from the proxy that ends TLS; empty for its issuer hash."""


@dataclass(frozen=True, slots=True)
class RemoteServer:
    """A server by its address, as `--against` describes it."""

    url: str
    """Of its administration interface, without a slash at the end."""
    account: UserPassword
    line_account: UserPassword | None = None
    """The manufacturing line's own account, which may create devices and needs no other right."""
    tenant: str = ""
    """Empty for the platform's usual one."""
    may_change_settings: bool = True
    """Whether tenant-wide settings of the server may be changed."""
    can: frozenset[str] = frozenset()
    """Capabilities that cannot be detected but are declared by its operator, and the names of its listeners."""
    control: ControlInterface | None = None
    platform: str = ""
    """The server's platform; empty if it is clear from the context."""
    listeners: Mapping[str, str] = field(default_factory=dict)
    """Those that are known: listener -> URL (of HTTP) or `HOST:PORT`."""
    ca: Path | None = None
    """The authority to trust, unless `--ca` names another."""
    client_ca: ClientCa | None = None
    """The authority that issues certificates for devices."""
    is_file: bool = False
    """Described by a SERVER.yaml or a control interface; a bare address says nothing of accounts."""
    profile: str = ""
    """The generation that a reference server says it plays; empty for all others. One that says so also says what it
    can do."""

    @property
    def name(self) -> str:
        """The name of the server in reports."""
        return f"the server at {self.url}"
