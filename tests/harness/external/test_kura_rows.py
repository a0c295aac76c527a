"""The rows for gateways (G01 to G52): our own gateway passes all, and one with a mistake does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleetrig.harness.run.context import default_behaviour
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.verdict import Report, Severity, Verdict
from tests.harness import broken_kura_devices as broken
from tests.harness.broken_devices import Change

pytestmark = pytest.mark.slow

SCENARIOS = Path(__file__).parents[3] / "scenarios"
ROWS = plan(["external/kura"], SCENARIOS)
PARTS = 8
"""In which they are run over sockets, each by a worker of its own."""


def outcome(name: str, folder: Path, change: Change = default_behaviour) -> Report:
    (expanded,) = [row for row in ROWS if row.name == name]
    return asyncio.run(run(expanded, RunOptions(results=folder, own_device=True, behaviour=change)))


@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_our_own_gateway_passes_in_virtual_time(name: str, tmp_path: Path) -> None:
    report = outcome(name, tmp_path)
    assert report.verdict is Verdict.PASSED, report
    assert report.time == "virtual"


def test_our_own_gateway_passes_over_sockets(tmp_path: Path) -> None:
    """Every eighth row, and none that waits long; `make soak` has all."""
    pass_over_sockets(1, tmp_path)


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


def test_recommendations_are_warnings() -> None:
    """What rests on facts that were inferred: findings, not errors."""
    soft = {
        (row.scenario.id.rpartition("/")[2], check.word)
        for row in ROWS for phase in row.scenario.phases for check in phase.expect
        if check.severity is Severity.WARNING
    }  # fmt: skip
    assert soft == {
        ("busy", "gap"), ("for_ever", "gap"), ("reconnect_law", "rate"),
        ("three_at_once", "sends"),
    }  # fmt: skip


MISTAKES = [
    ("not_enabled", "enabled_unasked", broken.enabled_unasked, "never", Verdict.FAILED),
    ("own_names", "small_letters", broken.small_letters, "registry", Verdict.FAILED),
    ("first_contact", "asks_before_it_listens", broken.asks_before_it_listens, "refused", Verdict.FAILED),
    ("power_cut_after_commit", "forgets", broken.forgets, "never", Verdict.FAILED),
    ("power_cut_before_confirmed", "commits_at_once", broken.commits_at_once, "order", Verdict.FAILED),
    ("gives_up", "never_gives_up", broken.never_gives_up, "sends", Verdict.FAILED),
    ("gives_up", "in_a_hurry", broken.in_a_hurry, "gap", Verdict.FAILED),
    ("for_ever", "gives_up", broken.gives_up, "sends", Verdict.FAILED),
    ("silent_broker", "patient", broken.patient, "gap", Verdict.FAILED),
    ("no_reply", "patient", broken.patient, "gap", Verdict.FAILED),
    ("late_reply", "patient", broken.patient, "never", Verdict.FAILED),
    ("reply_elsewhere", "takes_any_answer", broken.takes_any_answer, "never", Verdict.FAILED),
    ("reply_garbled", "dies_of_garbage", broken.dies_of_garbage, "keeps_running", Verdict.FAILED),
    ("key_refused", "gives_up", broken.gives_up, "gap", Verdict.FAILED),
    ("key_refused", "in_a_hurry", broken.in_a_hurry, "gap", Verdict.FAILED),
    ("wrong_password", "in_a_hurry", broken.in_a_hurry, "receives", Verdict.FAILED),
    ("busy", "comes_back_too_early", broken.comes_back_too_early, "gap", Verdict.WARNED),
    ("untrusted_root", "trusts_every_root", broken.trusts_every_root, "never", Verdict.FAILED),
    ("unchecked_root", "trusts_no_root", broken.trusts_no_root, "sends", Verdict.FAILED),
    ("strange_server[certificate=wrong_name]", "trusts", broken.trusts_everybody, "never", Verdict.FAILED),
    ("strange_server[certificate=stranger]", "trusts", broken.trusts_everybody, "never", Verdict.FAILED),
    ("strange_server[certificate=expired]", "trusts", broken.trusts_everybody, "never", Verdict.FAILED),
    ("control_not_signed[signature=unsigned]", "obeys", broken.obeys_everybody, "never", Verdict.FAILED),
    ("control_not_signed[signature=wrong]", "obeys", broken.obeys_everybody, "never", Verdict.FAILED),
    ("control_not_signed[signature=old]", "obeys", broken.obeys_everybody, "never", Verdict.FAILED),
    ("control_not_signed[signature=changed_body]", "obeys", broken.obeys_everybody, "never", Verdict.FAILED),
    ("control_not_signed[signature=unknown_alias]", "obeys", broken.obeys_everybody, "never", Verdict.FAILED),
    ("control_replayed", "obeys_everybody", broken.obeys_everybody, "never", Verdict.FAILED),
    ("control_signed", "deaf", broken.deaf, "sends", Verdict.FAILED),
    ("control_open", "obeys_nobody", broken.obeys_nobody, "sends", Verdict.FAILED),
    ("move", "leaves_silently", broken.leaves_silently, "order", Verdict.FAILED),
    ("target_refuses", "never_rolls_back", broken.never_rolls_back, "registry", Verdict.FAILED),
    ("dropped_while_staging", "gives_up", broken.gives_up, "sends", Verdict.FAILED),
    ("confirm_lost", "confirms_once", broken.confirms_once, "sends", Verdict.FAILED),
    ("reconnect_law", "all_together", broken.all_together, "rate", Verdict.WARNED),
    ("fixed_rate", "comes_back_at_once", broken.comes_back_at_once, "gap", Verdict.FAILED),
    ("transport_updated", "leaves_silently", broken.leaves_silently, "order", Verdict.FAILED),
    ("rollback", "leaves_silently", broken.leaves_silently, "order", Verdict.FAILED),
    ("killed", "without_a_will", broken.without_a_will, "registry", Verdict.FAILED),
    ("answers", "always_content", broken.always_content, "sends", Verdict.FAILED),
    ("answers", "answers_for_others", broken.answers_for_others, "never", Verdict.FAILED),
    ("three_at_once", "answers_once", broken.answers_once, "sends", Verdict.WARNED),
    ("birth", "nameless", broken.nameless, "sends", Verdict.FAILED),
    ("birth", "born_carelessly", broken.born_carelessly, "order", Verdict.FAILED),
    ("keystores", "forgets_to_list", broken.forgets_to_list, "sends", Verdict.FAILED),
    ("keystores", "lists_nothing", broken.lists_nothing, "sends", Verdict.FAILED),
    ("keystores", "deletes_nothing", broken.deletes_nothing, "sends", Verdict.FAILED),
    ("impossible_settings", "takes_nothing", broken.takes_nothing_for_a_number, "sends", Verdict.FAILED),
    ("move_without_certificates", "checks_no_chain", broken.checks_no_chain, "registry", Verdict.FAILED),
    ("rate_limit", "slow_to_answer", broken.slow_to_answer, "sends", Verdict.FAILED),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "change", "word", "verdict"),
    [(name, change, word, verdict) for name, _, change, word, verdict in MISTAKES],
    ids=[f"{name}-{mistake}-{word}" for name, mistake, _, word, _ in MISTAKES],
)
def test_a_mistake_is_found(name: str, change: Change, word: str, verdict: Verdict, tmp_path: Path) -> None:
    report = outcome(f"external/kura/{name}", tmp_path, change=change)
    wrong = {check.title.partition(" ")[0] for phase in report.phases for check in phase.checks if check.finding}
    assert report.verdict is verdict, report
    assert word in wrong


def test_each_row_that_can_be_broken_in_virtual_time_is() -> None:
    """Secrets in the output are seen of programs only (test_kura_program)."""
    broken_rows = {name.partition("[")[0] for name, *_ in MISTAKES}
    rows = {row.scenario.id.rpartition("/")[2] for row in ROWS}
    assert rows - broken_rows == {"secrets"}
