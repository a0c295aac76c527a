"""HTTP over sockets: byte-exact envelopes in, deliveries out. The only home of aiohttp.

aiohttp's plain `web.Server` reads the wire; there is no router, so a path arrives as it was sent. The answer is
written by `responder` and not by aiohttp's response classes: headers are exactly those of the platform, and every
`Ending` can be performed. Whatever a client sends, it gets an answer or a closed connection, never a traceback.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

from aiohttp import http_exceptions, web

from fleetrig.reference_server.fronts.front import FrontTools
from fleetrig.reference_server.fronts.http.lenient_parse import lenient_parse
from fleetrig.reference_server.fronts.http.request_intake import (
    MAX_HEADERS,
    MAX_LINE_BYTES,
    Gone,
    Rejected,
    Spool,
    absolute,
    fill,
    origin_of,
    too_large,
)
from fleetrig.reference_server.fronts.http.responder import SERVER_ERROR, HttpExchange, HttpResponder
from fleetrig.reference_server.fronts.http.socket_endings import reset
from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.reference_server.fronts.tls import peer_certificates, server_name
from fleetrig.reference_server.http_container import HttpContainerRules
from fleetrig.reference_server.platform import HttpPlatform
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.interface import StoreFailed
from fleetrig.simulator.contract.delivery import Delivery, Ending, HttpHandler
from fleetrig.simulator.contract.envelope import Close, Output
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.http import Body, Headers, HttpRequest
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Lane

LOG: Final = logging.getLogger("fleetrig.http")
KEPT_DATA_BYTES: Final = 16 * 1024
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
TLS_HELLO: Final = b"\x16\x03"
STOP_WITHIN_S: Final = 1.0


class _Sent(web.StreamResponse):
    """Tells aiohttp that the answer is on its way already: nothing is left to write."""

    def __init__(self, *, keeps: bool) -> None:
        super().__init__()
        self._keeps = keeps

    @property
    def keep_alive(self) -> bool:
        return self._keeps

    async def prepare(self, request: web.BaseRequest) -> None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


class _Late(_Sent):
    """An answer that is only made when aiohttp asks for it: its error handler cannot wait."""

    def __init__(self, make: Callable[[], Awaitable[bool]]) -> None:
        super().__init__(keeps=False)
        self._make = make

    async def prepare(self, request: web.BaseRequest) -> None:
        await self._make()


class _HttpConnection(web.RequestHandler):
    """aiohttp's protocol of one connection, and what we remember of it."""

    __slots__ = (
        "_front",
        "_listener",
        "answered",
        "body",
        "data",
        "half_closed",
        "is_broken",
        "last",
        "scheme",
        "session",
    )

    def __init__(self, server: _HttpServer, front: HttpFront, listener: str, **options: Any) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._front = front
        self._listener = listener
        self.session = Session()
        self.scheme = "http"
        self.data = b""  # the start of what came last, for a second look; empty when that was in mid-message
        self.last: Any = None  # the body of the latest request, read or not
        self.body: Any = None  # the body that is being read
        self.is_broken = False  # that body is malformed
        self.half_closed = False  # the client has closed its sending half, and still listens
        self.answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername") or ("",)
        here = transport.get_extra_info("sockname") or ("", 0)
        is_tls = transport.get_extra_info("sslcontext") is not None
        self.scheme = "https" if is_tls else "http"
        shown, name = (peer_certificates(transport), server_name(transport)) if is_tls else ((), "")
        self.session = Session(peer[0], here[1], self._front.next_session_id(), self._listener, is_tls, shown, name)
        self._front.connections[self.session.id] = self
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._front.connections.pop(self.session.id, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        is_start = self.last is None or self.last.is_eof()
        super().data_received(data)
        if self._messages and data:  # aiohttp calls this without data too, to have its parser go on
            self.last = self._messages[-1][1]
            self.data = data[:KEPT_DATA_BYTES] if is_start else b""
            if self.body is not None:
                self.break_off(self.body)

    def break_off(self, body: Any) -> None:
        """aiohttp queues a parser's error as the next message and lets the reader of a broken body wait for ever."""
        if self._messages and not body.is_eof():
            self.is_broken = True
            body.feed_eof()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Keeps the connection of a client that has closed only its sending half and still waits for an answer."""
        owed = self._request_count > self.answered
        if not owed or self.body is not None or self.scheme == "https":
            return None
        self.half_closed = True
        return True

    def exchange(self, request: web.BaseRequest, method: str) -> HttpExchange:
        """Counts the request as answered: call it when its answer is known."""
        self.answered += 1
        is_last = self.half_closed and self.answered >= self._request_count
        keeps = request.keep_alive and not is_last
        return HttpExchange(
            method, self.session.id, request.transport, request.writer.drain, request.version < (1, 1), keeps
        )

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Called by aiohttp for a request that it could not read, and for an exception of the front."""
        if isinstance(exc, ConnectionError):
            raise exc
        if isinstance(exc, http_exceptions.HttpProcessingError):
            return _Late(lambda: self._front.answer_unread(request, self, exc))
        self._front.on_bug(None, exc or RuntimeError(message))
        return _Late(lambda: self._front.responder.send(self.exchange(request, request.method), SERVER_ERROR))

    def log_exception(self, *args: Any, **kw: Any) -> None:
        LOG.debug(*args, **kw)


class _HttpServer(web.Server):
    def __init__(self, front: HttpFront, idle_s: float) -> None:
        super().__init__(front.answer, handler_cancellation=True)
        self._front = front
        self._options: dict[str, Any] = {
            "access_log": None,
            "auto_decompress": False,
            "keepalive_timeout": idle_s,
            "max_line_size": MAX_LINE_BYTES,
            "max_field_size": MAX_LINE_BYTES,
            "max_headers": MAX_HEADERS,
        }

    def connection(self, listener: str) -> _HttpConnection:
        """A new connection, accepted by the listener of that name."""
        return _HttpConnection(self, self._front, listener, **self._options)


class HttpFront:
    """All HTTP and HTTPS listeners of one platform. Belongs to the event loop it was opened in."""

    def __init__(self, handle: HttpHandler, rules: HttpContainerRules, tools: FrontTools) -> None:
        self._handle = handle
        self._upload_bytes = rules.upload_bytes
        self._clock = tools.clock
        self._trace = tools.trace
        self._limits = tools.limits
        self._server: _HttpServer | None = None
        self._listeners: list[Listener] = []
        self.connections: dict[int, _HttpConnection] = {}
        """By session id."""
        self._keep, self._close = _Sent(keeps=True), _Sent(keeps=False)
        self.next_session_id = tools.next_session_id
        self.on_bug = tools.on_bug
        self.responder = HttpResponder(tools, rules)

    # Listening

    async def listen(self, listener: Listener) -> None:
        """Opens a listener; from then on it accepts."""
        if self._server is None:
            self._server = _HttpServer(self, self._limits.idle_s)
        await listener.open(partial(self._server.connection, listener.name))
        self._listeners.append(listener)

    async def close(self) -> None:
        """Stops accepting, lets answers that are being sent end within a second, closes all connections."""
        for listener in self._listeners:
            listener.close()
        self.responder.release()
        if self._server is not None:
            self._server.pre_shutdown()
            await self._server.shutdown(STOP_WITHIN_S)

    def refuse(self) -> None:
        """Refuses connections from now on, and resets those that are open."""
        self._note_outage(Ending.REFUSED, "stopped listening")
        for listener in self._listeners:
            listener.refuse()
        for connection in list(self.connections.values()):
            if connection.transport is not None:
                reset(connection.transport)

    async def accept_again(self) -> None:
        for listener in self._listeners:
            await listener.accept_again()
        self._note_outage("", "listening again")

    def perform(self, outputs: Sequence[Output]) -> None:
        """Performs each `Close` at once. Raises ModelError for a `Send`: over HTTP a server only answers."""
        for output in outputs:
            connection = self.connections.get(output.session)
            if connection is None or connection.transport is None:
                continue
            if not isinstance(output, Close):
                raise ModelError(f"over HTTP nothing can be sent unasked, but the platform gave {output!r}")
            if output.ending is Ending.CLOSED:
                connection.force_close()
            elif output.ending is not Ending.SILENCE:
                reset(connection.transport)

    def _note_outage(self, fault: str, reason: str) -> None:
        self._trace.emit(self._clock.now_us(), Lane.NETWORK, "fault", fault=fault, reason=reason)

    # One request

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Reads one request to its end, has it handled, performs the delivery."""
        connection: _HttpConnection = request.protocol  # type: ignore[assignment]
        spool: Spool | None = None
        try:
            origin, target = self._address(request, connection)
            body: Body = b""
            if request.body_exists:
                spool = self._spool(request)
                body = await self._read(request, connection, spool)
            headers: Headers = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in request.raw_headers)
            envelope = HttpRequest(request.method, origin, target, headers, body)
            delivery = self._decide(envelope, connection.session)
        except Rejected as rejected:
            await self.responder.reject(connection.exchange(request, request.method), rejected)
            return self._close
        except StoreFailed as failed:
            self.on_bug(None, failed)
            exchange = connection.exchange(request, request.method)
            await self.responder.reject(exchange, Rejected(500, str(failed)))
            return self._close
        except Gone:
            connection.force_close()
            return self._close
        finally:
            if spool is not None:
                spool.close()
        keeps = await self.responder.perform(connection.exchange(request, request.method), envelope, delivery)
        return self._keep if keeps else self._close

    async def answer_unread(
        self, request: web.BaseRequest, connection: _HttpConnection, error: http_exceptions.HttpProcessingError
    ) -> bool:
        """Called for what the library cannot read: the platform answers if `lenient_parse` can, else the front does."""
        found = lenient_parse(connection.data)
        exchange = connection.exchange(request, found.method if found is not None else "GET")
        exchange.keeps = exchange.is_http10 = False
        try:
            if found is None:
                raise _why_unread(connection.data, error)
            origin = origin_of(connection.scheme, found.header("Host") or "", connection.session.local_port)
        except Rejected as rejected:
            return await self.responder.reject(exchange, rejected)
        envelope = HttpRequest(found.method, origin, found.target, found.headers, found.body)
        return await self.responder.perform(exchange, envelope, self._decide(envelope, connection.session))

    def _address(self, request: web.BaseRequest, connection: _HttpConnection) -> tuple[str, str]:
        target = request.raw_path
        if target[:1] not in "/*" and request.method != "CONNECT":
            return absolute(target)
        host = request.headers.get("Host", "")
        return origin_of(connection.scheme, host, connection.session.local_port), target

    def _spool(self, request: web.BaseRequest) -> Spool:
        is_upload = request.headers.get("Content-Type", "").lower().startswith("multipart/")
        limit_bytes = self._upload_bytes if is_upload else self._limits.body_bytes
        if (request.content_length or 0) > limit_bytes:
            raise too_large(limit_bytes)
        return Spool(self._limits, limit_bytes)

    async def _read(self, request: web.BaseRequest, connection: _HttpConnection, spool: Spool) -> Body:
        _welcome(request)
        source = request.content
        connection.break_off(source)
        if not source.is_eof():
            if connection.half_closed:
                raise Gone
            connection.body = source
        try:
            await fill(spool, source, self._limits.idle_s)
        except (web.RequestPayloadError, ConnectionError) as error:
            raise Gone from error
        finally:
            connection.body = None
        if connection.is_broken:
            raise Rejected(400, "the body is malformed: its chunks or its length are wrong")
        return spool.body()

    def _decide(self, envelope: HttpRequest, session: Session) -> Delivery:
        try:
            return self._handle(envelope, session, self._clock.now_us())
        except Exception as bug:  # noqa: BLE001 (a bug of ours must not end the server)
            self.on_bug(envelope, bug)
            return Delivery(SERVER_ERROR)


def http_front(server: Server, tools: FrontTools) -> HttpFront:
    """Raises ModelError for a platform that speaks no HTTP."""
    if not isinstance(server.platform, HttpPlatform):
        raise ModelError(f"the platform {server.platform.name} speaks no HTTP, so it cannot listen for it")
    return HttpFront(server.exchange, server.platform.container_rules, tools)


def _welcome(request: web.BaseRequest) -> None:
    """`Expect: 100-continue` is answered before the body comes. Raises Rejected(417) for others."""
    expects = request.headers.get("Expect")
    if expects is None or request.version < (1, 1):
        return
    if expects.lower() != "100-continue":
        raise Rejected(417, f"the expectation {expects[:100]!r} is unknown")
    if request.transport is not None:
        request.transport.write(CONTINUE)


def _why_unread(data: bytes, error: http_exceptions.HttpProcessingError) -> Rejected:
    if data.startswith(TLS_HELLO):
        return Rejected(400, "TLS came in on a port without TLS: use the https listener, or http:// in the URL")
    if isinstance(error, http_exceptions.LineTooLong):
        is_target = b"\r\n" not in data[:MAX_LINE_BYTES]
        what = "the path is" if is_target else "a header is"
        return Rejected(414 if is_target else 431, f"{what} longer than {MAX_LINE_BYTES} bytes")
    return Rejected(400, "malformed HTTP: " + " ".join(error.message.split())[:200])
