"""What every exporter is given: a stored trace that is read as often as needed, and its verdict where it is judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetrig.harness.traces.seen_events import SeenRecord, TraceContents, seen_records
from fleetrig.harness.traces.stored_trace import StoredTrace
from fleetrig.harness.verdict import Report

JsonObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExportedTrace:
    """`report` is None for formats that need events only."""

    path: Path
    report: Report | None = None

    @property
    def has_trace(self) -> bool:
        """False for the report of a run whose trace was not kept."""
        return self.path != Path()

    def records(self) -> Iterator[SeenRecord]:
        """From the beginning, in flat memory. Raises UsageError for what is no trace."""
        return seen_records(StoredTrace(self.path), TraceContents())


def all_records(traces: Iterable[ExportedTrace]) -> Iterator[SeenRecord]:
    """Of one trace after another; a record of a run's beginning stands between them."""
    for trace in traces:
        yield from trace.records()


def reports_of(traces: Iterable[ExportedTrace]) -> list[Report]:
    """The verdicts, for formats that need them."""
    return [trace.report for trace in traces if trace.report is not None]
