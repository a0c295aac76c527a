"""What of a study's limit a run does not keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fleetrig.harness.report.spoken import spoken_s
from fleetrig.harness.scenario_file.threshold_words import Allowance
from fleetrig.harness.studies.case import CaseResult
from fleetrig.harness.studies.case_figures import CaseFigures
from fleetrig.harness.studies.study_file import StudyLimit
from fleetrig.harness.studies.wording import percent

FAR: Final = 1_000.0
"""How far off something is that never came."""
LEAST_SHARE: Final = 0.001
"""What a limit of nothing at all is taken for when it is asked how far a share is off."""


@dataclass(frozen=True, slots=True)
class Miss:
    """One part of the limit that does not hold."""

    text: str
    """`rejected 3.2 % (at most 1%)`."""
    factor: float
    """How far it is off: 2 for twice as much as allowed."""


def misses(result: CaseResult, limit: StudyLimit) -> tuple[Miss, ...]:
    """Empty when all of it holds."""
    return tuple(_misses(result, limit))


def _misses(result: CaseResult, limit: StudyLimit) -> Iterator[Miss]:
    figures = result.figures
    for word, allowed in limit.shares().items():
        if not _allows(allowed, share := getattr(figures, word)):
            yield Miss(f"{word} {percent(share)} (at most {allowed})", share / max(LEAST_SHARE, allowed.share or 0.0))
    for word, within_s in limit.spans_s().items():
        yield from _late(word, getattr(figures, f"{word}_s"), within_s)
    if limit.peak is not None and (peak := times_peak(figures, result.steady_per_s)) > limit.peak:
        yield Miss(f"a peak of {peak:.1f} times the steady rate (at most {limit.peak:g})", peak / limit.peak)


def _allows(allowed: Allowance, share: float) -> bool:
    return share <= (allowed.share or 0.0)


def _late(word: str, seconds: int | None, within_s: float) -> Iterator[Miss]:
    if seconds is None:
        yield Miss(f"never {word} within the run (within {spoken_s(within_s)})", FAR)
    elif seconds > within_s:
        yield Miss(f"{word} after {spoken_s(seconds)} (within {spoken_s(within_s)})", seconds / max(1.0, within_s))


def times_peak(figures: CaseFigures, steady_per_s: float) -> float:
    """The peak as a multiple of the steady rate; 0 for a fleet that has none."""
    return figures.peak_per_s / steady_per_s if steady_per_s else 0.0
