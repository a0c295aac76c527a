"""What can be asked of a fleet, whichever engine runs it. Both give the same figures, bit by bit."""

from __future__ import annotations

from typing import Protocol

from fleetrig.simulator.cohort.figures import FleetFigures
from fleetrig.simulator.cohort.model import Disruption, Starts


class FleetEngine(Protocol):
    """`arrays.ArrayFleet` and, one SimPy process for each device, `processes.ProcessFleet`. Time begins at 0."""

    @property
    def now_us(self) -> int: ...

    @property
    def figures(self) -> FleetFigures: ...

    def start(self, devices: range, starts: Starts) -> None:
        """Switches on those of them that are off, from now on."""

    def stop(self, devices: range) -> None:
        """Cuts their power now; what was under way never happened for them."""

    def disrupt(self, disruption: Disruption) -> None:
        """Adds one; `begin_us` is not in the past. Of several that cover a moment one counts (`model.in_order`)."""

    def give_work(self, devices: range, requests: int) -> None:
        """After its next answer each has so many further requests to make, such as the steps of an update; or as many
        as it was given before, if they are more. A power cut changes nothing about that."""

    def run_until(self, until_us: int) -> None:
        """Lets everything before `until_us` happen."""
