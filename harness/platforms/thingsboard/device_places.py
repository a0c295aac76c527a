"""Where simulated devices find a ThingsBoard: by a SERVER.yaml, by the address of its REST API, or by their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.harness.platforms.thingsboard.server import SERVER
from fleetrig.harness.servers.address import host_of, host_port
from fleetrig.harness.servers.description import expected
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.server_file import remote_server_from
from fleetrig.simulator.contract.errors import UsageError

PLATFORM: Final = "thingsboard"
DEVICES_ONLY: Final = ("mqtt", "mqtts", "coap", "coaps")
"""Schemes of an address where only devices have something to say."""
OVER_HTTP: Final = ("http", "https")
PREFERRED: Final = ("mqtt", "mqtts", "http", "https", "coap", "coaps")
"""Which listener of a SERVER.yaml devices use when no option says."""


@dataclass(frozen=True, slots=True)
class DevicePlace:
    """Where devices go, and who could administer the server."""

    url: str
    """Scheme, host and port, without a slash at the end."""
    server: RemoteServer | None
    """None for an address of devices alone: it says nothing of accounts."""

    @property
    def scheme(self) -> str:
        return self.url.partition("://")[0]

    @property
    def ca(self) -> Path | None:
        """Whom a SERVER.yaml trusts."""
        return None if self.server is None else self.server.ca


def device_place(against: str, transport: str | None) -> DevicePlace:
    """`transport`: the scheme that devices use, None for that of the address. Raises UsageError, FileMistakes."""
    if transport is not None and transport not in SERVER.listeners:
        raise UsageError(f"--transport {transport!r}: {expected(transport, SERVER.listeners)}")
    scheme, mark, address = against.partition("://")
    if mark and scheme in DEVICES_ONLY:
        return DevicePlace(f"{scheme}://{_with_port(address.rstrip('/'), _agreed(scheme, transport))}", None)
    server = remote_server_from(against, PLATFORM, may_change_settings=False)
    return DevicePlace(url_for_devices(server, transport), server)


def url_for_devices(server: RemoteServer, transport: str | None) -> str:
    """Raises UsageError for a transport of which no address is known."""
    return _url(server, transport or _usual(server))


def _agreed(scheme: str, transport: str | None) -> str:
    if transport not in (None, scheme):
        raise UsageError(f"--transport {transport} contradicts the address, which is one of {scheme}: leave it away")
    return scheme


def _with_port(address: str, scheme: str) -> str:
    """ThingsBoard's own port where none is given."""
    has_port = address.rpartition("]")[2].count(":") == 1
    return host_port(address if has_port else f"{address}:{_usual_port(scheme)}")


def _usual(server: RemoteServer) -> str:
    """A bare address says how devices talk; of a file that names listeners, one of them is taken."""
    named = next((scheme for scheme in PREFERRED if scheme in server.listeners), None)
    return named if server.is_file and named else server.url.partition("://")[0]


def _url(server: RemoteServer, scheme: str) -> str:
    listener = server.listeners.get(scheme)
    if listener is not None:
        return listener if "://" in listener else f"{scheme}://{listener}"
    if scheme in OVER_HTTP and server.url.startswith(f"{scheme}://"):
        return server.url
    if server.is_file or scheme in OVER_HTTP:
        raise UsageError(f"{server.url} has no {scheme} listener that is known: name it in a SERVER.yaml "
                         f"({scheme}: {'https://HOST:PORT' if scheme == 'https' else 'HOST:PORT'})")  # fmt: skip
    host = host_of(server.url)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{_usual_port(scheme)}"


def _usual_port(scheme: str) -> str:
    return SERVER.defaults[scheme].rpartition(":")[2]
