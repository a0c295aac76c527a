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
    NONE = "none"  # a device that just waits for its next poll
    IMMEDIATE = "immediate"  # the pathological case: retries at once, and knows no floor
    FIXED = "fixed"  # very common in firmware
    EXPONENTIAL = "exponential"  # min(cap, base·2^k): keeps a herd in lockstep
    FULL_JITTER = "full_jitter"  # U·min(cap, base·2^k)
    EQUAL_JITTER = "equal_jitter"  # half of it certain, half of it drawn
    DECORRELATED_JITTER = "decorrelated_jitter"  # min(cap, base + U·(3·previous − base))


class Delay(NamedTuple):
    """Drawn evenly from `at_least_s` … `at_most_s`; what lies above `capped_at_s` becomes `capped_at_s`."""

    at_least_s: float
    at_most_s: float
    capped_at_s: float = math.inf


@dataclass(frozen=True, slots=True)
class Backoff:
    """One device's policy. Delays are floored at `floor_s`: physically there is always a connect time.

    `retry_after_spread_s` is added, drawn, to what a server names: a constant value would re-synchronise a fleet.
    """

    policy: Policy = Policy.EQUAL_JITTER
    base_s: float = 5.0
    cap_s: float = 300.0
    floor_s: float = 1.0
    retry_after_spread_s: float = 5.0
    honours_retry_after: bool = True

    def delay(
        self,
        failures: int,
        *,
        interval_s: float,
        previous_s: float | None = None,
        retry_after_s: float | None = None,
    ) -> Delay:
        """What is permitted after `failures` failures in a row (the first is 1).

        `interval_s` is the poll interval, used by `none`; `previous_s` the delay before, used by decorrelated jitter.
        """
        if retry_after_s is not None and self.honours_retry_after:
            asked_s = min(retry_after_s, RETRY_AFTER_LIMIT_S)
            return self._floored(asked_s, asked_s + self.retry_after_spread_s)
        # 2**62 already exceeds any cap; a larger exponent would only overflow the float.
        ceiling_s = min(self.cap_s, self.base_s * 2 ** min(failures - 1, 62))
        match self.policy:
            case Policy.NONE:
                return self._floored(interval_s, interval_s)
            case Policy.IMMEDIATE:
                return Delay(0.0, 0.0)
            case Policy.FIXED:
                return self._floored(self.base_s, self.base_s)
            case Policy.EXPONENTIAL:
                return self._floored(ceiling_s, ceiling_s)
            case Policy.FULL_JITTER:
                return self._floored(0.0, ceiling_s)
            case Policy.EQUAL_JITTER:
                return self._floored(ceiling_s / 2, ceiling_s)
            case Policy.DECORRELATED_JITTER:
                return self._floored(self.base_s, 3 * (previous_s or self.base_s), self.cap_s)

    def _floored(self, least_s: float, most_s: float, cap_s: float = math.inf) -> Delay:
        least_s = max(self.floor_s, least_s)
        return Delay(least_s, max(least_s, most_s), max(least_s, cap_s))


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
