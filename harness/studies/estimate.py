"""How long a study will take, from a few of its runs that are performed with fewer devices beforehand.

A run costs so much for itself, and so much more for each device. Two sizes tell both.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from fleetrig.harness.studies.case import CaseOrder, perform
from fleetrig.harness.studies.crew import Crew

PILOTS: Final = 8
"""Runs that are tried, spread over the study."""
FEW: Final = 1_000
MANY: Final = 50_000
"""Devices of the two sizes. From there on a device costs as much, whatever the size of the fleet, to about a third."""
WORKER_STARTS_S: Final = 2.0
LONG_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class StudyEstimate:
    """Of all runs of a study."""

    cost_s_by_number: Mapping[int, float]
    """Combination -> what one run of it costs; those that were tried stand for their neighbours."""
    runs: int
    cores: int

    def cost_s(self, number: int) -> float:
        nearest = min(self.cost_s_by_number, key=lambda tried: abs(tried - number))
        return self.cost_s_by_number[nearest]

    def wall_s(self, numbers: Sequence[int]) -> float:
        """For these runs, on all cores."""
        return sum(map(self.cost_s, numbers)) / self.cores + WORKER_STARTS_S


def estimate(orders: Sequence[CaseOrder], crew: Crew) -> StudyEstimate:
    """Tries some of the orders; at least one is there."""
    tried = spread(orders, PILOTS)
    costs = dict(crew.each(cost_of, tried))
    return StudyEstimate(costs, len(orders), min(crew.size, len(orders)))


def spread(orders: Sequence[CaseOrder], count: int) -> list[CaseOrder]:
    """So many of them, from all over: of each part another one, so that they differ in every axis."""
    parts = min(count, len(orders))
    bounds = [part * len(orders) // parts for part in range(parts + 1)]
    ends = enumerate(pairwise(bounds))
    return [orders[begin + (end - begin) * part // parts] for part, (begin, end) in ends]


def cost_of(order: CaseOrder) -> tuple[int, float]:
    """The number of its combination, and the seconds that it will take at its own size, beside the other workers."""
    devices = order.file.fill(order.values).devices.count
    if devices <= MANY:
        return order.number, _took_s(order)
    perform(replace(order, devices=FEW))  # what is read and compiled only once in a process is not counted
    few_s, many_s = (_took_s(replace(order, devices=size)) for size in (FEW, MANY))
    each_s = max(0.0, many_s - few_s) / (MANY - FEW)
    return order.number, few_s + each_s * (devices - FEW)


def _took_s(order: CaseOrder) -> float:
    began_s = time.perf_counter()
    perform(order)
    return time.perf_counter() - began_s
