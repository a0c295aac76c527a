"""What is on the page equals what the trace says: events, devices, faults, verdicts; nothing of it breaks the page."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.report_page import document as document_module
from fleetrig.harness.report_page import event_columns, wrong_causes
from fleetrig.harness.report_page.document import report_document
from fleetrig.harness.report_page.fault_windows import FaultWindows
from fleetrig.harness.report_page.page import report_page
from fleetrig.harness.report_page.wrong_causes import WrongCauses, cause_words
from fleetrig.harness.traces.event_words import EventWords
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
    assert (curve["step_us"], curve["unit"]) == (10_000, "in each 10 ms")
    assert sum(curve["series"][0]["values"]) == asked


def told(at_s: float, lane: Lane, kind: str, **fields: str) -> TraceEvent:
    return TraceEvent(at_us=round(at_s * 1e6), seq=1, lane=lane, device="", kind=kind)._replace(**fields)  # type: ignore[arg-type]


def noted(at_s: float, fault: str) -> TraceEvent:
    return told(at_s, Lane.BENCH, "note", name=f"fault {fault}")


def bitten(at_s: float, kind: str) -> TraceEvent:
    return told(at_s, Lane.SERVER, "fault", fault=kind)


@pytest.mark.parametrize(
    ("fault", "from_s", "to_s"),
    [
        ("capacity {requests_per_s: 500.0, waiting: 2s}", 1, None),
        ("capacity {at: 3s, for: 1.5m}", 4, 94),
        ("capacity {at: 3s, for: 500ms}", 4, 4.5),
        ("capacity {hits: GET *, times: 2}", 1, 5),
        ("capacity", 1, None),
        ("capacity {for: 999999999h}", 1, None),
    ],
)
def test_a_fault_is_in_force_from_when_it_says_for_as_long_as_it_says(
    fault: str, from_s: float, to_s: float | None
) -> None:
    windows = FaultWindows()
    over = told(3, Lane.BENCH, "verdict", name="the first phase", reason="passed")
    for event in (
        *(noted(1, fault), bitten(2, "capacity"), over),
        *(bitten(at_s, "capacity") for at_s in (5, 6, 7)),
        bitten(8, "outage"),
    ):
        windows.take(event)
    [window] = windows.documents()
    to_us = None if to_s is None else round(to_s * 1e6)
    assert (window["from_us"], window["to_us"], window["bites"]) == (round(from_s * 1e6), to_us, 4)


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


def test_what_went_wrong_is_counted_in_the_whole_run_whatever_its_numbers_and_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = failed(tmp_path)
    no_replies = [line for line in lines(report) if line["kind"] == "no_reply"]
    assert len(no_replies) > 1
    monkeypatch.setattr(document_module, "MOST_EVENTS", 20)
    monkeypatch.setattr(document_module, "LEAST_EVENTS", 10)
    monkeypatch.setattr(event_columns, "MOST_WRONG", 0)
    [run] = report_document([report], NOON)["runs"]
    assert run["sampled"] is not None
    told = [count for count, cause in run["wrong"] if cause.startswith("! no reply") and "[poll]" in cause]
    assert told == [len(no_replies)]
    shown = {run["texts"][cause] for cause in run["events"]["cause"]}
    assert shown - {""} <= {cause for _, cause in run["wrong"]}


@pytest.mark.parametrize(
    ("text", "device", "cause"),
    [
        ("no answer to #20 PUBLISH a/gw-7/b after 69.99 s: reset", "gw-7", "! no answer PUBLISH a/{device}/b: reset"),
        ("fault capacity to #13 CONNECT KU-00001: late", "", "! fault capacity CONNECT KU-…: late"),
        ("404 to #3 GET /v1/gw-70 after 2 min 5 s", "gw-7", "! 404 GET /v1/gw-…"),
    ],
)
def test_names_numbers_and_times_do_not_tell_causes_apart(text: str, device: str, cause: str) -> None:
    assert cause_words(EventWords("!", text, is_wrong=True), device) == cause


def test_causes_without_end_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong_causes, "MOST_CAUSES", 2)
    causes = WrongCauses()
    told = [causes.take(EventWords("!", text, is_wrong=True), "") for text in ("a", "b", "c", "d", "a")]
    assert told == ["! a", "! b", "other", "other", "! a"]
    assert causes.document() == [(2, "! a"), (2, "other"), (1, "! b")]


def test_the_page_says_of_how_many_devices_the_trace_is(tmp_path: Path) -> None:
    report = failed(tmp_path)
    path = Path(report.trace_file)
    head, rest = path.read_text().split("\n", 1)
    assert report_document([report], NOON)["runs"][0]["one_of"] == 0
    path.write_text(json.dumps(json.loads(head) | {"one_of": 64}) + "\n" + rest)
    assert report_document([report], NOON)["runs"][0]["one_of"] == 64


def test_a_run_without_a_trace_and_one_whose_trace_is_gone(tmp_path: Path) -> None:
    report = failed(tmp_path)
    Path(report.trace_file).unlink()
    [run] = report_document([report], NOON)["runs"]
    assert "events" not in run
    assert "cannot read" in run["no_trace"]


def test_a_run_beyond_those_that_show_their_events_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetrig.harness.report_page.document.MOST_TRACES", 1)
    report = failed(tmp_path)
    first, second = report_document([report, report], NOON)["runs"]
    assert "events" in first
    assert "events" not in second
    assert second["no_trace"].endswith(f"fleetrig trace {report.trace_file}")


def test_the_same_cause_stands_once(tmp_path: Path) -> None:
    report = failed(tmp_path)
    other = run_once(tmp_path / "other", SCENARIO.replace("at_least: 30s", "at_least: 20s"))
    document = report_document([report, other], NOON)
    [cause] = document["causes"]
    assert cause["runs"] == [0, 1]
    assert cause["sentence"] == "gap {at_least: 30s}: expected each device sends poll with at least 30 s in between"
    assert cause["got"] == "HB-1 did so after 1.002 s"
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
