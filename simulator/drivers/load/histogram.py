"""Durations, counted by size: a few hundred numbers, however many were measured. Two can be added up.

Up to 64 µs each microsecond has a bucket of its own, above that 32 for each doubling: within 3 %, where Locust's own
percentiles are rounded to two digits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

EXACT_US: Final = 64
BITS: Final = 6


class Histogram:
    """Counts durations in microseconds."""

    __slots__ = ("_counts", "_new_us", "add")

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        """`counts`: what `buckets` of another one gave."""
        self._counts: dict[int, int] = dict(counts or {})
        self._new_us: list[int] = []
        """Those that nobody has asked about yet: to count them all at once is cheaper."""
        self.add: Callable[[int], None] = self._new_us.append
        """One more, in microseconds; what is below zero counts as zero."""

    @property
    def count(self) -> int:
        """How many there are."""
        self._take_in()
        return sum(self._counts.values())

    def add_all(self, others: Iterable[tuple[int, int]]) -> None:
        """What `buckets` of another histogram gave."""
        for bucket, count in others:
            self._counts[bucket] = self._counts.get(bucket, 0) + count

    def buckets(self) -> list[tuple[int, int]]:
        """Bucket and count, in order."""
        self._take_in()
        return sorted(self._counts.items())

    def percentile_s(self, share: float) -> float | None:
        """The duration that this share of all does not exceed (0.99: p99), in seconds; None where there are none."""
        buckets = self.buckets()
        if not buckets:
            return None
        wanted, seen = share * self.count, 0
        for bucket, count in buckets:
            seen += count
            if seen >= wanted:
                return middle_us(bucket) / 1e6
        return middle_us(buckets[-1][0]) / 1e6

    def _take_in(self) -> None:
        if self._new_us:
            self.add_all(Counter(map(bucket_of, self._new_us)).items())
            self._new_us.clear()


def bucket_of(duration_us: int) -> int:
    """The number of its bucket: larger durations have larger ones."""
    if duration_us < EXACT_US:
        return max(0, duration_us)
    shift = duration_us.bit_length() - BITS
    return (shift << (BITS - 1)) + (duration_us >> shift)


def middle_us(bucket: int) -> float:
    """The middle of a bucket."""
    if bucket < EXACT_US:
        return float(bucket)
    shift = (bucket >> (BITS - 1)) - 1
    return float((bucket - (shift << (BITS - 1)) << shift) + (1 << shift) / 2)
