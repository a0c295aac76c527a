"""The body of the array engine: what becomes of a batch of requests, and when their devices ask again.

A batch may hold requests that are too late for it: a device's next request may fall before another's in the same batch,
and the server has to meet them in order. So everything is planned for all first, without effect, and only what comes
before the earliest successor is believed. How wide batches are decides about speed, never about what comes out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fleetrig.simulator.cohort.chance import Ints, draws, words
from fleetrig.simulator.cohort.ledger import Ledger
from fleetrig.simulator.cohort.model import FleetModel
from fleetrig.simulator.cohort.outcomes import Judge, Outcomes, Requests
from fleetrig.simulator.cohort.plan import Asked, Plan, plan
from fleetrig.simulator.cohort.retry_table import RetryTable
from fleetrig.simulator.cohort.state import DeviceArrays


class ArrayBody:
    """Works on the state of the fleet; `judge` and `ledger` are shared with who owns it."""

    def __init__(
        self, model: FleetModel, tables: Sequence[RetryTable], state: DeviceArrays, judge: Judge, ledger: Ledger
    ) -> None:
        self._model, self._tables = model, tables
        self._state, self._judge, self._ledger = state, judge, ledger
        self._timeouts_us = np.array([cohort.timeout_us for cohort in model.cohorts], np.int64)

    def perform(self, keys: Ints) -> tuple[int, Ints]:
        """Lets the first of these requests happen: how many it were, and the keys of their devices' next ones."""
        state = self._state
        device, at_us = keys & ((1 << state.device_bits) - 1), keys >> state.device_bits
        number = state.draws[device]
        chance = words(self._model.seed, device, number)
        outcomes = self._judge.outcomes(Requests(at_us, chance, self._timeout_us(device)))
        parts = list(self._parts(Asked(device, at_us, draws(chance), outcomes)))
        successors = self._successors(keys, parts)
        done = int(np.searchsorted(keys, successors.min()))
        state.draws[device[:done]] = number[:done] + np.uint32(1)
        self._believe(parts, outcomes, done)
        successors = successors[:done]
        return done, successors[successors < state.never_us << state.device_bits] if state.may_rest else successors

    def _timeout_us(self, device: Ints) -> int | Ints:
        if np.ptp(self._timeouts_us) == 0:
            return int(self._timeouts_us[0])
        return self._timeouts_us[self._state.cohort_numbers(device)]

    def _parts(self, asked: Asked) -> Iterator[tuple[slice | Ints, Plan]]:
        """Plans for each cohort, and where its requests are in the batch."""
        state, round_trip_us = self._state, self._model.round_trip_us
        if len(self._tables) == 1:
            yield slice(None), plan(0, self._tables[0], state, asked, round_trip_us)
            return
        numbers = state.cohort_numbers(asked.device)
        for number, table in enumerate(self._tables):
            where = np.flatnonzero(numbers == number)
            if where.size:
                yield where, plan(number, table, state, asked.some(where), round_trip_us)

    def _successors(self, keys: Ints, parts: list[tuple[slice | Ints, Plan]]) -> Ints:
        bits = self._state.device_bits
        if len(parts) == 1:
            next_us = parts[0][1].next_us
        else:
            next_us = np.empty(keys.size, np.int64)
            for where, planned in parts:
                next_us[where] = planned.next_us
        return (next_us << bits) | (keys & ((1 << bits) - 1))

    def _believe(self, parts: list[tuple[slice | Ints, Plan]], outcomes: Outcomes, done: int) -> None:
        if outcomes.busy_until_us is not None:
            self._judge.busy_until_us = int(outcomes.busy_until_us[done - 1])
        for where, planned in parts:
            count = done if isinstance(where, slice) else int(np.searchsorted(where, done))
            if count:
                self._ledger.enter(planned.first(count))
