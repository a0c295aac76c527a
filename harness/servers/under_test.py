"""The server under test: its address, an operator's account on it, and its capabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from fleetrig.harness.platform import Admin, Platform
from fleetrig.harness.scenario_file.vocabulary import NEUTRAL_NEEDS, Vocabulary
from fleetrig.harness.servers.control import ControlInterface
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.drivers.director import AdminCall

CONTROL_CAN: Final = frozenset({"reference.faults", "reference.reasons"})
"""Capabilities of a remote reference server whose control interface is known."""


@dataclass(frozen=True, slots=True)
class ServerUnderTest:
    """`add_fault` returns the fault's id; it is None where faults cannot be switched from outside."""

    url: str
    admin: Admin
    can: frozenset[str]
    name: str
    profile: str
    is_own: bool
    add_fault: Callable[[Fault], AdminCall[int]] | None = None
    control: ControlInterface | None = None
    """Only for a reference server that is reached over sockets."""
    listeners: Mapping[str, str] = field(default_factory=dict)
    """Those that are known: listener -> URL or `HOST:PORT`."""

    def lacks(self, needs: tuple[str, ...]) -> list[str]:
        """Returns the required capabilities that this server lacks."""
        return [word for word in needs if word not in self.can]


def server_under_test(server: RemoteServer, platform: Platform) -> ServerUnderTest:
    """A remote server as the server under test of a scenario of this platform."""
    admin, can, url, name = platform.admin(server), platform.vocabulary.can | server.can, server.url, server.name
    if server.control is None:
        return ServerUnderTest(url, admin, can, name, "", is_own=False, listeners=server.listeners)
    control = server.control
    return ServerUnderTest(url, admin, can | CONTROL_CAN, name, "", False, control.add_fault, control, server.listeners)


def reference_can(vocabulary: Vocabulary) -> frozenset[str]:
    """Capabilities of our own server for a platform."""
    return NEUTRAL_NEEDS | vocabulary.can | vocabulary.reference_can | set(vocabulary.transports)
