"""TCP connections under gevent, with or without TLS: whoever waits lets the other devices run.

Without TLS it is the system's own socket and one watcher, so that an exchange takes two system calls: gevent's socket
tries to read what cannot have come yet, and waits then.
"""

from __future__ import annotations

import errno
import itertools
import os
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

import gevent
import gevent.socket as sockets
from gevent.monkey import get_original

from fleetrig.simulator.drivers.load.plain_answers import PlainAnswers
from fleetrig.simulator.drivers.load.time_limits import TimeLimits
from fleetrig.simulator.transports.lost_connection import why_no_connection

BLOCK_BYTES: Final = 16 * 1024
CLOSED_WITHIN_S: Final = 0.5
READ: Final = 1
WRITE: Final = 2
BIND_WITHOUT_PORT: Final = getattr(sockets, "IP_BIND_ADDRESS_NO_PORT", 24)
"""The port is chosen with the connection, so that one source address has 28,000 of them for each server (ip(7))."""
SystemSocket: Any = get_original("socket", "socket")


class Stream(Protocol):
    """An open connection."""

    def recv(self, size: int) -> bytes:
        """What has come, nothing at the end; waits for it. Raises OSError."""

    def sendall(self, data: bytes) -> None:
        """Returns when everything is out. Raises OSError."""

    def is_stale(self) -> bool:
        """True for a kept connection that the server has ended, or on which it has said something unasked."""

    def close(self) -> None:
        """Closes it, in any state."""


class PlainStream:
    """Without TLS."""

    __slots__ = ("_readable", "_reader", "_sock")

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._reader: Any = None
        """The greenlet that waits for something to come."""
        self._readable = gevent.get_hub().loop.io(sock.fileno(), READ)
        """Stays started between two answers; it stops when something comes that nobody waits for."""

    def recv(self, size: int) -> bytes:
        """See `Stream`."""
        while True:
            if not self._readable.active:
                self._readable.start(self._has_come)
            self._reader = gevent.getcurrent()
            try:
                gevent.get_hub().switch()
            finally:
                self._reader = None
            try:
                data: bytes = self._sock.recv(size)
            except BlockingIOError:
                continue
            return data

    def sendall(self, data: bytes) -> None:
        """See `Stream`."""
        left = data
        while True:
            try:
                left = left[self._sock.send(left) :]
            except BlockingIOError:
                until_writable(self._sock)
            if not left:
                return

    def is_stale(self) -> bool:
        """See `Stream`. What the loop has not seen has not come; otherwise the socket is asked."""
        if self._readable.active and not self._readable.pending:
            return False
        try:
            self._sock.recv(1, sockets.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def close(self) -> None:
        """See `Stream`."""
        self._readable.close()
        self._sock.close()

    def _has_come(self) -> None:
        """Runs in gevent's hub."""
        if self._reader is None:
            self._readable.stop()
        else:
            self._reader.switch()


class TlsStream:
    """With TLS, by gevent's socket."""

    __slots__ = ("_sock",)

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def recv(self, size: int) -> bytes:
        """See `Stream`."""
        data: bytes = self._sock.recv(size)
        return data

    def sendall(self, data: bytes) -> None:
        """See `Stream`."""
        self._sock.sendall(data)

    def is_stale(self) -> bool:
        """Nobody can look without reading; a request then gets no answer, as real devices see it."""
        return False

    def close(self) -> None:
        """Says so first."""
        with suppress(OSError, ValueError), gevent.Timeout(CLOSED_WITHIN_S, exception=False):
            self._sock.unwrap()
        self._sock.close()


class Dialler:
    """Opens the connections of a process. Each name is looked up once; source addresses take turns."""

    def __init__(self, source_addresses: Sequence[str] = ()) -> None:
        self.time_limits = TimeLimits()
        self.plain_answers = PlainAnswers()
        self._sources = itertools.cycle(source_addresses) if source_addresses else None
        self._known: dict[tuple[str, int], tuple[int, Any]] = {}

    def open(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> Stream:
        """Raises OSError; ssl.SSLError, which is one, when TLS fails. The caller limits the time."""
        family, address = self._address(host, port)
        sock = SystemSocket(family, sockets.SOCK_STREAM) if tls is None else sockets.socket(family, sockets.SOCK_STREAM)
        try:
            sock.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
            if self._sources is not None and family == sockets.AF_INET:
                sock.setsockopt(sockets.IPPROTO_IP, BIND_WITHOUT_PORT, 1)
                sock.bind((next(self._sources), 0))
            if tls is None:
                connect(sock, address)
                return PlainStream(sock)
            sock.connect(address)
            return TlsStream(tls.wrap_socket(sock, server_hostname=host))
        except BaseException:
            sock.close()
            raise

    def _address(self, host: str, port: int) -> tuple[int, Any]:
        found = self._known.get((host, port))
        if found is None:
            family, _, _, _, address = sockets.getaddrinfo(host, port, type=sockets.SOCK_STREAM)[0]
            found = self._known[host, port] = (family, address)
        return found


def connect(sock: Any, address: Any) -> None:
    """Connects the system's socket. Raises OSError."""
    sock.setblocking(False)
    problem = sock.connect_ex(address)
    if problem == errno.EINPROGRESS:
        until_writable(sock)
        problem = sock.getsockopt(sockets.SOL_SOCKET, sockets.SO_ERROR)
    if problem:
        raise OSError(problem, os.strerror(problem))


def until_writable(sock: Any) -> None:
    hub = gevent.get_hub()
    writable = hub.loop.io(sock.fileno(), WRITE)
    try:
        hub.wait(writable)
    finally:
        writable.close()


def why_no_stream(error: BaseException) -> str:
    """The word of `NoReply` for what went wrong with a connection."""
    return "timeout" if isinstance(error, gevent.Timeout) else why_no_connection(error)
