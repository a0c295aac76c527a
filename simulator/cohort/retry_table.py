"""How long many devices of a cohort wait after a failure: `retries.retry_range`, looked up by the number of failures.

Only decorrelated jitter, a budget and `Retry-After` need to know more of a device than how often it has failed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fleetrig.simulator.backoff import Policy
from fleetrig.simulator.cohort.chance import Flags, Ints, part_of
from fleetrig.simulator.cohort.model import MOST_FAILURES, Cohort
from fleetrig.simulator.cohort.retries import (
    RETRY_AFTER_LIMIT_US,
    TOKEN_MILLI,
    UNCAPPED_US,
    is_open,
    retry_range,
)

NOT_ASKED_US: Final = -1
"""Where a server named no `Retry-After`."""


@dataclass(frozen=True, slots=True)
class Failed:
    """What is known of devices that have just failed."""

    failures: NDArray[np.uint8]
    """With this one."""
    previous_us: Ints | None
    tokens_milli: NDArray[np.int32] | None
    retry_after_us: Ints | None


class RetryTable:
    """One cohort's delays. `least_us`, `most_us` and `is_open` are looked up by failures in a row."""

    def __init__(self, cohort: Cohort) -> None:
        self.cohort = cohort
        rule = self.rule = cohort.retry
        ranges = [retry_range(cohort, max(1, failures)) for failures in range(MOST_FAILURES + 1)]
        self.least_us: Ints = np.array([each.least_us for each in ranges], np.int64)
        self.most_us: Ints = np.array([each.most_us for each in ranges], np.int64)
        self.capped_at_us: Ints = np.array([each.capped_at_us for each in ranges], np.int64)
        """Below `UNCAPPED_US`: here decorrelated jitter decides, which looks at the delay before."""
        self.step_us: Ints = np.array([each.step_us for each in ranges], np.int64)
        self.is_open: Flags = np.array([is_open(rule, failures) for failures in range(MOST_FAILURES + 1)])
        self.without_token = retry_range(replace(cohort, retry=replace(rule, breaker=None)), 1, has_token=False)

    def delay_us(self, failed: Failed, chance: Ints) -> tuple[Ints, Flags | None]:
        """How long each waits, and who paid a token for it (None: nobody)."""
        ranges = Ranges(self.least_us[failed.failures], self.most_us[failed.failures])
        if self.rule.first_step_us > 1:
            ranges.step_us = self.step_us[failed.failures]
        if failed.previous_us is not None and self.rule.policy is Policy.DECORRELATED_JITTER:
            ranges.capped_at_us = self.capped_at_us[failed.failures]
            ranges.widen(3 * np.where(failed.previous_us, failed.previous_us, self.rule.base_us))
        strong, pays = self.is_open[failed.failures], None
        if failed.tokens_milli is not None and self.rule.budget is not None:
            pays = ~strong & (failed.tokens_milli >= TOKEN_MILLI)
            ranges.replace(~strong & ~pays, self.without_token.least_us, self.without_token.most_us)
            strong = ~pays
        if failed.retry_after_us is not None and self.rule.honours_retry_after:
            self._ask(ranges, strong, failed.retry_after_us)
        return ranges.drawn_us(chance, self.rule.floor_us), pays

    def _ask(self, ranges: Ranges, strong: Flags, retry_after_us: Ints) -> None:
        asked = retry_after_us != NOT_ASKED_US
        least_us = np.minimum(retry_after_us, RETRY_AFTER_LIMIT_US)
        most_us = np.maximum(least_us + self.rule.retry_after_spread_us, self.rule.floor_us)
        least_us = np.maximum(least_us, self.rule.floor_us)
        ranges.replace(
            asked,
            np.where(strong, np.maximum(least_us, ranges.least_us), least_us),
            np.where(strong, np.maximum(most_us, ranges.most_us), most_us),
        )


@dataclass(slots=True)
class Ranges:
    """`RetryRange` for many."""

    least_us: Ints
    most_us: Ints
    capped_at_us: Ints | None = None
    step_us: Ints | None = None

    def widen(self, most_us: Ints) -> None:
        """Where there is a cap, the upper end."""
        assert self.capped_at_us is not None
        self.most_us = np.where(self.capped_at_us < UNCAPPED_US, np.maximum(most_us, self.least_us), self.most_us)

    def replace(self, where: Flags, least_us: int | Ints, most_us: int | Ints) -> None:
        """By a range without cap and steps."""
        self.least_us = np.where(where, least_us, self.least_us)
        self.most_us = np.where(where, most_us, self.most_us)
        if self.capped_at_us is not None:
            self.capped_at_us = np.where(where, UNCAPPED_US, self.capped_at_us)
        if self.step_us is not None:
            self.step_us = np.where(where, 1, self.step_us)

    def drawn_us(self, chance: Ints, floor_us: int) -> Ints:
        delay_us = self.least_us + part_of(self.most_us - self.least_us, chance)
        if self.capped_at_us is not None:
            delay_us = np.minimum(delay_us, self.capped_at_us)
        if self.step_us is not None:
            stepped_us = np.maximum(floor_us, delay_us // self.step_us * self.step_us)
            delay_us = np.where(self.step_us > 1, stepped_us, delay_us)
        return delay_us
