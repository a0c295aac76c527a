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


@dataclass(slots=True)
class Unacknowledged:
    """`token`: of the observation whose notification it is; None for an answer."""

    datagram: bytes
    token: bytes | None
    timeout_us: int
    retransmissions: int = 0
    withheld: int = 0
    """So many of its retransmissions get lost (a fault)."""
    next: Appointment | None = None


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

    def send(self, message_id: int, datagram: bytes, token: bytes | None, now_us: int, send: Send | None) -> None:
        """Sends it for the first time, as `send` says."""
        if len(self._waiting) >= MOST:
            self.take(next(iter(self._waiting)))
        one = Unacknowledged(datagram, token, self._layer.ack_timeout_us(), withheld=lost_repetitions(send))
        self._waiting[message_id] = one
        for first in first_transmission(datagram, send):
            self._send(first)
        self._wait(message_id, one, now_us)

    def take(self, message_id: int) -> Unacknowledged | None:
        """Its ACK or RST has come."""
        one = self._waiting.pop(message_id, None)
        if one is not None and one.next is not None:
            one.next.cancel()
        return one

    def close(self) -> None:
        for message_id in list(self._waiting):
            self.take(message_id)

    def _wait(self, message_id: int, one: Unacknowledged, now_us: int) -> None:
        one.next = self._layer.agenda.at(now_us + one.timeout_us, partial(self._time_out, message_id, one))

    def _time_out(self, message_id: int, one: Unacknowledged, now_us: int) -> None:
        if one.retransmissions == self._layer.rules.max_retransmit:
            del self._waiting[message_id]
            if one.token is not None:
                self._given_up(one.token)
            return
        one.retransmissions += 1
        one.timeout_us *= 2
        if one.withheld:
            one.withheld -= 1
        else:
            self._send(one.datagram)
        self._wait(message_id, one, now_us)
