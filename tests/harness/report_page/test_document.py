"""What is on the page equals what the trace says: events, devices, faults, verdicts; nothing of it breaks the page."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.report_page import document as document_module
from fleetrig.harness.report_page import event_columns
from fleetrig.harness.report_page.document import report_document
from fleetrig.harness.report_page.fault_windows import FaultWindows
from fleetrig.harness.report_page.page import report_page
from fleetrig.harness.verdict import Report
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from tests.harness.runs import run_once

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SCENARIO = """
    phases:
      - name: first contact
        do: [preregister, power_on]
        within: 10s
        expect: [reaches: {stage: online}]
      - name: quiet
        faults: [{fault: outage, shows_as: refused, for: 5s}]
        for: 20s
        expect: [gap: {at_least: 30s}]
"""


def failed(tmp_path: Path) -> Report:
    """A run with an outage, of devices that are not quiet."""
    return run_once(tmp_path, SCENARIO, trace=tmp_path / "t.jsonl")


def lines(report: Report) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(report.trace_file).read_text().splitlines()[1:]]


def test_every_event_and_device_of_the_trace_is_there(tmp_path: Path) -> None:
    report = failed(tmp_path)
    [run] = report_document([report], NOON)["runs"]
    events, stored = run["events"], lines(report)
    assert {len(column) for column in events.values()} == {len(stored)}
    assert run["sampled"] is None
    points = [(run["lanes"][lane], seq) for lane, seq in zip(events["lane"], events["seq"], strict=True)]
    assert points == [(line["lane"], line["seq"]) for line in stored]
    assert set(run["device_names"]) - {""} == {line["device"] for line in stored if line.get("device")}
    times = [line["at_us"] - stored[0]["at_us"] for line in stored]
    assert events["at"] == times
    assert run["span_us"] == max(times)


def test_evidence_is_marked_where_the_finding_names_it(tmp_path: Path) -> None:
    report = failed(tmp_path)
    [run] = report_document([report], NOON)["runs"]
    named = {(e[0], e[1]) for phase in run["phases"] for check in phase["checks"] for e in check.get("evidence", ())}
    events = run["events"]
    marked = {
        (run["lanes"][lane], seq)
        for lane, seq, flags in zip(events["lane"], events["seq"], events["flags"], strict=True)
        if flags & event_columns.EVIDENCE
    }
    assert marked == named != set()


def test_faults_have_their_time_and_what_they_bit(tmp_path: Path) -> None:
    report = failed(tmp_path)
    [run] = report_document([report], NOON)["runs"]
    [fault] = run["faults"]
    assert (fault["kind"], fault["to_us"] - fault["from_us"]) == ("outage", 5_000_000)
    assert run["curves"][0]["series"][1]["name"] == "failed or refused"
    asked = sum(line["kind"] == "sent" for line in lines(report))
    curve = run["curves"][0]
    counted = sum(round(value * curve["step_us"] / 1e6) for value in curve["series"][0]["values"])
    assert counted == asked


def test_a_bite_counts_for_the_fault_that_is_in_force() -> None:
    windows = FaultWindows()
    for at_s, lane, kind, text in (
        (0, Lane.BENCH, "note", "fault outage {for: 30s}"), (0, Lane.BENCH, "note", "fault outage {for: 1s}"),
        (0.5, Lane.SERVER, "fault", ""), (20, Lane.SERVER, "fault", ""), (31, Lane.SERVER, "fault", ""),
    ):  # fmt: skip
        windows.take(TraceEvent(int(at_s * 1e6), 1, "", lane, kind, fault="outage" if not text else "", name=text))
    assert [(one["to_us"], one["bites"]) for one in windows.documents()] == [(30_000_000, 1), (1_000_000, 2)]


def test_many_runs_share_the_room_of_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = failed(tmp_path)
    monkeypatch.setattr(document_module, "MOST_EVENTS", 40)
    monkeypatch.setattr(document_module, "LEAST_EVENTS", 10)
    monkeypatch.setattr(document_module, "ALL_DETAILS_CHARS", 100)
    runs = report_document([report, report], NOON)["runs"]
    assert [run["sampled"]["of"] for run in runs] == [len(lines(report))] * 2
    assert not any(run["has_all_details"] for run in runs)
    for run in runs:
        events = run["events"]
        shown = {(run["lanes"][lane], seq) for lane, seq in zip(events["lane"], events["seq"], strict=True)}
        last = {line["device"]: (line["lane"], line["seq"]) for line in lines(report) if line.get("device")}
        assert set(last.values()) <= shown


def test_of_too_many_events_what_matters_is_kept_and_the_page_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = failed(tmp_path)
    whole = report_document([report], NOON)["runs"][0]
    monkeypatch.setattr(document_module, "MOST_EVENTS", 20)
    monkeypatch.setattr(document_module, "LEAST_EVENTS", 20)
    [run] = report_document([report], NOON)["runs"]
    shown = len(run["events"]["at"])
    assert run["sampled"] == {"shown": shown, "of": len(lines(report))}
    assert shown < len(lines(report))
    assert sum(flags & event_columns.EVIDENCE for flags in run["events"]["flags"]) == sum(
        flags & event_columns.EVIDENCE for flags in whole["events"]["flags"]
    )
    assert run["events"]["lane"].count(0) == whole["events"]["lane"].count(0)
    assert run["curves"] == whole["curves"]


def test_a_run_without_a_trace_and_one_whose_trace_is_gone(tmp_path: Path) -> None:
    report = failed(tmp_path)
    Path(report.trace_file).unlink()
    [run] = report_document([report], NOON)["runs"]
    assert "events" not in run
    assert "cannot read" in run["no_trace"]


def test_the_same_cause_stands_once(tmp_path: Path) -> None:
    report = failed(tmp_path)
    document = report_document([report, report], NOON)
    [cause] = document["causes"]
    assert cause["runs"] == [0, 1]
    assert document["totals"] == {"failed": 2}


def test_nothing_in_a_text_ends_the_script_and_nothing_is_fetched(tmp_path: Path) -> None:
    document = report_document([failed(tmp_path)], NOON)
    document["title"] = "</script><img src=x onerror=alert(1)>"
    page = report_page(document)
    assert page.count("</script>") == 2
    assert "<img" not in page
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    found = re.search(r'id="report">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    assert json.loads(found[1])["title"] == document["title"]
