"""A server that runs elsewhere, by its address."""

from __future__ import annotations

from dataclasses import dataclass

from fleetrig.harness.servers.control import ControlInterface
from fleetrig.simulator.contract.identity import UserPassword


@dataclass(frozen=True, slots=True)
class RemoteServer:
    """A server by its address, before it is known whose scenarios it meets: `--against`."""

    url: str
    account: UserPassword
    tenant: str = ""
    """Empty for the platform's usual one."""
    may_change_settings: bool = True
    """Whether settings of the tenant may be changed."""
    can: frozenset[str] = frozenset()
    """What only its operator knows that it can do."""
    control: ControlInterface | None = None

    @property
    def name(self) -> str:
        return f"the server at {self.url}"
