"""Where a trace is: a file, the latest one of a folder, or that of a scenario among the results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NamedTuple

from fleetrig.harness.run.trace_file import ENDING
from fleetrig.harness.traces.trace_filter import fits_name
from fleetrig.harness.traces.trace_records import RunBegins, read_record
from fleetrig.simulator.contract.errors import NoSuchId, UsageError, shown_path, system_said

ANY_ENDING: Final = ".jsonl"
FIRST_LINE_CHARS: Final = 64 * 1024
STANDARD_INPUT: Final = "/dev/stdin"
LISTED: Final = 5
WHY_NONE: Final = "traces of failed runs are kept there; --trace F of `fleetrig run` keeps any"


class FoundTrace(NamedTuple):
    """A file, and what else it could have been."""

    path: Path
    remark: str = ""


class TraceOfRun(NamedTuple):
    path: Path
    run: str
    """Empty for a trace that does not say it: of a server, or of a simulation."""
    at_ns: int


def find_trace(where: str, results: Path, run: str = "") -> FoundTrace:
    """Raises UsageError for what cannot be read, NoSuchId where there is none."""
    place = Path(STANDARD_INPUT if where == "-" else where)
    try:
        if place.is_dir():
            return _latest(where, _of_run(traces_below(place), run), f"{shown_path(where)} holds no trace", run)
        if place.exists():
            return FoundTrace(place)
    except OSError as wrong:
        raise UsageError(f"cannot read {shown_path(where)}: {system_said(wrong)}") from None
    if where.endswith(ANY_ENDING):
        raise UsageError(f"cannot read {shown_path(where)}: there is no such file")
    return _of_scenario(where, results, run)


def _of_scenario(wanted: str, results: Path, run: str) -> FoundTrace:
    known = list(traces_below(results)) if results.is_dir() else []
    found = [trace for trace in known if is_called(trace.run, wanted)]
    if found:
        return _latest(wanted, _of_run(found, run), f"no trace of {wanted} in {shown_path(results)}", run)
    near = get_close_matches(wanted, [trace.run for trace in known], n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else WHY_NONE
    has_none = f"{shown_path(results)} has none of it" if known else f"{shown_path(results)} holds no traces"
    raise NoSuchId(f"there is no file or folder called {wanted}, and {has_none}; {hint}")


def is_called(run: str, wanted: str) -> bool:
    """A run by its whole name, by its scenario's id, or by a folder of ids."""
    return run == wanted or run.partition("[")[0] == wanted or run.startswith(f"{wanted.rstrip('/')}/")


def _of_run(traces: Sequence[TraceOfRun] | Iterator[TraceOfRun], run: str) -> list[TraceOfRun]:
    return [trace for trace in traces if not run or fits_name(trace.run, run)]


def _latest(where: str, traces: list[TraceOfRun], why_none: str, run: str) -> FoundTrace:
    if not traces:
        of_run = f" of a run {run!r}" if run else ""
        raise NoSuchId(f"{why_none}{of_run}; {WHY_NONE}")
    traces.sort(key=lambda trace: (-trace.at_ns, str(trace.path)))
    latest = traces[0]
    if len(traces) == 1:
        return FoundTrace(latest.path, f"{latest.path}")
    others = ", ".join(dict.fromkeys(trace.run or trace.path.name for trace in traces[1 : LISTED + 1]))
    more = f" and {len(traces) - LISTED - 1} more" if len(traces) > LISTED + 1 else ""
    return FoundTrace(
        latest.path, f"{latest.path}, the latest of {len(traces)} (--run NAME takes another: {others}{more})"
    )


def traces_below(folder: Path) -> Iterator[TraceOfRun]:
    """Those of runs, and if there are none whatever looks like a trace."""
    paths = sorted(folder.rglob(f"*{ENDING}")) or sorted(folder.rglob(f"*{ANY_ENDING}"))
    for path in paths:
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                first = read_record(file.readline(FIRST_LINE_CHARS), 1)
            yield TraceOfRun(path, first.run if isinstance(first, RunBegins) else "", path.stat().st_mtime_ns)
        except OSError:
            continue
