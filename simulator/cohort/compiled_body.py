"""The body of the array engine that hands its work over to machine code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fleetrig.simulator.cohort import compiled
from fleetrig.simulator.cohort.chance import Flags, Ints
from fleetrig.simulator.cohort.compiled_arrays import cohort_table, delay_table, disruption_table, server_numbers
from fleetrig.simulator.cohort.ledger import Ledger
from fleetrig.simulator.cohort.model import FleetModel
from fleetrig.simulator.cohort.outcomes import Codes, Judge
from fleetrig.simulator.cohort.retry_table import RetryTable
from fleetrig.simulator.cohort.state import NEVER, DeviceArrays
from fleetrig.simulator.cohort.tally import Tally
from fleetrig.simulator.cohort.wheel import NO_KEYS

NO_SMALL: Final[NDArray[np.int32]] = np.zeros(0, np.int32)


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests in the order of time, and what is found out about each."""

    keys: Ints
    device: Ints
    numbers: NDArray[np.uint32]
    """Of their draws."""
    failures: NDArray[np.uint8]
    """In a row, until now."""
    cohort_of: Ints
    chance: Ints
    codes: Codes
    seen_us: Ints
    asked_us: Ints
    """`Retry-After`."""
    busy_until_us: Ints
    pays: Flags
    delay_us: Ints
    successors: Ints

    def first(self, count: int) -> Batch:
        """The first so many of them."""
        return Batch(
            self.keys[:count], self.device[:count], self.numbers[:count], self.failures[:count],
            self.cohort_of[:count], self.chance[:count], self.codes[:count], self.seen_us[:count],
            self.asked_us[:count], self.busy_until_us[:count], self.pays[:count], self.delay_us[:count],
            self.successors[:count],
        )  # fmt: skip


def _or_none(array: NDArray[np.int32] | None) -> NDArray[np.int32]:
    """An empty one for what no device makes use of."""
    return NO_SMALL if array is None else array


class CompiledBody:
    """As `batch.ArrayBody`."""

    def __init__(
        self,
        model: FleetModel,
        tables: Sequence[RetryTable],
        state: DeviceArrays,
        judge: Judge,
        ledger: Ledger,
        tally: Tally,
    ) -> None:
        self._state, self._judge, self._ledger, self._tally = state, judge, ledger, tally
        self._seed = compiled.seed_word(model.seed)
        self._server = server_numbers(model)
        self._cohorts, self._delays = cohort_table(tables), delay_table(tables)
        self._previous_us = NO_KEYS if state.previous_us is None else state.previous_us
        self._heard_of = judge.disruptions
        self._disruptions = disruption_table(self._heard_of)

    def perform(self, keys: Ints) -> tuple[int, Ints]:
        if self._judge.disruptions is not self._heard_of:
            self._heard_of = self._judge.disruptions
            self._disruptions = disruption_table(self._heard_of)
        state, judge = self._state, self._judge
        batch = self._batch(keys)
        compiled.judge(
            keys, state.device_bits, self._seed, batch.numbers, self._server, self._disruptions, self._cohorts,
            judge.busy_until_us, batch.cohort_of, batch.chance, batch.codes, batch.seen_us, batch.asked_us,
            batch.busy_until_us,
        )  # fmt: skip
        self._plan(batch)
        done = compiled.believed(keys, batch.successors)
        batch = batch.first(done)
        judge.busy_until_us = int(batch.busy_until_us[-1])
        self._believe(batch)
        successors = batch.successors
        return done, successors[successors != NEVER] if state.may_rest else successors

    def _batch(self, keys: Ints) -> Batch:
        state, device = self._state, keys & ((1 << self._state.device_bits) - 1)
        failures = state.failures[device] if state.offline_count else np.zeros(keys.size, np.uint8)
        cohort_of, chance, seen_us, asked_us, busy_until_us, delay_us, successors = np.empty((7, keys.size), np.int64)
        codes, pays = np.empty(keys.size, np.uint8), np.empty(keys.size, np.bool_)
        return Batch(
            keys, device, state.draws[device], failures, cohort_of, chance, codes, seen_us, asked_us, busy_until_us,
            pays, delay_us, successors,
        )  # fmt: skip

    def _plan(self, batch: Batch) -> None:
        state, bits = self._state, self._state.device_bits
        compiled.plan_answered(
            batch.keys, bits, self._cohorts, self._server[0], _or_none(state.work), batch.cohort_of, batch.chance,
            batch.codes, batch.seen_us, batch.successors,
        )  # fmt: skip
        if batch.codes.any():
            compiled.plan_retries(
                batch.keys, bits, self._cohorts, self._delays, batch.failures, self._previous_us,
                _or_none(state.tokens_milli), batch.cohort_of, batch.chance, batch.codes, batch.seen_us,
                batch.asked_us, batch.pays, batch.delay_us, batch.successors,
            )  # fmt: skip

    def _believe(self, batch: Batch) -> None:
        state, tally, bits = self._state, self._tally, self._state.device_bits
        if self._ledger.hears is not None:
            self._tell(batch.keys, batch.seen_us, batch.codes)
        state.draws[batch.device] = batch.numbers + np.uint32(1)
        has_failed = bool(batch.codes.any())
        since_us = state.offline_since_us[batch.device] if has_failed or state.offline_count else NO_KEYS
        compiled.count(
            batch.keys, bits, state.offline_count, batch.failures, batch.cohort_of, batch.codes, batch.seen_us,
            tally.seconds, tally.slowest_us, tally.took,
        )  # fmt: skip
        state.offline_count = compiled.answer(
            batch.keys, bits, state.offline_count, self._cohorts, state.failures, since_us, state.offline_since_us,
            self._previous_us, _or_none(state.tokens_milli), _or_none(state.work), batch.cohort_of, batch.codes,
            batch.seen_us, tally.seconds, tally.time_to_online,
        )  # fmt: skip
        if has_failed:
            state.offline_count = compiled.fail(
                batch.keys, bits, state.offline_count, batch.failures, state.failures, since_us,
                state.offline_since_us, self._previous_us,
                _or_none(state.tokens_milli), batch.cohort_of, batch.codes, batch.pays, batch.delay_us, tally.seconds,
            )  # fmt: skip

    def _tell(self, keys: Ints, seen_us: Ints, codes: Codes) -> None:
        """Cohort by cohort."""
        assert self._ledger.hears is not None
        device = keys & ((1 << self._state.device_bits) - 1)
        numbers = self._state.cohort_numbers(device)
        for number in np.unique(numbers):
            where = numbers == number
            at_us = keys[where] >> self._state.device_bits
            self._ledger.hears(at_us, device[where], seen_us[where], codes[where])
