"""The control interface on its socket: small requests in, JSON or a stream of JSON lines out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from fleetrig.reference_server.control.control import NOT_STORED, Control, reply
from fleetrig.reference_server.control.request_checks import MAX_BODY_BYTES
from fleetrig.reference_server.control.trace_cursor import TraceCursor
from fleetrig.reference_server.fronts.front import Limits, OnBug
from fleetrig.reference_server.fronts.http.request_intake import (
    BodyStopped,
    Rejected,
    Spool,
    fill,
    too_large,
)
from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.trace import Trace

LOG: Final = logging.getLogger("fleetrig.control")
READING: Final = frozenset({"GET", "HEAD"})
MOST_READERS: Final = 32
MAX_LINE_BYTES: Final = 8190
"""Of the request line's target, and of a header with its name."""
MAX_HEADERS: Final = 100
STOP_WITHIN_S: Final = 1.0
LIMITS: Final = Limits(body_bytes=MAX_BODY_BYTES, in_memory_bytes=MAX_BODY_BYTES, idle_s=30.0)
LAST_HEADER: Final = "Trace-Last"
"""The number of the newest event: with a filter, a client that polls goes on from there."""
LINES_TYPE: Final = "application/x-ndjson"

OPTIONS: Final[dict[str, Any]] = {
    "access_log": None,
    "max_line_size": MAX_LINE_BYTES,
    "max_field_size": MAX_LINE_BYTES,
    "max_headers": MAX_HEADERS,
}

CLOSING: Final = reply(503, {"error": "the server is being stopped"})
CROWDED: Final = reply(429, {"error": f"{MOST_READERS} clients read the trace already"})
OUR_BUG: Final = reply(500, {"error": "a bug in fleetrig itself, please report it; the server has said what"})


class _ControlConnection(web.RequestHandler):
    """aiohttp's protocol of one connection, silent and with our kind of answer."""

    __slots__ = ()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        if isinstance(exc, ConnectionError):
            raise exc
        answer = _as_aiohttp(reply(status, {"error": "this is no HTTP that can be read" if status < 500 else "a bug"}))
        answer.force_close()
        return answer

    def log_exception(self, *args: Any, **kw: Any) -> None:
        LOG.debug(*args, **kw)


class _ControlServer(web.Server):
    def __call__(self) -> _ControlConnection:
        return _ControlConnection(self, loop=asyncio.get_running_loop(), **OPTIONS)


class ControlFront:
    """A listener of its own, which no fault touches. Belongs to the event loop it was opened in."""

    def __init__(
        self, control: Control, trace: Trace, run_due_now: Callable[[], Awaitable[None]], on_bug: OnBug
    ) -> None:
        """`run_due_now` performs what a change has made due; it is awaited before the change is answered."""
        self._control = control
        self._trace = trace
        self._run_due_now = run_due_now
        self._on_bug = on_bug
        self._server = _ControlServer(self._answer, handler_cancellation=True)
        self._readers: set[asyncio.Event] = set()
        self._is_closing = False

    async def listen(self, listener: Listener) -> None:
        await listener.open(self._server)

    async def close(self) -> None:
        """Clients that follow the trace get the end of it."""
        self._is_closing = True
        for wake in self._readers:
            wake.set()
        self._server.pre_shutdown()
        await self._server.shutdown(STOP_WITHIN_S)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            envelope = await _envelope(request)
        except Rejected as rejected:
            return _as_aiohttp(reply(rejected.status, {"error": rejected.reason}))
        try:
            answer = self._control.handle(envelope)
            if envelope.method not in READING:
                await self._run_due_now()
        except Exception as bug:  # noqa: BLE001 (a bug of ours must not end the server)
            self._on_bug(envelope, bug)
            return _as_aiohttp(OUR_BUG)
        if isinstance(answer, TraceCursor):
            return await self._stream(request, answer)
        return _as_aiohttp(answer)

    async def _stream(self, request: web.BaseRequest, cursor: TraceCursor) -> web.StreamResponse:
        if self._is_closing or len(self._readers) >= MOST_READERS:
            return _as_aiohttp(CLOSING if self._is_closing else CROWDED)
        headers = {"Content-Type": LINES_TYPE, LAST_HEADER: str(cursor.last), **dict(NOT_STORED)}
        stream = web.StreamResponse(headers=headers)
        wake = asyncio.Event()
        self._readers.add(wake)
        stop_listening = self._trace.listen(lambda _: wake.set())
        try:
            await stream.prepare(request)
            if request.method != "HEAD":
                await self._write_lines(stream, cursor, wake)
        finally:
            stop_listening()
            self._readers.discard(wake)
        return stream

    async def _write_lines(self, stream: web.StreamResponse, cursor: TraceCursor, wake: asyncio.Event) -> None:
        while not (cursor.is_over or self._is_closing):
            wake.clear()
            lines = cursor.lines()
            if lines:
                await stream.write("".join(f"{line}\n" for line in lines).encode("ascii"))
            if cursor.is_behind:
                await asyncio.sleep(0)  # devices first
            elif not cursor.is_over:
                await wake.wait()


async def _envelope(request: web.BaseRequest) -> HttpRequest:
    """Raises Rejected for a body that is too large or never comes."""
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise too_large(MAX_BODY_BYTES)
    spool = Spool(LIMITS, MAX_BODY_BYTES)
    try:
        if request.body_exists:
            await fill(spool, request.content, LIMITS.idle_s)
        return HttpRequest(request.method, "", request.raw_path, headers, body_bytes(spool.body()))
    except BodyStopped as stopped:
        raise Rejected(408, str(stopped)) from None
    except web.RequestPayloadError:
        raise Rejected(400, "the body is malformed: its chunks or its length are wrong") from None
    finally:
        spool.close()


def _as_aiohttp(answer: HttpResponse) -> web.Response:
    return web.Response(status=answer.status, headers=list(answer.headers), body=body_bytes(answer.body))
