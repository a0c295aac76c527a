"""HTTP over sockets: byte-exact envelopes in, deliveries out.

aiohttp's plain `web.Server` holds the connections; `request_parser` reads the wire in the place of its parser, so a
path arrives as it was sent. The answer is written by `responder` and not by aiohttp's response classes: headers are
exactly those of the platform, and every `Ending` can be performed. A request whose body the platform does not ask for
is answered before the body comes. Whatever a client sends, it gets an answer or a closed connection, never a traceback.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from fleetrig.reference_server.fronts.front import FrontTools
from fleetrig.reference_server.fronts.http.body_framing import BrokenFraming
from fleetrig.reference_server.fronts.http.late_answers import LateAnswers
from fleetrig.reference_server.fronts.http.request_head import (
    Malformed,
    RequestHead,
    expects_continue,
)
from fleetrig.reference_server.fronts.http.request_intake import (
    BodyStopped,
    Gone,
    Rejected,
    Spool,
    fill,
    swallow,
    too_large,
)
from fleetrig.reference_server.fronts.http.request_parser import RequestParser, RequestStream
from fleetrig.reference_server.fronts.http.responder import SERVER_ERROR, HttpExchange, HttpResponder
from fleetrig.reference_server.fronts.http.socket_endings import reset
from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.reference_server.fronts.sessions import session_of
from fleetrig.reference_server.http_container import HttpContainerRules
from fleetrig.simulator.contract.delivery import Delivery, Ending, HttpHandler
from fleetrig.simulator.contract.envelope import Close, LateAnswer, Output
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.http import Body, HttpRequest, body_length, find_header
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Lane

LOG: Final = logging.getLogger("fleetrig.http")
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
PREPARED_FROM_BYTES: Final = 32 * 1024
"""Smaller bodies are read faster than they are handed over."""
LINGER_S: Final = 2.0
READ_BYTES: Final = 32 * 1024
"""How much is read off a connection at once: what is in it is parsed before others have their turn."""
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


class _HttpConnection(web.RequestHandler):
    """aiohttp's protocol of one connection, and what we remember of it."""

    __slots__ = ("_front", "_listener", "answered", "half_closed", "is_reading", "scheme", "session")

    def __init__(self, server: _HttpServer, front: HttpFront, listener: str, **options: Any) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(server, loop=loop, **options)
        self._parser: Any = RequestParser(self, loop)
        self._front = front
        self._listener = listener
        self.session = Session()
        self.scheme = "http"
        self.is_reading = False  # a body is waited for
        self.half_closed = False  # the client has closed its sending half, and still listens
        self.answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.session = session_of(transport, self._listener, self._front.next_session_id)
        self.scheme = "https" if self.session.tls else "http"
        self._front.connections[self.session.id] = self
        if hasattr(transport, "max_size"):
            transport.max_size = READ_BYTES
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._front.connections.pop(self.session.id, None)
        super().connection_lost(exc)

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Keeps the connection of a client that has closed only its sending half and still waits for an answer."""
        owed = self._request_count > self.answered
        if not owed or self.is_reading or self.scheme == "https":
            return None
        self.half_closed = True
        self._parser.feed_eof()
        return True

    def throw_away_rest(self) -> None:
        self._parser.stop()
        self.resume_reading()

    def exchange(self, request: web.BaseRequest, head: RequestHead | Malformed) -> HttpExchange:
        """Counts the request as answered: call it when its answer is known."""
        self.answered += 1
        is_last = self.half_closed and self.answered >= self._request_count
        keeps = isinstance(head, RequestHead) and head.keeps and not is_last
        asks = isinstance(head, RequestHead) and "keep-alive" in (find_header(head.headers, "Connection") or "").lower()
        return HttpExchange(
            head.method, self.session.id, request.transport, request.writer.drain, head.version, keeps, asks
        )

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Called by aiohttp for an exception of the front."""
        if isinstance(exc, ConnectionError):
            raise exc
        self._front.on_bug(None, exc or RuntimeError(message))
        return _Sent(keeps=False)

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
        }

    def connection(self, listener: str) -> _HttpConnection:
        """A new connection, accepted by the listener of that name."""
        return _HttpConnection(self, self._front, listener, **self._options)


class HttpFront:
    """All HTTP and HTTPS listeners of one platform. Belongs to the event loop it was opened in."""

    def __init__(
        self,
        handle: HttpHandler,
        rules: HttpContainerRules,
        tools: FrontTools,
        left: Callable[[int, int], None] = lambda held_id, now_us: None,
    ) -> None:
        """`left(held_id, now_us)` hears of held requests whose clients have gone."""
        self._handle = handle
        self._late = LateAnswers(lambda held_id: left(held_id, tools.clock.now_us()))
        self._rules = rules
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
            with suppress(OSError):
                tempfile.gettempdir()  # looked for now: without descriptors it would not be found
            self._server = _HttpServer(self, self._limits.idle_s)
        await listener.open(partial(self._server.connection, listener.name))
        self._listeners.append(listener)

    async def close(self) -> None:
        """Stops accepting, lets answers that are being sent end within a second, closes all connections."""
        for listener in self._listeners:
            listener.close()
        self.responder.release()
        self._late.cancel()
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
        """Performs each `Close` and `LateAnswer` at once. Raises ModelError for a `Send`: over HTTP nobody hears it."""
        for output in outputs:
            if isinstance(output, LateAnswer):
                self._late.give(output)
                continue
            connection = self.connections.get(output.session)
            if connection is None or connection.transport is None:
                continue
            if not isinstance(output, Close):
                raise ModelError(f"over HTTP nothing can be sent unasked, but the platform gave {output!r}")
            if output.ending is Ending.CLOSED:
                connection.force_close()
            elif output.ending is not Ending.SILENCE:
                reset(connection.transport)

    @property
    def held_requests(self) -> int:
        """How many wait for an answer that comes later."""
        return len(self._late)

    def _note_outage(self, fault: str, reason: str) -> None:
        self._trace.emit(self._clock.now_us(), Lane.NETWORK, "fault", fault=fault, reason=reason)

    # One request

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Has one request handled and performs the delivery; reads its body before or after, as the platform wants."""
        connection: _HttpConnection = request.protocol  # type: ignore[assignment]
        stream: RequestStream = request.content  # type: ignore[assignment]
        head = stream.head
        if isinstance(head, Malformed):
            return await self._refuse(request, connection, head)
        envelope = HttpRequest(head.method, _origin(connection, head), head.target, head.headers)
        spool: Spool | None = None
        try:
            if self._reads(stream, envelope, connection.session):
                spool = self._spool(head)
            if expects_continue(head) and request.transport is not None:
                request.transport.write(CONTINUE)
            if spool is not None:
                envelope = await self._with_body(envelope, stream, connection, spool)
            delivery = await self._late.after(self._decide(envelope, connection.session))
        except Rejected as rejected:
            await self.responder.reject(connection.exchange(request, head), rejected)
            return await self._end(request, connection)
        except (BrokenFraming, BodyStopped) as broken:
            return await self._answer_broken(request, connection, envelope, broken)
        except Gone:
            connection.force_close()
            return self._close
        finally:
            if spool is not None:
                self._rules.release_body(envelope.body)
                spool.close()
        exchange = connection.exchange(request, head)
        swallows_bytes = self._ends_with_rest(exchange, head, stream, delivery)
        keeps = await self.responder.perform(exchange, envelope, delivery)
        if not stream.is_eof() and not await self._left(stream, swallows_bytes):
            return await self._end(request, connection)
        return self._keep if keeps else self._close

    async def _refuse(
        self, request: web.BaseRequest, connection: _HttpConnection, malformed: Malformed
    ) -> web.StreamResponse:
        exchange = connection.exchange(request, malformed)
        exchange.says_close = malformed.says_close
        await self.responder.reject(exchange, Rejected(malformed.status, malformed.reason))
        return await self._end(request, connection)

    async def _end(self, request: web.BaseRequest, connection: _HttpConnection) -> web.StreamResponse:
        """Ends a connection on which more may be coming: closed at once, the answer would be lost to the client."""
        transport = request.transport
        connection.throw_away_rest()
        if transport is not None and not transport.is_closing() and transport.can_write_eof():
            transport.write_eof()
            await asyncio.sleep(LINGER_S)  # the client leaves before, and this is cancelled
        return self._close

    def _reads(self, stream: RequestStream, envelope: HttpRequest, session: Session) -> bool:
        """What has come whole already is read in any case."""
        if stream.head.length_bytes == 0:  # type: ignore[union-attr]
            return False
        return (stream.has_arrived and stream.broken is None) or self._rules.needs_body(
            envelope, session, self._clock.now_us()
        )

    def _spool(self, head: RequestHead) -> Spool:
        is_upload = (find_header(head.headers, "Content-Type") or "").lower().startswith("multipart/")
        limit_bytes = self._rules.upload_bytes if is_upload else self._limits.body_bytes
        if (head.length_bytes or 0) > limit_bytes:
            raise too_large(limit_bytes)
        return Spool(self._limits, limit_bytes)

    async def _with_body(
        self, envelope: HttpRequest, stream: RequestStream, connection: _HttpConnection, spool: Spool
    ) -> HttpRequest:
        if not stream.has_arrived:
            if connection.half_closed:
                raise Gone
            connection.is_reading = True
        try:
            await fill(spool, stream, self._limits.idle_s)
        except ConnectionError as error:
            raise Gone from error
        finally:
            connection.is_reading = False
        whole = HttpRequest(envelope.method, envelope.origin, envelope.target, envelope.headers, spool.body())
        if body_length(whole.body) <= PREPARED_FROM_BYTES:
            return whole
        return replace(whole, body=await self._prepared(whole))

    async def _prepared(self, whole: HttpRequest) -> Body:
        """Reading it takes long: others go on meanwhile. The thread ends before the body goes, whatever happens."""
        reading = asyncio.ensure_future(asyncio.to_thread(self._rules.prepared_body, whole))
        try:
            return await asyncio.shield(reading)
        except asyncio.CancelledError:
            await asyncio.wait([reading])
            if reading.exception() is None:
                self._rules.release_body(reading.result())
            raise

    async def _answer_broken(
        self,
        request: web.BaseRequest,
        connection: _HttpConnection,
        envelope: HttpRequest,
        broken: BrokenFraming | BodyStopped,
    ) -> web.StreamResponse:
        status = HTTPStatus.BAD_REQUEST if isinstance(broken, BrokenFraming) else HTTPStatus.REQUEST_TIMEOUT
        page = self._rules.broken_body(status, envelope, self._clock.now_us())
        stream: RequestStream = request.content  # type: ignore[assignment]
        await self.responder.reject(connection.exchange(request, stream.head), Rejected(status, str(broken)), page)
        return await self._end(request, connection)

    def _ends_with_rest(
        self, exchange: HttpExchange, head: RequestHead, stream: RequestStream, delivery: Delivery
    ) -> int:
        """How much of an unread body is taken in after the answer; the answer says if the connection ends with it."""
        if stream.is_eof():
            return 0
        succeeds = (
            delivery.response is not None and HTTPStatus.OK <= delivery.response.status < HTTPStatus.MULTIPLE_CHOICES
        )
        if expects_continue(head) and not succeeds:
            exchange.keeps = False
            return 0
        if head.length_bytes is not None and head.length_bytes - stream.total_bytes > self._rules.swallow_bytes:
            exchange.keeps = False
        return self._rules.swallow_bytes

    async def _left(self, stream: RequestStream, swallows_bytes: int) -> bool:
        """Takes in the rest of a body that nobody wants. True when the next request can be read after it."""
        try:
            return bool(swallows_bytes) and await swallow(stream, swallows_bytes, self._limits.idle_s)
        except (BrokenFraming, ConnectionError):
            return False
        finally:
            stream.feed_eof()

    def _decide(self, envelope: HttpRequest, session: Session) -> Delivery:
        try:
            return self._handle(envelope, session, self._clock.now_us())
        except Exception as bug:  # noqa: BLE001 (a bug of ours must not end the server)
            self.on_bug(envelope, bug)
            return Delivery(SERVER_ERROR)


def _origin(connection: _HttpConnection, head: RequestHead) -> str:
    """Scheme and authority that links are made from; without a `Host` (HTTP/1.0) it is ours."""
    return f"{connection.scheme}://{head.host or f'localhost:{connection.session.local_port}'}"
