"""`--to FORMAT=FILE`: its option, tried before anything is done, and the files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.commands.output_places import check_file
from fleetrig.harness.exports.exported_trace import ExportedTrace
from fleetrig.harness.exports.formats import FORMATS
from fleetrig.harness.exports.writing import Export, read_export, write_export
from fleetrig.harness.report.console import make_console
from fleetrig.harness.verdict import Report
from fleetrig.simulator.contract.errors import UsageError

ExportTo = Annotated[
    list[str] | None,
    typer.Option(
        "--to",
        metavar="FORMAT=FILE",
        help="Write the traces in a format of other tools too; repeatable. "
        + "; ".join(f"{name}: {one.about}" for name, one in FORMATS.items())
        + ".",
    ),
]


def exports_of_runs(texts: Sequence[str] | None, count: int) -> list[Export]:
    """Of the options of so many runs. Raises UsageError for what could not be written, before anything is."""
    exports = [read_export(text) for text in texts or ()]
    for export in exports:
        check_file(f"--to {export.name}", export.path)
        if export.format.is_of_one_trace and count > 1:
            raise UsageError(f"--to {export.name} is of one trace, and there are {count}: give one of them")
    if len({export.path.resolve() for export in exports}) < len(exports):
        raise UsageError("several --to have the same file: give each its own")
    return exports


def read_exports(texts: Sequence[str] | None, traces: Sequence[Path]) -> list[Export]:
    """Of the options for stored traces. Raises as above."""
    exports = exports_of_runs(texts, len(traces))
    for export in exports:
        if export.path.resolve() in {trace.resolve() for trace in traces}:
            raise UsageError(f"--to {export.name}={export.path} would replace the trace: give another file")
    return exports


def write_events(exports: Sequence[Export], traces: Sequence[Path]) -> None:
    """Those that need no verdict."""
    for export in exports:
        if not export.format.needs_verdict:
            write_export(export, [ExportedTrace(path) for path in traces])


def write_verdicts(exports: Sequence[Export], traces: Sequence[Path], reports: Sequence[Report]) -> None:
    """The others."""
    judged = [ExportedTrace(path, report) for path, report in zip(traces, reports, strict=True)]
    for export in exports:
        if export.format.needs_verdict:
            write_export(export, judged)


def are_of_events(exports: Sequence[Export]) -> bool:
    """Whether nobody needs a verdict for them."""
    return bool(exports) and not any(export.format.needs_verdict for export in exports)


def show_unjudged(exports: Sequence[Export], why: UsageError) -> None:
    """For traces that hold no whole run, such as those of `serve` and `load`: what was written all the same."""
    console = make_console()
    for line in (f"not judged: {why}", *(f"{export.name}  {export.path}" for export in exports)):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
