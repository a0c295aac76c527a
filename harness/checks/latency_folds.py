"""The fold that measures how long devices wait for their answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from fleetrig.harness.checks.fold import Status, evidence_of, format_amount, format_span, threshold_status
from fleetrig.harness.checks.matching import Pattern
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.clock import US_PER_S, to_us
from fleetrig.simulator.contract.trace import TraceEvent

SHARES: Final[Mapping[str, float]] = {"p50": 0.5, "p99": 0.99}
"""Percentile -> how many of the answers it holds."""
DIGITS: Final = 3


class SpanCounts:
    """Spans of time by their first three digits: however many there are, it stays small."""

    def __init__(self) -> None:
        self.count = self.most_us = 0
        self._counts: Counter[int] = Counter()

    def add(self, span_us: int, times: int = 1) -> None:
        self.count += times
        self.most_us = max(self.most_us, span_us)
        scale = 10 ** max(0, len(str(span_us)) - DIGITS)
        self._counts[span_us // scale * scale] += times

    def percentile_us(self, share: float) -> int:
        """The span that so large a share of the others does not exceed."""
        wanted, seen = min(self.count - 1, int(self.count * share)), 0
        for span_us in sorted(self._counts):
            seen += self._counts[span_us]
            if seen > wanted:
                return span_us
        return self.most_us


class LatencyFold:
    """Of all such answers the given shares came in time. None at all is nothing to measure."""

    def __init__(self, received: Pattern, limits_s: Mapping[str, float], *, stops: bool = False) -> None:
        """`limits_s`: percentile (`p50`, `p99`) -> seconds."""
        self._stops = stops
        self._received = received
        self.kinds: Final = frozenset({received.kind})
        self._limits_us = {name: to_us(limit_s) for name, limit_s in limits_s.items()}
        self._took = SpanCounts()
        self._late: Counter[str] = Counter()
        self._in_second: Counter[int] = Counter()
        self._slowest: TraceEvent | None = None

    def step(self, event: TraceEvent) -> None:
        if not self._received.fits(event):
            return
        self._took.add(event.took_us)
        self._in_second[event.at_us // US_PER_S] += 1
        for name, limit_us in self._limits_us.items():
            self._late[name] += event.took_us > limit_us
        if self._slowest is None or event.took_us > self._slowest.took_us:
            self._slowest = event

    def status(self) -> Status:
        """Answers that are still to come can mend it."""
        return threshold_status(self._took.count, is_bad=bool(self._missed()), stops=self._stops)

    def _missed(self) -> list[str]:
        """The percentiles that are too late."""
        answers = self._took.count
        return [name for name in self._limits_us if self._late[name] > answers * (1 - SHARES[name])]

    @property
    def expected(self) -> str:
        limits = " and ".join(f"{name} at most {format_span(us)}" for name, us in self._limits_us.items())
        return f"answers to {self._received.name}: {limits}"

    def finding(self) -> Finding:
        if self._slowest is None:
            return Finding(self.expected, "none were seen, so there is nothing to measure")
        return Finding(self.expected, self.measured(), (evidence_of(self._slowest),))

    def measured(self) -> str:
        took = self._took
        shares = [f"{name} {format_span(took.percentile_us(share))}" for name, share in SHARES.items()]
        fullest = max(self._in_second.values())
        answers = format_amount(took.count, "answer")
        return f"{answers}: {', '.join(shares)}, {format_span(took.most_us)} at most; {fullest} in the fullest second"
