"""Which of the two engines of virtual time runs a scenario, and why: by size, and by what the file asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.simulator.contract.bounds import DEVICES
from fleetrig.simulator.contract.errors import UsageError

EngineName = Literal["exact", "cohort"]

EXACT_BELOW: Final = 20_000
"""Devices. The exact engine needs about a minute and half a gigabyte for so many that poll for ten minutes."""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """The engine, and a part of a sentence that says why; empty where nobody wonders."""

    engine: EngineName
    why: str = ""

    def __str__(self) -> str:
        return f"{self.engine}: {self.why}" if self.why else self.engine


def engine_for(scenario: Scenario, wanted: EngineName | None = None, *, needs_exact: str = "") -> EngineChoice:
    """`wanted`: what the command says. Raises UsageError for what that engine cannot do.

    `needs_exact`: what else of the command only the exact engine can do.
    """
    count = scenario.devices.unit_count()
    if wanted == "cohort":
        if why := needs_exact or why_no_cohort(scenario):
            raise UsageError(f"--engine cohort: {scenario.id or 'the scenario'} needs the exact engine: {why}")
        return EngineChoice("cohort", "as --engine says")
    if wanted == "exact":
        if count > DEVICES.most:
            raise UsageError(f"--engine exact: {count:,} devices, expected {DEVICES}: leave --engine away")
        return EngineChoice("exact", "as --engine says")
    if count < EXACT_BELOW:
        return EngineChoice("exact")
    if not (why := needs_exact or why_no_cohort(scenario)):
        return EngineChoice("cohort", f"{count:,} devices are many for the exact engine")
    if count > DEVICES.most:
        raise UsageError(f"{scenario.id or 'the scenario'} has {count:,} devices, and the exact engine takes "
                         f"{DEVICES}; the array engine, which takes more, cannot run it: {why}")  # fmt: skip
    return EngineChoice("exact", f"only it can do this: {why}")


def why_no_cohort(scenario: Scenario) -> str:
    """Why only the exact engine can run it; empty when the array engine can, too."""
    # NumPy is imported for large fleets only.
    from fleetrig.harness.fleets.translation import NotACohort, fleet_model

    try:
        fleet_model(scenario, 1)
    except NotACohort as only_exact:
        return str(only_exact)
    return ""
