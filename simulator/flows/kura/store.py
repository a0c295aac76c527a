"""The message store of a gateway: priorities, messages in flight, and the limit on how fast data leaves (spec 4.2).

The first message is that of the lowest priority number, the oldest of those; it holds up all behind it until it may go.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from typing import Final

from fleetrig.simulator.flows.kura.components import DataService

LIFECYCLE, REPLIES, DATA = 0, 1, 7
"""Priorities: lower ones go first. Those below `LIMITED_FROM` know no rate limit."""
LIMITED_FROM: Final = 5
UNBOUNDED_BELOW: Final = 2
"""These priorities are stored whatever the capacity is."""
LAST_PACKET_ID: Final = 65_535
ROUNDING: Final = 1e-6
"""Sums of seconds are not exact."""


@dataclass(order=True, slots=True)
class StoredMessage:
    priority: int
    number: int
    name: str = field(compare=False)
    """What the exchange is called."""
    topic: str = field(compare=False)
    """As it was stored, with its tokens (`#client-id`)."""
    payload: bytes = field(compare=False, repr=False)
    qos: int = field(compare=False)


@dataclass(slots=True)
class MessageStore:
    """What waits to be published, and what was published and is not acknowledged."""

    data: DataService
    waiting: list[StoredMessage] = field(default_factory=list)
    in_flight: dict[int, StoredMessage] = field(default_factory=dict)
    last_number: int = 0
    last_packet_id: int = 0
    permits: int = 1
    refilled_s: float = 0.0

    def put(self, name: str, topic: str, payload: bytes, *, qos: int, priority: int) -> bool:
        """False when the message is refused: it is too large, or the store is full."""
        is_full = len(self.waiting) >= self.data.store_capacity and priority >= UNBOUNDED_BELOW
        if len(payload) > self.data.maximum_payload_bytes or is_full:
            return False
        self.last_number += 1
        insort(self.waiting, StoredMessage(priority, self.last_number, name, topic, payload, qos))
        return True

    def first(self) -> StoredMessage | None:
        """The next to go; None when nothing waits, or when the first must wait until something is acknowledged."""
        if not self.waiting or self.is_congested:
            return None
        return self.waiting[0]

    @property
    def is_congested(self) -> bool:
        return bool(self.waiting) and self.waiting[0].qos > 0 and len(self.in_flight) >= self.data.most_in_flight

    def takes_permit(self, message: StoredMessage, now_s: float) -> bool:
        """False when the rate limit wants it to wait (`permit_at_s`)."""
        if not self.data.rate_limit or message.priority < LIMITED_FROM:
            return True
        self._refill(now_s)
        if self.permits == 0:
            return False
        self.permits -= 1
        return True

    def permit_at_s(self) -> float:
        """When the next message that is limited may go."""
        return self.refilled_s + 1 / self.data.rate_limit_per_s

    def _refill(self, now_s: float) -> None:
        """Permits come in fixed steps, whenever the last was used."""
        period_s = 1 / self.data.rate_limit_per_s
        steps = int((now_s - self.refilled_s) / period_s + ROUNDING)
        if steps > 0:
            self.permits = min(self.permits + steps, self.data.rate_limit_burst)
            self.refilled_s += steps * period_s

    def drop(self, message: StoredMessage) -> None:
        """It can never be published."""
        self.waiting.remove(message)

    def published(self, message: StoredMessage) -> int:
        """It goes out now. Its packet id; 0 with QoS 0."""
        self.waiting.remove(message)
        if message.qos == 0:
            return 0
        packet_id = self.next_packet_id()
        self.in_flight[packet_id] = message
        return packet_id

    def acknowledged(self, packet_id: int) -> StoredMessage | None:
        return self.in_flight.pop(packet_id, None)

    def next_packet_id(self) -> int:
        while True:
            self.last_packet_id = self.last_packet_id % LAST_PACKET_ID + 1
            if self.last_packet_id not in self.in_flight:
                return self.last_packet_id

    def begin_session(self) -> None:
        """What is in flight goes once more, in its old place; or is given up."""
        if self.data.republish_in_flight:
            for message in self.in_flight.values():
                insort(self.waiting, message)
        self.in_flight.clear()
