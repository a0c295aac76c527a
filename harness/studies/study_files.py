"""What a study leaves: its rows as CSV and as JSON. Both are the same whoever ran it, and on however many cores."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fleetrig.harness.report.csv_cell import plain_cell
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.harness.studies.recommendation import Recommendation
from fleetrig.harness.studies.study_rows import StudyRow
from fleetrig.harness.studies.sweep import StudyPlan

FIGURES: Final = (
    "requests", "peak_per_s", "rejected", "late", "errors", "retries", "quiet_s", "back_s", "needs_per_s",
)  # fmt: skip
DIGITS: Final = 6


def write_csv(plan: StudyPlan, rows: Sequence[StudyRow], path: Path) -> None:
    """A line for each combination. An empty field: not within the run, or not known."""
    beside = [f"{figure}_plus_minus" for figure in FIGURES] if plan.study.seeds > 1 else []
    with whole_file(path) as file:
        writer = csv.writer(file)
        writer.writerow([*plan.axes, "seeds", "steady_per_s", "capacity_per_s", "keeps_limit", *FIGURES, *beside])
        for row in rows:
            figures, first = figures_of(row), row.first
            writer.writerow(
                [
                    *map(_label_cell, row.combination.labels),
                    len(row.results), round(first.steady_per_s, 3), first.capacity_per_s,
                    str(row.is_good).lower(), *(figures[name] for name in [*FIGURES, *beside]),
                ]
            )  # fmt: skip


def write_json(
    plan: StudyPlan, rows: Sequence[StudyRow], advice: Recommendation, path: Path, *, is_complete: bool
) -> None:
    """The same with what the study was, and the advice."""
    whole = {
        "study": plan.study.title,
        "scenario": plan.file.id,
        "limit": plan.study.limit.model_dump(mode="json", by_alias=True, exclude_unset=True),
        "is_complete": is_complete,
        "recommendation": advice.sentence,
        "rows": [_row_json(plan, row) for row in rows],
    }
    with whole_file(path) as file:
        json.dump(whole, file, indent=2, ensure_ascii=False)
        file.write("\n")


def figures_of(row: StudyRow) -> dict[str, float | None]:
    """`quiet_s` and `quiet_s_plus_minus` …, for all figures."""
    found: dict[str, float | None] = {}
    for name in FIGURES:
        mean = row.mean(name)
        found[name] = None if mean is None else _rounded(mean.value)
        found[f"{name}_plus_minus"] = None if mean is None else _rounded(mean.plus_minus)
    return found


def _row_json(plan: StudyPlan, row: StudyRow) -> dict[str, Any]:
    return {
        "labels": dict(zip(plan.axes, row.combination.labels, strict=True)),
        "values": {name: _plain(value) for name, value in row.combination.values.items()},
        "seeds": len(row.results),
        "steady_per_s": round(row.first.steady_per_s, 3),
        "capacity_per_s": row.first.capacity_per_s,
        "keeps_limit": row.is_good,
        "misses": [miss.text for miss in row.misses],
        "has_collapsed": row.has_collapsed,
        "figures": figures_of(row),
    }


def _label_cell(label: str) -> str:
    """A number stays one, below 0 too."""
    try:
        float(label)
    except ValueError:
        return plain_cell(label)
    return label


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | dict | list | None) else str(value)


def _rounded(value: float) -> float | int:
    rounded = round(value, DIGITS)
    return int(rounded) if rounded == int(rounded) else rounded
