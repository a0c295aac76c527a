"""How long one device waits after a failure, in whole microseconds; `retry_table` has the same for many.

As `backoff.Backoff.delay` has it, in integers. What counts, from the strongest: an open breaker, a missing token, what
the server asks for (`Retry-After`), the first delay, the policy. Of the first two and what the server asks for the
later holds on either side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fleetrig.simulator.backoff import RETRY_AFTER_LIMIT_S, Policy
from fleetrig.simulator.cohort.chance import part_of
from fleetrig.simulator.cohort.model import Cohort, RetryRule

RETRY_AFTER_LIMIT_US: Final = round(RETRY_AFTER_LIMIT_S * 1e6)
TOKEN_MILLI: Final = 1_000
UNCAPPED_US: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class RetryRange:
    """Drawn evenly from `least_us` up to `most_us`; what lies above `capped_at_us` becomes that."""

    least_us: int
    most_us: int
    capped_at_us: int = UNCAPPED_US
    step_us: int = 1
    """Rounded down to whole steps of so many; never less than `floor_us` then."""
    floor_us: int = 0

    def drawn_us(self, chance: int) -> int:
        """`chance`: 32 bits."""
        drawn_us = min(self.capped_at_us, self.least_us + part_of(self.most_us - self.least_us, chance))
        return max(self.floor_us, drawn_us // self.step_us * self.step_us)


def is_open(rule: RetryRule, failures: int) -> bool:
    """The breaker."""
    return rule.breaker is not None and failures >= rule.breaker.after


def full_milli(rule: RetryRule) -> int:
    """What a device has at power-on, in thousandths of a token."""
    return 0 if rule.budget is None else rule.budget.most_milli


def earn(rule: RetryRule, tokens_milli: int) -> int:
    """What a device has after an answered request."""
    return 0 if rule.budget is None else min(rule.budget.most_milli, tokens_milli + rule.budget.gain_milli)


def spend(rule: RetryRule, tokens_milli: int, failures: int) -> tuple[bool, int]:
    """Whether it may retry now, after so many failures in a row, and what it has left."""
    if rule.budget is None or is_open(rule, failures):
        return True, tokens_milli
    if tokens_milli < TOKEN_MILLI:
        return False, tokens_milli
    return True, tokens_milli - TOKEN_MILLI


def retry_range(
    cohort: Cohort, failures: int, *, previous_us: int = 0, has_token: bool = True, retry_after_us: int | None = None
) -> RetryRange:
    """After `failures` failures in a row (the first is 1). `previous_us`: the delay before, 0 for none."""
    rule = cohort.retry
    asked = asked_range(rule, retry_after_us)
    if rule.breaker is not None and is_open(rule, failures):
        return _later(_floored(rule, rule.breaker.open_us, rule.breaker.open_us + rule.breaker.spread_us), asked)
    if not has_token:
        return _later(_floored(rule, *cohort.interval_us), asked)
    if asked is not None:
        return asked
    if failures == 1 and rule.first_us is not None:
        if rule.first_step_us > 1:
            return RetryRange(*rule.first_us, step_us=rule.first_step_us, floor_us=rule.floor_us)
        return _floored(rule, *rule.first_us)
    return _by_policy(cohort, failures, previous_us)


def asked_range(rule: RetryRule, retry_after_us: int | None) -> RetryRange | None:
    """What a server has named; None when it has not, or when the device does not listen."""
    if retry_after_us is None or not rule.honours_retry_after:
        return None
    asked_us = min(retry_after_us, RETRY_AFTER_LIMIT_US)
    return _floored(rule, asked_us, asked_us + rule.retry_after_spread_us)


def _by_policy(cohort: Cohort, failures: int, previous_us: int) -> RetryRange:
    rule = cohort.retry
    ceiling_us = min(rule.cap_us, rule.base_us << min(failures - 1, 62))
    match rule.policy:
        case Policy.NONE:
            return _floored(rule, *cohort.interval_us)
        case Policy.IMMEDIATE:
            return RetryRange(0, 0)
        case Policy.FIXED:
            return _floored(rule, rule.base_us, rule.base_us)
        case Policy.LINEAR:
            linear_us = min(rule.cap_us, rule.base_us * failures)
            return _floored(rule, linear_us, linear_us)
        case Policy.EXPONENTIAL:
            return _floored(rule, ceiling_us, ceiling_us)
        case Policy.FULL_JITTER:
            return _floored(rule, 0, ceiling_us)
        case Policy.EQUAL_JITTER:
            return _floored(rule, ceiling_us // 2, ceiling_us)
        case Policy.DECORRELATED_JITTER:
            drawn = _floored(rule, rule.base_us, 3 * (previous_us or rule.base_us))
            return RetryRange(drawn.least_us, drawn.most_us, max(drawn.least_us, rule.cap_us))


def _floored(rule: RetryRule, least_us: int, most_us: int) -> RetryRange:
    least_us = max(rule.floor_us, least_us)
    return RetryRange(least_us, max(least_us, most_us))


def _later(one: RetryRange, other: RetryRange | None) -> RetryRange:
    if other is None:
        return one
    return RetryRange(max(one.least_us, other.least_us), max(one.most_us, other.most_us))
