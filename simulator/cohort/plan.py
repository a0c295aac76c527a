"""What follows for devices of one cohort from what became of their requests, before any of it has an effect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleetrig.simulator.cohort.chance import Flags, Ints, part_of
from fleetrig.simulator.cohort.model import MOST_FAILURES
from fleetrig.simulator.cohort.outcomes import ANSWERED, Outcomes
from fleetrig.simulator.cohort.retry_table import Failed, RetryTable
from fleetrig.simulator.cohort.state import DeviceArrays


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests of one cohort in the order of time, and what became of them."""

    device: Ints
    at_us: Ints
    chance: Ints
    outcomes: Outcomes

    def some(self, which: slice | Ints) -> Asked:
        return Asked(self.device[which], self.at_us[which], self.chance[which], self.outcomes.some(which))


@dataclass(frozen=True, slots=True)
class Retries:
    """Of those of them that were not answered."""

    places: Ints
    failures: NDArray[np.uint8]
    delay_us: Ints
    pays: Flags | None
    """Who spent a token."""

    def before(self, place: int) -> Retries | None:
        """Those of the first so many requests."""
        count = int(np.searchsorted(self.places, place))
        if not count:
            return None
        pays = None if self.pays is None else self.pays[:count]
        return Retries(self.places[:count], self.failures[:count], self.delay_us[:count], pays)


@dataclass(frozen=True, slots=True)
class Plan:
    """`next_us`: when each asks again; `never_us` of the state: it does not."""

    cohort: int
    asked: Asked
    next_us: Ints
    retries: Retries | None
    works: Flags | None
    """Whose next request is one of its further work."""

    def first(self, count: int) -> Plan:
        """Of the first so many of them."""
        if count == self.next_us.size:
            return self
        retries = None if self.retries is None else self.retries.before(count)
        works = None if self.works is None else self.works[:count]
        return Plan(self.cohort, self.asked.some(slice(count)), self.next_us[:count], retries, works)


def plan(cohort: int, table: RetryTable, state: DeviceArrays, asked: Asked, round_trip_us: int) -> Plan:
    seen_us, codes = asked.outcomes.seen_us, asked.outcomes.codes
    next_us = _when_answered(table, state, asked)
    works = None
    if state.work is not None:
        works = state.work[asked.device] > 0
        if codes is not None:
            works &= codes == ANSWERED
        next_us = np.where(works, seen_us + round_trip_us, next_us)
    if codes is None or not (places := np.flatnonzero(codes)).size:
        return Plan(cohort, asked, next_us, None, works)
    retries = _retries(table, state, asked, places)
    next_us[places] = seen_us[places] + retries.delay_us
    return Plan(cohort, asked, next_us, retries, works)


def _when_answered(table: RetryTable, state: DeviceArrays, asked: Asked) -> Ints:
    if not table.cohort.has_rhythm:
        return np.full(asked.device.size, state.never_us, np.int64)
    low_us, high_us = table.cohort.interval_us
    next_us = part_of(high_us - low_us, asked.chance)
    next_us += low_us
    next_us += asked.outcomes.seen_us
    return next_us


def _retries(table: RetryTable, state: DeviceArrays, asked: Asked, places: Ints) -> Retries:
    device, asked_us = asked.device[places], asked.outcomes.retry_after_us
    failed = failed_again(state, device, None if asked_us is None else asked_us[places])
    delay_us, pays = table.delay_us(failed, asked.chance[places])
    return Retries(places, failed.failures, delay_us, pays)


def failed_again(state: DeviceArrays, device: Ints, retry_after_us: Ints | None) -> Failed:
    """These devices, with one more failure than they had."""
    failures = np.minimum(state.failures[device], MOST_FAILURES - 1) + np.uint8(1)
    previous_us = None if state.previous_us is None else state.previous_us[device]
    tokens_milli = None if state.tokens_milli is None else state.tokens_milli[device]
    return Failed(failures, previous_us, tokens_milli, retry_after_us)
