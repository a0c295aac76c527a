"""A server of finite capacity, for many arrivals at once: first come, first served.

Where nobody is turned away, the moments at which service begins are a running maximum (Lindley, 1952):
`begin[i] = i·s + max(busy, max over j ≤ i of (arrival[j] − j·s))`, exact in integers. Elsewhere one arrival after the
other is looked at.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from fleetrig.simulator.cohort.chance import Flags, Ints
from fleetrig.simulator.cohort.model import ServerModel


@dataclass(frozen=True, slots=True)
class Turns:
    """Of arrivals in order."""

    wait_us: Ints
    accepted: Flags | None
    """None: all."""
    busy_until_us: Ints
    """After each arrival."""


def admit(server: ServerModel, busy_until_us: int, arrivals_us: Ints) -> Turns:
    """`arrivals_us`: in order. Nothing is remembered: the caller keeps `busy_until_us` of the last it believes."""
    assert server.service_us is not None
    work_us = np.arange(arrivals_us.size, dtype=np.int64) * server.service_us
    begin_us = np.maximum.accumulate(np.maximum(arrivals_us - work_us, busy_until_us)) + work_us
    wait_us = begin_us - arrivals_us
    limit_us = longest_wait_us(server)
    if limit_us is None or not wait_us.size or int(wait_us.max()) <= limit_us:
        return Turns(wait_us, None, begin_us + server.service_us)
    return _one_by_one(server.service_us, limit_us, busy_until_us, arrivals_us)


def longest_wait_us(server: ServerModel) -> int | None:
    """Who would wait longer is not served, in one way or the other."""
    limits = [limit for limit in (server.waiting_us, server.sheds_after_us) if limit is not None]
    return min(limits, default=None)


def _one_by_one(service_us: int, limit_us: int, busy_us: int, arrivals_us: Ints) -> Turns:
    """Jumps over those in a row that are not served: nobody is, who comes before `busy - limit`."""
    arrivals, count = arrivals_us.tolist(), arrivals_us.size
    busy_until_us, served = [busy_us], []
    position = bisect_left(arrivals, busy_us - limit_us)
    while position < count:
        busy_us = max(busy_us, arrivals[position]) + service_us
        busy_until_us.append(busy_us)
        served.append(position)
        position = bisect_left(arrivals, busy_us - limit_us, position + 1)
    accepted = np.zeros(count, np.bool_)
    accepted[served] = True
    ends_us, number = np.array(busy_until_us, np.int64), np.cumsum(accepted)
    return Turns(np.maximum(ends_us[number - accepted] - arrivals_us, 0), accepted, ends_us[number])
