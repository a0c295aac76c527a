"""The block `boards`: which boards of the bench a scenario works on, and whose part each of them plays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.scenario_file.values import LooseText, Model, Text, Word

POWER: Final = "power"
"""The word of `offers` for a board that the bench can switch on and off."""


class BoardRole(Model):
    """A board that the scenario works on: any free one of the bench that fits."""

    type: LooseText = ""
    """Only boards of this type; any when not given."""
    offers: tuple[Word, ...] = ()
    """What it must offer, as the bench file says of it: power, wifi, relay.reset."""
    device: Text | None = None
    """The serial of the device that it plays. When there is one board and one device, it plays that one; otherwise a
    board without it plays none and is only flashed and asked."""

    def say(self) -> str:
        """`any board`, `a board of type x that offers power and wifi`."""
        kind = f"a board of type {self.type}" if self.type else "any board"
        return f"{kind} that offers {' and '.join(self.offers)}" if self.offers else kind


Roles = Mapping[str, BoardRole]


def played_by(roles: Roles, device_count: int, only_serial: str) -> dict[str, str]:
    """Role -> the serial of the device that it plays."""
    played = {role: board.device for role, board in roles.items() if board.device is not None}
    if len(roles) == 1 and device_count == 1 and not played:
        return dict.fromkeys(roles, only_serial)
    return played
