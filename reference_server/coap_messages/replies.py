"""What goes to one endpoint: answers to its requests, and notifications (RFC 7252 §5.2, RFC 7641 §4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from fleetrig.reference_server.coap_messages.blocks import SUCCESS, Answered, cut, is_cut, with_etag
from fleetrig.reference_server.coap_messages.confirmables import Confirmables, Message
from fleetrig.reference_server.coap_messages.layer import Exchange, Layer, ResourceKey, Served
from fleetrig.reference_server.coap_messages.options import Block, OptionNumber, uint_bytes
from fleetrig.reference_server.coap_messages.requests import PendingRequest
from fleetrig.reference_server.coap_messages.wire import EMPTY, MessageType, WireMessage, code_number, encode
from fleetrig.reference_server.coap_messages.wire_faults import first_transmission, lost_repetitions
from fleetrig.simulator.contract.coap import CoapOptions, CoapResponse
from fleetrig.simulator.contract.envelope import Send

K = TypeVar("K")
V = TypeVar("V")

OBSERVE_SEQUENCES: Final = 1 << 24

MOST_OBSERVATIONS: Final = 64
"""Of one endpoint; the platform is told that the oldest has ended."""
MOST_NOTED: Final = 64
"""Of notifications that need no acknowledgement: a RST to one of the latest ends its observation."""


class Observation(NamedTuple):
    """What was observed, and in which blocks its notifications shall come."""

    resource: ResourceKey
    block2: Block | None


class Replies:
    """The sending half of an endpoint. `given_up` is told of an observation that ends here: nobody has acknowledged a
    notification, or there are too many of them."""

    __slots__ = ("_given_up", "_layer", "_message_id", "_noted", "_send", "confirmables", "observations")

    def __init__(self, layer: Layer, send: Callable[[bytes], None], given_up: Callable[[bytes], None]) -> None:
        self._layer = layer
        self._send = send
        self._given_up = given_up
        self._message_id = layer.first_message_id()
        self.confirmables = Confirmables(layer, send, given_up)
        self.observations: dict[bytes, Observation] = {}
        """By token, those that the platform has answered as such."""
        self._noted: dict[int, bytes] = {}
        """Message id of a notification -> token."""

    # Answers

    def answer(self, request: PendingRequest, response: CoapResponse, send: Send, now_us: int) -> None:
        """Sends a platform's answer, as `send` says."""
        code = code_number(response.code)
        too_many = self._follow(request, code, response.observe)
        served = Served(code, response.options, response.payload)
        asked = request.block2 if code >> 5 == SUCCESS or not self._layer.rules.is_strict else None
        cut_answer = self._cut(served, asked, request.resource, now_us)
        options = (*cut_answer.options, *_observe(response.observe), *_acknowledged_block(request))
        self._layer.uploads.drop(request.resource)
        self.reply(request, Answered(cut_answer.code, options, cut_answer.payload), now_us, send)
        if too_many is not None:
            self._given_up(too_many)

    def reply(self, request: PendingRequest, answer: Answered, now_us: int, send: Send | None = None) -> None:
        """Piggybacked where that is still possible, and otherwise in a message of its own."""
        response = send.envelope if send is not None and isinstance(send.envelope, CoapResponse) else None
        is_unwanted = response is not None and bool(request.unwanted >> (answer.code >> 5) - 1 & 1)
        if is_unwanted and not request.is_confirmable:
            return
        is_separate = is_unwanted or (response is not None and response.separate)
        is_piggybacked = request.is_confirmable and not request.is_acknowledged and not is_separate
        says_so = is_unwanted or (response is not None and response.confirmable)
        wants_ack = request.is_acknowledged or (says_so and (is_separate or not request.is_confirmable))
        kind = MessageType.ACK if is_piggybacked else MessageType.CON if wants_ack else MessageType.NON
        message_id = request.message_id if is_piggybacked else self._next_id()
        message = WireMessage(kind, answer.code, message_id, request.token, answer.options, answer.payload)
        datagram = encode(message)
        if wants_ack:
            self.confirmables.send(Message(message_id, datagram, None, send), now_us)
        else:
            self._send_remembered(request.exchange, datagram, send)

    def acknowledge(self, request: PendingRequest) -> None:
        """The answer takes longer: an empty acknowledgement."""
        request.is_acknowledged = True
        self._send_remembered(request.exchange, empty(MessageType.ACK, request.message_id), None)

    def reset(self, request: PendingRequest, send: Send | None) -> None:
        """Refuses a request by RST."""
        self._send_remembered(request.exchange, empty(MessageType.RST, request.message_id), send)

    def repeat(self, exchange: Exchange) -> None:
        """A request has come again: it gets the same datagram again (RFC 7252 §4.2)."""
        if exchange.withheld:
            exchange.withheld -= 1
        elif exchange.datagram:
            self._send(exchange.datagram)

    # Notifications

    def notify(self, response: CoapResponse, send: Send, now_us: int) -> None:
        """What goes out unasked: a notification, or an answer once more."""
        token, code = response.token, code_number(response.code)
        observed = self.observations.get(token)
        if observed is not None and (response.observe is None or code >> 5 != SUCCESS):
            del self.observations[token]
        served = Served(code, response.options, response.payload)
        resource, block2 = (None, None) if observed is None else observed
        answer = self._cut(served, block2, resource, now_us)
        kind = MessageType.CON if response.confirmable else MessageType.NON
        message_id = self._next_id()
        options = (*answer.options, *_observe(response.observe))
        datagram = encode(WireMessage(kind, code, message_id, token, options, answer.payload))
        if response.confirmable:
            self.confirmables.send(Message(message_id, datagram, token, send), now_us)
        else:
            _note(self._noted, message_id, token, MOST_NOTED)
            self._send_first(datagram, send)

    def rejected(self, message_id: int) -> bytes | None:
        """The token of the notification that a RST refuses, if it refuses one."""
        token = self.confirmables.rejected(message_id)
        if token is None:
            token = self._noted.pop(message_id, None)
        if token is not None:
            self.observations.pop(token, None)
        return token

    def end_observation(self, token: bytes) -> None:
        """If there is one: nothing of it is sent any more, nor sent again."""
        self.observations.pop(token, None)
        self.confirmables.withdraw(token)

    def close(self) -> None:
        self.confirmables.close()

    # Common to both

    def _cut(self, served: Served, asked: Block | None, resource: ResourceKey | None, now_us: int) -> Answered:
        if not is_cut(served, asked, self._layer):
            return Answered(served.code, served.options, served.payload)
        if self._layer.rules.is_strict:
            served = with_etag(served)
        if resource is not None:
            self._layer.bodies.put(resource, served, now_us, len(served.payload))
        return cut(served, asked, self._layer)

    def _follow(self, request: PendingRequest, code: int, observe: int | None) -> bytes | None:
        """The token of the observation that gives way to a new one."""
        if observe is None or request.observe != 0 or code >> 5 != SUCCESS:
            return None
        observation = Observation(request.resource, request.block2)
        return _note(self.observations, request.token, observation, MOST_OBSERVATIONS)

    def _send_remembered(self, exchange: Exchange, datagram: bytes, send: Send | None) -> None:
        exchange.datagram, exchange.withheld = datagram, lost_repetitions(send)
        self._send_first(datagram, send)

    def _send_first(self, datagram: bytes, send: Send | None) -> None:
        for one in first_transmission(datagram, send):
            self._send(one)

    def _next_id(self) -> int:
        self._message_id = (self._message_id + 1) & 0xFFFF
        return self._message_id


def empty(kind: MessageType, message_id: int) -> bytes:
    return encode(WireMessage(kind, EMPTY, message_id))


def _observe(sequence: int | None) -> CoapOptions:
    return () if sequence is None else ((OptionNumber.OBSERVE, uint_bytes(sequence % OBSERVE_SEQUENCES)),)


def _acknowledged_block(request: PendingRequest) -> CoapOptions:
    return () if request.block1 is None else ((OptionNumber.BLOCK1, request.block1.to_bytes()),)


def _note(noted: dict[K, V], key: K, value: V, most: int) -> K | None:
    """The key that was dropped for it: the oldest."""
    noted[key] = value
    if len(noted) <= most:
        return None
    oldest = next(iter(noted))
    del noted[oldest]
    return oldest
