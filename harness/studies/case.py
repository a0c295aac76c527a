"""One run of a study: what is asked of a worker, and what it hands back. Both travel between processes and machines."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from fleetrig.harness.fleets.findings import Situation, findings_of
from fleetrig.harness.fleets.fleet_run import FleetOutcome, run_fleet
from fleetrig.harness.fleets.translation import NotACohort, fleet_model
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.scenario_file.selection import Expanded
from fleetrig.harness.scenario_file.template import ScenarioFile
from fleetrig.harness.studies.case_figures import CaseFigures, RateCurve, case_figures, rate_curve
from fleetrig.simulator.cohort.model import FleetModel
from fleetrig.simulator.contract.clock import US_PER_S, to_s
from fleetrig.simulator.contract.errors import UsageError


@dataclass(frozen=True, slots=True)
class CaseOrder:
    """One run to perform."""

    number: int
    """Of the combination, from 0."""
    file: ScenarioFile
    values: Mapping[str, Any]
    seed: int
    keeps_curve: bool = True
    devices: int | None = None
    """So many in place of those that the file says, with a server as much smaller: for estimates."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of it."""

    number: int
    seed: int
    figures: CaseFigures
    curve: RateCurve | None
    steady_per_s: float
    capacity_per_s: float | None
    fault_s: tuple[float, float] | None
    """From the beginning of the first fault to the end of the last."""
    horizon_s: int
    engine: str
    cpu_s: float = 0.0
    """What the worker's processor spent on it; nothing but this and `process` changes when a study is run again."""
    process: int = 0
    """The id of the worker's process."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(given: Mapping[str, Any]) -> CaseResult:
        """What `to_json` made. Raises TypeError or KeyError for anything else."""
        figures, curve, fault = given["figures"], given["curve"], given["fault_s"]
        return CaseResult(
            **{
                **given,
                "figures": CaseFigures(**figures),
                "curve": None if curve is None else RateCurve(**{k: _as_read(v) for k, v in curve.items()}),
                "fault_s": None if fault is None else (fault[0], fault[1]),
            }
        )


Performer = Callable[[CaseOrder], CaseResult]
"""What a worker does with an order: `perform`, or a test's own."""


def perform(order: CaseOrder) -> CaseResult:
    """Runs it, in this process."""
    began_s = time.process_time()
    scenario = scenario_of(order)
    outcome = run_fleet(Expanded(scenario, order.values, scenario.id), seed=order.seed)
    result = result_of(outcome, order, scenario)
    return replace(result, cpu_s=round(time.process_time() - began_s, 3), process=os.getpid())


def scenario_of(order: CaseOrder) -> Scenario:
    scenario = watched_to_the_end(order.file.fill(order.values))
    return scenario if order.devices is None else shrunk(scenario, order.devices)


def watched_to_the_end(scenario: Scenario) -> Scenario:
    """Without what it expects, which would end it early: each phase lasts as long as it may."""
    phases = tuple(
        phase.model_copy(
            update={"expect": (), "within_s": None, "for_s": phase.for_s if phase.within_s is None else phase.within_s}
        )
        for phase in scenario.phases
    )
    return scenario.model_copy(update={"phases": phases})


def steady_rate(scenario: Scenario) -> float:
    """Requests a second of its fleet when nothing disturbs it; 0 when it stays connected.

    Raises UsageError for a scenario that the array engine cannot run.
    """
    try:
        return steady_per_s(fleet_model(watched_to_the_end(scenario), 0))
    except NotACohort as wrong:
        raise UsageError(
            f"{scenario.id} cannot be studied: {wrong}, and that only the exact engine can, one device at a time "
            f"(`fleetrig run {scenario.id}`)"
        ) from None


def steady_per_s(model: FleetModel) -> float:
    """Each polling device asks once in the middle of its interval's range."""
    return sum(
        2 * US_PER_S * one.count / (sum(one.interval_us) + 2 * model.round_trip_us)
        for one in model.cohorts
        if not one.is_connected
    )


def shrunk(scenario: Scenario, devices: int) -> Scenario:
    """The same with fewer devices, and a server as much smaller."""
    share = devices / scenario.devices.count
    fleet = scenario.devices.model_copy(update={"count": devices})
    capacity = scenario.server.capacity
    if capacity is None:
        return scenario.model_copy(update={"devices": fleet})
    less = capacity.model_copy(update={"requests_per_s": capacity.requests_per_s * share})
    return scenario.model_copy(
        update={"devices": fleet, "server": scenario.server.model_copy(update={"capacity": less})}
    )


def result_of(outcome: FleetOutcome, order: CaseOrder, scenario: Scenario) -> CaseResult:
    capacity = scenario.server.capacity
    fault_us = _fault_us(outcome)
    situation = Situation(
        steady_per_s(outcome.model),
        _interval_us(outcome.model),
        fault_us,
        None if capacity is None else capacity.requests_per_s,
        outcome.model.count,
    )
    findings = findings_of(outcome.figures, situation)
    return CaseResult(
        order.number, order.seed, case_figures(findings),
        curve=rate_curve(findings.curves) if order.keeps_curve else None,
        steady_per_s=round(situation.steady_per_s, 3),
        capacity_per_s=situation.capacity_per_s,
        fault_s=None if fault_us is None else (to_s(fault_us[0]), to_s(fault_us[1])),
        horizon_s=-(-outcome.spans[-1].end_us // US_PER_S),
        engine=outcome.engine,
    )  # fmt: skip


def _fault_us(outcome: FleetOutcome) -> tuple[int, int] | None:
    """From the beginning of the first disruption to the end of the last, as far as they are within the run."""
    end_us = outcome.spans[-1].end_us
    within = [one for one in outcome.disruptions if one.begin_us < end_us]
    if not within:
        return None
    return min(one.begin_us for one in within), min(end_us, max(one.end_us for one in within))


def _interval_us(model: FleetModel) -> int:
    """The mean of all polling devices; 0 where there are none."""
    polling = [one for one in model.cohorts if not one.is_connected]
    devices = sum(one.count for one in polling)
    return sum(one.count * sum(one.interval_us) for one in polling) // (2 * devices) if devices else 0


def _as_read(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
