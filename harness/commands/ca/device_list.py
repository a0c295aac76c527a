"""The list of devices that `ca issue --csv` writes: a production list, as `scenario_file/unit_list.py` reads it."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from fleetrig.harness.commands.output_places import check_file
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.simulator.contract.errors import UsageError

COLUMNS = ("serial", "certificate", "key")


def check_list(path: Path, place: Path) -> None:
    """Raises UsageError for a list that is there, and for one that does not lie above the files it names."""
    if os.path.lexists(path):
        raise UsageError(f"--csv {path} exists already, nothing was written; choose another name")
    if not Path(os.path.realpath(place)).is_relative_to(os.path.realpath(path.parent)):
        raise UsageError(f"--csv {path}: lists name files below their own folder, and {place} is not: use --out")
    if path.parent.resolve() != place.resolve():
        check_file("--csv", path)


def write_list(path: Path, place: Path, names: Sequence[str]) -> None:
    """Raises OSError."""
    below = Path(os.path.realpath(place)).relative_to(os.path.realpath(path.parent))
    with whole_file(path) as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(COLUMNS)
        lines.writerows((name, below / f"{name}.pem", below / f"{name}-key.pem") for name in names)
