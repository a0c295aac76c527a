"""From a request's head to its answer: whether its body is read, who decides, and what happens to the rest.

A request whose body the platform does not ask for is answered before the body comes. Whatever a client sends, it gets
an answer or a closed connection, never a traceback.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from fleetrig.reference_server.fronts.front import FrontTools
from fleetrig.reference_server.fronts.http.body_framing import BrokenFraming
from fleetrig.reference_server.fronts.http.connection import HttpConnection
from fleetrig.reference_server.fronts.http.connections import AnswerToCome
from fleetrig.reference_server.fronts.http.late_answers import LateAnswers
from fleetrig.reference_server.fronts.http.request_body import RequestBody
from fleetrig.reference_server.fronts.http.request_head import Malformed, RequestHead
from fleetrig.reference_server.fronts.http.request_intake import (
    BodyStopped,
    Gone,
    Rejected,
    Spool,
    fill,
    swallow,
    too_large,
)
from fleetrig.reference_server.fronts.http.responder import SERVER_ERROR, HttpExchange, HttpResponder
from fleetrig.reference_server.http_container import HttpContainerRules
from fleetrig.simulator.contract.delivery import Delivery, Ending, HttpHandler
from fleetrig.simulator.contract.http import Body, HttpRequest, body_length, find_header
from fleetrig.simulator.contract.session import Session

PREPARED_FROM_BYTES: Final = 32 * 1024
"""Smaller bodies are read faster than they are handed over."""


@dataclass(slots=True)
class Turn:
    """A request whose answer has to wait for something."""

    connection: HttpConnection
    head: RequestHead
    body: RequestBody
    envelope: HttpRequest


class HttpAnswering:
    """`take` is what connections call with each request."""

    def __init__(self, handle: HttpHandler, rules: HttpContainerRules, tools: FrontTools, late: LateAnswers) -> None:
        self._handle = handle
        self._rules = rules
        self._clock = tools.clock
        self._limits = tools.limits
        self._on_bug = tools.on_bug
        self._late = late
        self._at_once_bytes = min(PREPARED_FROM_BYTES, tools.limits.in_memory_bytes)
        self.responder = HttpResponder(tools, rules)

    def take(self, connection: HttpConnection, head: RequestHead | Malformed, body: RequestBody) -> AnswerToCome | None:
        """Answers at once, or gives what has to be awaited for that."""
        if isinstance(head, Malformed):
            self._refuse(connection, head, Rejected(head.status, head.reason))
            return None
        session = connection.session
        envelope = head.envelope(connection.scheme, session.local_port)
        if head.length_bytes != 0:
            if not body.has_arrived or body.total_bytes > self._at_once_bytes:
                return self._take_in(Turn(connection, head, body, envelope))
            if body.total_bytes > (limit_bytes := self._limit_bytes(head)):
                self._refuse(connection, head, too_large(limit_bytes))
                return None
            envelope = HttpRequest(head.method, envelope.origin, head.target, head.headers, body.read_nowait())
        if head.expects_continue:
            connection.send_continue()
        now_us = self._clock.now_us()
        delivery = self._decide(envelope, session, now_us)
        if delivery.ending is not Ending.WHOLE or delivery.delay_us:
            return self._fail_to_answer(Turn(connection, head, body, envelope), delivery)
        exchange = connection.exchange(head)
        keeps = self.responder.send_at_once(exchange, delivery, now_us)
        if keeps is None:
            return self._perform(Turn(connection, head, body, envelope), delivery, exchange)
        connection.answered(keeps=keeps)
        return None

    # What has to be waited for

    async def _take_in(self, turn: Turn) -> None:
        """A request whose body is still coming, or is not small."""
        connection, head = turn.connection, turn.head
        spool: Spool | None = None
        try:
            if self._reads(turn):
                spool = self._spool(head)
            if head.expects_continue:
                connection.send_continue()
            if spool is not None:
                turn.envelope = await self._with_body(turn, spool)
            delivery = await self._late.after(self._decide(turn.envelope, connection.session, self._clock.now_us()))
        except Rejected as rejected:
            self._refuse(connection, head, rejected)
            return
        except (BrokenFraming, BodyStopped) as broken:
            self._refuse_broken(turn, broken)
            return
        except Gone:
            connection.close()
            return
        finally:
            if spool is not None:
                self._rules.release_body(turn.envelope.body)
                spool.close()
        await self._perform(turn, delivery, connection.exchange(head))

    async def _fail_to_answer(self, turn: Turn, delivery: Delivery) -> None:
        """An answer that comes late, or never whole."""
        await asyncio.sleep(0)  # whether the client has closed its half by now is heard before
        delivery = await self._late.after(delivery)
        await self._perform(turn, delivery, turn.connection.exchange(turn.head))

    async def _perform(self, turn: Turn, delivery: Delivery, exchange: HttpExchange) -> None:
        connection, body = turn.connection, turn.body
        connection.owes = delivery.ending is Ending.WHOLE and not delivery.delay_us
        swallows_bytes = self._ends_with_rest(exchange, turn, delivery)
        keeps = await self.responder.perform(exchange, turn.envelope, delivery)
        if body.is_eof() or await self._left(body, swallows_bytes):
            connection.answered(keeps=keeps)
        else:
            connection.end()

    # Bodies

    def _reads(self, turn: Turn) -> bool:
        """What has come whole already is read in any case."""
        return turn.body.has_arrived or self._rules.needs_body(
            turn.envelope, turn.connection.session, self._clock.now_us()
        )

    def _limit_bytes(self, head: RequestHead) -> int:
        is_upload = (find_header(head.headers, "Content-Type") or "").lower().startswith("multipart/")
        return self._rules.upload_bytes if is_upload else self._limits.body_bytes

    def _spool(self, head: RequestHead) -> Spool:
        limit_bytes = self._limit_bytes(head)
        if (head.length_bytes or 0) > limit_bytes:
            raise too_large(limit_bytes)
        return Spool(self._limits, limit_bytes)

    async def _with_body(self, turn: Turn, spool: Spool) -> HttpRequest:
        connection, envelope = turn.connection, turn.envelope
        if not turn.body.has_arrived:
            if connection.half_closed:
                raise Gone
            connection.is_reading = True
        try:
            await fill(spool, turn.body, self._limits.idle_s)
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

    def _ends_with_rest(self, exchange: HttpExchange, turn: Turn, delivery: Delivery) -> int:
        """How much of an unread body is taken in after the answer; the answer says if the connection ends with it."""
        head, body = turn.head, turn.body
        if body.is_eof():
            return 0
        succeeds = (
            delivery.response is not None and HTTPStatus.OK <= delivery.response.status < HTTPStatus.MULTIPLE_CHOICES
        )
        if head.expects_continue and not succeeds:
            exchange.keeps = False
            return 0
        if head.length_bytes is not None and head.length_bytes - body.total_bytes > self._rules.swallow_bytes:
            exchange.keeps = False
        return self._rules.swallow_bytes

    async def _left(self, body: RequestBody, swallows_bytes: int) -> bool:
        """Takes in the rest of a body that nobody wants. True when the next request can be read after it."""
        try:
            return bool(swallows_bytes) and await swallow(body, swallows_bytes, self._limits.idle_s)
        except (BrokenFraming, ConnectionError):
            return False

    # The end of it

    def _decide(self, envelope: HttpRequest, session: Session, now_us: int) -> Delivery:
        try:
            return self._handle(envelope, session, now_us)
        except Exception as bug:  # noqa: BLE001 (a bug of ours must not end the server)
            self._on_bug(envelope, bug)
            return Delivery(SERVER_ERROR)

    def _refuse(self, connection: HttpConnection, head: RequestHead | Malformed, why: Rejected) -> None:
        self.responder.reject(connection.exchange(head), why)
        connection.end()

    def _refuse_broken(self, turn: Turn, broken: BrokenFraming | BodyStopped) -> None:
        status = HTTPStatus.BAD_REQUEST if isinstance(broken, BrokenFraming) else HTTPStatus.REQUEST_TIMEOUT
        page = self._rules.broken_body(status, turn.envelope, self._clock.now_us())
        self.responder.reject(turn.connection.exchange(turn.head), Rejected(status, str(broken)), page)
        turn.connection.end()
