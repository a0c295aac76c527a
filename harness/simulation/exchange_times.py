"""How long the exchanges of a fleet take: one histogram for each kind of exchange."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleetrig.simulator.drivers.load.histogram import Histogram


@dataclass(slots=True)
class ExchangeTimes:
    """All exchanges of one name. What ended without an answer counts with the time until then."""

    failed: int = 0
    most_us: int = 0
    took: Histogram = field(default_factory=Histogram)

    def add(self, took_us: int, *, is_good: bool) -> None:
        """One has ended."""
        self.took.add(took_us)
        self.most_us = max(self.most_us, took_us)
        self.failed += not is_good

    def percentile_s(self, share: float) -> float | None:
        """None when there are none. A bucket may reach beyond the longest: no percentile does."""
        of_bucket_s = self.took.percentile_s(share)
        return None if of_bucket_s is None else min(of_bucket_s, self.most_us / 1e6)
