"""What a fleet did, second by second: whole numbers only."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def _none() -> Counts:
    return np.zeros(0, np.int64)


@dataclass(slots=True)
class CohortFigures:
    """Of one cohort. Each array has a number for each second, of the moment at which a request was sent."""

    requests: Counts = field(default_factory=_none)
    answered: Counts = field(default_factory=_none)
    turned_away: Counts = field(default_factory=_none)
    """By the server or a disruption, with a status."""
    refused: Counts = field(default_factory=_none)
    silent: Counts = field(default_factory=_none)
    late: Counts = field(default_factory=_none)
    """The server did the work, or dropped it, after the client had given up."""
    retries: Counts = field(default_factory=_none)
    """Requests after a failure."""
    came_online: Counts = field(default_factory=_none)
    """Devices whose request of this second was answered while they were not online."""
    went_offline: Counts = field(default_factory=_none)
    """Devices that were online until a failure of this second, or until their power was cut."""


@dataclass(slots=True)
class FleetFigures:
    """Of the whole fleet; `cohorts` in the order of the model."""

    cohorts: list[CohortFigures]
    took: dict[int, int] = field(default_factory=dict)
    """How long answers took, in the buckets of the load driver's histogram -> number of answers."""
    time_to_online: dict[int, int] = field(default_factory=dict)
    """The same of devices, from power-on, or from the failure that took them off, to the answer."""
    slowest_us: Counts = field(default_factory=_none)
    """Second -> the longest that any of its requests took to be answered; 0 for none."""
