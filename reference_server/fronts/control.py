"""The control interface on its socket: small requests in, JSON or a stream of JSON lines out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Final

from fleetrig.reference_server.control.control import NOT_STORED, Control, ControlReply, reply
from fleetrig.reference_server.control.request_checks import MAX_BODY_BYTES
from fleetrig.reference_server.control.trace_cursor import TraceCursor
from fleetrig.reference_server.fronts.front import FrontTools, Limits
from fleetrig.reference_server.fronts.http.body_framing import BrokenFraming
from fleetrig.reference_server.fronts.http.connection import HttpConnection
from fleetrig.reference_server.fronts.http.connections import AnswerToCome, HttpConnections
from fleetrig.reference_server.fronts.http.framing import framed_head
from fleetrig.reference_server.fronts.http.request_body import RequestBody
from fleetrig.reference_server.fronts.http.request_head import Malformed, RequestHead
from fleetrig.reference_server.fronts.http.request_intake import (
    BodyStopped,
    Rejected,
    Spool,
    fill,
    too_large,
)
from fleetrig.reference_server.fronts.http.responder import HttpExchange, HttpResponder
from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.reference_server.http_container import HttpContainerRules
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.delivery import Delivery, Framing
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.trace import Trace

READING: Final = frozenset({"GET", "HEAD"})
MOST_READERS: Final = 32
LIMITS: Final = Limits(body_bytes=MAX_BODY_BYTES, in_memory_bytes=MAX_BODY_BYTES, idle_s=30.0)
BETWEEN_REQUESTS_S: Final = 75.0
LAST_HEADER: Final = "Trace-Last"
"""The number of the newest event: with a filter, a client that polls goes on from there."""
LINES_TYPE: Final = "application/x-ndjson"

CLOSING: Final = reply(503, {"error": "the server is being stopped"})
CROWDED: Final = reply(429, {"error": f"{MOST_READERS} clients read the trace already"})
OUR_BUG: Final = reply(500, {"error": "a bug in fleetrig itself, please report it; the server has said what"})


def unreadable(status: int) -> HttpResponse:
    """The answer to what is no request."""
    return reply(status, {"error": "this is no HTTP that can be read"})


class ControlFront:
    """A listener of its own, which no fault touches. Belongs to the event loop it was opened in."""

    def __init__(self, control: Control, tools: FrontTools, run_due_now: Callable[[], Awaitable[None]]) -> None:
        """`run_due_now` performs what a change has made due; it is awaited before the change is answered."""
        self._control = control
        self._clock = tools.clock
        self._trace = tools.trace
        self._on_bug = tools.on_bug
        self._run_due_now = run_due_now
        self._connections = HttpConnections(self._take, count(1).__next__, tools.on_bug, BETWEEN_REQUESTS_S)
        # Who watches is no part of what is watched: its refusals go into a trace that nobody reads.
        self._responder = HttpResponder(replace(tools, trace=Trace()), HttpContainerRules(unreadable))
        self._readers: set[asyncio.Event] = set()
        self._is_closing = False

    async def listen(self, listener: Listener) -> None:
        await listener.open(partial(HttpConnection, self._connections, listener.name))

    async def close(self) -> None:
        """Clients that follow the trace get the end of it."""
        self._is_closing = True
        for wake in self._readers:
            wake.set()
        await self._connections.close()

    def _take(
        self, connection: HttpConnection, head: RequestHead | Malformed, body: RequestBody
    ) -> AnswerToCome | None:
        if isinstance(head, RequestHead):
            return self._answer(connection, head, body)
        self._responder.reject(connection.exchange(head), Rejected(head.status, head.reason))
        connection.end()
        return None

    async def _answer(self, connection: HttpConnection, head: RequestHead, body: RequestBody) -> None:
        try:
            envelope = await _envelope(connection, head, body)
        except Rejected as rejected:
            page = reply(rejected.status, {"error": rejected.reason})
            self._responder.reject(connection.exchange(head), rejected, page)
            connection.end()
            return
        answer = await self._decided(envelope)
        exchange = connection.exchange(head)
        if isinstance(answer, TraceCursor):
            if self._is_closing or len(self._readers) >= MOST_READERS:
                answer = CLOSING if self._is_closing else CROWDED
            else:
                connection.owes = False  # who leaves while the trace is read needs no more of it
                connection.answered(keeps=await self._stream(connection, exchange, answer))
                return
        now_us = self._clock.now_us()
        connection.answered(keeps=bool(self._responder.send_at_once(exchange, Delivery(answer), now_us)))

    async def _decided(self, envelope: HttpRequest) -> ControlReply:
        try:
            answer = self._control.handle(envelope)
            if envelope.method not in READING:
                await self._run_due_now()
        except Exception as bug:  # noqa: BLE001 (a bug of ours must not end the server)
            self._on_bug(envelope, bug)
            return OUR_BUG
        return answer

    async def _stream(self, connection: HttpConnection, exchange: HttpExchange, cursor: TraceCursor) -> bool:
        """Whether the connection stays open: an old client is told of the end by its end."""
        wake = asyncio.Event()
        self._readers.add(wake)
        stop_listening = self._trace.listen(lambda _: wake.set())
        try:
            connection.transport.write(_stream_head(exchange, cursor, self._clock.now_us()))
            if exchange.method != "HEAD":
                await self._write_lines(connection, cursor, wake, is_chunked=not exchange.is_http10)
        finally:
            stop_listening()
            self._readers.discard(wake)
        return exchange.keeps and not exchange.is_http10

    async def _write_lines(
        self, connection: HttpConnection, cursor: TraceCursor, wake: asyncio.Event, *, is_chunked: bool
    ) -> None:
        while not (cursor.is_over or self._is_closing):
            wake.clear()
            lines = cursor.lines()
            if lines:
                block = "".join(f"{line}\n" for line in lines).encode("ascii")
                connection.transport.write(b"%x\r\n%s\r\n" % (len(block), block) if is_chunked else block)
                await connection.drain()
            if cursor.is_behind:
                await asyncio.sleep(0)  # devices first
            elif not cursor.is_over:
                await wake.wait()
        if is_chunked:
            connection.transport.write(b"0\r\n\r\n")


def _stream_head(exchange: HttpExchange, cursor: TraceCursor, now_us: int) -> bytes:
    headers = (("Content-Type", LINES_TYPE), (LAST_HEADER, str(cursor.last)), *NOT_STORED)
    response = HttpResponse(200, headers)
    delivery = Delivery(response, framing=Framing.HTTP10 if exchange.is_http10 else Framing.CHUNKED)
    return framed_head(delivery, response, exchange.method, "" if exchange.keeps else "close", now_us)


async def _envelope(connection: HttpConnection, head: RequestHead, body: RequestBody) -> HttpRequest:
    """Raises Rejected for a body that is too large or never comes."""
    if (head.length_bytes or 0) > MAX_BODY_BYTES:
        raise too_large(MAX_BODY_BYTES)
    if head.expects_continue:
        connection.send_continue()
    spool = Spool(LIMITS, MAX_BODY_BYTES)
    try:
        await fill(spool, body, LIMITS.idle_s)
        return HttpRequest(head.method, "", head.target, head.headers, body_bytes(spool.body()))
    except BodyStopped as stopped:
        raise Rejected(408, str(stopped)) from None
    except BrokenFraming:
        raise Rejected(400, "the body is malformed: its chunks or its length are wrong") from None
    finally:
        spool.close()
