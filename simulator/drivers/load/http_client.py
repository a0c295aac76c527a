"""A device's HTTP connection under gevent: one at a time, kept open, every request byte for byte as asked.

What stands on the wire, and which answers count, is as in `transports/http.py`.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import gevent
from gevent.lock import RLock

from fleetrig.simulator.contract.bodies import body_blocks
from fleetrig.simulator.contract.header_text import header_bytes
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse, body_length, find_header
from fleetrig.simulator.drivers.load.arriving_answer import ArrivingAnswer, Truncated
from fleetrig.simulator.drivers.load.stream import BLOCK_BYTES, Dialler, Stream, why_no_stream
from fleetrig.simulator.effects import Ask, Download, Downloaded, HttpReply, NoReply, Reply
from fleetrig.simulator.transports.storage import Storage

PORTS: Final = {"http": 80, "https": 443}
WITH_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})
"""They say how long their body is, also when there is none (RFC 9110 §8.6)."""
FAILURES: Final = (OSError, EOFError, ValueError, Truncated)
KEPT_S: Final = 1.0
"""No server that keeps connections at all ends them sooner."""
STORED: Final = (200, 206)
MOST_HEADERS: Final = 1_024
"""Of requests, kept as they are sent."""


class SentOnly(Exception):
    """The power is cut when the request is out: nobody waits for the answer."""


class LoadHttp:
    """The connection of one device, or of all behind one gateway (`shared`)."""

    __slots__ = ("_dialler", "_lock", "_origin", "_sock", "_storage", "_tls", "_used_s", "_users")

    def __init__(self, dialler: Dialler, tls: ssl.SSLContext, storage: Storage, *, shared: bool = False) -> None:
        self._dialler = dialler
        self._tls = tls
        self._storage = storage
        self._lock: AbstractContextManager[object] | None = RLock() if shared else None
        self._sock: Stream | None = None
        self._origin = ""
        self._used_s = 0.0
        self._users = 1

    def shared(self) -> LoadHttp:
        """The same connection for another device; it is closed when the last one closes it."""
        self._users += 1
        return self

    @property
    def is_open(self) -> bool:
        return self._users > 0

    def ask(self, effect: Ask, *, sent_only: bool = False) -> HttpReply | NoReply:
        """Sends and reads the whole answer. Raises SentOnly where that is all that was wanted."""
        request = effect.request
        assert isinstance(request, HttpRequest), f"{request.line} needs a connection"
        if self._lock is None:
            return self._ask(request, effect.within_s, sent_only=sent_only)
        with self._lock:
            return self._ask(request, effect.within_s, sent_only=sent_only)

    def download(self, effect: Download, serial: str, *, sent_only: bool = False) -> Downloaded | NoReply:
        """Streams a body into the device's storage; what had come before a cut is kept."""
        blocks: list[bytes] = []
        answer = ArrivingAnswer(effect.request.method, blocks.append)
        began_s = time.monotonic()
        with self._lock or nullcontext():
            try:
                with self._dialler.time_limits.within(effect.within_s):
                    sock = self._send(effect.request, sent_only=sent_only)
                    while not answer.has_head:
                        answer.arrived(sock.recv(BLOCK_BYTES))
            except FAILURES as error:
                self.drop()
                return NoReply(why_no_answer(error), time.monotonic() - began_s)
            except BaseException:
                self.drop()
                raise
            return self._store(effect, serial, answer, blocks, lambda: time.monotonic() - began_s)

    def close(self) -> None:
        """Its device goes off."""
        self._users -= 1
        if self._users == 0:
            self.drop()

    def drop(self) -> None:
        """Ends the connection; the next request opens another."""
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()

    def _ask(self, request: HttpRequest, within_s: float, *, sent_only: bool) -> HttpReply | NoReply:
        began_s = time.monotonic()
        greenlet, limits = gevent.getcurrent(), self._dialler.time_limits
        limits.begin(greenlet, began_s + within_s)
        try:
            response, keeps_alive = self._answer(self._send(request, sent_only=sent_only), request.method)
        except FAILURES as error:
            self.drop()
            return NoReply(why_no_answer(error), time.monotonic() - began_s)
        except BaseException:
            self.drop()
            raise
        finally:
            limits.end(greenlet)
        self._keep(keeps_alive=keeps_alive)
        return Reply(response, time.monotonic() - began_s)

    def _answer(self, sock: Stream, method: str) -> tuple[HttpResponse, bool]:
        """The whole answer, and whether the connection stays."""
        data = sock.recv(BLOCK_BYTES)
        plain = self._dialler.plain_answers.read(data) if method != "HEAD" else None
        if plain is not None:
            return plain, True
        answer = ArrivingAnswer(method)
        answer.arrived(data)
        while not answer.is_complete:
            answer.arrived(sock.recv(BLOCK_BYTES))
        return HttpResponse(answer.get_code(), answer.headers, answer.body), answer.should_keep_alive()

    def _keep(self, *, keeps_alive: bool) -> None:
        if keeps_alive:
            self._used_s = time.monotonic()
        else:
            self.drop()

    def _send(self, request: HttpRequest, *, sent_only: bool) -> Stream:
        sock = self._connected(request.origin)
        if isinstance(request.body, bytes):
            sock.sendall(head_of(request) + request.body)
        else:
            sock.sendall(head_of(request))
            for block in body_blocks(request.body):
                sock.sendall(block)
        if sent_only:
            raise SentOnly
        return sock

    def _connected(self, origin: str) -> Stream:
        if self._sock is not None and (self._origin != origin or self._may_be_stale(self._sock)):
            self.drop()
        if self._sock is None:
            place = urlsplit(origin)
            if place.hostname is None or place.scheme not in PORTS:
                raise ValueError(f"{origin} is no place for HTTP")
            tls = self._tls if place.scheme == "https" else None
            self._sock = self._dialler.open(place.hostname, place.port or PORTS[place.scheme], tls)
            self._origin = origin
        return self._sock

    def _may_be_stale(self, sock: Stream) -> bool:
        """A server that keeps connections at all keeps them for some seconds; to look costs as much as to send."""
        return time.monotonic() - self._used_s > KEPT_S and sock.is_stale()

    def _store(
        self, effect: Download, serial: str, answer: ArrivingAnswer, blocks: list[bytes], took_s: Callable[[], float]
    ) -> Downloaded:
        status = answer.get_code()
        if status not in STORED:
            self.drop()
            return Downloaded(status, answer.headers, 0, 0, {}, cut=False, after_s=took_s())
        file = self._storage.open(serial, effect.file, status, answer.headers)
        had_bytes, cut, most_bytes = file.stored_bytes, False, effect.at_most_bytes
        while True:
            for block in blocks:
                file.take(block)
            blocks.clear()
            if answer.is_complete or (most_bytes is not None and file.stored_bytes > most_bytes):
                break
            try:
                assert self._sock is not None
                with self._dialler.time_limits.within(effect.within_s):
                    answer.arrived(self._sock.recv(BLOCK_BYTES))
            except FAILURES:
                cut = True
                break
            except BaseException:
                self.drop()  # its device goes off: who shares the connection must not read the rest
                raise
        if answer.is_complete:
            self._keep(keeps_alive=answer.should_keep_alive())
        else:
            self.drop()
        if not cut:
            self._storage.finished(serial, effect.file)
        received_bytes = file.stored_bytes - had_bytes
        return Downloaded(status, answer.headers, received_bytes, file.stored_bytes, file.hashes(), cut, took_s())


def head_of(request: HttpRequest) -> bytes:
    """Request line and headers: Host first, then those of the envelope, then the length of the body."""
    line = f"{request.method} {request.target} HTTP/1.1\r\n".encode("ascii", "surrogateescape")
    length_bytes = body_length(request.body)
    tells_length = bool(length_bytes) or request.method in WITH_LENGTH
    return line + header_lines(request.origin, request.headers, length_bytes if tells_length else None)


@lru_cache(MOST_HEADERS)
def header_lines(origin: str, headers: Headers, length_bytes: int | None) -> bytes:
    """All below the request line; a fleet has few different ones."""
    lines = []
    if find_header(headers, "Host") is None:
        lines.append(f"Host: {origin.partition('://')[2]}".encode("ascii"))
    for name, value in headers:
        lines.append(name.encode("ascii") + b": " + header_bytes(value))
    if length_bytes is not None and find_header(headers, "Content-Length") is None:
        lines.append(b"Content-Length: %d" % length_bytes)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def why_no_answer(error: BaseException) -> str:
    """The word of `NoReply`."""
    return "truncated" if isinstance(error, Truncated) else why_no_stream(error)
