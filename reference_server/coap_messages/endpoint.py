"""One endpoint that sends requests: what its datagrams mean, and what it is sent (RFC 7252 §4 and §5).

received  ->  a request, once     -> tell(CoapRequest), with its whole body
              a request again     -> the same datagram again
              garbage             -> RST or silence, and tell(Undecodable)
              RST, GET observe=1  -> tell(CoapReset), tell(CoapRequest)
perform   ->  an answer: at once piggybacked, later in a message of its own; or a notification
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from fleetrig.reference_server.coap_messages.blocks import BAD_OPTION, TOO_LARGE, Answered
from fleetrig.reference_server.coap_messages.layer import (
    EXCHANGE_LIFETIME_US,
    NON_LIFETIME_US,
    Exchange,
    Layer,
    exchange_key,
)
from fleetrig.reference_server.coap_messages.lenient_reading import has_long_token, is_refused, usable_leniently
from fleetrig.reference_server.coap_messages.options import usable
from fleetrig.reference_server.coap_messages.replies import Replies, empty
from fleetrig.reference_server.coap_messages.requests import PendingRequest, pending, understood
from fleetrig.reference_server.coap_messages.wire import (
    EMPTY,
    LAST_METHOD,
    MalformedMessage,
    MessageType,
    WireMessage,
    code_text,
    decode,
    encode,
)
from fleetrig.simulator.contract.coap import CoapOptions, CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Envelope, Send
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.undecodable import HEAD_BYTES, Flaw, Undecodable

MOST_PENDING: Final = 64
"""Requests that wait for an answer; the oldest get none."""

MOST_REMEMBERED: Final = 4_096
"""Requests of one endpoint that are known when they come again: who floods the server forgets its own."""


class CoapEndpoint:
    """`tell` gives an envelope to the server; it may call `perform`, `unheard` and `close`, and mostly does."""

    __slots__ = (
        "_latest_id",
        "_layer",
        "_pending",
        "_remembered",
        "_replies",
        "_send",
        "_tell",
        "_unheard",
        "has_asked",
        "session",
    )

    def __init__(
        self, session: Session, layer: Layer, send: Callable[[bytes], None], tell: Callable[[Envelope], None]
    ) -> None:
        self.session = session
        self.has_asked = False
        """Whether a request has come, and not only garbage."""
        self._layer = layer
        self._send = send
        self._tell = tell
        self._replies = Replies(layer, send, self._lapse)
        self._pending: dict[bytes, PendingRequest] = {}
        """By token, the one that came first at the beginning."""
        self._latest_id = 0
        """The message id of the request that came last."""
        self._remembered: list[int] = []
        """Message ids of the latest requests, the oldest first."""
        self._unheard: dict[int, int] = {}
        """Message id -> how many more repetitions never arrive."""

    @property
    def observes(self) -> bool:
        return bool(self._replies.observations)

    # What comes

    def received(self, data: bytes, now_us: int) -> None:
        """One datagram. Raises nothing, whatever it is."""
        try:
            message = decode(data)
        except MalformedMessage as malformed:
            self._malformed(data, malformed, now_us)
            return
        is_strict = self._layer.rules.is_strict
        is_asking = message.type is MessageType.CON or message.type is MessageType.NON
        is_asking = is_asking or (message.type is MessageType.ACK and not is_strict)
        if is_asking and EMPTY < message.code <= LAST_METHOD:
            self._request(message, data, now_us)
        elif message.code == EMPTY and (is_strict or not is_refused(message)):
            self._empty(message, now_us)
        else:
            why = f"{message.type.name} {code_text(message.code)} answers nothing that was asked"
            is_rejected = message.type is MessageType.CON or (not is_strict and is_refused(message))
            self._reject(data, Flaw.PROTOCOL, why, message.message_id if is_rejected else None, now_us)

    def _malformed(self, data: bytes, malformed: MalformedMessage, now_us: int) -> None:
        """By RST or silence; where rules are not strict a confirmable request is answered."""
        message_id, token, why = malformed.rejected_id, malformed.token, malformed.why
        if self._layer.rules.is_strict:
            self._reject(data, malformed.flaw, why, message_id, now_us)
            return
        if token is None or message_id is None:
            self._reject(data, malformed.flaw, why, None if has_long_token(data) else message_id, now_us)
            return
        self._reject(data, malformed.flaw, why, None, now_us)
        self._send(encode(WireMessage(MessageType.ACK, BAD_OPTION, message_id, token, (), why.encode())))

    def _empty(self, message: WireMessage, now_us: int) -> None:
        match message.type:
            case MessageType.ACK:
                self._replies.confirmables.acknowledged(message.message_id, now_us)
            case MessageType.RST:
                token = self._replies.rejected(message.message_id)
                if token is not None:
                    self._tell(CoapReset(token))
            case MessageType.CON:
                self._send(empty(MessageType.RST, message.message_id))  # a ping (RFC 7252 §4.3)
            case MessageType.NON:
                pass

    def _reject(self, data: bytes, flaw: Flaw, why: str, rejected_id: int | None, now_us: int) -> None:
        reason = self._layer.garbage.reason(why, now_us)
        if reason is None:
            return
        if rejected_id is not None:
            self._send(empty(MessageType.RST, rejected_id))
        self._tell(Undecodable(flaw, reason, data[:HEAD_BYTES]))

    def _lapse(self, token: bytes) -> None:
        """Nobody has acknowledged a notification: that is a refusal (RFC 7641 §4.5). Or there are too many."""
        self._replies.end_observation(token)
        self._tell(CoapReset(token))

    def _request(self, message: WireMessage, data: bytes, now_us: int) -> None:
        key = exchange_key(self.session.id, message.message_id)
        known = self._layer.exchanges.get(key, now_us)
        if self._is_unheard(message.message_id):
            return
        if known is not None and known.expires_us > now_us:
            self._replies.repeat(known)
            return
        lifetime_us = EXCHANGE_LIFETIME_US if message.type is MessageType.CON else NON_LIFETIME_US
        exchange = Exchange(now_us + lifetime_us)
        self._remember(message.message_id, exchange, now_us)
        self.has_asked = True
        self._latest_id = message.message_id
        options, wrong = self._usable(message)
        request = pending(message, options, exchange, self.session.id, is_strict=self._layer.rules.is_strict)
        result: CoapRequest | Answered | None = wrong
        if result is None:
            result = understood(self._layer, self.session, message, options, request, now_us)
        if isinstance(result, CoapRequest):
            self._ask(request, result, now_us)
        elif not result.why:
            self._replies.reply(request, result, now_us)
        else:
            self._refuse(request, result, data, now_us)

    def _usable(self, message: WireMessage) -> tuple[CoapOptions, Answered | None]:
        """The options that count, and what the request is answered by if one is wrong."""
        rules = self._layer.rules
        if not rules.is_strict:
            return usable_leniently(message, rules.further_options)
        options, why = usable(message.options, rules.further_options)
        return options, Answered(BAD_OPTION, why=why) if why else None

    def _remember(self, message_id: int, exchange: Exchange, now_us: int) -> None:
        self._layer.exchanges.put(exchange_key(self.session.id, message_id), exchange, now_us)
        self._remembered.append(message_id)
        if len(self._remembered) > MOST_REMEMBERED:
            self._layer.exchanges.drop(exchange_key(self.session.id, self._remembered.pop(0)))

    def _refuse(self, request: PendingRequest, answer: Answered, data: bytes, now_us: int) -> None:
        """With a reason for the trace. A NON with a bad option is ignored (RFC 7252 §5.4.1)."""
        is_ignored = answer.code == BAD_OPTION and not request.is_confirmable and self._layer.rules.is_strict
        if answer.code != EMPTY and not is_ignored:
            self._replies.reply(request, answer, now_us)
        flaw = Flaw.TOO_LARGE if answer.code == TOO_LARGE else Flaw.PROTOCOL
        self._tell(Undecodable(flaw, f"{code_text(answer.code)}: {answer.why}", data[:HEAD_BYTES]))

    def _ask(self, request: PendingRequest, envelope: CoapRequest, now_us: int) -> None:
        if request.observe is not None:  # it begins anew, or ends
            self._replies.end_observation(request.token)
        self._pending[request.token] = request
        if len(self._pending) > MOST_PENDING:
            del self._pending[next(iter(self._pending))]
        self._tell(envelope)
        if request.is_confirmable and self._pending.get(request.token) is request:
            after_us = self._layer.rules.empty_ack_after_us
            self._layer.agenda.at(now_us + after_us, partial(self._acknowledge, request))

    def _acknowledge(self, request: PendingRequest, now_us: int) -> None:
        if self._pending.get(request.token) is request:
            self._replies.acknowledge(request)

    # What goes

    def perform(self, send: Send, now_us: int) -> None:
        """Raises ModelError for what is no message of a server."""
        match send.envelope:
            case CoapResponse(token=token) as response:
                request = self._pending.pop(token, None)
                if request is None:
                    self._replies.notify(response, send, now_us)
                else:
                    self._replies.answer(request, response, send, now_us)
            case CoapReset(token=token):
                if (request := self._pending.pop(token, None)) is not None:
                    self._replies.reset(request, send)
            case _:
                raise ModelError(f"a CoAP server does not send {send.envelope.line}")

    def unheard(self, copies: int) -> None:
        """The request that came last counts as never arrived, and so do its next `copies` - 1 repetitions."""
        self._layer.exchanges.drop(exchange_key(self.session.id, self._latest_id))
        for token, request in list(self._pending.items()):
            if request.message_id == self._latest_id:
                del self._pending[token]
        if copies > 1:
            self._unheard[self._latest_id] = copies - 1
        if len(self._unheard) > MOST_PENDING:
            del self._unheard[next(iter(self._unheard))]

    def close(self, ending: Ending) -> None:
        """Forgets everything. RESET: refuses what waits for an answer."""
        if ending is Ending.RESET:
            for request in self._pending.values():
                if request.is_confirmable and not request.is_acknowledged:
                    self._replies.reset(request, None)
        self._pending.clear()
        self._replies.close()

    def _is_unheard(self, message_id: int) -> bool:
        left = self._unheard.pop(message_id, 0)
        if left > 1:
            self._unheard[message_id] = left - 1
        return left > 0
