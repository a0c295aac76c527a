"""Exports as files: whole or as they were before."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.harness.exports.exported_trace import ExportedTrace
from fleetrig.harness.exports.formats import FORMATS, ExportFormat, known_format
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.simulator.contract.errors import BrokenBench, UsageError, shown_path, system_said

STEP_SUMMARY: Final = "GITHUB_STEP_SUMMARY"
"""GitHub's and Gitea's variable: a file to which all commands of a step add."""


@dataclass(frozen=True, slots=True)
class Export:
    """One `--to FORMAT=FILE`."""

    name: str
    path: Path

    @property
    def format(self) -> ExportFormat:
        return FORMATS[self.name]


def read_export(text: str) -> Export:
    """`FORMAT=FILE`. Raises UsageError."""
    name, equals, file = text.partition("=")
    known_format(name)
    if not equals or not file:
        raise UsageError(f"--to {text}: expected FORMAT=FILE, as in --to {name}=FILE")
    if file == "-":
        raise UsageError(f"--to {text}: stdout is for the verdict; give the name of a file")
    return Export(name, Path(file))


def write_exports(exports: Sequence[Export], judged: Sequence[ExportedTrace]) -> None:
    """Each of what it needs: verdicts, or traces, which a run that was not begun has not. Raises as `write_export`."""
    for export in exports:
        is_of_verdicts = export.format.needs_verdict and not export.format.is_of_one_trace
        write_export(export, [one for one in judged if is_of_verdicts or one.has_trace])


def write_export(export: Export, traces: Sequence[ExportedTrace]) -> None:
    """Raises BrokenBench when the file cannot be written, UsageError for what is no trace."""
    try:
        if export.name == "markdown" and str(export.path) == os.environ.get(STEP_SUMMARY):
            with export.path.open("a", encoding="utf-8") as summary:
                summary.writelines(str(piece) for piece in export.format.write(traces))
            return
        with whole_file(export.path) as file:
            for piece in export.format.write(traces):
                file.buffer.write(piece if isinstance(piece, bytes) else piece.encode("utf-8", "replace"))
    except OSError as wrong:
        raise BrokenBench(f"cannot write {shown_path(export.path)}: {system_said(wrong)}") from None
