"""What to do, in one sentence: the smallest capacity with which the limit holds, and the best that goes with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fleetrig.harness.report.spoken import spoken_s
from fleetrig.harness.studies.capacity_search import CapacityFound
from fleetrig.harness.studies.judgement import times_peak
from fleetrig.harness.studies.study_rows import Mean, StudyRow
from fleetrig.harness.studies.sweep import StudyPlan
from fleetrig.harness.studies.wording import per_s, percent

NEVER_S: Final = 1e9
Rank = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """An advice, and the row that it is about; of a study that nothing has come of there is none."""

    sentence: str
    row: StudyRow | None = None


def best_row(rows: Sequence[StudyRow]) -> StudyRow | None:
    """The row that is taken: of those that keep the limit the one with the least capacity, else the closest."""
    good = [row for row in rows if row.is_good]
    if good:
        return min(good, key=lambda row: (_capacity_rank(row), *_rank(row)))
    return min(rows, key=lambda row: (row.off_by, *_rank(row)), default=None)


def recommendation(
    plan: StudyPlan, rows: Sequence[StudyRow], found: CapacityFound | None = None, *, is_partial: bool = False
) -> Recommendation:
    """`found`: what a search for capacity came to, where no row keeps the limit."""
    best = best_row(rows)
    if best is None:
        return Recommendation("Nothing was run: there is nothing to advise.")
    sentence = _advice(plan, rows, best) if best.is_good else _nothing(plan, rows, best, found)
    so_far = f"So far ({len(rows)} of {len(plan.combinations)} combinations run): " if is_partial else ""
    return Recommendation(so_far + sentence, best)


def name_of(plan: StudyPlan, row: StudyRow) -> str:
    """What it is, without its capacity: `«full jitter», jitter 0.1`."""
    named = zip(plan.axes, row.combination.labels, strict=True)
    parts = [value_name(plan, axis, label) for axis, label in named if axis != plan.capacity_axis]
    return ", ".join(parts) or plan.file.id


def capacity_words(row: StudyRow) -> str:
    """`1.5 times the steady rate (5,000 requests/s)`; empty for a server without a limit."""
    return _capacity_words(row.first.capacity_per_s, row.times_capacity)


def _capacity_words(capacity_per_s: float | None, times: float | None) -> str:
    if capacity_per_s is None:
        return ""
    rate = f"{per_s(capacity_per_s).removesuffix('/s')} requests/s"
    return f"{times:.3g} times the steady rate ({rate})" if times else rate


def outcome_words(row: StudyRow) -> str:
    """`quiet after 4 min, 0.3 % rejected, devices back after 6 min`, with 95 % intervals where there are seeds."""
    quiet, back, rejected = row.mean("quiet_s"), row.mean("back_s"), row.mean("rejected")
    share = "" if rejected is None else f"{percent(rejected.value)} rejected"
    return ", ".join([_when("quiet", quiet), *filter(None, [share]), _when("devices back", back)])


def _when(what: str, seconds: Mean | None) -> str:
    if seconds is None:
        return f"{what} never within the run"
    if seconds.value == 0:
        return f"{what} at once"
    return f"{what} after {spoken_s(seconds.value)}" + (
        f" ± {spoken_s(seconds.plus_minus)}" if seconds.plus_minus else ""
    )


def _advice(plan: StudyPlan, rows: Sequence[StudyRow], best: StudyRow) -> str:
    capacity = capacity_words(best)
    take = f"With a server of {capacity}, take" if capacity else "Take"
    sentence = f"{take} {name_of(plan, best)}: {outcome_words(best)}"
    if next_best := _next_best(plan, rows, best):
        beside = "" if _same_capacity(next_best, best) else f" with one of {capacity_words(next_best)}"
        sentence += f"; the next best is {name_of(plan, next_best)}{beside} ({outcome_words(next_best)})"
    elif len(rows) > 1:
        sentence += "; nothing else keeps the limit"
    less = [row for row in rows if _capacity_rank(row) < _capacity_rank(best)]
    return f"{sentence}{'; with less capacity nothing keeps the limit' if less else ''}."


def _next_best(plan: StudyPlan, rows: Sequence[StudyRow], best: StudyRow) -> StudyRow | None:
    """Of those that keep the limit too, but do something else on the first axis that is not the capacity."""
    axes = list(plan.axes)
    first = next((at for at, axis in enumerate(axes) if axis != plan.capacity_axis), 0)
    others = [row for row in rows if row.combination.labels[first] != best.combination.labels[first]]
    found = best_row([row for row in others if row.is_good])
    if found is not None or len(axes) == 1:
        return found
    return best_row([row for row in rows if row.is_good and row is not best and _same_capacity(row, best)])


def _nothing(plan: StudyPlan, rows: Sequence[StudyRow], best: StudyRow, found: CapacityFound | None) -> str:
    what = f"none of the {len(rows)} combinations keeps" if len(rows) > 1 else "it does not keep"
    missed = " and ".join(miss.text for miss in best.misses)
    capacity = f" with {words}" if (words := capacity_words(best)) else ""
    sentence = f"{what[:1].upper()}{what[1:]} the limit; the closest is {name_of(plan, best)}{capacity}: {missed}"
    return f"{sentence}; {_what_would(plan, best, found)}." if found is not None else f"{sentence}."


def _what_would(plan: StudyPlan, best: StudyRow, found: CapacityFound) -> str:
    if found.row is None:
        return f"more capacity does not help, even {found.tried_times:g} times as much: change what the devices do"
    name = "it" if name_of(plan, found.row) == name_of(plan, best) else name_of(plan, found.row)
    return f"{name} would with about {capacity_words(found.row)}"


def value_name(plan: StudyPlan, axis: str, label: str) -> str:
    """A name of the author's speaks for itself, and so does a word; a number or a time needs its param."""
    if isinstance(plan.study.sweep[axis], Mapping):
        return f"«{label}»"
    return label.replace("_", " ") if re.fullmatch("[A-Za-z_-]+", label) else f"{axis} {label}"


def _rank(row: StudyRow) -> Rank:
    """The better row is less: sooner quiet, fewer rejected, sooner back, a lower peak."""
    quiet, back, rejected = row.mean("quiet_s"), row.mean("back_s"), row.mean("rejected")
    return (
        NEVER_S if quiet is None else quiet.value,
        rejected.value if rejected is not None else 1.0,
        NEVER_S if back is None else back.value,
        times_peak(row.first.figures, row.first.steady_per_s),
    )


def _capacity_rank(row: StudyRow) -> float:
    """As a multiple of the steady rate, where there is one: devices that ask less often need less."""
    return round(row.times_capacity or row.first.capacity_per_s or 0.0, 4)


def _same_capacity(one: StudyRow, other: StudyRow) -> bool:
    return _capacity_rank(one) == _capacity_rank(other)
