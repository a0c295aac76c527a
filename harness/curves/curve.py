"""What a run looked like, second by second, and `curves.csv`, which keeps that."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from fleetrig.simulator.contract.errors import UsageError

CURVES_FILE: Final = "curves.csv"
"""Its name in the folder that a load run leaves."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One second of a run. What was not measured in it is None, an empty cell in the file."""

    at_s: int
    """Since the run began."""
    rate: float
    """Exchanges that were begun in this second."""
    online: int
    """Devices that are online at its end."""
    errors: int
    """Exchanges that failed in it."""
    dropped: int
    """Starts of schedules that fell out in it."""
    p50_s: float | None = None
    """Of the answers of this second, from when their requests were sent, as Locust's own figures count."""
    p99_s: float | None = None
    corrected_p50_s: float | None = None
    """From when their requests were to be sent by the schedule."""
    corrected_p99_s: float | None = None
    lateness_p99_s: float | None = None
    """How much later than its schedule the generator sent."""


COLUMNS: Final = tuple(field.name for field in fields(CurvePoint))
WHOLE: Final = frozenset({"at_s", "online", "errors", "dropped"})
ALWAYS: Final = frozenset({*WHOLE, "rate"})


def write_curves(points: Iterable[CurvePoint], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([cell(getattr(point, name)) for name in COLUMNS] for point in points)


def cell(value: float | None) -> str:
    """`12`, `0.25`, empty for what was not measured."""
    return "" if value is None else f"{value:.6g}"


def read_curves(path: Path) -> tuple[CurvePoint, ...]:
    """Raises UsageError with file and line for what are no curves."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
    except (OSError, ValueError, csv.Error) as wrong:
        raise UsageError(f"cannot read {path}: {getattr(wrong, 'strerror', None) or wrong}") from None
    if not rows or not set(rows[0]) >= ALWAYS:
        raise UsageError(f"{path}:1: expected the columns {', '.join(COLUMNS)}, as `fleetrig load` writes them")
    return tuple(_point(path, line, rows[0], row) for line, row in enumerate(rows[1:], 2))


def _point(path: Path, line: int, names: Sequence[str], row: Sequence[str]) -> CurvePoint:
    """Columns that are not known are left away: another version may write more."""
    given = {name: text for name, text in zip(names, row, strict=False) if name in COLUMNS and text}
    try:
        numbers = {name: int(text) if name in WHOLE else float(text) for name, text in given.items()}
        return CurvePoint(**numbers)  # type: ignore[arg-type]
    except (ValueError, TypeError) as wrong:
        raise UsageError(f"{path}:{line}: expected a number in each of {', '.join(sorted(ALWAYS))}: {wrong}") from None
