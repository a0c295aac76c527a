"""Performs deliveries on a connection: sends the whole answer, or lets it fail to arrive as the delivery says."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.fronts.front import FrontTools
from fleetrig.reference_server.fronts.http.framing import framed_head, is_plain, keeps, send_slowly, suited
from fleetrig.reference_server.fronts.http.request_head import HTTP_0_9, HTTP_1_1
from fleetrig.reference_server.fronts.http.request_intake import Rejected
from fleetrig.reference_server.fronts.http.response_head import (
    date_bytes,
    has_body,
    head_bytes,
    head_end,
    known_head,
    says_close,
)
from fleetrig.reference_server.fronts.http.response_sending import Drain, ShortFile, send
from fleetrig.reference_server.fronts.http.socket_endings import cut, reset
from fleetrig.reference_server.http_container import HttpContainerRules
from fleetrig.simulator.contract.clock import US_PER_S, to_s
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.trace import Lane

NOTHING: Final = ("", "")
SERVER_ERROR: Final = HttpResponse(500, (("Content-Type", "text/plain;charset=utf-8"),), b"Internal Server Error\n")


@dataclass(slots=True)
class HttpExchange:
    """A request that has been read and waits for its answer."""

    method: str
    session: int
    transport: asyncio.Transport
    drain: Drain
    version: tuple[int, int]
    keeps: bool
    """The client lets the connection stay open."""
    asks_to_keep: bool = False
    """It asked for that by name, and is told for how long."""
    says_close: bool = True
    """An answer that ends the connection says so."""

    @property
    def is_http10(self) -> bool:
        return self.version < HTTP_1_1


class HttpResponder:
    """`send_at_once` and `perform` return whether the connection stays open."""

    def __init__(self, tools: FrontTools, rules: HttpContainerRules) -> None:
        self._clock = tools.clock
        self._trace = tools.trace
        self._on_bug = tools.on_bug
        self._on_refused = tools.on_refused
        self._rules = rules
        self._held_back: set[asyncio.Future[None]] = set()

    def send_at_once(self, exchange: HttpExchange, delivery: Delivery, now_us: int) -> bool | None:
        """Writes a whole answer that is in memory; None when something has to be awaited."""
        response = delivery.response
        if response is None or not isinstance(response.body, bytes) or not is_plain(delivery):
            return None
        return self._write(exchange, response, now_us)

    async def perform(self, exchange: HttpExchange, envelope: HttpRequest, delivery: Delivery) -> bool:
        if delivery.delay_us:
            await self._hold_back(to_s(delivery.delay_us))  # the server lane says why
        if delivery.ending is Ending.WHOLE and delivery.response is not None:
            return await self._send_whole(exchange, delivery, delivery.response)
        self._note_fault(exchange, envelope, delivery.ending, f"instead of an answer: {delivery.ending}")
        await self._perform_ending(exchange, delivery)
        return False

    def _write(self, exchange: HttpExchange, response: HttpResponse, now_us: int) -> bool:
        """Head and body, which is in memory."""
        transport, body = exchange.transport, response.body
        assert isinstance(body, bytes)
        if transport.is_closing():
            return False
        known = known_head(response.status, response.headers, len(body), exchange.method)
        keeps = exchange.keeps and not known.says_close and response.status not in self._rules.closes_after
        says_nothing = keeps and not exchange.asks_to_keep and exchange.version == HTTP_1_1
        says = NOTHING if says_nothing else self._says(exchange, keeps=keeps)
        head = known.before + date_bytes(now_us // US_PER_S) + head_end(says) if exchange.version > HTTP_0_9 else b""
        transport.write(head + body if known.has_body else head)
        return keeps

    def _head(self, exchange: HttpExchange, response: HttpResponse, now_us: int, *, keeps: bool) -> bytes:
        if exchange.version <= HTTP_0_9:
            return b""
        return head_bytes(response, exchange.method, self._says(exchange, keeps=keeps), now_us)

    async def _send(self, exchange: HttpExchange, response: HttpResponse) -> bool:
        """Writes a whole answer, wherever its body is."""
        transport = exchange.transport
        if transport.is_closing():
            return False
        keeps = exchange.keeps and not says_close(response, self._rules)
        body = response.body if has_body(exchange.method, response.status) else b""
        try:
            head = self._head(exchange, response, self._clock.now_us(), keeps=keeps)
            await send(transport, exchange.drain, head, body)
            await exchange.drain()
        except ConnectionError:
            raise
        except (ShortFile, OSError) as failed:
            self._on_bug(None, failed)
            return False  # the promised length is not kept: nothing else can follow
        return keeps

    async def _send_whole(self, exchange: HttpExchange, delivery: Delivery, response: HttpResponse) -> bool:
        """A whole answer, perhaps slowly or in another form."""
        transport = exchange.transport
        if is_plain(delivery) or transport.is_closing():
            return await self._send(exchange, response)
        delivery = suited(delivery, is_http10=exchange.is_http10)
        stays_open = (
            exchange.keeps and keeps(delivery) and not exchange.is_http10 and not says_close(response, self._rules)
        )
        head = framed_head(delivery, response, exchange.method, "" if stays_open else "close", self._clock.now_us())
        transport.write(head)
        if has_body(exchange.method, response.status):
            await send_slowly(transport, exchange.drain, response.body, delivery)
        return stays_open

    def _says(self, exchange: HttpExchange, *, keeps: bool) -> tuple[str, str]:
        """The values of `Connection` and `Keep-Alive`; empty for none."""
        if not keeps:
            return "close" if exchange.says_close else "", ""
        names_time = exchange.asks_to_keep and bool(self._rules.keep_alive)
        return "keep-alive" if exchange.is_http10 or names_time else "", self._rules.keep_alive if names_time else ""

    def reject(self, exchange: HttpExchange, why: Rejected, page: HttpResponse | None = None) -> None:
        """Answers a request that no platform sees; its connection ends: it is not clear where the next request begins.

        A status of 0 is no answer at all.
        """
        if why.failed is not None:
            self._on_bug(None, why.failed)
        if not why.status:
            self._trace.emit(
                self._clock.now_us(), Lane.NETWORK, "malformed", reason=why.reason, session=exchange.session
            )
            return
        page = self._rules.error_page(why.status) if page is None else page
        self._trace.emit(
            self._clock.now_us(), Lane.NETWORK, "malformed", envelope=page, reason=why.reason, session=exchange.session
        )
        exchange.keeps = False
        self._write(exchange, page, self._clock.now_us())

    def release(self) -> None:
        """Ends all waiting: the server stops."""
        for future in self._held_back:
            future.cancel()

    async def _perform_ending(self, exchange: HttpExchange, delivery: Delivery) -> None:
        transport = exchange.transport
        match delivery.ending:
            case Ending.SILENCE:
                await self._hold_back(None)
            case Ending.TRUNCATED if delivery.response is not None:
                head = head_bytes(delivery.response, exchange.method, ("", ""), self._clock.now_us())
                body = cut(delivery) if has_body(exchange.method, delivery.response.status) else b""
                await send(transport, exchange.drain, head, body)
                await exchange.drain()
            case Ending.RESET | Ending.REFUSED:
                reset(transport)
        if delivery.ending is Ending.REFUSED:
            self._on_refused()

    async def _hold_back(self, for_s: float | None) -> None:
        """Waits; ends by cancellation when the client leaves or the server stops."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held_back.add(future)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(for_s):
                    await future
        finally:
            self._held_back.discard(future)

    def _note_fault(self, exchange: HttpExchange, envelope: HttpRequest, fault: str, reason: str) -> None:
        now_us, session = self._clock.now_us(), exchange.session
        self._trace.emit(now_us, Lane.NETWORK, "fault", envelope=envelope, fault=fault, reason=reason, session=session)
