"""What is compared: a trace, a folder of traces, or a JUnit file, as runs by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from fleetrig.harness.differences.exchange_rows import RowReader
from fleetrig.harness.differences.run_difference import RunRows
from fleetrig.harness.differences.verdict_rows import VerdictReader, junit_rows
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.harness.traces.seen_events import SeenEvent, TraceContents, seen_records
from fleetrig.harness.traces.stored_trace import StoredTrace
from fleetrig.harness.traces.trace_place import traces_below
from fleetrig.simulator.contract.errors import UsageError, shown_path
from fleetrig.simulator.contract.trace import Lane

XML: Final = ".xml"
WHAT_IS_COMPARED: Final = (
    "traces of runs (or folders of them), JUnit files of run or conform, or curves.csv of load, predict or simulate"
)

Side = Mapping[str, Callable[[], RunRows]]
"""A run's name -> reads it. The rows of one pair are in memory at a time."""


def side_of(path: Path) -> Side:
    """Raises UsageError for what cannot be read."""
    if path.is_dir():
        found = list(traces_below(path))
        if not found:
            raise UsageError(f"{shown_path(path)} holds no traces; compare takes {WHAT_IS_COMPARED}")
        return {trace.run or str(trace.path.relative_to(path)): _reader(trace.path, trace.run) for trace in found}
    try:
        path.stat()
    except OSError as wrong:
        raise UsageError(
            f"cannot read {shown_path(path)}: {why_unread(path, wrong)}; compare takes {WHAT_IS_COMPARED}"
        ) from None
    if path.suffix.lower() == XML:
        return {"": lambda: RunRows("", str(path), junit_rows(path))}
    return {"": _reader(path, "")}


def _reader(path: Path, name: str) -> Callable[[], RunRows]:
    return lambda: run_rows(path, name)


def run_rows(path: Path, name: str = "") -> RunRows:
    """A trace as rows. Raises UsageError."""
    contents, rows, verdicts = TraceContents(), RowReader(), VerdictReader()
    for record in seen_records(StoredTrace(path), contents):
        if isinstance(record, SeenEvent):
            rows.take(record)
            if record.event.lane is Lane.BENCH:
                verdicts.take(record.event)
    run = name or (contents.latest_run.run if contents.latest_run is not None else "")
    return RunRows(run, str(path), verdicts.rows, rows.rows)
