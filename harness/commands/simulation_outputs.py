"""What `simulate` writes beside its report: options that all platforms share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.commands.output_places import check_file

CurvesCsv = Annotated[
    Path | None,
    typer.Option("--csv", metavar="F", help="Write one line a second: rate, errors, response times, own lateness."),
]
SummaryFile = Annotated[
    Path | None,
    typer.Option(metavar="F", help="Write the end report as JSON: counts, response times, who failed and why."),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show nothing while it runs, only the report at the end.")]


@dataclass(frozen=True, slots=True)
class SimulationOutputs:
    """Where things go."""

    trace: Path | None = None
    csv: Path | None = None
    summary: Path | None = None
    is_quiet: bool = False

    def check(self) -> None:
        """Raises UsageError for a file that could not be written. The trace is checked where it is opened."""
        for option, path in (("--csv", self.csv), ("--summary", self.summary)):
            if path is not None:
                check_file(option, path)
