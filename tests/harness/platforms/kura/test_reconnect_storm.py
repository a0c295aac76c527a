"""The reconnect storm in small: Kura's own law beside full jitter, the figures of both, and how they are drawn.

The whole, with ten thousand gateways, is `fleetrig run kura/reconnect_storm`.
"""

from __future__ import annotations

import asyncio

import pytest

from fleetrig.harness.report.curve_groups import groups_of
from fleetrig.harness.report.curve_text import curve_lines
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.verdict import Report, Verdict
from tests.harness.command import PROJECT

GATEWAYS, CAPACITY = 300, 15


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[Report]:
    runs = plan(
        ["kura/reconnect_storm"], PROJECT / "scenarios", params={"devices": str(GATEWAYS), "capacity": str(CAPACITY)}
    )
    options = RunOptions(results=tmp_path_factory.mktemp("results"))
    return [asyncio.run(run(one, options)) for one in runs]


@pytest.mark.slow
def test_both_come_back_and_one_of_them_in_lockstep(reports: list[Report]) -> None:
    assert [report.verdict for report in reports] == [Verdict.PASSED] * 2
    [group] = groups_of(reports)
    kura, jitter = group.curves
    assert (kura.label, jitter.label) == ("reconnect=kura", "reconnect=full-jitter")
    assert kura.peak >= 3 * jitter.peak, "a sixth of the fleet comes within one second (spec 4.4)"
    assert kura.peak >= GATEWAYS / 8
    assert {second % 60 for second in kura.counts} <= {(min(kura.counts) + late) % 60 for late in range(12)}, "lockstep"
    assert kura.total > GATEWAYS, "some had to come twice"


@pytest.mark.slow
def test_both_curves_are_drawn_with_their_difference(reports: list[Report]) -> None:
    [group] = groups_of(reports)
    drawn = "\n".join(curve_lines(group))
    assert drawn.count("└") == 2
    assert "the peak of reconnect=kura is " in drawn
