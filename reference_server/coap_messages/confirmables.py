"""What a server sends to one endpoint and wants acknowledged (RFC 7252 §4.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from fleetrig.reference_server.coap_messages.agenda import Appointment
from fleetrig.reference_server.coap_messages.layer import Layer
from fleetrig.reference_server.coap_messages.wire_faults import first_transmission, lost_repetitions
from fleetrig.simulator.contract.envelope import Send

MOST: Final = 64
"""An endpoint that acknowledges nothing gets no more than that; the oldest are given up."""


@dataclass(frozen=True, slots=True)
class Message:
    """`token`: of the observation whose notification it is; None for an answer."""

    message_id: int
    datagram: bytes
    token: bytes | None
    send: Send | None
    """How it goes out for the first time."""


@dataclass(slots=True)
class Unacknowledged:
    message: Message
    timeout_us: int
    retransmissions: int = 0
    withheld: int = 0
    """So many of its retransmissions get lost (a fault)."""
    next: Appointment | None = None
    newer: Message | None = None
    """The notification that takes its place, as soon as this one is acknowledged or would be sent again."""


class Confirmables:
    """Sends each again until `take` is called for it; after the last time `given_up` is told its token."""

    __slots__ = ("_given_up", "_layer", "_send", "_waiting")

    def __init__(self, layer: Layer, send: Callable[[bytes], None], given_up: Callable[[bytes], None]) -> None:
        self._layer = layer
        self._send = send
        self._given_up = given_up
        self._waiting: dict[int, Unacknowledged] = {}
        """By message id, the oldest first."""

    def __len__(self) -> int:
        return len(self._waiting)

    def send(self, message: Message, now_us: int) -> None:
        """Sends it for the first time; a notification waits for the one before it, and an older one that waits is never
        sent (RFC 7641 §4.5.2)."""
        before = self._notification(message.token)
        if before is not None:
            before.newer = message
            return
        if len(self._waiting) >= MOST:
            self._drop(next(iter(self._waiting)))
        self._begin(Unacknowledged(message, self._layer.ack_timeout_us()), now_us)

    def acknowledged(self, message_id: int, now_us: int) -> None:
        one = self._drop(message_id)
        if one is not None and one.newer is not None:
            self.send(one.newer, now_us)

    def rejected(self, message_id: int) -> bytes | None:
        """The token of the notification that a RST refuses, with what was to follow it."""
        one = self._drop(message_id)
        return None if one is None else one.message.token

    def withdraw(self, token: bytes) -> None:
        """Nobody wants the notifications of an observation any more that are under way."""
        one = self._notification(token)
        if one is not None:
            self._drop(one.message.message_id)

    def close(self) -> None:
        for message_id in list(self._waiting):
            self._drop(message_id)

    def _notification(self, token: bytes | None) -> Unacknowledged | None:
        """The one of an observation that is not acknowledged yet."""
        if token is None:
            return None
        return next((one for one in self._waiting.values() if one.message.token == token), None)

    def _begin(self, one: Unacknowledged, now_us: int) -> None:
        """A message goes out for the first time, with the patience that is left."""
        self._waiting[one.message.message_id] = one
        one.withheld = lost_repetitions(one.message.send)
        for first in first_transmission(one.message.datagram, one.message.send):
            self._send(first)
        self._wait(one, now_us)

    def _drop(self, message_id: int) -> Unacknowledged | None:
        one = self._waiting.pop(message_id, None)
        if one is not None and one.next is not None:
            one.next.cancel()
        return one

    def _wait(self, one: Unacknowledged, now_us: int) -> None:
        one.next = self._layer.agenda.at(now_us + one.timeout_us, partial(self._time_out, one))

    def _time_out(self, one: Unacknowledged, now_us: int) -> None:
        if one.retransmissions == self._layer.rules.max_retransmit:
            del self._waiting[one.message.message_id]
            if one.message.token is not None:
                self._given_up(one.message.token)
            return
        one.retransmissions += 1
        one.timeout_us *= 2
        if one.newer is not None:
            del self._waiting[one.message.message_id]
            one.message, one.newer = one.newer, None
            self._begin(one, now_us)
            return
        if one.withheld:
            one.withheld -= 1
        else:
            self._send(one.message.datagram)
        self._wait(one, now_us)
