"""The order of things in a run, and what remains of one that breaks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fleetrig.harness.verdict import Report, Verdict
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from tests.harness.bench_fixture import BenchFixture
from tests.harness.runs import BREAKS, FAILS, PASSES, VIOLATES, WARNS, run_once

HEAD_WITH_FAULT = """
    scenario: It works
    devices: {flow: hawkbit, count: 1, serial: "HB-{n}", backoff: {policy: fixed, base: 1s}}
    server: {settings: {pollingTime: "00:00:01"}}
    faults: [{fault: latency, delay: 100ms, hits: "GET */controller/*"}]
"""


def traced(tmp_path: Path, body: str, **options: Any) -> tuple[Report, list[TraceEvent]]:
    events: list[TraceEvent] = []
    return run_once(tmp_path, body, listener=events.append, **options), events


def told(events: Sequence[TraceEvent]) -> list[str]:
    return [f"{event.kind} {event.name}".strip() for event in events if event.lane is Lane.BENCH]


def test_the_bench_lane_tells_the_course_of_a_run(tmp_path: Path) -> None:
    _, events = traced(tmp_path, PASSES)
    assert told(events) == [
        "begun",
        "phase first contact",
        "action preregister",
        "action power_on",
        "over first contact",
        "asked registry {in_state: registered}",
        "measured reaches {stage: online}",
        "measured registry {in_state: registered}",
        "verdict first contact",
        "ended passed",
    ]


def test_settings_come_before_the_first_phase_and_faults_of_the_run_after_them(tmp_path: Path) -> None:
    _, events = traced(tmp_path, PASSES, head=HEAD_WITH_FAULT)
    first_phase = next(i for i, event in enumerate(events) if event.kind == "phase")
    configured = next(i for i, event in enumerate(events) if getattr(event.envelope, "method", "") == "PUT")
    assert configured < first_phase
    assert any(event.kind == "fault" and event.fault == "latency" for event in events[first_phase:])


def test_faults_are_told_when_they_are_set(tmp_path: Path) -> None:
    """With how long they last and whom they hit; whom they have hit the server lane tells."""
    fault = "faults: [{fault: outage, at: 1s, for: 2s, shows_as: reset}]"
    body = PASSES + f"      - {{name: away, for: 3s, {fault}, expect: [gap: {{at_least: 100ms}}]}}\n"
    _, events = traced(tmp_path, body, head=HEAD_WITH_FAULT)
    assert [one for one in told(events) if one.startswith(("note", "phase"))] == [
        "note fault latency {hits: GET */controller/*, delay: 100ms}",
        "phase first contact",
        "phase away",
        "note fault outage {at: 1s, for: 2s, shows_as: reset}",
    ]


def test_what_does_not_hold_is_told_before_the_verdict(tmp_path: Path) -> None:
    report, events = traced(tmp_path, VIOLATES)
    told_last = [one for one in events if one.lane is Lane.BENCH][-4:]
    assert [one.kind for one in told_last] == ["over", "found", "verdict", "ended"]
    [check] = [check for phase in report.phases for check in phase.checks if check.finding is not None]
    assert check.finding is not None
    [seen] = check.finding.evidence
    found = told_last[1]
    assert found.name == check.title
    assert found.reason == f"expected no device sends poll, got it happened once (see device:{seen.seq})"


def test_a_failed_phase_ends_the_run_with_all_its_findings(tmp_path: Path) -> None:
    report, events = traced(tmp_path, FAILS)

    assert report.verdict is Verdict.FAILED
    assert [(phase.name, phase.verdict) for phase in report.phases] == [
        ("first contact", Verdict.PASSED),
        ("bad", Verdict.FAILED),
    ]
    download, registry, gap = report.phases[1].checks
    assert (download.verdict, registry.verdict, gap.verdict) == (Verdict.FAILED, Verdict.FAILED, Verdict.PASSED)
    assert (download.line, registry.line, gap.line) == (13, 14, 15)
    assert "never run" not in "".join(told(events))


def test_a_check_that_nothing_can_mend_ends_the_watch_and_what_was_open_is_not_judged(tmp_path: Path) -> None:
    report, events = traced(tmp_path, VIOLATES)
    phase = report.phases[1]
    assert phase.verdict is Verdict.FAILED
    assert phase.took_s < 2.0, "for: 3s"
    never, registry, gap = phase.checks
    assert (never.verdict, registry.verdict, gap.verdict) == (Verdict.FAILED, Verdict.SKIPPED, Verdict.SKIPPED)
    assert never.finding is not None
    seqs = {event.seq for event in events if event.lane is Lane.DEVICE}
    assert {evidence.seq for evidence in never.finding.evidence} <= seqs
    assert not any(event.kind == "asked" and "in_sync" in event.name for event in events)


def test_warnings_do_not_end_a_run(tmp_path: Path) -> None:
    report, _ = traced(tmp_path, WARNS)
    assert report.verdict is Verdict.WARNED
    (check,) = report.phases[1].checks
    assert check.verdict is Verdict.WARNED
    assert check.finding is not None
    assert check.finding.clause == "hawkbit#V01"


def test_a_run_that_breaks_keeps_what_was_judged_before(tmp_path: Path) -> None:
    report, events = traced(tmp_path, BREAKS)

    assert report.verdict is Verdict.BROKEN
    assert report.reason == "HB-1 has no open action that could be cancelled; deploy something first"
    assert [(phase.name, phase.verdict) for phase in report.phases] == [
        ("first contact", Verdict.PASSED),
        ("impossible", Verdict.BROKEN),
    ]
    assert report.phases[1].broken == report.reason
    assert told(events)[-1] == "ended broken"


def test_a_run_whose_setup_breaks_has_no_phases(tmp_path: Path) -> None:
    report = run_once(
        tmp_path, PASSES, head=HEAD_WITH_FAULT.replace("settings: {", "settings: {multi.assignments.enabled: true, ")
    )
    assert (report.verdict, report.phases) == (Verdict.BROKEN, ())
    assert "configKeyInvalid" in report.reason


def test_within_ends_as_soon_as_everything_is_so(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path)
    result = bench.phase(do=["preregister", "power_on"], within="60s", expect=[{"reaches": {"stage": "online"}}])
    assert result.verdict is Verdict.PASSED
    assert result.took_s < 1


def test_for_watches_the_whole_span(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path)
    result = bench.phase(**{"do": ["preregister", "power_on"], "for": "7s", "expect": [{"sends": {"name": "poll"}}]})
    assert result.verdict is Verdict.PASSED
    assert result.took_s >= 7


def test_within_gives_up_in_time_and_counts_questions_in(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path)
    checks = [{"reaches": {"stage": "online"}}, {"registry": {"in_state": "in_sync"}}]
    result = bench.phase(do="preregister", within="5s", expect=checks)
    assert [check.verdict for check in result.checks] == [Verdict.FAILED, Verdict.FAILED]
    assert 5 <= result.took_s < 6


def test_records_that_lag_are_asked_again(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path)
    bench.phase(do=["preregister", "power_on"], within="5s", expect=[{"reaches": {"stage": "online"}}])
    before_us = bench.driver.now_us()
    result = bench.phase(do={"deploy": {"version": "1"}}, within="30s", expect=[{"registry": {"installed": "1"}}])
    assert result.verdict is Verdict.PASSED
    assert to_s(bench.driver.now_us() - before_us) > 5, "the installation alone takes five seconds"


def test_never_is_watched_until_the_server_has_agreed(tmp_path: Path) -> None:
    """A fold that held when the wait ended can be broken while records are asked for."""
    bench = BenchFixture(tmp_path)
    bench.phase(do=["preregister", "power_on"], within="5s", expect=[{"reaches": {"stage": "online"}}])
    checks = [{"never": {"sends": {"name": "feedback-closed"}}}, {"registry": {"installed": "1"}}]
    result = bench.phase(do={"deploy": {"version": "1"}}, within="30s", expect=checks)
    assert [check.verdict for check in result.checks] == [Verdict.FAILED, Verdict.SKIPPED]


def test_a_question_waits_while_our_own_server_is_away(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path)
    bench.phase(do=["preregister", "power_on"], within="5s", expect=[{"reaches": {"stage": "online"}}])
    outage = {"fault": "outage", "for": "4s"}
    result = bench.phase(faults=[outage], within="20s", expect=[{"registry": {"in_state": "registered"}}])
    assert result.verdict is Verdict.PASSED
    assert 4 <= result.took_s < 6


def test_faults_of_a_phase_count_from_its_beginning(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path)
    bench.phase(do=["preregister", "power_on"], within="5s", expect=[{"reaches": {"stage": "online"}}])
    began_us = bench.driver.now_us()
    outage = {"fault": "outage", "at": "3s", "for": "2s"}
    bench.phase(**{"faults": [outage], "for": "8s", "expect": [{"fault": {"kind": "outage"}}]})
    bites = [to_s(event.at_us - began_us) for event in bench.events if event.kind == "fault"]
    assert bites
    assert min(bites) >= 3
    assert max(bites) < 5


CUT = """
    phases:
      - name: first contact
        do: [preregister, {power_on: {cut_at: "%s", off: 1s}}]
        within: 10s
        expect: [{reaches: {stage: online}}]
"""


def test_a_power_cut_that_never_came_about_proves_nothing(tmp_path: Path) -> None:
    report = run_once(tmp_path, CUT % "feedback-closed#1:sent")
    assert report.verdict is Verdict.BROKEN
    assert report.reason == (
        "HB-1 never came to feedback-closed#1:sent, so its power was never cut and nothing was proven"
    )
    assert report.phases[0].verdict is Verdict.PASSED
    assert run_once(tmp_path, CUT % "poll#1:sent").verdict is Verdict.PASSED
