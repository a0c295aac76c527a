"""A TCP connection, with or without TLS, that never blocks the event loop: neither connecting, nor in its handshake.

The standard library's `SSLSocket` and not asyncio's TLS: it sends its alert when it refuses a server, needs no buffer
of 256 KiB, and tells a reset from an end. A server that ends a connection without close_notify (RFC 8446 §6.1) before
it has said anything has refused the handshake: in TLS 1.3 a client is through with it before the server is.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from fleetrig.simulator.transports.loopback_names import reachable_host

BLOCK_BYTES: Final = 16 * 1024
"""A record of TLS holds no more, so nothing stays behind in OpenSSL, where no selector sees it."""

AddressInfo = tuple[int, int, int, str, Any]
"""As `socket.getaddrinfo` gives it."""


async def open_stream(
    host: str, port: int, tls: ssl.SSLContext | None = None, *, source_address: str = ""
) -> StreamSocket:
    """Connects, and shakes hands when `tls` is given: SNI and the check of the server's name are about `host`.

    `source_address` is where to connect from: one address has some 28,000 ports for each server.
    Raises OSError; ssl.SSLError, which is one, when TLS fails.
    """
    sock = await _connected(host, port, source_address)
    return StreamSocket(sock if tls is None else await _shaken(sock, tls, host))


class StreamSocket:
    """An open connection. It reads one block ahead, and no more while nobody asks: the peer has to wait then."""

    __slots__ = ("_arrived", "_fd", "_has_heard", "_is_watched", "_loop", "_reading", "_sock", "_trouble", "_unsent",
                 "_writing")  # fmt: skip

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._fd = sock.fileno()
        self._loop = asyncio.get_running_loop()
        self._arrived: bytes | None = None
        self._trouble: OSError | None = None
        self._has_heard = False
        self._is_watched = False
        self._reading: asyncio.Future[None] | None = None
        self._writing: asyncio.Future[None] | None = None
        self._unsent = bytearray()

    async def recv(self) -> bytes:
        """What comes next, at most `BLOCK_BYTES`; empty at the end. Raises OSError."""
        while self._arrived is None:
            if self._trouble is not None:
                raise self._trouble
            await self._until_readable()
        arrived = self._arrived
        if arrived:  # an end stays, since after a close_notify nothing more may ever come
            self._arrived = None
        return arrived

    async def send(self, data: bytes) -> None:
        """Returns when everything is out, also what an abandoned call has left. Raises OSError."""
        await self._flush()
        self._unsent += data
        await self._flush()

    def close(self) -> None:
        """Closes it, in any state and at once: what is not out by now never will be."""
        if self._fd < 0:
            return
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._fd = -1
        self._arrived, self._trouble = None, ConnectionAbortedError(errno.ECONNABORTED, "closed here")
        for waiting in (self._reading, self._writing):
            if waiting is not None and not waiting.done():
                waiting.set_exception(self._trouble)
        _close(self._sock)

    async def _until_readable(self) -> None:
        if not self._is_watched:
            self._loop.add_reader(self._fd, self._read)
            self._is_watched = True
        self._reading = self._loop.create_future()
        try:
            await self._reading
        finally:
            self._reading = None

    def _read(self) -> None:
        """Reads in the selector's callback: it would call again before a task that it wakes could read."""
        if self._arrived is not None or self._trouble is not None:
            self._loop.remove_reader(self._fd)
            self._is_watched = False
            return
        try:
            self._arrived = self._sock.recv(BLOCK_BYTES)
            self._has_heard = True
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError as error:
            self._trouble = _named(error)
            if self._has_heard and isinstance(self._trouble, ssl.SSLEOFError):
                self._arrived = b""
        if self._reading is not None and not self._reading.done():
            self._reading.set_result(None)

    async def _flush(self) -> None:
        while self._unsent:
            if self._fd < 0:
                raise ConnectionAbortedError(errno.ECONNABORTED, "closed here")
            try:
                del self._unsent[: self._sock.send(self._unsent)]
            except (BlockingIOError, ssl.SSLWantWriteError):
                await self._until_writable()
            except OSError as error:
                raise self._why_unsent(error) from None

    def _why_unsent(self, error: OSError) -> OSError:
        """An alert that has come, since it says more than that nobody hears us any more."""
        if self._arrived is None and self._trouble is None:
            self._read()
        return self._trouble or _named(error)

    async def _until_writable(self) -> None:
        writing = self._writing = self._loop.create_future()
        self._loop.add_writer(self._fd, _done, writing)
        try:
            await writing
        finally:
            self._writing = None
            if self._fd >= 0:
                self._loop.remove_writer(self._fd)


async def _connected(host: str, port: int, source_address: str) -> socket.socket:
    """Tries the addresses of the host one after the other. Raises the error of the last."""
    failure = OSError(errno.EHOSTUNREACH, f"{host} has no address")
    for family, kind, protocol, _, address in await _addresses(host, port):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if source_address:
                sock.bind((source_address, 0))
            await asyncio.get_running_loop().sock_connect(sock, address)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


async def _addresses(host: str, port: int) -> list[AddressInfo]:
    """Names are looked up in a thread; for an address that would cost more than all the rest."""
    host = reachable_host(host)
    with suppress(socket.gaierror):
        return [*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)]
    return [*await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)]


async def _shaken(sock: socket.socket, tls: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """The connection once its handshake is done. Closes it when that fails."""
    loop = asyncio.get_running_loop()
    try:
        wrapped = tls.wrap_socket(sock, do_handshake_on_connect=False, suppress_ragged_eofs=False, server_hostname=host)
    except BaseException:
        sock.close()
        raise
    try:
        while True:
            try:
                wrapped.do_handshake()
            except ssl.SSLWantReadError:
                await _until(wrapped, loop.add_reader, loop.remove_reader)
            except ssl.SSLWantWriteError:
                await _until(wrapped, loop.add_writer, loop.remove_writer)
            else:
                return wrapped
    except OSError as error:
        wrapped.close()
        raise _named(error) from None
    except BaseException:
        wrapped.close()
        raise


async def _until(sock: socket.socket, watch: Callable[..., None], unwatch: Callable[[int], object]) -> None:
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    watch(sock.fileno(), _done, ready)
    try:
        await ready
    finally:
        unwatch(sock.fileno())


def _named(error: OSError) -> OSError:
    """A reset by its name: OpenSSL knows it as an end that it cannot explain, and without a connection none begins."""
    if error.errno == errno.ENOTCONN or (isinstance(error, ssl.SSLEOFError) and not error.reason):
        return ConnectionResetError(errno.ECONNRESET, "reset by the server")
    return error


def _done(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _close(sock: socket.socket) -> None:
    if isinstance(sock, ssl.SSLSocket):
        with suppress(OSError, ValueError):
            sock.unwrap()  # sends close_notify, and does not wait for that of the peer
    sock.close()
