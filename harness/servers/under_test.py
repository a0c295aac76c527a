"""The server under test: its address, an operator's account on it, and its capabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fleetrig.harness.platform import Admin, Platform
from fleetrig.harness.servers.control import ControlInterface
from fleetrig.harness.servers.remote import ClientCa, RemoteServer
from fleetrig.reference_server.northbound import NorthboundCommand, NorthboundMessage
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.drivers.director import AdminCall

if TYPE_CHECKING:  # most runs need no certificates, and the library takes long to import
    from fleetrig.reference_server.client_certificates import ClientAuthorities

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
    client_ca: ClientCa | None = None
    """The authority whose certificates a remote server accepts."""
    trusted: ClientAuthorities | None = None
    """The authorities that the TLS terminator of our own server trusts: a run adds its own."""
    ca: Path | None = None
    """The authority of our own server's certificate."""
    northbound: Callable[[str], AdminCall[Sequence[NorthboundMessage]]] | None = None
    """What the server has handed on to applications of a tenant; None where nobody tells that."""
    send_command: Callable[[NorthboundCommand], AdminCall[str]] | None = None
    """Asks something of a device in an application's name; returns why nobody took it, empty when it was taken."""

    is_reference: bool = False
    """A reference server that runs by itself, and has said what it can do."""

    @property
    def tells_steps(self) -> bool:
        """Its own trace is part of the run's."""
        return self.is_own or self.control is not None

    def lacks(self, needs: tuple[str, ...]) -> list[str]:
        """Returns the required capabilities that this server lacks."""
        return [word for word in needs if word not in self.can]


def server_under_test(server: RemoteServer, platform: Platform) -> ServerUnderTest:
    """A remote server as the server under test of a scenario of this platform."""
    of_all = frozenset[str]() if server.profile else platform.vocabulary.can  # a server that has told has told it all
    admin, can, url, name = platform.admin(server), of_all | server.can, server.url, server.name
    line = line_of(server, platform)
    if line is not None:
        can |= platform.vocabulary.line_can
    if server.client_ca is not None and url_over_tls(server.listeners, url) is not None:
        can |= platform.vocabulary.certificate_can
    met = ServerUnderTest(
        url, admin, can, name, "", is_own=False, listeners=server.listeners, line=line, client_ca=server.client_ca
    )
    if server.control is None:
        return met
    control = server.control
    return replace(
        met, can=can | CONTROL_CAN, profile=server.profile, is_reference=bool(server.profile),
        add_fault=control.add_fault, control=control, northbound=control.northbound, send_command=control.send_command,
    )  # fmt: skip


def url_over_tls(listeners: Mapping[str, str], url: str) -> str | None:
    """Where devices reach a server over HTTPS; None where they cannot."""
    return listeners.get("https") or (url if url.startswith("https://") else None)


def line_of(server: RemoteServer, platform: Platform) -> Admin | None:
    """The manufacturing line's account on a server; None where it has none."""
    return None if server.line_account is None else platform.admin(replace(server, account=server.line_account))
