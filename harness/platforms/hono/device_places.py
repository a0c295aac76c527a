"""Where simulated devices find a Hono: by a SERVER.yaml, or by the address of one of its protocol adapters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.harness.platforms.hono.server import SERVER
from fleetrig.harness.servers.address import host_port
from fleetrig.harness.servers.description import expected
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.harness.servers.server_file import described_server
from fleetrig.simulator.contract.errors import UsageError

PLATFORM: Final = "hono"
ADAPTERS: Final = ("http", "https", "mqtt", "mqtts", "coap", "coaps")
USABLE: Final[Mapping[str, tuple[str, ...]]] = {
    "certificate": ("https", "mqtts", "coaps"),
    "password": ("https", "mqtts", "http", "mqtt"),
    "psk": ("coaps",),
}
"""Credentials -> over what devices can use them (docs/contracts/hono.md 4), what is taken first first."""


@dataclass(frozen=True, slots=True)
class DevicePlace:
    """Where devices go, and who could administer the registry."""

    url: str
    """Scheme, host and port, without a slash at the end."""
    server: RemoteServer | None
    """Whose registry is known; None for the address of an adapter alone."""

    @property
    def scheme(self) -> str:
        return self.url.partition("://")[0]

    @property
    def ca(self) -> Path | None:
        """Whom a SERVER.yaml trusts."""
        return None if self.server is None else self.server.ca


def device_place(against: str, transport: str | None, kind: str) -> DevicePlace:
    """`transport`: the scheme that devices use, None for that of the address, or for the first of a file (or a control
    interface) that can be used with credentials of this `kind`. Raises UsageError, FileMistakes.
    """
    if transport is not None and transport not in ADAPTERS:
        raise UsageError(f"--transport {transport!r}: {expected(transport, ADAPTERS)}")
    scheme, mark, address = against.partition("://")
    described = described_server(against) if scheme == "http" or not mark else None
    if described is not None and described.names_listeners:
        server = described.server(PLATFORM, may_change_settings=False)
        return DevicePlace(_of_file(server, transport, kind), server)
    if scheme not in ADAPTERS:
        raise UsageError(f"--against {against}: {expected(scheme, ADAPTERS)}")
    if transport not in (None, scheme):
        raise UsageError(f"--transport {transport} contradicts the address, which is one of {scheme}: leave it away")
    return DevicePlace(f"{scheme}://{_with_port(address.rstrip('/'), scheme)}", None)


def _of_file(server: RemoteServer, transport: str | None, kind: str) -> str:
    usable = (transport,) if transport is not None else USABLE[kind]
    scheme = next((one for one in usable if one in server.listeners), None)
    if scheme is None:
        missing = " or ".join(usable)
        raise UsageError(
            f"the SERVER.yaml of {server.url} names no {missing} adapter: add a line such as {usable[0]}: "
            f"{'https://' if usable[0] == 'https' else ''}HOST:PORT"
        )
    listener = server.listeners[scheme]
    return listener if "://" in listener else f"{scheme}://{listener}"


def _with_port(address: str, scheme: str) -> str:
    """Hono's own port where none is given."""
    has_port = address.rpartition("]")[2].count(":") == 1
    return host_port(address if has_port else f"{address}:{USUAL_PORTS[scheme]}")


USUAL_PORTS: Final = {"http": 8080, "https": 8443, "mqtt": 1883, "mqtts": 8883, "coap": 5683, "coaps": 5684}
"""Of the adapters (spec 0)."""

assert set(ADAPTERS) <= set(SERVER.listeners)
