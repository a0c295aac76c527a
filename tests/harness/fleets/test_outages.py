"""The scenarios of outages hold for large fleets, too; `make test` runs each at its own size on the exact engine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleetrig.harness.fleets.engine_choice import EngineName, engine_for
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import Expanded, plan
from fleetrig.harness.verdict import Report, Verdict

SCENARIOS = Path(__file__).parents[3] / "scenarios"
LARGE = "20000"
ONLY_EXACT = {"outage/rollout_in_batches": "the action rollout works on the server or within devices"}


def planned(name: str, **params: str) -> tuple[Expanded, ...]:
    return plan([name], SCENARIOS, params=params)


def ran(expanded: Expanded, folder: Path, engine: EngineName | None = None) -> Report:
    report = asyncio.run(run(expanded, RunOptions(results=folder, engine=engine)))
    assert report.verdict is Verdict.PASSED, (expanded.name, report)
    return report


def names() -> list[str]:
    return sorted({one.scenario.id for one in planned("outage")} - ONLY_EXACT.keys())


def test_there_are_at_least_seven() -> None:
    assert len(names()) >= 7


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_it_holds_for_a_large_fleet(name: str, tmp_path: Path) -> None:
    """One run of its matrix; they differ in numbers only."""
    report = ran(planned(name, devices=LARGE)[-1], tmp_path)
    assert report.engine == "cohort: 20,000 devices are many for the exact engine"
    assert report.devices == int(LARGE)


@pytest.mark.parametrize(("name", "why"), ONLY_EXACT.items())
def test_what_only_the_exact_engine_can_do_is_said(name: str, why: str) -> None:
    (one,) = planned(name, devices=LARGE)
    assert str(engine_for(one.scenario)) == f"exact: only it can do this: {why}"


@pytest.mark.slow
def test_an_expired_certificate_is_the_same_outage_to_both_engines(tmp_path: Path) -> None:
    (one,) = planned("outage/certificate_expiry", unnoticed="2h")
    exact, cohort = (polls_of(ran(one, tmp_path, engine)) for engine in ("exact", "cohort"))
    assert exact == pytest.approx(cohort, rel=0.1)


def polls_of(report: Report) -> list[int]:
    """`15 in 10 s at the peak, 1781 in all`, of each phase that counts them."""
    counted = [check.measured for phase in report.phases for check in phase.checks if " in all" in check.measured]
    return [int(text.rpartition(", ")[2].removesuffix(" in all")) for text in counted]
