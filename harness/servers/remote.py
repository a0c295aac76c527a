"""A server that runs elsewhere, by its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fleetrig.harness.servers.control import ControlInterface
from fleetrig.simulator.contract.identity import UserPassword


@dataclass(frozen=True, slots=True)
class RemoteServer:
    """A server by its address, as `--against` describes it."""

    platform: str
    url: str
    """Of its administration interface, without a slash at the end."""
    listeners: Mapping[str, str]
    """Those that are known: listener -> URL (of HTTP) or `HOST:PORT`."""
    account: UserPassword
    tenant: str
    can: frozenset[str]
    """Capability words, among them the names of the listeners."""
    may_change_settings: bool
    """Settings that count for everybody on the server."""
    ca: Path | None = None
    control: ControlInterface | None = None
    is_file: bool = False
    """Described by a SERVER.yaml; a bare address says nothing of accounts."""

    @property
    def name(self) -> str:
        """How reports call it."""
        return f"the server at {self.url}"
