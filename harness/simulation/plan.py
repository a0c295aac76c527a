"""What to simulate, what exists on the server for that long only, and how it ended."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fleetrig.harness.simulation.measuring import Measuring
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.effects import Ask


class TemporaryDevices(Protocol):
    """Records on the server that exist only while the fleet runs."""

    noun: str
    """The platform's name for them, such as `targets`."""
    created: set[str]
    """Names of the records that this run created, as far as it is known."""

    def create(self) -> AdminCall[None]:
        """Raises UsageError when such a device exists already, BrokenBench when the server cannot be used."""

    def find_created(self) -> AdminCall[None]:
        """Finds out on the server what there is to delete, where this run cannot know it."""

    def delete_all(self) -> AdminCall[None]:
        """Deletes what was created. May run several times in parallel: the calls share the work."""

    def restore_settings(self) -> AdminCall[None]:
        """Puts back what else `create` changed, once all records are deleted."""

    def left_behind(self) -> str:
        """Describes what is left on the server; empty if nothing is."""

    def how_to_remove(self) -> str:
        """How people find and remove that by hand."""


@dataclass(frozen=True, slots=True)
class SimulationPlan:
    """What to simulate."""

    url: str
    """The server, as messages name it."""
    agents: tuple[Agent, ...]
    probe: Ask | None
    """A harmless request that every server answers; None where only devices have something to ask."""
    hint: Callable[[str], str]
    """Advice if every device got this same first answer; empty if it is not a refusal."""
    spread_s: float
    for_s: float | None
    seed: int
    verify: ssl.SSLContext | bool
    waits_for_server: bool
    temporary: TemporaryDevices | None
    advice: Callable[[str], str] = lambda _: ""
    """What to do for a device that heard this last and was never let in; empty when there is nothing to say."""
    stays: Callable[[int], str] = lambda _: ""
    """How many devices were let in -> what of them stays on the server, since nobody here may delete it."""


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """How it ended. `left_behind` says what was not deleted, why, and how to do it by hand."""

    was_interrupted: bool
    left_behind: str
    gave_up: bool = False
    """Deleting was stopped by a second Ctrl-C."""
    measuring: Measuring | None = None
    """What was measured; None when no device was switched on."""
