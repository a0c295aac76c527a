"""How much memory messages take, of one owner and of all together."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.bounds import Bound
from fleetrig.simulator.contract.mqtt import MqttPublish, Properties

MESSAGE_BYTES: Final = 200
"""What a message takes beside its texts, about."""


def size_bytes_of(publish: MqttPublish) -> int:
    return MESSAGE_BYTES + len(publish.topic) + len(publish.payload) + _properties_bytes(publish.properties)


def _properties_bytes(properties: Properties) -> int:
    return sum(len(part) for _, value in properties for part in _texts(value))


def _texts(value: object) -> tuple[str | bytes, ...]:
    match value:
        case str() | bytes():
            return (value,)
        case (str() as name, str() as text):
            return (name, text)
        case _:
            return ()


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
