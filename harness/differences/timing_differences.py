"""What took longer in one of two runs: answers, phases, and the time from one question to the next like it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from fleetrig.harness.differences.exchange_rows import DeviceRows
from fleetrig.harness.differences.verdict_rows import VerdictRow

LEAST_GAPS: Final = 3
"""From so many on there is a rhythm."""

TimesTaken = Mapping[tuple[str, str], Sequence[int]]
"""(what is timed, of what) -> microseconds."""

ANSWERED: Final = "answered in"
EVERY: Final = "comes every"
TOOK: Final = "took"
LEAST_US: Final = {ANSWERED: 5_000, EVERY: 50_000, TOOK: 500_000}
"""Smaller differences are noise on any machine."""


@dataclass(frozen=True, slots=True)
class TimingChange:
    """`what`: ANSWERED, EVERY or TOOK; medians in microseconds, and of how many."""

    subject: str
    what: str
    first_us: int
    second_us: int
    counts: tuple[int, int]

    @property
    def share(self) -> float:
        """By how much they differ, as a share of the shorter one."""
        return abs(self.first_us - self.second_us) / max(1, min(self.first_us, self.second_us))


def timing_changes(first: TimesTaken, second: TimesTaken, within: float) -> list[TimingChange]:
    """What is in both and differs by more than the share `within`, the largest first."""
    found = [change for change in _both(first, second) if change.share > within and _is_felt(change)]
    return sorted(found, key=lambda change: (-change.share, change.what, change.subject))


def times_of(rows: DeviceRows, verdicts: Sequence[VerdictRow]) -> TimesTaken:
    """All that is timed in a run."""
    times: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for of_device in rows.values():
        latest: dict[str, int] = {}
        for row in of_device:
            if row.answer:
                times[ANSWERED, row.text].append(row.took_us)
            asked = f"{row.name} {row.asked}".strip()
            if asked in latest:
                times[EVERY, asked].append(row.at_us - latest[asked])
            latest[asked] = row.at_us
    for verdict in verdicts:
        if verdict.took_us is not None:
            times[TOOK, verdict.text].append(verdict.took_us)
    return {key: all_us for key, all_us in times.items() if key[0] != EVERY or len(all_us) >= LEAST_GAPS}


def _both(first: TimesTaken, second: TimesTaken) -> Iterator[TimingChange]:
    for (what, subject), all_us in first.items():
        others_us = second.get((what, subject))
        if others_us:
            counts = len(all_us), len(others_us)
            yield TimingChange(subject, what, round(median(all_us)), round(median(others_us)), counts)


def _is_felt(change: TimingChange) -> bool:
    return abs(change.first_us - change.second_us) >= LEAST_US[change.what]
