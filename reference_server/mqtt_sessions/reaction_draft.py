"""A `Reaction` while it is made."""

from __future__ import annotations

from collections.abc import Iterable

from fleetrig.reference_server.platform import Reaction
from fleetrig.simulator.contract.envelope import Close, Output, Send
from fleetrig.simulator.contract.mqtt import MqttPacket


class ReactionDraft:
    """Collects what a call of a platform leads to."""

    __slots__ = ("changes", "device", "outputs", "reasons")

    def __init__(self, device: str = "") -> None:
        self.outputs: list[Output] = []
        self.reasons: list[str] = []
        self.changes: list[str] = []
        self.device = device

    def send(self, session: int, packets: Iterable[MqttPacket]) -> None:
        for packet in packets:
            self.outputs.append(Send(session, packet))

    def close(self, session: int) -> None:
        self.outputs.append(Close(session))

    def note(self, reason: str = "", changed: str = "") -> None:
        if reason and reason not in self.reasons:
            self.reasons.append(reason)
        if changed:
            self.changes.append(changed)

    @property
    def says_something(self) -> bool:
        return bool(self.outputs or self.reasons or self.changes)

    def reaction(self) -> Reaction:
        return Reaction(self.outputs, "; ".join(self.reasons), self.device, "; ".join(self.changes))
