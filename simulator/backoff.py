"""How long to wait after a failure: attempt number in, permitted range of seconds out.

Nothing is drawn here. A driver draws from the range, the oracle checks that a device's delay lies in it. Formulas and
usual parameters: spec/performance.md §3; «Exponential Backoff and Jitter» (AWS Architecture Blog); `Retry-After`:
RFC 9110 §10.2.3, for 429 RFC 6585 §4.
"""

from __future__ import annotations

import email.utils
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Policy(StrEnum):
    NONE = "none"  # a device that just waits for its next poll
    IMMEDIATE = "immediate"  # the pathological case: retries at once
    FIXED = "fixed"  # very common in firmware
    EXPONENTIAL = "exponential"  # min(cap, base·2^k): keeps a herd in lockstep
    FULL_JITTER = "full_jitter"  # U·min(cap, base·2^k)
    EQUAL_JITTER = "equal_jitter"  # half of it certain, half of it drawn
    DECORRELATED_JITTER = "decorrelated_jitter"  # min(cap, base + U·(3·previous − base))


RANGE_IS_WIDE: Final = frozenset({Policy.FULL_JITTER, Policy.EQUAL_JITTER, Policy.DECORRELATED_JITTER})


@dataclass(frozen=True, slots=True)
class Backoff:
    """One device's policy. All delays are floored at `floor_s`: physically there is always a connect time.

    `retry_after_spread_s` is added, drawn, to what a server names: a constant value would re-synchronise a fleet.
    """

    policy: Policy = Policy.EQUAL_JITTER
    base_s: float = 5.0
    cap_s: float = 300.0
    floor_s: float = 1.0
    retry_after_spread_s: float = 5.0
    honours_retry_after: bool = True

    def delay_range_s(
        self,
        failures: int,
        *,
        interval_s: float,
        previous_s: float | None = None,
        retry_after_s: float | None = None,
    ) -> tuple[float, float]:
        """Permitted (least, most) seconds after `failures` failures in a row (the first is 1).

        `interval_s` is the poll interval, used by `none`; `previous_s` the delay before, used by decorrelated jitter.
        """
        if retry_after_s is not None and self.honours_retry_after:
            return self._floored(retry_after_s, retry_after_s + self.retry_after_spread_s)
        # 2**62 already exceeds any cap; a larger exponent would only overflow the float.
        ceiling_s = min(self.cap_s, self.base_s * 2 ** min(failures - 1, 62))
        match self.policy:
            case Policy.NONE:
                return self._floored(interval_s, interval_s)
            case Policy.IMMEDIATE:
                return 0.0, 0.0
            case Policy.FIXED:
                return self._floored(self.base_s, self.base_s)
            case Policy.EXPONENTIAL:
                return self._floored(ceiling_s, ceiling_s)
            case Policy.FULL_JITTER:
                return self._floored(0.0, ceiling_s)
            case Policy.EQUAL_JITTER:
                return self._floored(ceiling_s / 2, ceiling_s)
            case Policy.DECORRELATED_JITTER:
                return self._floored(self.base_s, min(self.cap_s, 3 * (previous_s or self.base_s)))

    def _floored(self, least_s: float, most_s: float) -> tuple[float, float]:
        least_s = max(self.floor_s, least_s)
        return least_s, max(least_s, most_s)


def parse_retry_after(value: str | None, date: str | None) -> float | None:
    """Seconds named by a `Retry-After` header: delta-seconds, or an HTTP date measured against the answer's own `Date`.

    A device without a clock can still obey a date this way. None when absent or unreadable (RFC 9110 §10.2.3).
    """
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value.strip()[:9])
    until, now = (_http_date_s(text) for text in (value, date))
    return None if until is None or now is None else max(0.0, until - now)


def _http_date_s(text: str | None) -> float | None:
    try:
        return None if text is None else email.utils.parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
