"""Test the tester: a device that breaks one rule must fail the check of that rule, in both times."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.verdict import Report, Verdict
from tests.harness import broken_devices
from tests.harness.broken_devices import Change

SCENARIOS = Path(__file__).parents[2] / "scenarios"

CAUGHT = [
    ("hawkbit/steady_polling", broken_devices.ignores_sleep, "gap"),
    ("hawkbit/outage_backoff[shows_as=reset]", broken_devices.hot_retry, "attempts"),
    ("hawkbit/overload_retry_after[status=503]", broken_devices.hot_retry, "gap"),
    ("hawkbit/unknown_device_refused[credential=none]", broken_devices.hot_retry, "gap"),
    ("hawkbit/auto_registration", broken_devices.resends_attributes, "sends"),
    ("hawkbit/attributes", broken_devices.resends_attributes, "never"),
    ("hawkbit/confirmation", broken_devices.never_confirms, "sends"),
    ("hawkbit/confirmation", broken_devices.fetches_first, "never"),
    ("hawkbit/confirmation", broken_devices.confirms_twice, "sends"),
    ("hawkbit/confirmation", broken_devices.denies_at_every_poll, "never"),
    ("hawkbit/lost_reply", broken_devices.installs_anyway, "sends"),
]


def outcome(name: str, change: Change, tmp_path: Path, *, real_time: bool) -> Report:
    (expanded,) = plan([name], SCENARIOS)
    options = RunOptions(real_time=real_time, results=tmp_path, behaviour=change)
    return asyncio.run(run(expanded, options))


@pytest.mark.parametrize(
    "real_time", [pytest.param(False, id="virtual"), pytest.param(True, id="real", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    ("name", "change", "word"), CAUGHT, ids=[f"{n}-{row[0]}-{row[2]}" for n, row in enumerate(CAUGHT)]
)
def test_the_right_check_fails(name: str, change: Change, word: str, real_time: bool, tmp_path: Path) -> None:
    report = outcome(name, change, tmp_path, real_time=real_time)
    failed = [check for phase in report.phases for check in phase.checks if check.verdict is Verdict.FAILED]
    assert report.verdict is Verdict.FAILED, report
    assert word in {check.title.split(" ")[0] for check in failed}, failed
    assert all(check.finding is not None and check.finding.expected for check in failed)
    assert Path(report.trace_file).stat().st_size > 0
