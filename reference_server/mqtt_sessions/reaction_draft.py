"""A `Reaction` while it is made."""

from __future__ import annotations

from collections.abc import Iterable

from fleetrig.reference_server.platform import Reaction
from fleetrig.simulator.contract.envelope import Close, Output, Send
from fleetrig.simulator.contract.mqtt import MqttPacket


class ReactionDraft:
    """Collects what a call of a platform leads to."""

    __slots__ = ("changes", "device", "outputs", "reasons", "rollback", "steps")

    def __init__(self, device: str = "") -> None:
        self.outputs: list[Output] = []
        self.reasons: list[str] = []
        self.changes: list[str] = []
        self.device = device
        self.steps: list[str] = []
        self.rollback = False

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

    def tell(self, steps: Iterable[str], rollback: bool) -> None:
        """What a platform did on its way, and whether it shall not have been."""
        self.steps += steps
        self.rollback = self.rollback or rollback

    @property
    def says_something(self) -> bool:
        return bool(self.outputs or self.reasons or self.changes)

    def reaction(self) -> Reaction:
        reasons, changes = "; ".join(self.reasons), "; ".join(self.changes)
        return Reaction(self.outputs, reasons, self.device, changes, self.rollback, self.steps)
