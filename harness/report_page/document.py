"""What is on the page, as one JSON document.

{"version": 1, "title", "fleetrig", "made_at",
 "totals": {"passed": 3, "failed": 1},
 "causes": [{"sentence", "got", "verdict", "runs": [0, 4]}],        runs by number; what most runs share comes first
 "runs": [{"run", "title", "verdict", …, "phases": [{"name", "checks": […]}],   as `run_section.py` has it
           "began_us", "span_us", "one_of", "sampled": null | {"shown", "of"}, "has_all_details",
           "wrong": [[count, what]],                                of all events, also those that are not shown
           "faults": [{"kind", "sentence", "from_us", "to_us", "bites"}],   since the beginning, as all times
           "curves": [{"name", "unit", "step_us", "series": [{"name", "values"}]}],
           "lanes", "device_names", "phase_names", "texts", "events": {column: […]}}]}  where there is a stored trace

Texts come from trace lines, so secrets are masked. A trace is read twice, in flat memory: once to know how long it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from os.path import commonpath
from pathlib import Path
from shlex import quote
from typing import Any, Final

from fleetrig.harness.report.closing_table import NUMBER
from fleetrig.harness.report.version import VERSION
from fleetrig.harness.report_page.event_columns import (
    ALL_DETAILS_CHARS,
    MOST_EVENTS,
    MOST_WRONG,
    EventColumns,
    Point,
    Sampler,
)
from fleetrig.harness.report_page.fault_windows import FaultWindows
from fleetrig.harness.report_page.run_curves import RunCurves, window_of
from fleetrig.harness.report_page.run_section import Document, cause_of, evidence_of, section_of
from fleetrig.harness.report_page.wrong_causes import WrongCauses
from fleetrig.harness.traces.event_words import words_of
from fleetrig.harness.traces.seen_events import SeenEvent, TraceContents, seen_records
from fleetrig.harness.traces.stored_trace import StoredTrace
from fleetrig.harness.verdict import WORST_FIRST, Report
from fleetrig.simulator.contract.errors import UsageError

DOCUMENT_VERSION: Final = 1
LEAST_EVENTS: Final = 2_000
MOST_TRACES: Final = 20
"""So many runs show their events: those that did not pass first."""


def report_document(reports: Sequence[Report], made_at: datetime, title: str = "Report") -> Document:
    """The whole document. A trace that cannot be read any more is left out, and its run says so."""
    shown = _with_events(reports)
    share = max(1, len(shown))
    return {
        "version": DOCUMENT_VERSION,
        "title": reports[0].name if len(reports) == 1 else commonpath([one.name for one in reports] or [""]) or title,
        "fleetrig": VERSION,
        "made_at": made_at.isoformat(timespec="seconds"),
        "totals": {str(verdict): count for verdict, count in _counted(reports)},
        "causes": _causes(reports),
        "runs": [
            section_of(one) | (events_of(one, share) if number in shown else _not_shown(one))
            for number, one in enumerate(reports)
        ],
    }


def _counted(reports: Iterable[Report]) -> Iterator[tuple[str, int]]:
    counts = Counter(report.verdict for report in reports)
    return ((verdict, counts[verdict]) for verdict in WORST_FIRST if counts[verdict])


def _causes(reports: Sequence[Report]) -> list[Document]:
    """Runs that did not pass for the same reason stand together, whatever its numbers: those of the first are told."""
    by_cause: dict[tuple[str, str], Document] = {}
    for number, report in enumerate(reports):
        if cause := cause_of(report):
            told = {"verdict": str(report.verdict), "sentence": cause.sentence, "got": cause.got, "runs": []}
            key = (str(report.verdict), NUMBER.sub("…", cause.sentence))
            by_cause.setdefault(key, told)["runs"].append(number)
    return sorted(by_cause.values(), key=lambda told: -len(told["runs"]))


def _with_events(reports: Sequence[Report]) -> set[int]:
    ordered = sorted(range(len(reports)), key=lambda number: WORST_FIRST.index(reports[number].verdict))
    return set([number for number in ordered if reports[number].trace_file][:MOST_TRACES])


def _not_shown(report: Report) -> dict[str, str]:
    if not report.trace_file:
        return {}
    command = f"fleetrig trace {quote(report.trace_file)}"
    return {"no_trace": f"Only {MOST_TRACES} runs show their events here; those of this one: {command}"}


def events_of(report: Report, share: int = 1) -> dict[str, Any]:
    """What a stored trace adds, where so many of them share the room of a page."""
    path = Path(report.trace_file)
    try:
        extent = _extent(path)
        return _read(path, report, extent, share) if extent.total else {}
    except UsageError as gone:
        return {"no_trace": str(gone)}


def _events(path: Path) -> Iterator[SeenEvent]:
    for record in seen_records(StoredTrace(path), TraceContents()):
        if isinstance(record, SeenEvent):
            yield record


@dataclass(slots=True)
class _Extent:
    """How many events there are, when the first and the last of them happened, and the last one of each device."""

    total: int = 0
    began_us: int = 0
    ended_us: int = 0
    last: dict[str, Point] = field(default_factory=dict)

    def take(self, seen: SeenEvent) -> None:
        at_us = seen.event.at_us
        self.began_us = at_us if not self.total else min(self.began_us, at_us)
        self.ended_us = max(self.ended_us, at_us)
        self.total += 1
        if seen.device in self.last or len(self.last) < MOST_WRONG:
            self.last[seen.device] = (str(seen.event.lane), seen.event.seq)


def _extent(path: Path) -> _Extent:
    extent = _Extent()
    for seen in _events(path):
        extent.take(seen)
    return extent


def _read(path: Path, report: Report, extent: _Extent, share: int) -> dict[str, Any]:
    evidence, began_us = evidence_of(report), extent.began_us
    sampler = Sampler(extent.total, {*evidence, *extent.last.values()}, max(LEAST_EVENTS, MOST_EVENTS // share))
    columns = EventColumns(began_us, evidence, ALL_DETAILS_CHARS // share)
    curves, faults = RunCurves(began_us, window_of(extent.ended_us - began_us)), FaultWindows()
    causes, one_of = WrongCauses(), 0
    for seen in _events(path):
        curves.take(seen.event)
        faults.take(seen.event)
        words = words_of(seen.event, seen.question)
        cause = causes.take(words, seen.device) if words.is_wrong else ""
        one_of = seen.run.one_of if seen.run is not None else one_of
        if sampler.keeps(seen, is_wrong=words.is_wrong):
            columns.take(seen, words, cause)
    return {
        "began_us": began_us,
        "span_us": extent.ended_us - began_us,
        "one_of": one_of,
        "sampled": None if sampler.is_whole else {"shown": columns.count, "of": extent.total},
        "has_all_details": columns.has_all_details,
        "faults": [_since(fault, began_us) for fault in faults.documents()],
        "curves": curves.curves(),
        "wrong": causes.document(),
        **columns.document(),
    }


def _since(fault: Document, began_us: int) -> Document:
    to_us = fault["to_us"]
    return fault | {"from_us": fault["from_us"] - began_us, "to_us": None if to_us is None else to_us - began_us}
