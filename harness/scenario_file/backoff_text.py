"""What devices do after failures, in words: for `fleetrig plan`, for reports, and for what was found in a trace."""

from __future__ import annotations

from collections.abc import Iterator

from fleetrig.harness.scenario_file.backoff_line import WHOLE_PERCENT
from fleetrig.simulator.backoff import Backoff, Policy
from fleetrig.simulator.contract.units import duration_text


def backoff_text(backoff: Backoff) -> str:
    """`full jitter from 5s up to 300s, the first after 0s to 60s`."""
    return ", ".join((policy_text(backoff), *_conditions(backoff)))


def policy_text(backoff: Backoff) -> str:
    match backoff.policy:
        case Policy.NONE:
            return "none, only the next poll"
        case Policy.IMMEDIATE:
            return "immediate"
        case Policy.FIXED:
            return f"fixed {duration_text(backoff.base_s)}"
        case policy:
            name = policy.replace("_", " ")
            return f"{name} from {duration_text(backoff.base_s)} up to {duration_text(backoff.cap_s)}"


def _conditions(backoff: Backoff) -> Iterator[str]:
    if backoff.first_s is not None:
        yield f"the first after {span_text(*backoff.first_s)}"
    if (budget := backoff.budget) is not None:
        noun = "retry" if budget.burst == 1 else "retries"
        yield f"with a budget of {budget.burst} {noun} and {budget.share * WHOLE_PERCENT:g}% of the answers"
    if (breaker := backoff.breaker) is not None:
        silent = span_text(breaker.open_s, breaker.open_s + breaker.spread_s)
        yield f"silent for {silent} after {breaker.after} failures in a row"


def span_text(least_s: float, most_s: float) -> str:
    """`5s to 10s`, or one time where both are the same."""
    if least_s == most_s:
        return duration_text(least_s)
    return f"{duration_text(least_s)} to {duration_text(most_s)}"
