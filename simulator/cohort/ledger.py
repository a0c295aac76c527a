"""Plans take effect: the state of devices moves on, and what happened is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from fleetrig.simulator.cohort.chance import Ints
from fleetrig.simulator.cohort.outcomes import ANSWERED, LATE, REFUSED, SILENT, TURNED_AWAY, Codes
from fleetrig.simulator.cohort.plan import Asked, Plan, Retries
from fleetrig.simulator.cohort.retries import TOKEN_MILLI
from fleetrig.simulator.cohort.state import ONLINE, DeviceArrays
from fleetrig.simulator.cohort.tally import CountOf, Tally, add_to

KINDS: Final = (
    (TURNED_AWAY, CountOf.TURNED_AWAY),
    (REFUSED, CountOf.REFUSED),
    (SILENT, CountOf.SILENT),
    (LATE, CountOf.LATE),
)

HearsRequests = Callable[[Ints, Ints, Ints, Codes | None], None]
"""`hears(at_us, devices, seen_us, codes)`: requests of one cohort in their order, and what became of them; no codes
where all are answered."""


class Ledger:
    """Of one fleet."""

    def __init__(self, state: DeviceArrays, tally: Tally) -> None:
        self._state, self._tally = state, tally
        self.hears: HearsRequests | None = None
        """Is told of all that happens, before it is counted."""

    def enter(self, planned: Plan) -> None:
        """All of it has happened."""
        asked, tally, cohort = planned.asked, self._tally, planned.cohort
        if self.hears is not None:
            self.hears(asked.at_us, asked.device, asked.outcomes.seen_us, asked.outcomes.codes)
        tally.count(cohort, CountOf.REQUESTS, asked.at_us)
        if self._state.offline_count:
            tally.count(cohort, CountOf.RETRIES, asked.at_us[self._state.failures[asked.device] > 0])
        if planned.retries is None:
            self._answered(planned, asked)
            return
        codes = asked.outcomes.codes
        assert codes is not None
        for code, kind in KINDS:
            tally.count(cohort, kind, asked.at_us[codes == code])
        self._answered(planned, asked.some(np.flatnonzero(codes == ANSWERED)))
        self._failed(cohort, asked, planned.retries)

    def _answered(self, planned: Plan, asked: Asked) -> None:
        """`asked`: those of them that were answered."""
        state, seen_us, took_us = self._state, asked.outcomes.seen_us, asked.outcomes.took_us
        self._tally.count(planned.cohort, CountOf.ANSWERED, asked.at_us)
        self._tally.answered(asked.at_us, seen_us - asked.at_us if took_us is None else took_us)
        if planned.works is not None and state.work is not None:
            state.work[planned.asked.device[planned.works]] -= 1
        budget = state.cohorts[planned.cohort].retry.budget
        if budget is not None and state.tokens_milli is not None:
            tokens_milli = state.tokens_milli[asked.device] + budget.gain_milli
            state.tokens_milli[asked.device] = np.minimum(tokens_milli, budget.most_milli)
        if state.offline_count:
            self._came_online(planned.cohort, asked)

    def _came_online(self, cohort: int, asked: Asked) -> None:
        state = self._state
        since_us = state.offline_since_us[asked.device]
        places = np.flatnonzero(since_us != ONLINE)
        if not places.size:
            return
        device = asked.device[places]
        self._tally.count(cohort, CountOf.CAME_ONLINE, asked.at_us[places])
        add_to(self._tally.time_to_online, asked.outcomes.seen_us[places] - since_us[places])
        state.offline_since_us[device] = ONLINE
        state.offline_count -= places.size
        state.failures[device] = 0
        if state.previous_us is not None:
            state.previous_us[device] = 0

    def _failed(self, cohort: int, asked: Asked, retries: Retries) -> None:
        device, at_us = asked.device[retries.places], asked.at_us[retries.places]
        self.went_offline(cohort, device, at_us)
        self.backs_off(device, retries)

    def went_offline(self, cohort: int, device: Ints, at_us: Ints) -> None:
        """Those of them that were online; `at_us` in order."""
        state = self._state
        was_online = state.offline_since_us[device] == ONLINE
        self._tally.count(cohort, CountOf.WENT_OFFLINE, at_us[was_online])
        state.offline_since_us[device[was_online]] = at_us[was_online]
        state.offline_count += int(np.count_nonzero(was_online))

    def backs_off(self, device: Ints, retries: Retries) -> None:
        """Devices have failed, and wait."""
        state = self._state
        state.failures[device] = retries.failures
        if state.previous_us is not None:
            state.previous_us[device] = retries.delay_us
        if retries.pays is not None and state.tokens_milli is not None:
            state.tokens_milli[device[retries.pays]] -= TOKEN_MILLI
