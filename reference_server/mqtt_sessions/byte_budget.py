"""How much memory messages take, of one owner and of all together."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.bounds import Bound
from fleetrig.simulator.contract.mqtt import MqttPacket
from fleetrig.simulator.contract.mqtt_size import packet_bytes_of

MESSAGE_BYTES: Final = 200
"""What a message takes beside its texts, about."""


def size_bytes_of(packet: MqttPacket) -> int:
    return MESSAGE_BYTES + packet_bytes_of(packet)


class ByteBudget:
    """`whole` is the budget of all owners together, of which this is a share."""

    __slots__ = ("bound", "used_bytes", "whole")

    def __init__(self, bound: Bound, whole: ByteBudget | None = None) -> None:
        self.bound = bound
        self.whole = whole
        self.used_bytes = 0

    def take(self, n_bytes: int) -> Bound | None:
        """Takes them, or says which bound does not allow it."""
        if self.used_bytes + n_bytes > self.bound.most:
            return self.bound
        if self.whole is not None and (bound := self.whole.take(n_bytes)) is not None:
            return bound
        self.used_bytes += n_bytes
        return None

    def give_back(self, n_bytes: int) -> None:
        self.used_bytes -= n_bytes
        if self.whole is not None:
            self.whole.give_back(n_bytes)
