"""One HTTP connection: finds the requests in what comes, one after another, and hears when each is answered.

A request that has come whole and whose answer is in memory goes from bytes to bytes within `data_received`. For all
else there is one task at a time: for a body that is awaited, a delay, a request that is held, a body that is streamed.
"""

from __future__ import annotations

import asyncio
from typing import Final

from fleetrig.reference_server.fronts.http.connections import AnswerToCome, HttpConnections
from fleetrig.reference_server.fronts.http.request_body import NO_BODY, RequestBody
from fleetrig.reference_server.fronts.http.request_head import (
    HEAD_BYTES,
    Malformed,
    RequestHead,
    find_head,
)
from fleetrig.reference_server.fronts.http.responder import HttpExchange
from fleetrig.reference_server.fronts.sessions import session_of
from fleetrig.simulator.contract.session import Session

READ_BYTES: Final = 32 * 1024
"""How much is read off a connection at once."""
AHEAD_BYTES: Final = 64 * 1024
"""How much of later requests is read before the client has to wait."""
LINGER_S: Final = 2.0
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class HttpConnection(asyncio.Protocol):
    """`close`, `answered` and `end` are for who answers; also `exchange`, with which an answer begins."""

    __slots__ = (
        "_again", "_body", "_can_write", "_connections", "_data", "_idle", "_idle_from_s", "_is_deaf", "_is_paused",
        "_linger", "_listener", "_loop", "_stops", "_writable", "half_closed", "is_reading", "owes", "scheme",
        "session", "task", "transport",
    )  # fmt: skip

    def __init__(self, connections: HttpConnections, listener: str) -> None:
        self._connections = connections
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._data = b""
        self._body: RequestBody | None = None
        """The body that is coming."""
        self._again: asyncio.Handle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._idle_from_s = 0.0
        self._linger: asyncio.TimerHandle | None = None
        self._can_write = True
        self._writable: asyncio.Future[None] | None = None
        self._is_paused = False
        self._is_deaf = False  # what still comes is thrown away
        self._stops = False  # no request is taken any more
        self.session = Session()
        self.scheme = "http"
        self.task: asyncio.Task[None] | None = None
        self.owes = False  # the client waits for an answer that may still come
        self.is_reading = False  # a body is waited for
        self.half_closed = False  # the client has closed its sending half, and still listens

    # What asyncio says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.session = session_of(transport, self._listener, self._connections.next_session_id)
        self.scheme = "https" if self.session.tls else "http"
        self._connections.open[self.session.id] = self
        if hasattr(transport, "max_size"):
            transport.max_size = READ_BYTES

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.open.pop(self.session.id, None)
        self._is_deaf = True
        for handle in (self._again, self._idle, self._linger):
            if handle is not None:
                handle.cancel()
        if self.task is not None:
            self._loop.call_soon(self.task.cancel)  # not before it has begun: it has things to take back

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            return
        self._data = self._data + data if self._data else data
        if self._body is not None:
            self._feed(self._body)
        elif self.task is None and self._again is None:
            self._go_on()
        if self._data or self._body is not None or self._is_paused:
            self._regulate()

    def eof_received(self) -> bool | None:
        """Keeps the connection of a client that has closed only its sending half and still waits for an answer."""
        if self.is_reading or self.scheme == "https" or not (self.owes or self._has_next()):
            return None
        self.half_closed = True
        if self._body is not None:
            self._body.fail(ConnectionResetError("the client stopped in the middle of a body"))
            self._stop_hearing()
        return True

    def pause_writing(self) -> None:
        self._can_write = False

    def resume_writing(self) -> None:
        self._can_write = True
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        if self.task is None and not self._is_deaf:
            self._rest()
        self._go_on()

    # What who answers says

    def exchange(self, head: RequestHead | Malformed) -> HttpExchange:
        """With this its answer begins."""
        transport, session = self.transport, self.session.id
        if isinstance(head, Malformed):
            return HttpExchange(
                head.method, session, transport, self.drain, head.version, keeps=False, says_close=head.says_close
            )
        keeps = head.keeps and not (self.half_closed and not self._has_next())
        return HttpExchange(head.method, session, transport, self.drain, head.version, keeps, head.asks_to_keep)

    def send_continue(self) -> None:
        """To a client that waits for it."""
        self.transport.write(CONTINUE)

    def answered(self, *, keeps: bool) -> None:
        """The answer is on its way, as far as it goes."""
        self.owes = False
        if keeps and not self._stops and not self._is_deaf:
            self._rest()
        else:
            self.close()

    def end(self) -> None:
        """Ends a connection on which more may be coming: closed at once, the answer would be lost to the client."""
        self.owes = False
        self._stop_hearing()
        transport = self.transport
        if transport.is_closing() or not transport.can_write_eof():
            transport.close()
            return
        try:
            transport.write_eof()
        except OSError:  # the client has gone already
            transport.close()
        else:
            self._linger = self._loop.call_later(LINGER_S, transport.close)

    def close(self) -> None:
        """What is written still goes out."""
        self._stop_hearing()
        self.transport.close()

    def stop(self) -> None:
        """No further request is taken; an answer that is on its way may end."""
        self._stops = True
        if self.task is None:
            self.close()

    async def drain(self) -> None:
        """Waits until the client has read enough. Raises ConnectionError when it has left."""
        if self.session.id not in self._connections.open:
            raise ConnectionResetError("the client has left")
        if not self._can_write:
            self._writable = self._loop.create_future()
            try:
                await self._writable
            finally:
                self._writable = None

    # Inside

    def _go_on(self) -> None:
        """Takes the next request, if it has come and it is its turn; others have theirs before the one after it."""
        self._again = None
        if self.task is not None or not self._can_write or self._is_deaf:
            return
        head = self._next_head()
        if head is not None:
            self._take(head)
            if self._data and self._is_free():
                self._again = self._loop.call_soon(self._go_on)
        elif self.half_closed:
            self.close()
        if self._is_paused:
            self._regulate()

    def _is_free(self) -> bool:
        """It may take another request."""
        return self.task is None and self._can_write and not self._is_deaf

    def _next_head(self) -> RequestHead | Malformed | None:
        data = self._data
        if data[:1] in (b"\r", b"\n"):
            data = self._data = data.lstrip(b"\r\n")
        if not data:
            return None
        try:
            head, end = self._connections.known_heads.read(data)
        except Malformed as malformed:
            return malformed
        if end:
            self._data = data[end:]
        return head

    def _has_next(self) -> bool:
        """Whether another request has come already, or what is none."""
        data = self._data.lstrip(b"\r\n")
        if not data:
            return False
        try:
            return find_head(data[: HEAD_BYTES + 1]) > 0
        except Malformed:
            return True

    def _take(self, head: RequestHead | Malformed) -> None:
        body = NO_BODY
        if isinstance(head, RequestHead) and head.length_bytes != 0:
            body = RequestBody(head.length_bytes, self._regulate)
            self._feed(body)
        self.owes = True
        try:
            later = self._connections.take(self, head, body)
        except Exception as bug:  # noqa: BLE001 (a bug of ours must not end the server)
            self._connections.on_bug(None, bug)
            self.close()
            return
        if later is not None:
            self.task = self._loop.create_task(self._see_to(later))

    async def _see_to(self, later: AnswerToCome) -> None:
        try:
            await later
        except ConnectionError:
            self.close()
        except asyncio.CancelledError:
            self.close()
            raise
        except Exception as bug:  # noqa: BLE001 (a bug of ours must not end the server)
            self._connections.on_bug(None, bug)
            self.close()
        finally:
            self.task = None
        self._go_on()

    def _feed(self, body: RequestBody) -> None:
        self._data = body.feed(self._data)
        if body.broken is not None:
            self._body = None
            self._is_deaf = True
        else:
            self._body = None if body.has_arrived else body

    def _regulate(self) -> None:
        """Reads on, or lets the client wait."""
        is_full = len(self._data) > AHEAD_BYTES or (self._body is not None and self._body.is_full)
        if is_full:
            self.transport.pause_reading()  # also when it is already: sending a file lets asyncio read again
        elif self._is_paused:
            self.transport.resume_reading()
        self._is_paused = is_full

    def _stop_hearing(self) -> None:
        self._is_deaf = True
        self._data = b""
        self._body = None
        self._regulate()

    def _rest(self) -> None:
        """From now on it may be silent for a while."""
        self._idle_from_s = self._loop.time()
        if self._idle is None:
            self._idle = self._loop.call_at(self._idle_from_s + self._connections.idle_s, self._end_silence)

    def _end_silence(self) -> None:
        """Nothing whole has come for so long after the last answer."""
        self._idle = None
        ends_s = self._idle_from_s + self._connections.idle_s
        if self._loop.time() < ends_s:
            self._idle = self._loop.call_at(ends_s, self._end_silence)
        elif self._is_free():
            self.close()
