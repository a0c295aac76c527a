"""Where gateways find a server: by a SERVER.yaml, by the address of its REST API, or by that of its broker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.harness.platforms.kura.server import SERVER
from fleetrig.harness.servers.address import host_of, host_port
from fleetrig.harness.servers.description import expected
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.simulator.contract.errors import UsageError

PLATFORM: Final = "kura"
BROKERS: Final = ("mqtt", "mqtts")
"""Listeners of devices: the first is the usual one."""


@dataclass(frozen=True, slots=True)
class DevicePlace:
    """Where gateways connect, and who could administer the server."""

    url: str
    """Scheme, host and port, without a slash at the end."""
    server: RemoteServer | None
    """None for the address of a broker alone: it says nothing of accounts."""

    @property
    def ca(self) -> Path | None:
        """Whom a SERVER.yaml trusts."""
        return None if self.server is None else self.server.ca


def device_place(against: str, transport: str | None) -> DevicePlace:
    """`transport`: mqtt or mqtts, None for that of the address. Raises UsageError, FileMistakes."""
    if transport is not None and transport not in BROKERS:
        raise UsageError(f"--transport {transport!r}: {expected(transport, BROKERS)}")
    scheme, mark, address = against.partition("://")
    if mark and scheme in BROKERS:
        return DevicePlace(f"{scheme}://{_with_port(address.rstrip('/'), _agreed(scheme, transport))}", None)
    server = remote_server_from(against, PLATFORM, may_change_settings=False)
    return DevicePlace(broker_url(server, transport), server)


def broker_url(server: RemoteServer, transport: str | None) -> str:
    """Of a listener that is named, or on the usual port of the same host. Raises UsageError."""
    scheme = transport or next((one for one in BROKERS if one in server.listeners), BROKERS[0])
    listener = server.listeners.get(scheme)
    if listener is not None:
        return listener if "://" in listener else f"{scheme}://{listener}"
    if server.is_file:
        raise UsageError(f"the SERVER.yaml of {server.url} names no {scheme} listener: add a line such as "
                         f"{scheme}: HOST:PORT")  # fmt: skip
    host = host_of(server.url)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{_usual_port(scheme)}"


def _agreed(scheme: str, transport: str | None) -> str:
    if transport not in (None, scheme):
        raise UsageError(f"--transport {transport} contradicts the address, which is one of {scheme}: leave it away")
    return scheme


def _with_port(address: str, scheme: str) -> str:
    """The usual port where none is given."""
    has_port = address.rpartition("]")[2].count(":") == 1
    return host_port(address if has_port else f"{address}:{_usual_port(scheme)}")


def _usual_port(scheme: str) -> str:
    return SERVER.defaults[scheme].rpartition(":")[2]
