"""A server that runs elsewhere, by its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleetrig.harness.servers.control import ControlInterface
from fleetrig.simulator.contract.identity import UserPassword


@dataclass(frozen=True, slots=True)
class RemoteServer:
    """A server by its address, as `--against` describes it."""

    url: str
    """Of its administration interface, without a slash at the end."""
    account: UserPassword
    tenant: str = ""
    """Empty for the platform's usual one."""
    may_change_settings: bool = True
    """Whether settings that count for everybody on the server may be changed."""
    can: frozenset[str] = frozenset()
    """What only its operator knows that it can do, and the names of its listeners."""
    control: ControlInterface | None = None
    platform: str = ""
    """What it is; empty where everybody knows."""
    listeners: Mapping[str, str] = field(default_factory=dict)
    """Those that are known: listener -> URL (of HTTP) or `HOST:PORT`."""
    ca: Path | None = None
    """The authority to trust, unless `--ca` names another."""
    is_file: bool = False
    """Described by a SERVER.yaml; a bare address says nothing of accounts."""

    @property
    def name(self) -> str:
        """How reports call it."""
        return f"the server at {self.url}"
