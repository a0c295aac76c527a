"""The body of the array engine that hands its work over to machine code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fleetrig.simulator.cohort import compiled
from fleetrig.simulator.cohort.chance import Whole
from fleetrig.simulator.cohort.compiled_arrays import cohort_table, delay_table, disruption_table, server_numbers
from fleetrig.simulator.cohort.ledger import Ledger
from fleetrig.simulator.cohort.model import FleetModel
from fleetrig.simulator.cohort.outcomes import Codes, Judge
from fleetrig.simulator.cohort.retry_table import Flags, RetryTable
from fleetrig.simulator.cohort.state import NEVER, FleetState
from fleetrig.simulator.cohort.tally import Tally
from fleetrig.simulator.cohort.wheel import NO_KEYS

NO_SMALL: Final[NDArray[np.int32]] = np.zeros(0, np.int32)


class Batch(NamedTuple):
    """Requests in the order of time, and what is found out about each."""

    keys: Whole
    cohort_of: Whole
    chance: Whole
    codes: Codes
    seen_us: Whole
    asked_us: Whole
    """`Retry-After`."""
    busy_until_us: Whole
    pays: Flags
    delay_us: Whole
    successors: Whole

    @classmethod
    def of(cls, keys: Whole) -> Batch:
        whole = [np.empty_like(keys) for _ in range(7)]
        return cls(
            keys, whole[0], whole[1], np.empty(keys.size, np.uint8), *whole[2:5], np.empty(keys.size, np.bool_),
            *whole[5:],
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
        state: FleetState,
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

    def perform(self, keys: Whole) -> tuple[int, Whole]:
        if self._judge.disruptions is not self._heard_of:
            self._heard_of = self._judge.disruptions
            self._disruptions = disruption_table(self._heard_of)
        state, judge = self._state, self._judge
        batch = Batch.of(keys)
        compiled.judge(
            keys, state.device_bits, self._seed, state.draws, self._server, self._disruptions, self._cohorts,
            judge.busy_until_us, batch.cohort_of, batch.chance, batch.codes, batch.seen_us, batch.asked_us,
            batch.busy_until_us,
        )  # fmt: skip
        self._plan(batch)
        done = compiled.believed(keys, batch.successors)
        batch = Batch(*(each[:done] for each in batch))
        judge.busy_until_us = int(batch.busy_until_us[-1])
        self._believe(batch)
        successors = batch.successors
        return done, successors[successors != NEVER] if state.may_rest else successors

    def _plan(self, batch: Batch) -> None:
        state, bits = self._state, self._state.device_bits
        compiled.plan_answered(
            batch.keys, bits, self._cohorts, self._server[0], _or_none(state.work), batch.cohort_of, batch.chance,
            batch.codes, batch.seen_us, batch.successors,
        )  # fmt: skip
        if batch.codes.any():
            compiled.plan_retries(
                batch.keys, bits, self._cohorts, self._delays, state.failures, self._previous_us,
                _or_none(state.tokens_milli), batch.cohort_of, batch.chance, batch.codes, batch.seen_us,
                batch.asked_us, batch.pays, batch.delay_us, batch.successors,
            )  # fmt: skip

    def _believe(self, batch: Batch) -> None:
        state, tally, bits = self._state, self._tally, self._state.device_bits
        if self._ledger.hears is not None:
            self._tell(batch.keys, batch.seen_us, batch.codes)
        device = batch.keys & ((1 << bits) - 1)
        state.draws[device] += np.uint32(1)
        compiled.count(
            batch.keys, bits, state.offline_count, state.failures, batch.cohort_of, batch.codes, batch.seen_us,
            tally.seconds, tally.slowest_us, tally.took,
        )  # fmt: skip
        state.offline_count = compiled.answer(
            batch.keys, bits, state.offline_count, self._cohorts, state.failures, state.offline_since_us,
            self._previous_us, _or_none(state.tokens_milli), _or_none(state.work), batch.cohort_of, batch.codes,
            batch.seen_us, tally.seconds, tally.time_to_online,
        )  # fmt: skip
        if batch.codes.any():
            state.offline_count = compiled.fail(
                batch.keys, bits, state.offline_count, state.failures, state.offline_since_us, self._previous_us,
                _or_none(state.tokens_milli), batch.cohort_of, batch.codes, batch.pays, batch.delay_us, tally.seconds,
            )  # fmt: skip

    def _tell(self, keys: Whole, seen_us: Whole, codes: Codes) -> None:
        """Cohort by cohort."""
        assert self._ledger.hears is not None
        device = keys & ((1 << self._state.device_bits) - 1)
        numbers = self._state.cohort_numbers(device)
        for number in np.unique(numbers):
            where = numbers == number
            at_us = keys[where] >> self._state.device_bits
            self._ledger.hears(at_us, device[where], seen_us[where], codes[where])
