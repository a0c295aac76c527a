"""Counting what happens, second by second, while a fleet runs."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np

from fleetrig.simulator.cohort.chance import Ints
from fleetrig.simulator.cohort.figures import CohortFigures, FleetFigures
from fleetrig.simulator.drivers.load.histogram import BITS, bucket_of

SECOND_US: Final = 1_000_000
BUCKETS: Final = bucket_of(1 << 62) + 1


class CountOf(IntEnum):
    """The rows, in the order of the fields of `CohortFigures`."""

    REQUESTS = 0
    ANSWERED = 1
    TURNED_AWAY = 2
    REFUSED = 3
    SILENT = 4
    LATE = 5
    RETRIES = 6
    CAME_ONLINE = 7
    WENT_OFFLINE = 8


class Tally:
    """`seconds[cohort, kind, second]`. Makes room by doubling."""

    def __init__(self, cohorts: int) -> None:
        self.seconds = np.zeros((cohorts, len(CountOf), 64), np.int64)
        self.slowest_us: Ints = np.zeros(64, np.int64)
        self.took: Ints = np.zeros(BUCKETS, np.int64)
        self.time_to_online: Ints = np.zeros(BUCKETS, np.int64)

    def make_room(self, until_us: int) -> None:
        """For all that happens up to then, and at that moment."""
        wanted, room = until_us // SECOND_US + 1, self.slowest_us.size
        if wanted > room:
            room = max(wanted, 2 * room)
            self.seconds = _wider(self.seconds, room)
            self.slowest_us = _wider(self.slowest_us, room)

    def count(self, cohort: int, kind: CountOf, at_us: Ints) -> None:
        """One for each moment; they are in order."""
        if not at_us.size:
            return
        first, last = int(at_us[0]) // SECOND_US, int(at_us[-1]) // SECOND_US
        row = self.seconds[cohort, kind]
        if first == last:
            row[first] += at_us.size
        else:
            row[first : last + 1] += np.bincount(at_us // SECOND_US - first)

    def count_at(self, cohort: int, kind: CountOf, at_us: int, count: int) -> None:
        self.seconds[cohort, kind, at_us // SECOND_US] += count

    def answered(self, at_us: Ints, took_us: int | Ints) -> None:
        """How long answers took to requests of these moments, which are in order."""
        if not at_us.size:
            return
        if isinstance(took_us, int):
            self.took[bucket_of(took_us)] += at_us.size
        else:
            add_to(self.took, took_us)
        starts = second_starts(at_us)
        slowest_us = took_us if isinstance(took_us, int) else np.maximum.reduceat(took_us, starts)
        seconds = at_us[starts] // SECOND_US
        self.slowest_us[seconds] = np.maximum(self.slowest_us[seconds], slowest_us)

    def figures(self, now_us: int) -> FleetFigures:
        """Of the seconds that have begun before `now_us`."""
        until = -(-now_us // SECOND_US)
        cohorts = [CohortFigures(*(row[:until].copy() for row in rows)) for rows in self.seconds]
        slowest_us = np.pad(self.slowest_us, (0, max(0, until - self.slowest_us.size)))
        return FleetFigures(cohorts, _by_bucket(self.took), _by_bucket(self.time_to_online), slowest_us[:until])


def _wider(counts: Ints, room: int) -> Ints:
    """Rows that have counted nothing are not touched: untouched zeros take no memory, in a week of them either."""
    wider = np.zeros((*counts.shape[:-1], room), np.int64)
    rows, wider_rows = counts.reshape(-1, counts.shape[-1]), wider.reshape(-1, room)
    for row in np.flatnonzero(rows.any(axis=1)):
        wider_rows[row, : counts.shape[-1]] = rows[row]
    return wider


def add_to(histogram: Ints, durations_us: Ints) -> None:
    """Counts durations by the buckets of `drivers.load.histogram`."""
    counts = np.bincount(buckets_of(durations_us))
    histogram[: counts.size] += counts


def buckets_of(durations_us: Ints) -> Ints:
    """`bucket_of` of many: a float's exponent is the number of bits, exactly so below 2⁵³."""
    shift = np.maximum(np.frexp(durations_us.astype(np.float64))[1].astype(np.int64) - BITS, 0)
    return (shift << (BITS - 1)) + (durations_us >> shift)


def second_starts(at_us: Ints) -> Ints:
    """Where in ordered moments a new second begins."""
    first, last = int(at_us[0]) // SECOND_US, int(at_us[-1]) // SECOND_US
    if first == last:
        return np.zeros(1, np.int64)
    return np.flatnonzero(np.diff(at_us // SECOND_US, prepend=first - 1))


def _by_bucket(histogram: Ints) -> dict[int, int]:
    filled = np.flatnonzero(histogram)
    return dict(zip(filled.tolist(), histogram[filled].tolist(), strict=True))
