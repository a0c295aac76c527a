"""A fleet on the array engine that can be set back: all that was asked of it is done again, up to an earlier moment.

The same calls give the same fleet, whatever the steps in which time passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from fleetrig.harness.fleets.watch import FleetWatch
from fleetrig.simulator.cohort.arrays import ArrayFleet, can_be_compiled
from fleetrig.simulator.cohort.engine import FleetEngine
from fleetrig.simulator.cohort.figures import FleetFigures
from fleetrig.simulator.cohort.model import Disruption, FleetModel, Starts

COMPILED_FROM: Final = 100_000
"""Devices. To load the compiler takes a second, in which a smaller fleet has run for an hour."""

AskedOfFleet = Callable[[FleetEngine], None]


@dataclass(slots=True)
class RepeatableFleet:
    """Tells `watch` what happens, but not a second time."""

    model: FleetModel
    watch: FleetWatch
    compiled: bool | None = None
    """None: where it pays, and where the extra `compiled` is installed."""
    is_watched: bool = True
    """False where nobody looks: that costs less, and the fleet cannot be set back."""
    _calls: list[tuple[int, AskedOfFleet]] = field(default_factory=list)
    """When, and what was asked."""
    _started: set[int] = field(default_factory=set)
    _fleet: ArrayFleet = field(init=False)

    def __post_init__(self) -> None:
        self._fleet = self._built()
        if self.is_watched:
            self._fleet.tell(self.watch.saw)

    def _built(self) -> ArrayFleet:
        return ArrayFleet(self.model, compiled=self._is_compiled)

    @property
    def _is_compiled(self) -> bool:
        if self.compiled is None:
            return self.model.count >= COMPILED_FROM and can_be_compiled()
        return self.compiled

    @property
    def engine(self) -> str:
        """Its name for people."""
        return "cohort, compiled" if self._is_compiled else "cohort"

    @property
    def now_us(self) -> int:
        return self._fleet.now_us

    @property
    def figures(self) -> FleetFigures:
        return self._fleet.figures

    def is_first_start(self, devices: range) -> bool:
        """True once for each range."""
        is_first = devices.start not in self._started
        self._started.add(devices.start)
        return is_first

    def start(self, devices: range, starts: Starts) -> None:
        self._ask(lambda fleet: fleet.start(devices, starts))

    def stop(self, devices: range) -> None:
        self._ask(lambda fleet: fleet.stop(devices))

    def disrupt(self, disruption: Disruption) -> None:
        self._ask(lambda fleet: fleet.disrupt(disruption))

    def give_work(self, devices: range, requests: int) -> None:
        self._ask(lambda fleet: fleet.give_work(devices, requests))

    def run_until(self, until_us: int) -> None:
        self._fleet.run_until(until_us)

    def set_back(self, to_us: int) -> None:
        """As it was then."""
        fleet = self._built()
        for at_us, call in self._calls:
            fleet.run_until(at_us)
            call(fleet)
        fleet.run_until(to_us)
        fleet.tell(self.watch.saw)
        self._fleet = fleet

    def _ask(self, call: AskedOfFleet) -> None:
        self._calls.append((self.now_us, call))
        call(self._fleet)
