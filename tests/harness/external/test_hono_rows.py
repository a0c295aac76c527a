"""The rows for Hono's devices (D01 to D16): our own device passes all, and one with a mistake does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleetrig.harness.run.context import default_behaviour
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.verdict import Report, Severity, Verdict
from tests.harness import broken_hono_devices as broken
from tests.harness.broken_devices import Change

pytestmark = pytest.mark.slow

SCENARIOS = Path(__file__).parents[3] / "scenarios"
ROWS = plan(["external/hono"], SCENARIOS)
PARTS = 3
"""In which they are run over sockets, each by a worker of its own."""


def outcome(name: str, folder: Path, change: Change = default_behaviour) -> Report:
    (expanded,) = [row for row in ROWS if row.name == name]
    return asyncio.run(run(expanded, RunOptions(results=folder, own_device=True, behaviour=change)))


def test_every_row_is_cited() -> None:
    cited = {cite for row in ROWS for cite in row.scenario.cites}
    assert cited == {f"hono#D{number:02}" for number in range(1, 17)}


def test_recommendations_are_warnings() -> None:
    """Growing delays and jitter: findings, not errors."""
    soft = {
        (row.scenario.id.rpartition("/")[2], check.word)
        for row in ROWS for phase in row.scenario.phases for check in phase.expect
        if check.severity is Severity.WARNING
    }  # fmt: skip
    assert soft == {("refused_password", "backs_off"), ("lost_race", "jitter"), ("server_unavailable", "jitter")}


@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_our_own_device_passes_in_virtual_time(name: str, tmp_path: Path) -> None:
    report = outcome(name, tmp_path)
    assert report.verdict is Verdict.PASSED, report
    assert report.time == "virtual"


@pytest.mark.slow
def test_our_own_device_passes_over_sockets(tmp_path: Path) -> None:
    """Every third row; `make soak` has all."""
    pass_over_sockets(0, tmp_path)


def pass_over_sockets(part: int, tmp_path: Path) -> None:
    """Side by side: they mostly wait."""
    rows = ROWS[part::PARTS]

    async def all_of_them() -> list[Report]:
        gate = asyncio.Semaphore(20)

        async def one(number: int) -> Report:
            async with gate:
                return await run(rows[number], RunOptions(real_time=True, results=tmp_path, own_device=True))

        return await asyncio.gather(*(one(number) for number in range(len(rows))))

    reports = asyncio.run(all_of_them())
    assert [report for report in reports if report.verdict is not Verdict.PASSED] == []


MISTAKES = [
    ("first_contact[over=http]", "shows_nothing", broken.shows_nothing, "refused", Verdict.FAILED),
    ("first_contact[over=mqtt]", "shows_nothing", broken.shows_nothing, "refused", Verdict.FAILED),
    ("first_contact[over=coap]", "shows_nothing", broken.shows_nothing, "refused", Verdict.FAILED),
    ("strange_server[over=http,certificate=wrong_name]", "trusts", broken.trusts_everybody, "never", Verdict.FAILED),
    ("strange_server[over=mqtt,certificate=stranger]", "trusts", broken.trusts_everybody, "never", Verdict.FAILED),
    ("strange_server[over=coap,certificate=expired]", "trusts", broken.trusts_everybody, "never", Verdict.FAILED),
    ("names_tenant", "names_nobody", broken.names_nobody, "never", Verdict.FAILED),
    ("refused_password[over=http]", "knocks", broken.knocks_for_ever, "refused", Verdict.FAILED),
    ("refused_password[over=mqtt]", "knocks", broken.knocks_for_ever, "refused", Verdict.FAILED),
    ("refused_password[over=mqtt]", "monotonous", broken.monotonous, "backs_off", Verdict.WARNED),
    ("tenant_disabled[over=http]", "knocks", broken.knocks_for_ever, "refused", Verdict.FAILED),
    ("tenant_disabled[over=mqtt]", "knocks", broken.knocks_for_ever, "refused", Verdict.FAILED),
    ("tenant_disabled[over=coap]", "knocks", broken.knocks_for_ever, "refused", Verdict.FAILED),
    ("tenant_disabled[over=http]", "forgets_itself", broken.forgets_itself, "receives", Verdict.FAILED),
    ("lost_race", "takes_it_for_a_failure", broken.takes_races_for_failures, "receives", Verdict.FAILED),
    ("lost_race", "all_at_once", broken.all_at_once, "jitter", Verdict.WARNED),
    ("retry_after", "in_a_hurry", broken.in_a_hurry, "gap", Verdict.FAILED),
    ("server_unavailable", "hammers", broken.hammers, "sends", Verdict.FAILED),
    ("server_unavailable", "dies", broken.dies_when_refused, "keeps_running", Verdict.FAILED),
    ("server_unavailable", "monotonous", broken.monotonous, "jitter", Verdict.WARNED),
    ("used_up", "every_second", broken.every_second, "sends", Verdict.FAILED),
    ("expired[over=http]", "knocks", broken.knocks_for_ever, "refused", Verdict.FAILED),
    ("expired[over=mqtt]", "knocks", broken.knocks_for_ever, "refused", Verdict.FAILED),
    ("expired[over=coap]", "knocks", broken.knocks_for_ever, "refused", Verdict.FAILED),
    ("thrown_out", "dies", broken.dies_when_thrown_out, "keeps_running", Verdict.FAILED),
    ("dropped_after_connack", "every_second", broken.every_second, "sends", Verdict.FAILED),
    ("slow_first_contact[over=http]", "impatient", broken.impatient, "sends", Verdict.FAILED),
    ("slow_first_contact[over=mqtt]", "impatient", broken.impatient, "sends", Verdict.FAILED),
    ("two_hosts", "falls_silent", broken.falls_silent, "sends", Verdict.FAILED),
    ("power_cut[over=http]", "forgets_itself", broken.forgets_itself, "refused", Verdict.FAILED),
    ("power_cut[over=mqtt]", "forgets_itself", broken.forgets_itself, "refused", Verdict.FAILED),
    ("gateway", "gives_all_up_for_one", broken.gives_all_up_for_one, "sends", Verdict.FAILED),
    ("gateway_mqtt", "hears_no_errors", broken.hears_no_errors, "sends", Verdict.FAILED),
    ("command", "deaf", broken.deaf_to_commands, "order", Verdict.FAILED),
    ("command", "answers_elsewhere", broken.answers_elsewhere, "order", Verdict.FAILED),
    ("puback_lost[endpoint=telemetry]", "at_most_once", broken.at_most_once, "fault", Verdict.FAILED),
    ("puback_lost[endpoint=telemetry]", "waits_for_nothing", broken.waits_for_nothing, "order", Verdict.FAILED),
    ("puback_lost[endpoint=event]", "waits_for_nothing", broken.waits_for_nothing, "order", Verdict.FAILED),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "change", "word", "verdict"),
    [(name, change, word, verdict) for name, _, change, word, verdict in MISTAKES],
    ids=[f"{name}-{mistake}-{word}" for name, mistake, _, word, _ in MISTAKES],
)
def test_a_mistake_is_found(name: str, change: Change, word: str, verdict: Verdict, tmp_path: Path) -> None:
    report = outcome(f"external/hono/{name}", tmp_path, change=change)
    wrong = {check.title.partition(" ")[0] for phase in report.phases for check in phase.checks if check.finding}
    assert report.verdict is verdict, report
    assert word in wrong


def test_each_row_that_can_be_broken_in_virtual_time_is() -> None:
    """Passwords in the output are seen of programs only."""
    broken_rows = {name.partition("[")[0] for name, *_ in MISTAKES}
    rows = {row.scenario.id.rpartition("/")[2] for row in ROWS}
    assert rows - broken_rows == {"secrets"}
