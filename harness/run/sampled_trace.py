"""The part of a large fleet's trace that is written: whole lives of a few devices, and all that the bench did."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.trace import ChoosesDevice

ONE_OF: Final = 64
"""Of so many devices one is written. An exchange takes up to two KiB, so a million take less than 50 MB."""

WRITTEN_WHOLE: Final = 5_000
"""Of a run with more devices the whole trace is written only if somebody asks for it: it takes longer than the run."""


def one_of_many() -> ChoosesDevice:
    """Chooses the first device, and every 64th after it, from power-on to the end."""
    return ChosenDevices({"": True}).__getitem__


class ChosenDevices(dict[str, bool]):
    """Serial -> whether it is chosen, decided when it is first asked about."""

    def __missing__(self, device: str) -> bool:
        self[device] = is_chosen = (len(self) - 1) % ONE_OF == 0
        return is_chosen
