"""How much a server must be able to do for a given curve: a queue over the requests of each second.

It takes the curve as given: whoever was turned away has come again in it. With more capacity some of those retries
would not have been, so that the true need is a little less; `bisection` finds it with the engine.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from fleetrig.simulator.cohort.figures import Counts

PRECISION: Final = 0.001
STEPS: Final = 60


def turned_away_by(requests: Counts, capacity_per_s: float, waiting_s: float) -> float:
    """How many a server of this capacity turns away, whose queue is as long as it works off in `waiting_s`."""
    room = capacity_per_s * waiting_s
    queue = away = 0.0
    for count in requests.tolist():
        queue = max(0.0, queue + count - capacity_per_s)
        if queue > room:
            away += queue - room
            queue = room
    return away


def capacity_needed(requests: Counts, *, waiting_s: float, limit_share: float = 0.0) -> float:
    """The least capacity, in requests a second, that turns away no larger share of them; 0 where nobody asks."""
    allowed = limit_share * int(requests.sum())
    least, most = 0.0, float(requests.max(initial=0))
    for _ in range(STEPS):
        if most - least <= PRECISION * most:
            break
        middle = (least + most) / 2
        if turned_away_by(requests, middle, waiting_s) <= allowed:
            most = middle
        else:
            least = middle
    return most


def offered(requests: Counts, outage_s: tuple[int, int] | None) -> Counts:
    """The requests that reach the server: those of an outage do not."""
    reaching = requests.copy()
    if outage_s is not None:
        reaching[outage_s[0] : outage_s[1]] = 0
    return np.asarray(reaching, np.int64)
