"""Durations, counted by size: a few hundred numbers, however many were measured. Two can be added up.

Up to 64 µs each microsecond has a bucket of its own, above that 32 for each doubling: within 3 %, where Locust's own
percentiles are rounded to two digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

EXACT_US: Final = 64
BITS: Final = 6


class Histogram:
    """Counts durations in microseconds."""

    __slots__ = ("_counts", "count")

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        """`counts`: what `buckets` of another one gave."""
        self._counts: dict[int, int] = dict(counts or {})
        self.count = sum(self._counts.values())

    def add(self, duration_us: int) -> None:
        """One more; what is below zero counts as zero."""
        bucket = bucket_of(duration_us)
        self._counts[bucket] = self._counts.get(bucket, 0) + 1
        self.count += 1

    def add_all(self, others: Iterable[tuple[int, int]]) -> None:
        """What `buckets` of another histogram gave."""
        for bucket, count in others:
            self._counts[bucket] = self._counts.get(bucket, 0) + count
            self.count += count

    def buckets(self) -> list[tuple[int, int]]:
        """Bucket and count, in order."""
        return sorted(self._counts.items())

    def percentile_s(self, share: float) -> float | None:
        """The duration that this share of all does not exceed (0.99: p99), in seconds; None where there are none."""
        if not self.count:
            return None
        wanted, seen = share * self.count, 0
        for bucket, count in self.buckets():
            seen += count
            if seen >= wanted:
                return middle_us(bucket) / 1e6
        return middle_us(max(self._counts)) / 1e6


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
