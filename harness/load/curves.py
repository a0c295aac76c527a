"""The curves of a load run: one row a second, of all processes together. Seconds that are settled become rows.

`curves.csv` has the columns `COLUMNS`; a curve of a virtual run has the same, so that they can be laid on each other.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

from fleetrig.simulator.drivers.load.figures import SecondOfLoad
from fleetrig.simulator.drivers.load.histogram import Histogram

CURVES_FILE: Final = "curves.csv"
"""Its name in the folder that a run leaves."""


@dataclass(frozen=True, slots=True)
class CurveRow:
    """One second. None where nothing was measured."""

    at_s: int
    rate: int
    """Requests that were sent in this second."""
    online: int
    errors: int
    dropped: int
    p50_s: float | None
    p99_s: float | None
    """From sending to the answer, as Locust has it."""
    corrected_p50_s: float | None
    corrected_p99_s: float | None
    """From the intended start to the answer."""
    lateness_p99_s: float | None
    """From the intended start to the real one."""
    remark: str = ""
    """What a reader of the curve must know: a worker that was late or lost."""


COLUMNS: Final = tuple(column.name for column in fields(CurveRow))


@dataclass(slots=True)
class LoadTotals:
    """The whole run."""

    started: int = 0
    answered: int = 0
    errors: int = 0
    dropped: int = 0
    took: Histogram = field(default_factory=Histogram)
    corrected: Histogram = field(default_factory=Histogram)
    lateness: Histogram = field(default_factory=Histogram)
    waking: Histogram = field(default_factory=Histogram)

    def add(self, second: SecondOfLoad) -> None:
        """One second of one process."""
        self.started += second.started
        self.answered += second.answered
        self.errors += second.errors
        self.dropped += second.dropped
        for mine, its in (
            (self.took, second.took),
            (self.corrected, second.corrected),
            (self.lateness, second.lateness),
            (self.waking, second.waking),
        ):
            mine.add_all(its.buckets())


class LoadCurves:
    """Collects seconds of processes; memory does not grow but by one row a second."""

    def __init__(self) -> None:
        self.totals = LoadTotals()
        self.rows: list[CurveRow] = []
        self._open: dict[int, LoadTotals] = {}
        self._online: dict[int, dict[str, int]] = {}
        self._last_online: dict[str, int] = {}
        self._remarks: dict[int, list[str]] = {}

    def add(self, process: str, number: int, second: SecondOfLoad, online: int) -> None:
        """A second of a process; what comes after its row was written counts in the totals only."""
        self.totals.add(second)
        if self.rows and number <= self.rows[-1].at_s:
            self.remark(self.rows[-1].at_s + 1, f"{process} was late")
            return
        self._open.setdefault(number, LoadTotals()).add(second)
        self._online.setdefault(number, {})[process] = online

    def remark(self, number: int, sentence: str) -> None:
        """What is to stand beside this second."""
        sentences = self._remarks.setdefault(number, [])
        if sentence not in sentences:
            sentences.append(sentence)

    def gone(self, process: str) -> None:
        """Its devices are gone with it."""
        self._last_online.pop(process, None)

    def settle(self, until: int) -> list[CurveRow]:
        """Makes rows of all seconds before `until`; returns the new ones."""
        first = self.rows[-1].at_s + 1 if self.rows else 0
        new = [self._row(number) for number in range(first, until)]
        self.rows += new
        return new

    def settle_all(self) -> None:
        """At the end."""
        self.settle(max(self._open, default=-1) + 1)

    def _row(self, number: int) -> CurveRow:
        second = self._open.pop(number, None) or LoadTotals()
        self._last_online |= self._online.pop(number, {})
        return CurveRow(
            number,
            second.started,
            sum(self._last_online.values()),
            second.errors,
            second.dropped,
            second.took.percentile_s(0.5),
            second.took.percentile_s(0.99),
            second.corrected.percentile_s(0.5),
            second.corrected.percentile_s(0.99),
            second.lateness.percentile_s(0.99),
            "; ".join(self._remarks.pop(number, ())),
        )


def write_curves(rows: Iterable[CurveRow], path: Path) -> None:
    """Writes `curves.csv`. Raises OSError."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(map(cells_of, rows))


def read_curves(path: Path) -> list[CurveRow]:
    """Reads it again. Raises OSError, ValueError for a file that is none."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{path} is no curve: expected the columns {', '.join(COLUMNS)}")
        return [_row(path, reader.line_num, line) for line in reader]


def _row(path: Path, number: int, line: Mapping[str, str]) -> CurveRow:
    try:
        return row_of(line)
    except (TypeError, ValueError):
        raise ValueError(f"{path} is no curve: line {number} has other values than numbers") from None


def row_of(line: Mapping[str, str]) -> CurveRow:
    counts = [int(line[name]) for name in COLUMNS[:5]]
    times = [float(line[name]) if line[name] else None for name in COLUMNS[5:10]]
    return CurveRow(*counts, *times, line["remark"])  # type: ignore[call-arg, arg-type] # the columns are in the fields' order


def cells_of(row: CurveRow) -> list[str]:
    """A row as it stands in the file."""
    return [cell_of(getattr(row, name)) for name in COLUMNS]


def cell_of(value: float | str | None) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.6f}"
        case _:
            return str(value)


def peak_rate(rows: Sequence[CurveRow]) -> int:
    """Of the fullest second."""
    return max((row.rate for row in rows), default=0)
