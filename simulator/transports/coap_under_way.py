"""What a device's CoAP has under way in virtual time, where no library does it: what it takes, and what it repeats.

An answer is taken once, for a request that was sent; a notification while its resource is observed and only if it is
newer than the last one (RFC 7641 §3.4). What the device has given up is not repeated, but its answer may still come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope

UNANSWERED_LIMIT: Final = 64
"""More requests than a device has under way; then the oldest is given up. Many ask for no answer at all."""
HALF_OF_ALL_SEQUENCES: Final = 1 << 23
FRESH_AFTER_US: Final = 128 * US_PER_S


@dataclass(slots=True)
class _Exchange:
    """A request. `sequence` and `notified_us` are of the last notification, once there was one."""

    request: CoapRequest
    is_given_up: bool = False
    sequence: int | None = None
    notified_us: int = 0

    def is_newer(self, sequence: int, now_us: int) -> bool:
        if self.sequence is None or now_us > self.notified_us + FRESH_AFTER_US:
            return True
        return 0 < (sequence - self.sequence) % (2 * HALF_OF_ALL_SEQUENCES) < HALF_OF_ALL_SEQUENCES


class CoapUnderWay:
    """One device's, towards one server."""

    __slots__ = ("_exchanges",)

    def __init__(self) -> None:
        self._exchanges: dict[bytes, _Exchange] = {}
        """By token, the oldest first."""

    def sent(self, envelope: Envelope) -> None:
        """A request goes out, or the reset that ends an observation."""
        match envelope:
            case CoapRequest(token=token):
                self._exchanges.pop(token, None)
                self._exchanges[token] = _Exchange(envelope)
                self._limit()
            case CoapReset(token):
                self._exchanges.pop(token, None)

    def give_up(self, token: bytes) -> None:
        """The device no longer waits for the answer."""
        if token in self._exchanges:
            self._exchanges[token].is_given_up = True

    def is_repeated(self, request: CoapRequest) -> bool:
        """Whether the request is sent again as long as nothing comes."""
        exchange = self._exchanges.get(request.token)
        return exchange is not None and request.confirmable and exchange.sequence is None and not exchange.is_given_up

    def unacknowledged(self) -> list[CoapRequest]:
        """All that are sent again as long as nothing comes."""
        return [exchange.request for exchange in self._exchanges.values() if self.is_repeated(exchange.request)]

    def comes_again(self, envelope: Envelope) -> bool:
        """Whether an answer that is lost comes again: it is confirmable, or the request that it answers is repeated."""
        if not isinstance(envelope, CoapResponse):
            return False
        asked = self._exchanges.get(envelope.token)
        return envelope.confirmable or (asked is not None and self.is_repeated(asked.request))

    def takes(self, envelope: Envelope, now_us: int) -> bool:
        """Whether the device gets what comes; a stack refuses or ignores the rest."""
        match envelope:
            case CoapReset(token):
                return self._exchanges.pop(token, None) is not None
            case CoapResponse(token=token, observe=sequence):
                exchange = self._exchanges.get(token)
                if exchange is None or (sequence is not None and exchange.request.observe == 1):
                    return False
                if sequence is None or exchange.request.observe != 0:
                    del self._exchanges[token]
                    return True
                if not exchange.is_newer(sequence, now_us):
                    return False
                exchange.sequence, exchange.notified_us = sequence, now_us
                return True
            case _:
                return True

    def _limit(self) -> None:
        unanswered = [token for token, exchange in self._exchanges.items() if exchange.sequence is None]
        if len(unanswered) > UNANSWERED_LIMIT:
            del self._exchanges[unanswered[0]]
