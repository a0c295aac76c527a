"""What becomes of requests: disruptions first, then the server. Nothing is remembered here, and nothing counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fleetrig.simulator.cohort.chance import ChanceWords, Flags, Ints, part_of, second_draws
from fleetrig.simulator.cohort.model import Disruption, ServerModel, Unanswered
from fleetrig.simulator.cohort.retry_table import NOT_ASKED_US
from fleetrig.simulator.cohort.service import Turns, admit

Codes = NDArray[np.uint8]

ANSWERED: Final = 0
TURNED_AWAY: Final = 1
REFUSED: Final = 2
SILENT: Final = 3
LATE: Final = 4
CODES: Final = {Unanswered.TURNED_AWAY: TURNED_AWAY, Unanswered.REFUSED: REFUSED, Unanswered.SILENT: SILENT}


@dataclass(frozen=True, slots=True)
class Requests:
    """In the order of time."""

    at_us: Ints
    chance: ChanceWords
    timeout_us: int | Ints

    def some(self, which: Ints) -> Requests:
        timeout_us = self.timeout_us if isinstance(self.timeout_us, int) else self.timeout_us[which]
        return Requests(self.at_us[which], self.chance[which], timeout_us)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Of requests in the order of time."""

    seen_us: Ints
    """When the device knows."""
    codes: Codes | None = None
    """None: all are answered."""
    took_us: int | None = None
    """If all that are answered take the same time."""
    retry_after_us: Ints | None = None
    busy_until_us: Ints | None = None
    """Of the server, after each."""

    def some(self, which: slice | Ints) -> Outcomes:
        codes = None if self.codes is None else self.codes[which]
        retry_after_us = None if self.retry_after_us is None else self.retry_after_us[which]
        return Outcomes(self.seen_us[which], codes, self.took_us, retry_after_us, None)


class Judge:
    """Decides, for a server and the disruptions that it has heard of."""

    def __init__(self, server: ServerModel, round_trip_us: int) -> None:
        self.server = server
        self.round_trip_us = round_trip_us
        self.busy_until_us = 0
        self.disruptions: list[Disruption] = []

    def outcomes(self, requests: Requests) -> Outcomes:
        """As if these were all there is: it is for the caller to move `busy_until_us` on."""
        first_us, last_us = int(requests.at_us[0]), int(requests.at_us[-1])
        active = [each for each in self.disruptions if each.begin_us <= last_us and first_us < each.end_us]
        if not active:
            return self._served(requests, self.round_trip_us)
        disturbed = disturb(requests, active)
        return self._behind(requests, disturbed)

    def _behind(self, requests: Requests, disturbed: Disturbed) -> Outcomes:
        """The server gets what disruptions let pass."""
        travel_us = self.round_trip_us + disturbed.latency_us
        seen_us = requests.at_us + np.where(
            disturbed.codes == SILENT, requests.timeout_us, np.minimum(travel_us, requests.timeout_us)
        )
        codes, retry_after_us = disturbed.codes, disturbed.retry_after_us
        reaching = np.flatnonzero(codes == ANSWERED)
        busy_until_us = None
        if reaching.size:
            served = self._served(requests.some(reaching), travel_us[reaching])
            seen_us[reaching] = served.seen_us
            codes[reaching] = ANSWERED if served.codes is None else served.codes
            if served.retry_after_us is not None:
                retry_after_us[reaching] = served.retry_after_us
            if served.busy_until_us is not None:
                before = np.concatenate(([self.busy_until_us], served.busy_until_us))
                passed = np.zeros(codes.size, np.int64)
                passed[reaching] = 1
                busy_until_us = before[np.cumsum(passed)]
        return Outcomes(seen_us, codes, None, retry_after_us, busy_until_us)

    def _served(self, requests: Requests, travel_us: int | Ints) -> Outcomes:
        if self.server.service_us is None:
            return _unhindered(requests, travel_us)
        admission = admit(self.server, self.busy_until_us, requests.at_us)
        took_us = admission.wait_us + (travel_us + self.server.service_us)
        late = took_us > requests.timeout_us
        if admission.accepted is None and not late.any():
            return Outcomes(requests.at_us + took_us, busy_until_us=admission.busy_until_us)
        return self._overloaded(requests, travel_us, admission, np.where(late, requests.timeout_us, took_us), late)

    def _overloaded(
        self, requests: Requests, travel_us: int | Ints, admission: Turns, took_us: Ints, late: Flags
    ) -> Outcomes:
        codes = np.where(late, np.uint8(LATE), np.uint8(ANSWERED))
        retry_after_us = None
        if admission.accepted is not None:
            codes[~admission.accepted] = LATE
            took_us = np.where(admission.accepted, took_us, requests.timeout_us)
            if self.server.waiting_us is not None:
                away = ~admission.accepted & (admission.wait_us > self.server.waiting_us)
                codes[away] = TURNED_AWAY
                took_us = np.where(away, np.minimum(self.round_trip_us, requests.timeout_us), took_us)
                if self.server.retry_after_us is not None:
                    retry_after_us = np.where(away, self.server.retry_after_us, NOT_ASKED_US)
        return Outcomes(requests.at_us + took_us, codes, None, retry_after_us, admission.busy_until_us)


def _unhindered(requests: Requests, travel_us: int | Ints) -> Outcomes:
    """By a server that is never busy."""
    took_us = travel_us if isinstance(travel_us, int) else None
    late = np.greater(travel_us, requests.timeout_us)
    if not late.any():
        return Outcomes(requests.at_us + travel_us, None, took_us)
    codes = np.broadcast_to(np.where(late, np.uint8(LATE), np.uint8(ANSWERED)), requests.at_us.shape).copy()
    return Outcomes(requests.at_us + np.minimum(travel_us, requests.timeout_us), codes, took_us)


@dataclass(frozen=True, slots=True)
class Disturbed:
    """What disruptions make of requests. Those with code ANSWERED pass, `latency_us` later than usual."""

    codes: Codes
    latency_us: Ints
    retry_after_us: Ints


def disturb(requests: Requests, disruptions: Sequence[Disruption]) -> Disturbed:
    """Of several that cover a moment the first counts, also where it spares a request."""
    count = requests.at_us.size
    disturbed = Disturbed(np.zeros(count, np.uint8), np.zeros(count, np.int64), np.full(count, NOT_ASKED_US, np.int64))
    is_free = np.ones(count, np.bool_)
    for disruption in disruptions:
        covered = is_free & (requests.at_us >= disruption.begin_us) & (requests.at_us < disruption.end_us)
        is_free &= ~covered
        affected = covered & (part_of(1000, second_draws(requests.chance)) < disruption.share_milli)
        disturbed.latency_us[affected] = disruption.latency_us
        if disruption.answer is not None:
            disturbed.codes[affected] = CODES[disruption.answer]
        if disruption.answer is Unanswered.TURNED_AWAY and disruption.retry_after_us is not None:
            disturbed.retry_after_us[affected] = disruption.retry_after_us
    return disturbed
