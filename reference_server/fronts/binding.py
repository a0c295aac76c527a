"""The sockets that hold the port of a listener."""

from __future__ import annotations

import errno
import socket

from fleetrig.reference_server.address import Address
from fleetrig.simulator.contract.errors import BrokenBench, UsageError, system_said


def bind(address: Address, kind: socket.SocketKind = socket.SOCK_STREAM) -> list[socket.socket]:
    """Sockets that hold the port, one for each address the host stands for; those of TCP do not listen yet.

    Raises BrokenBench when the port is not available, UsageError when the host does not belong to this machine.
    """
    bound: list[socket.socket] = []
    try:
        for family, place in _places(address, kind):
            port = bound[0].getsockname()[1] if bound else address.port
            bound.append(_hold(family, kind, (place[0], port, *place[2:])))
    except OSError as error:
        for sock in bound:
            sock.close()
        raise bind_error(address, error) from error
    return bound


def _places(address: Address, kind: socket.SocketKind) -> list[tuple[int, tuple[str, int] | tuple[str, int, int, int]]]:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=kind, flags=socket.AI_PASSIVE)
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


def _hold(family: int, kind: socket.SocketKind, place: tuple[str | int, ...]) -> socket.socket:
    # asyncio switches off Nagle's algorithm (or a reply behind a push waits 40 ms) where it reads TCP here
    sock = socket.socket(family, kind, socket.IPPROTO_TCP if kind is socket.SOCK_STREAM else 0)
    try:
        if kind is socket.SOCK_STREAM:  # with UDP it would let two programs have the same port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind(place)
    except OSError:
        sock.close()
        raise
    return sock


def bind_error(address: Address, error: OSError) -> BrokenBench | UsageError:
    """Says why a server cannot listen on the address, and what to do."""
    match error.errno:
        case errno.EADDRINUSE:
            hint = "stop what listens there, or choose another port (0 takes any free one)"
            return BrokenBench(f"cannot listen on {address}: the port is in use; {hint}")
        case errno.EACCES:
            return BrokenBench(f"cannot listen on {address}: ports below 1024 need rights; choose a higher one")
        case errno.EADDRNOTAVAIL:
            return UsageError(f"cannot listen on {address}: {address.host} is no address of this machine")
        case _:
            return BrokenBench(f"cannot listen on {address}: {system_said(error)}")
