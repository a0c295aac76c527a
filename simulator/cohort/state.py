"""What is known of each device, as arrays: 13 bytes, and more only for what a fleet makes use of."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fleetrig.simulator.backoff import Policy
from fleetrig.simulator.cohort.chance import Ints
from fleetrig.simulator.cohort.model import Cohort, FleetModel
from fleetrig.simulator.cohort.retries import RETRY_AFTER_LIMIT_US, full_milli

NEVER: Final = np.iinfo(np.int64).max
ONLINE: Final = -1
OFF: Final = -2


class DeviceArrays:
    """`device_bits`: how many bits of a key hold the number of a device."""

    def __init__(self, model: FleetModel) -> None:
        self.cohorts = model.cohorts
        count = model.count
        self.device_bits = _device_bits(count)
        self._latest_us = latest_us(model)
        self.never_us = NEVER >> self.device_bits
        """A moment that no device sees."""
        self.bounds: Ints = np.cumsum([0, *(cohort.count for cohort in model.cohorts)], dtype=np.int64)
        self.draws = np.zeros(count, np.uint32)
        """How many have been used up."""
        self.failures = np.zeros(count, np.uint8)
        """In a row. Who is online has none."""
        self.offline_since_us: Ints = np.full(count, OFF, np.int64)
        """Or ONLINE, or OFF."""
        self.offline_count = 0
        """Devices that are on and not online: where there are none, nobody needs to look for them."""
        self.previous_us: Ints | None = None
        """The delay before, for decorrelated jitter."""
        self.tokens_milli: NDArray[np.int32] | None = None
        self.work: NDArray[np.int32] | None = None
        """Requests to come after the next answer."""
        self.may_rest = any(cohort.is_connected for cohort in model.cohorts)
        """There may be devices that are online and wait for nothing."""
        if any(cohort.retry.policy is Policy.DECORRELATED_JITTER for cohort in model.cohorts):
            self.previous_us = np.zeros(count, np.int64)
        if any(cohort.retry.budget for cohort in model.cohorts):
            full = np.array([full_milli(cohort.retry) for cohort in model.cohorts], np.int32)
            self.tokens_milli = np.repeat(full, [cohort.count for cohort in model.cohorts])

    def range_of(self, number: int) -> range:
        """The devices of a cohort."""
        return range(int(self.bounds[number]), int(self.bounds[number + 1]))

    def cohort_numbers(self, devices: Ints) -> Ints:
        return np.searchsorted(self.bounds, devices, side="right") - 1

    def check_moment(self, at_us: int) -> None:
        """A translation has looked before anything runs: nothing wrong with a scenario ends here."""
        if at_us >= self._latest_us:
            raise OverflowError(too_long(len(self.draws), at_us, self._latest_us))

    def forget(self, devices: Ints, cohort: Cohort) -> None:
        """After a power cut: a retry counter survives one by accident only."""
        self.failures[devices] = 0
        if self.previous_us is not None:
            self.previous_us[devices] = 0
        if self.tokens_milli is not None:
            self.tokens_milli[devices] = full_milli(cohort.retry)


def latest_us(model: FleetModel) -> int:
    """Keys hold moments up to a bound: 100 days for a million devices, 5 for sixteen millions."""
    return (NEVER >> _device_bits(model.count)) - max(map(_longest_us, model.cohorts))


def too_long(count: int, at_us: int, most_us: int) -> str:
    """What is wrong with such a moment."""
    return (
        f"{count:,} devices can be simulated for {max(0, most_us) / 86_400e6:.1f} days, not for "
        f"{at_us / 86_400e6:.1f}: take fewer devices or a shorter time"
    )


def _device_bits(count: int) -> int:
    return max(1, (count - 1).bit_length())


def _longest_us(cohort: Cohort) -> int:
    """No request is followed by another later than that."""
    rule, ends = cohort.retry, [RETRY_AFTER_LIMIT_US + cohort.retry.retry_after_spread_us, cohort.interval_us[1]]
    ends += [rule.base_us, rule.cap_us, rule.floor_us, rule.first_us[1] if rule.first_us else 0]
    ends += [rule.breaker.open_us + rule.breaker.spread_us if rule.breaker else 0]
    return max(ends) + cohort.timeout_us
