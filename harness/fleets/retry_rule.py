"""A backoff of scenario files as the array engine has it: whole microseconds."""

from __future__ import annotations

from fleetrig.simulator.backoff import Backoff, CircuitBreaker, RetryBudget
from fleetrig.simulator.cohort.model import Breaker, Budget, RetryRule
from fleetrig.simulator.contract.clock import to_us


def retry_rule(backoff: Backoff, *, knows_retry_after: bool = True) -> RetryRule:
    """`knows_retry_after`: False for a make that knows no such header, whatever the file says."""
    first_s = backoff.first_s
    return RetryRule(
        backoff.policy,
        base_us=to_us(backoff.base_s),
        cap_us=to_us(backoff.cap_s),
        floor_us=to_us(backoff.floor_s),
        retry_after_spread_us=to_us(backoff.retry_after_spread_s),
        honours_retry_after=backoff.honours_retry_after and knows_retry_after,
        first_us=None if first_s is None else (to_us(first_s[0]), to_us(first_s[1])),
        budget=_budget(backoff.budget),
        breaker=_breaker(backoff.breaker),
    )


def _budget(budget: RetryBudget | None) -> Budget | None:
    return None if budget is None else Budget(budget.full_milli, budget.gain_milli)


def _breaker(breaker: CircuitBreaker | None) -> Breaker | None:
    return None if breaker is None else Breaker(breaker.after, to_us(breaker.open_s), to_us(breaker.spread_s))
