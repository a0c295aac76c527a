"""Where a front listens: an address as people write it, and the sockets that hold it."""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass

from fleetrig.simulator.contract.errors import BrokenBench, UsageError

MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """A host (name or literal, IPv6 without brackets) and a TCP port; port 0 takes any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_wildcard(self) -> bool:
        """True for all addresses of the machine at once."""
        return self.host in {"0.0.0.0", "::", ""}

    @property
    def is_loopback(self) -> bool:
        """True when nobody outside this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(text: str) -> Address:
    """`127.0.0.1:8080`, `[::1]:0`, `localhost:8080`. Raises UsageError when host or port is missing or impossible."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise UsageError(f"{text!r} is no address: an IPv6 host stands in brackets, as in [::1]:8080")
    if not colon or not host or not (port.isascii() and port.isdecimal()) or int(port) > MAX_PORT:
        raise UsageError(f"{text!r} is no address: expected HOST:PORT with a port up to 65535, as in 127.0.0.1:8080")
    return Address(host, int(port))


def bind(address: Address) -> list[socket.socket]:
    """Sockets that hold the port but do not listen yet, one for each address the host stands for.

    Raises BrokenBench when the port cannot be had, UsageError when the host is not one of this machine's.
    """
    bound: list[socket.socket] = []
    try:
        for family, place in _places(address):
            port = bound[0].getsockname()[1] if bound else address.port
            bound.append(_hold(family, (place[0], port, *place[2:])))
    except OSError as error:
        for sock in bound:
            sock.close()
        raise why_not(address, error) from error
    return bound


def _places(address: Address) -> list[tuple[int, tuple[str, int] | tuple[str, int, int, int]]]:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise UsageError(f"cannot listen on {address}: nobody knows the host {address.host!r}") from error
    places = dict.fromkeys((int(family), place) for family, _, _, _, place in found)
    ipv4_first = sorted(places, key=lambda entry: entry[0] != socket.AF_INET)
    return [entry for entry in ipv4_first if entry == ipv4_first[0] or _works(entry[0])]  # type: ignore[misc]


def _works(family: int) -> bool:
    """IPv6 may be switched off although `localhost` has an IPv6 address."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    except OSError:
        return False
    return True


def _hold(family: int, place: tuple[str | int, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind(place)
    except OSError:
        sock.close()
        raise
    return sock


def why_not(address: Address, error: OSError) -> BrokenBench | UsageError:
    """Why an address cannot be listened on, and what to do."""
    match error.errno:
        case errno.EADDRINUSE:
            hint = "stop what listens there, or choose another port (0 takes any free one)"
            return BrokenBench(f"cannot listen on {address}: the port is in use; {hint}")
        case errno.EACCES:
            return BrokenBench(f"cannot listen on {address}: ports below 1024 need rights; choose a higher one")
        case errno.EADDRNOTAVAIL:
            return UsageError(f"cannot listen on {address}: {address.host} is no address of this machine")
        case _:
            return BrokenBench(f"cannot listen on {address}: {error.strerror or error}")
