"""HTTP without a network: asks a server's handler directly and performs what its delivery says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fleetrig.simulator.contract.bodies import body_blocks, body_bytes
from fleetrig.simulator.contract.clock import to_s, to_us
from fleetrig.simulator.contract.delivery import Delivery, Ending, HttpHandler
from fleetrig.simulator.contract.http import (
    Body,
    BodyPart,
    HttpRequest,
    HttpResponse,
    Repeated,
    body_length,
    body_slice,
    part_slice,
    parts_of,
)
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.effects import REPLY_LIMIT_BYTES, Ask, Download, Downloaded, HttpReply, NoReply, Reply
from fleetrig.simulator.transports.storage import Storage

ROUND_TRIP_US = 2_000
"""A request and its answer take this long when nothing delays them: about a local network."""


class VirtualHttp:
    """Returns each outcome together with the microseconds after which the device sees it."""

    def __init__(self, handler: HttpHandler, *, round_trip_us: int = ROUND_TRIP_US) -> None:
        self._handler = handler
        self._round_trip_us = round_trip_us
        self._storage = Storage()

    def ask(
        self, effect: Ask, session: Session, now_us: int, on_held: Callable[[int], None] = lambda held_id: None
    ) -> tuple[HttpReply | NoReply, int]:
        """`on_held` gets the id of a request that the server holds: so far its outcome is a time-out."""
        request = effect.request
        assert isinstance(request, HttpRequest), f"{request.line} needs a connection"
        delivery = self._handler(request, session, now_us)
        if delivery.ending is Ending.HELD:
            on_held(delivery.held_id)
        return self._outcome(delivery, effect, self._round_trip_us)

    def answered_late(self, delivery: Delivery, effect: Ask, waited_us: int) -> tuple[HttpReply | NoReply, int]:
        """What comes of a held request that is answered so long after it was sent. The answer itself takes no time."""
        outcome, after_us = self._outcome(delivery, effect, waited_us)
        return outcome, after_us - waited_us

    def _outcome(self, delivery: Delivery, effect: Ask, takes_us: int) -> tuple[HttpReply | NoReply, int]:
        after_us, failure = self._performed(delivery, effect.within_s, takes_us + _drips_us(delivery))
        if failure is not None:
            return failure, after_us
        response = delivery.response
        assert response is not None
        promised = promised_bytes(delivery)
        if promised is None:
            return NoReply("malformed", to_s(after_us)), after_us
        body = response.body
        if promised < body_length(body):
            body = body_slice(body, 0, promised)
        elif promised > _comes_through(delivery):
            return NoReply("truncated", to_s(after_us)), after_us
        if body_length(body) > REPLY_LIMIT_BYTES:
            return NoReply("malformed", to_s(after_us)), after_us
        if not isinstance(body, bytes) or body is not response.body:
            response = HttpResponse(response.status, response.headers, body_bytes(body))
        return Reply(response, to_s(after_us)), after_us

    def download(
        self, effect: Download, serial: str, session: Session, now_us: int
    ) -> tuple[Downloaded | NoReply, int]:
        delivery = self._handler(effect.request, session, now_us)
        after_us, failure = self._performed(delivery, effect.within_s, self._round_trip_us)
        if failure is not None:
            return failure, after_us
        response = delivery.response
        assert response is not None
        if response.status not in (200, 206):
            return Downloaded(response.status, response.headers, 0, 0, {}, cut=False, after_s=to_s(after_us)), after_us
        after_us += _drips_us(delivery)  # a download waits anew after each block
        return self._store(effect, serial, response, _comes_through(delivery), to_s(after_us)), after_us

    def _performed(self, delivery: Delivery, within_s: float, takes_us: int) -> tuple[int, NoReply | None]:
        """When the device sees something, and what it sees if that is no answer."""
        after_us = takes_us + delivery.delay_us
        if delivery.ending in (Ending.SILENCE, Ending.HELD) or after_us > to_us(within_s):
            return to_us(within_s), NoReply("timeout", within_s)
        match delivery.ending:
            case Ending.REFUSED | Ending.RESET | Ending.CLOSED | Ending.TLS:
                return after_us, NoReply(delivery.ending.value, to_s(after_us))
            case _:
                return after_us, None

    def _store(
        self, effect: Download, serial: str, response: HttpResponse, comes_bytes: int, after_s: float
    ) -> Downloaded:
        file = self._storage.open(serial, effect.file, response.status, response.headers)
        left = comes_bytes
        for piece in _pieces(response.body):
            taken = part_slice(piece, 0, left)
            file.take(taken)
            left -= len(taken)
            if left == 0 or (effect.at_most_bytes is not None and file.stored_bytes > effect.at_most_bytes):
                break
        cut = comes_bytes < body_length(response.body)
        if not cut:
            self._storage.finished(serial, effect.file)
        return Downloaded(
            response.status, response.headers, comes_bytes - left, file.stored_bytes, file.hashes(), cut, after_s
        )


def _pieces(body: Body) -> Iterator[BodyPart]:
    """A body as it comes: block by block, but what is made as it is read in one piece."""
    for part in parts_of(body):
        if isinstance(part, Repeated):
            yield part
        else:
            yield from body_blocks(part)


def _comes_through(delivery: Delivery) -> int:
    """How many bytes of the body reach the device."""
    assert delivery.response is not None
    length = body_length(delivery.response.body)
    if delivery.ending is not Ending.TRUNCATED:
        return length
    return length // 2 if delivery.cut_after_bytes is None else min(length, delivery.cut_after_bytes)


def _drips_us(delivery: Delivery) -> int:
    """How long a slow body takes."""
    if delivery.bytes_per_s is None or delivery.response is None:
        return 0
    return to_us(body_length(delivery.response.body) / delivery.bytes_per_s)


def promised_bytes(delivery: Delivery) -> int | None:
    """The length of the body as the head says it; None when a fault has made it unreadable."""
    assert delivery.response is not None
    if "content-length" not in delivery.as_given:
        return body_length(delivery.response.body)
    text = delivery.response.header("Content-Length") or ""
    return int(text) if text.isdecimal() else None
