"""TCP connections under gevent, with or without TLS: whoever waits lets the other devices run."""

from __future__ import annotations

import errno
import itertools
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import gevent
import gevent.socket as sockets

BLOCK_BYTES: Final = 16 * 1024
CLOSED_WITHIN_S: Final = 0.5
BIND_WITHOUT_PORT: Final = getattr(sockets, "IP_BIND_ADDRESS_NO_PORT", 24)
"""The port is chosen with the connection, so that one source address has 28,000 of them for each server (ip(7))."""

Stream = Any
"""gevent's socket, or what its TLS makes of one: gevent has no types for them."""


class Dialler:
    """Opens the connections of a process. Each name is looked up once; source addresses take turns."""

    def __init__(self, source_addresses: Sequence[str] = ()) -> None:
        self._sources = itertools.cycle(source_addresses) if source_addresses else None
        self._known: dict[tuple[str, int], tuple[int, Any]] = {}

    def open(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> Stream:
        """Raises OSError; ssl.SSLError, which is one, when TLS fails. The caller limits the time."""
        family, address = self._address(host, port)
        sock = sockets.socket(family, sockets.SOCK_STREAM)
        try:
            sock.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
            if self._sources is not None and family == sockets.AF_INET:
                sock.setsockopt(sockets.IPPROTO_IP, BIND_WITHOUT_PORT, 1)
                sock.bind((next(self._sources), 0))
            sock.connect(address)
            return sock if tls is None else tls.wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise

    def _address(self, host: str, port: int) -> tuple[int, Any]:
        found = self._known.get((host, port))
        if found is None:
            family, _, _, _, address = sockets.getaddrinfo(host, port, type=sockets.SOCK_STREAM)[0]
            found = self._known[host, port] = (family, address)
        return found


def is_stale(sock: Stream) -> bool:
    """True for a kept connection that the server has ended, or on which it has said something unasked."""
    if isinstance(sock, ssl.SSLSocket):
        return False  # there is no looking without reading; a request then gets no answer, as real devices see it
    sock.settimeout(0.0)
    try:
        sock.recv(1, sockets.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        sock.settimeout(None)
    return True


def hang_up(sock: Stream) -> None:
    """Closes it in any state; with TLS it says so first."""
    if isinstance(sock, ssl.SSLSocket):
        with suppress(OSError, ValueError), gevent.Timeout(CLOSED_WITHIN_S, exception=False):
            sock.unwrap()
    sock.close()


def why_no_stream(error: BaseException) -> str:
    """The word of `NoReply` for what went wrong with a connection."""
    match error:
        case gevent.Timeout() | TimeoutError():
            return "timeout"
        case EOFError():
            return "closed"
        case ssl.SSLError():
            return "tls"
        case ConnectionRefusedError():
            return "refused"
        case ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return "reset"
        case OSError(errno=errno.EBADF):
            return "closed"
        case OSError():
            return "unreachable"
        case _:
            return "malformed"
