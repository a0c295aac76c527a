"""The server under test: its address, an operator's account on it, and its capabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
    line: Admin | None = None
    """The manufacturing line's account, which may create devices and needs no other right."""

    def lacks(self, needs: tuple[str, ...]) -> list[str]:
        """Returns the required capabilities that this server lacks."""
        return [word for word in needs if word not in self.can]


def server_under_test(server: RemoteServer, platform: Platform) -> ServerUnderTest:
    """A remote server as the server under test of a scenario of this platform."""
    admin, can, url, name = platform.admin(server), platform.vocabulary.can | server.can, server.url, server.name
    line = line_of(server, platform)
    if line is not None:
        can |= platform.vocabulary.line_can
    if server.control is None:
        return ServerUnderTest(url, admin, can, name, "", is_own=False, listeners=server.listeners, line=line)
    control = server.control
    can |= CONTROL_CAN
    return ServerUnderTest(url, admin, can, name, "", False, control.add_fault, control, server.listeners, line)


def line_of(server: RemoteServer, platform: Platform) -> Admin | None:
    """The manufacturing line's account on a server; None where it has none."""
    return None if server.line_account is None else platform.admin(replace(server, account=server.line_account))


def reference_can(vocabulary: Vocabulary) -> frozenset[str]:
    """Capabilities of our own server for a platform."""
    words = vocabulary.can | vocabulary.reference_can | vocabulary.line_can
    return NEUTRAL_NEEDS | words | set(vocabulary.transports)
