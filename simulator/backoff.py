"""How long to wait after a failure: attempt number in, permitted range of seconds out.

Nothing is drawn here. A driver draws from the range, the oracle checks that a device's delay lies in it. Formulas and
usual parameters: «Exponential Backoff and Jitter» (AWS Architecture Blog); `Retry-After`:
RFC 9110 §10.2.3, for 429 RFC 6585 §4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final, NamedTuple

RETRY_AFTER_LIMIT_S: Final = 86_400.0
"""A server that asks for more than a day, by mistake or malice, would silence a device for good: it asks again then."""


class Policy(StrEnum):
    NONE = "none"
    """It does not retry: it waits for its next poll."""
    IMMEDIATE = "immediate"
    """It retries at once, and knows no floor: the pathological case."""
    FIXED = "fixed"
    """It waits for `base` every time; very common in firmware."""
    LINEAR = "linear"
    """`base`, 2·`base`, 3·`base` …, at most `cap`."""
    EXPONENTIAL = "exponential"
    """`base`, 2·`base`, 4·`base` …, at most `cap`. It keeps a herd in lockstep."""
    FULL_JITTER = "full_jitter"
    """Drawn between nothing and what `exponential` waits."""
    EQUAL_JITTER = "equal_jitter"
    """Half of what `exponential` waits for certain, the other half drawn."""
    DECORRELATED_JITTER = "decorrelated_jitter"
    """Drawn between `base` and three times the wait before, at most `cap`."""


class Delay(NamedTuple):
    """Drawn evenly from `at_least_s` … `at_most_s`; what lies above `capped_at_s` becomes `capped_at_s`."""

    at_least_s: float
    at_most_s: float
    capped_at_s: float = math.inf


WHOLE_TOKEN_MILLI: Final = 1000


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """A token bucket of the device: a retry costs a token, an answered request earns a share of one.

    A device without a token waits for its interval, as `none` does, and does not spin. The bucket is full at power-on.
    «At most 10 % retries»: «Handling Overload», in the book Site Reliability Engineering (Google).
    """

    share: float = 0.1
    burst: int = 3
    """Tokens at most."""

    @property
    def full_milli(self) -> int:
        return self.burst * WHOLE_TOKEN_MILLI

    @property
    def gain_milli(self) -> int:
        return round(self.share * WHOLE_TOKEN_MILLI)


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """After so many failures in a row the device is silent for `open_s` … `open_s + spread_s`, then tries once.

    An answer closes it; one more failure, and it is silent again. Neither silence nor the try after it costs a token.
    """

    after: int = 5
    open_s: float = 300.0
    spread_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """One device's policy. Delays are floored at `floor_s`: physically there is always a connect time.

    What counts, from the strongest: an open breaker, a missing token, what a server asks for, `first_s`, the policy.
    Of the first two and what a server asks for the later holds: nobody comes back earlier than he was asked to.
    """

    policy: Policy = Policy.EQUAL_JITTER
    base_s: float = 5.0
    cap_s: float = 300.0
    floor_s: float = 1.0
    retry_after_spread_s: float = 5.0
    """Added, drawn, to what a server names: a constant value would re-synchronise a fleet."""
    honours_retry_after: bool = True
    first_s: tuple[float, float] | None = None
    """The delay after the first failure is drawn from this range; later ones by the policy."""
    budget: RetryBudget | None = None
    breaker: CircuitBreaker | None = None

    def delay(
        self,
        failures: int,
        *,
        interval_s: float,
        interval_jitter: float = 0.0,
        previous_s: float | None = None,
        retry_after_s: float | None = None,
        has_token: bool = True,
    ) -> Delay:
        """What is permitted after `failures` failures in a row (the first is 1).

        `interval_s` … `interval_s·(1 + interval_jitter)` is the poll interval, used by `none` and by those without a
        token; `previous_s` the delay before, used by decorrelated jitter; `has_token` as `spend` said.
        """
        asked = self.asked(retry_after_s)
        waits = Delay(interval_s, interval_s * (1 + interval_jitter))
        if self.is_open(failures):
            return self._floored(_later(self._silence(), asked))
        if not has_token:
            return self._floored(_later(waits, asked))
        if asked is not None:
            return asked
        if failures == 1 and self.first_s is not None:
            return self._floored(Delay(*self.first_s))
        return self._by_policy(failures, waits, previous_s)

    def asked(self, retry_after_s: float | None) -> Delay | None:
        """What a server has named; None when it has not, or when the device does not listen."""
        if retry_after_s is None or not self.honours_retry_after:
            return None
        asked_s = min(retry_after_s, RETRY_AFTER_LIMIT_S)
        return self._floored(Delay(asked_s, asked_s + self.retry_after_spread_s))

    def is_open(self, failures: int) -> bool:
        """The breaker."""
        return self.breaker is not None and failures >= self.breaker.after

    @property
    def full_milli(self) -> int:
        """What the device has at power-on, in thousandths of a token."""
        return 0 if self.budget is None else self.budget.full_milli

    def earn(self, tokens_milli: int) -> int:
        """What it has after an answered request."""
        return 0 if self.budget is None else min(self.full_milli, tokens_milli + self.budget.gain_milli)

    def spend(self, tokens_milli: int, failures: int) -> tuple[bool, int]:
        """Whether it may retry now, after so many failures in a row, and what it has left."""
        if self.budget is None or self.is_open(failures):
            return True, tokens_milli
        if tokens_milli < WHOLE_TOKEN_MILLI:
            return False, tokens_milli
        return True, tokens_milli - WHOLE_TOKEN_MILLI

    def _by_policy(self, failures: int, waits: Delay, previous_s: float | None) -> Delay:
        # 2**62 already exceeds any cap; a larger exponent would only overflow the float.
        ceiling_s = min(self.cap_s, self.base_s * 2 ** min(failures - 1, 62))
        match self.policy:
            case Policy.NONE:
                return self._floored(waits)
            case Policy.IMMEDIATE:
                return Delay(0.0, 0.0)
            case Policy.FIXED:
                return self._floored(Delay(self.base_s, self.base_s))
            case Policy.LINEAR:
                linear_s = min(self.cap_s, self.base_s * failures)
                return self._floored(Delay(linear_s, linear_s))
            case Policy.EXPONENTIAL:
                return self._floored(Delay(ceiling_s, ceiling_s))
            case Policy.FULL_JITTER:
                return self._floored(Delay(0.0, ceiling_s))
            case Policy.EQUAL_JITTER:
                return self._floored(Delay(ceiling_s / 2, ceiling_s))
            case Policy.DECORRELATED_JITTER:
                return self._floored(Delay(self.base_s, 3 * (previous_s or self.base_s), self.cap_s))

    def _silence(self) -> Delay:
        assert self.breaker is not None
        return Delay(self.breaker.open_s, self.breaker.open_s + self.breaker.spread_s)

    def _floored(self, delay: Delay) -> Delay:
        least_s = max(self.floor_s, delay.at_least_s)
        return Delay(least_s, max(least_s, delay.at_most_s), max(least_s, delay.capped_at_s))


def _later(one: Delay, other: Delay | None) -> Delay:
    """The later end on either side."""
    return one if other is None else Delay(*map(max, one, other))


def parse_retry_after(value: str | None, date: str | None) -> float | None:
    """Seconds named by a `Retry-After` header: delta-seconds, or an HTTP date measured against the answer's own `Date`.

    A device without a clock can still obey a date this way. None when absent or unreadable (RFC 9110 §10.2.3).
    """
    if value is None:
        return None
    digits = value.strip()
    if digits.isascii() and digits.isdigit():
        return float(digits)
    until_s, now_s = _http_date_s(value), _http_date_s(date)
    return None if until_s is None or now_s is None else max(0.0, until_s - now_s)


def _http_date_s(text: str | None) -> float | None:
    """Seconds since 1970. A date without a zone is GMT, as every HTTP date is (RFC 9110 §5.6.7)."""
    try:
        at = None if text is None else parsedate_to_datetime(text)
        return None if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
