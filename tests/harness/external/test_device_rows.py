"""The rows for devices (hawkBit's §6.5): our own device passes all of them, and one with a mistake does not."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from fleetrig.harness.run.context import default_behaviour
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.verdict import Report, Severity, Verdict
from tests.harness import broken_devices
from tests.harness.broken_devices import Change

pytestmark = pytest.mark.slow

SCENARIOS = Path(__file__).parents[3] / "scenarios"
ROWS = plan(["external/hawkbit"], SCENARIOS)


def outcome(name: str, folder: Path, change: Change = default_behaviour) -> Report:
    (expanded,) = [row for row in ROWS if row.name == name]
    return asyncio.run(run(expanded, RunOptions(results=folder, own_device=True, behaviour=change)))


def test_every_row_is_cited() -> None:
    """V35 is the harness's own duty, and has a scenario all the same."""
    cited = {cite for row in ROWS for cite in row.scenario.cites}
    assert cited == {f"hawkbit#V{number:02}" for number in range(1, 43)}


def test_recommendations_are_warnings() -> None:
    """Growing delays, jitter, Retry-After and attributes that nobody asked for: findings, not errors (§6.5)."""
    soft = {
        (row.scenario.id.rpartition("/")[2], check.word)
        for row in ROWS for phase in row.scenario.phases for check in phase.expect
        if check.severity is Severity.WARNING
    }  # fmt: skip
    assert soft == {
        ("attributes_unasked", "never"), ("backoff", "backs_off"), ("backoff", "jitter"), ("backoff", "gap"),
        ("retry_after", "gap"), ("stampede", "spread"),
    }  # fmt: skip


@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_our_own_device_passes_in_virtual_time(name: str, tmp_path: Path) -> None:
    report = outcome(name, tmp_path)
    assert report.verdict is Verdict.PASSED, report
    assert report.time == "virtual"


@pytest.mark.slow
def test_our_own_device_passes_over_sockets(tmp_path: Path) -> None:
    """All of them side by side: they mostly wait."""

    async def all_of_them() -> list[Report]:
        gate = asyncio.Semaphore(20)

        async def one(number: int) -> Report:
            async with gate:
                options = RunOptions(real_time=True, results=tmp_path, own_device=True)
                return await run(ROWS[number], options)

        return await asyncio.gather(*(one(number) for number in range(len(ROWS))))

    reports = asyncio.run(all_of_them())
    assert [report for report in reports if report.verdict is not Verdict.PASSED] == []


def test_without_a_device_it_is_skipped_with_the_reason(tmp_path: Path) -> None:
    (expanded,) = plan(["external/hawkbit/update"], SCENARIOS)
    for real_time in (False, True):
        report = asyncio.run(run(expanded, RunOptions(real_time=real_time, results=tmp_path)))
        assert report.verdict is Verdict.SKIPPED
        assert "--device-command" in report.reason


MISTAKES = [
    ("interval", broken_devices.ignores_sleep, "gap", Verdict.FAILED),
    ("etag", broken_devices.ignores_sleep, "gap", Verdict.FAILED),
    ("zero_interval", broken_devices.ignores_sleep, "gap", Verdict.FAILED),
    ("attributes_where_linked", broken_devices.knows_better, "order", Verdict.FAILED),
    ("attributes_where_linked", broken_devices.resends_attributes, "never", Verdict.FAILED),
    ("attributes_unasked", broken_devices.resends_attributes, "never", Verdict.WARNED),
    ("refused[status=401]", broken_devices.hot_retry, "gap", Verdict.FAILED),
    ("refused[status=401]", broken_devices.gives_up, "keeps_running", Verdict.FAILED),
    ("refused[status=403]", broken_devices.gives_up, "keeps_running", Verdict.FAILED),
    ("refused[status=404]", broken_devices.hot_retry, "gap", Verdict.FAILED),
    ("token_rotated[what=target_token]", broken_devices.hot_retry, "gap", Verdict.FAILED),
    ("token_rotated[what=gateway_token]", broken_devices.gives_up, "keeps_running", Verdict.FAILED),
    ("retry_after[status=429]", broken_devices.monotonous, "gap", Verdict.WARNED),
    ("retry_after[status=503]", broken_devices.hot_retry, "gap", Verdict.FAILED),
    ("backoff[status=500]", broken_devices.monotonous, "backs_off", Verdict.WARNED),
    ("backoff[status=502]", broken_devices.monotonous, "jitter", Verdict.WARNED),
    ("backoff[status=503]", broken_devices.hot_retry, "gap", Verdict.FAILED),
    ("no_answer[shows_as=reset]", broken_devices.hot_retry, "rate", Verdict.FAILED),
    ("no_answer[shows_as=closed]", broken_devices.hot_retry, "rate", Verdict.FAILED),
    ("port_closed", broken_devices.gives_up_unconnected, "keeps_running", Verdict.FAILED),
    ("no_answer[shows_as=silence]", broken_devices.hangs, "receives", Verdict.FAILED),
    ("broken_answers", broken_devices.hot_retry, "rate", Verdict.FAILED),
    ("broken_answers", broken_devices.hangs, "receives", Verdict.FAILED),
    ("stampede", broken_devices.monotonous, "spread", Verdict.WARNED),
    ("odd_documents", broken_devices.dies, "keeps_running", Verdict.FAILED),
    ("odd_documents", broken_devices.hot_retry, "gap", Verdict.FAILED),
    ("odd_intervals", broken_devices.dies, "keeps_running", Verdict.FAILED),
    ("no_document", broken_devices.dies, "keeps_running", Verdict.FAILED),
    ("unknown_fields", broken_devices.pedantic, "registry", Verdict.FAILED),
    ("update", broken_devices.says_it_twice, "sends", Verdict.FAILED),
    ("wrong_hash", broken_devices.trusts_files, "never", Verdict.FAILED),
    ("cut_download", broken_devices.gives_downloads_up, "registry", Verdict.FAILED),
    ("range_ignored", broken_devices.gives_downloads_up, "registry", Verdict.FAILED),
    ("download_only", broken_devices.eager, "never", Verdict.FAILED),
    ("download_later", broken_devices.early, "never", Verdict.FAILED),
    ("maintenance_window", broken_devices.eager, "never", Verdict.FAILED),
    ("cancelled_before", broken_devices.blind_to_cancels, "order", Verdict.FAILED),
    ("cancelled_during", broken_devices.blind_to_cancels, "registry", Verdict.FAILED),
    ("feedback_gone", broken_devices.deaf_to_410, "never", Verdict.FAILED),
    ("feedback_later[status=500]", broken_devices.gives_reports_up, "registry", Verdict.FAILED),
    ("same_action_again", broken_devices.forgets, "never", Verdict.FAILED),
    ("action_replaced", broken_devices.blind_to_cancels, "registry", Verdict.FAILED),
    ("restart", broken_devices.says_it_twice, "sends", Verdict.FAILED),
    ("redirect[status=307]", broken_devices.follows_redirects, "never", Verdict.FAILED),
    ("wrong_date[date=Fri, 01 Jan 1999 00:00:00 GMT]", broken_devices.believes_dates, "registry", Verdict.FAILED),
    ("confirmation", broken_devices.never_confirms, "receives", Verdict.FAILED),
    ("confirmation", broken_devices.confirms_twice, "never", Verdict.FAILED),
    ("confirmation", broken_devices.fetches_first, "never", Verdict.FAILED),
    ("confirmation_denied", broken_devices.never_confirms, "receives", Verdict.FAILED),
    ("confirmation_denied", broken_devices.ignores_its_denial, "never", Verdict.FAILED),
    ("confirmation_denied", broken_devices.denies_at_every_poll, "never", Verdict.FAILED),
    ("file_gone[status=404]", broken_devices.asks_for_ever, "sends", Verdict.FAILED),
    ("file_gone[status=410]", broken_devices.asks_without_rest, "rate", Verdict.FAILED),
    ("file_gone[status=500]", broken_devices.asks_for_ever, "registry", Verdict.FAILED),
    ("file_gone[status=500]", broken_devices.takes_files_on_trust, "never", Verdict.FAILED),
    ("modules_and_files", broken_devices.first_chunk_only, "order", Verdict.FAILED),
    ("modules_and_files", broken_devices.first_file_only, "order", Verdict.FAILED),
    ("modules_and_files", broken_devices.one_file_of_a_name, "order", Verdict.FAILED),
    ("modules_and_files", broken_devices.cuts_names, "never", Verdict.FAILED),
    ("modules_and_files", broken_devices.reads_plus_as_blank, "never", Verdict.FAILED),
    ("action_ids[first=9]", broken_devices.drops_zeros, "never", Verdict.FAILED),
    ("cancelled_before", broken_devices.drops_zeros, "order", Verdict.FAILED),
    ("confirmation", broken_devices.drops_zeros, "receives", Verdict.FAILED),
    ("action_ids[first=99]", broken_devices.keeps_two_digits, "never", Verdict.FAILED),
    ("action_ids[first=999]", broken_devices.drops_zeros, "never", Verdict.FAILED),
    ("odd_ids[serial=schön@werk:{n}]", broken_devices.decodes_ids, "receives", Verdict.FAILED),
    ("odd_ids[serial=de:ad:be:ef:00:{n:02x}]", broken_devices.upper_cases_ids, "registry", Verdict.FAILED),
    ("re_registration", broken_devices.tells_attributes_once, "order", Verdict.FAILED),
]


@pytest.mark.parametrize(
    ("name", "change", "word", "verdict"), MISTAKES, ids=[f"{n}-{row[0]}-{row[2]}" for n, row in enumerate(MISTAKES)]
)
def test_a_mistake_is_found(name: str, change: Change, word: str, verdict: Verdict, tmp_path: Path) -> None:
    report = outcome(f"external/hawkbit/{name}", tmp_path, change=change)
    wrong = {check.title.partition(" ")[0] for phase in report.phases for check in phase.checks if check.finding}
    assert report.verdict is verdict, report
    assert word in wrong


def test_what_it_points_to_stands_in_the_server_lane(tmp_path: Path) -> None:
    """The evidence names events of the trace as it is, not those that were derived from it."""
    report = outcome("external/hawkbit/interval", tmp_path, change=broken_devices.ignores_sleep)
    (finding,) = [check.finding for phase in report.phases for check in phase.checks if check.finding is not None]
    trace = Path(report.trace_file).read_text(encoding="utf-8")
    assert finding.evidence
    for evidence in finding.evidence:
        assert evidence.lane == "server"
        assert re.search(rf'"seq":{evidence.seq},"lane":"server","kind":"received"', trace)
