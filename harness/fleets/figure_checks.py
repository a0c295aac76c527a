"""Checks over the requests of a fleet on the array engine, as arrays: each says what its fold says over events.

`harness/checks` has the folds; they say here what is expected, in the same words.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np

from fleetrig.harness.checks.fold import (
    Judging,
    Status,
    format_amount,
    format_requests,
    format_span,
    threshold_status,
)
from fleetrig.harness.checks.latency_folds import DIGITS, SHARES, LatencyFold, SpanCounts
from fleetrig.harness.checks.matching import Pattern
from fleetrig.harness.checks.threshold_folds import DroppedFold, ErrorsFold, format_share
from fleetrig.harness.checks.time_folds import RateFold
from fleetrig.harness.fleets.watch import FleetChange, Moments, SentRequests, WatchedFleet
from fleetrig.harness.scenario_file.measure_words import Rate
from fleetrig.harness.scenario_file.threshold_words import AnsweredWithin, Dropped, Errors
from fleetrig.harness.verdict import Curve, Finding
from fleetrig.simulator.contract.clock import US_PER_S, to_s, to_us

NOTHING_SEEN: Final = "none were seen, so there is nothing to measure"


class Bystander:
    """A `RequestWatcher` that looks at nothing."""

    def sent(self, requests: SentRequests) -> None:
        """Requests that go out."""

    def ended(self, change: FleetChange, fleet: WatchedFleet) -> None:
        """Requests that are over."""

    def lost(self, connections: int) -> None:
        """Of devices that waited there for what comes next."""

    def cut(self, devices: range) -> None:
        """The power of these."""


class FigureCheck(Bystander, Judging):
    """A check, which looks at what it needs."""


class RateFigures(FigureCheck):
    """`RateFold`: the fullest window, wherever it begins, and how many in each window from the phase's beginning."""

    def __init__(self, words: Rate, name: str, began_us: int) -> None:
        self._fold = RateFold(Pattern("sent", name), words.at_most, words.per_s)
        self._at_most, self._per_us = words.at_most, to_us(words.per_s)
        self._what = format_requests(name)
        self._began_us = began_us if words.curve else None
        self._windows: Counter[int] = Counter()
        self._recent: Moments = np.zeros(0, np.int64)
        self._peak = self._count = 0

    def sent(self, requests: SentRequests) -> None:
        at_us = requests.at_us
        self._count += int(at_us.size)
        if self._began_us is not None:
            windows, counts = np.unique((at_us - self._began_us) // self._per_us, return_counts=True)
            self._windows.update(dict(zip(windows.tolist(), counts.tolist(), strict=True)))
        both = np.concatenate((self._recent, at_us))
        begins = np.searchsorted(both, at_us - self._per_us, side="right")
        ends = np.searchsorted(both, at_us, side="right")
        self._peak = max(self._peak, int((ends - begins).max()))
        self._recent = both[int(np.searchsorted(both, int(at_us[-1]) - self._per_us, side="right")) :]

    def status(self) -> Status:
        if self._peak > self._at_most:
            return Status.VIOLATED
        return Status.MET if self._peak else Status.OPEN

    @property
    def expected(self) -> str:
        return self._fold.expected

    def finding(self) -> Finding:
        if not self._count:
            return Finding(self.expected, NOTHING_SEEN)
        return Finding(self.expected, f"{self._peak} in {to_s(self._per_us):g} s")

    def measured(self) -> str:
        return f"{self._peak} in {to_s(self._per_us):g} s at the peak, {self._count} in all"

    def curve(self) -> Curve | None:
        if not self._windows:
            return None
        return Curve(self._what, to_s(self._per_us), tuple(sorted(self._windows.items())))


class ErrorFigures(FigureCheck):
    """`ErrorsFold`."""

    def __init__(self, words: Errors, name: str) -> None:
        self._fold = ErrorsFold((Pattern("received", name),), words.at_most)
        self._allowed, self._stops = words.at_most, words.stop
        self._counts_all = name == "*"
        self._exchanges = self._errors = 0

    def lost(self, connections: int) -> None:
        """To wait for what comes is an exchange, too, which has failed then."""
        if self._counts_all:
            self._exchanges += connections
            self._errors += connections

    def ended(self, change: FleetChange, fleet: WatchedFleet) -> None:
        self._exchanges += change.ended.size
        self._errors += change.ended.size - int(np.count_nonzero(change.ended.answered))

    def status(self) -> Status:
        is_bad = not self._allowed.allows(self._errors, self._exchanges)
        return threshold_status(self._exchanges, is_bad=is_bad, stops=self._stops, can_mend=self._allowed.can_mend)

    @property
    def expected(self) -> str:
        return self._fold.expected

    def finding(self) -> Finding:
        return Finding(self.expected, self.measured() if self._exchanges else NOTHING_SEEN)

    def measured(self) -> str:
        return format_share(self._errors, self._exchanges, "failed")


class DroppedFigures(FigureCheck):
    """`DroppedFold`: of a device that waits for its answer longer than for its interval, starts fall out."""

    def __init__(self, words: Dropped, name: str, interval_us: int) -> None:
        """`interval_us`: the shortest of the fleet."""
        self._fold = DroppedFold(Pattern("sent", name), words.at_most)
        self._allowed, self._stops, self._interval_us = words.at_most, words.stop, interval_us
        self._starts = self._dropped = 0

    def sent(self, requests: SentRequests) -> None:
        self._starts += int(requests.at_us.size)

    def ended(self, change: FleetChange, fleet: WatchedFleet) -> None:
        took_us = (change.ended.seen_us - change.ended.at_us)[change.ended.answered]
        self._dropped += int((took_us // self._interval_us).sum())

    def status(self) -> Status:
        is_bad = not self._allowed.allows(self._dropped, self._starts + self._dropped)
        return threshold_status(self._starts, is_bad=is_bad, stops=self._stops, can_mend=self._allowed.can_mend)

    @property
    def expected(self) -> str:
        return self._fold.expected

    def finding(self) -> Finding:
        return Finding(self.expected, self.measured() if self._starts else NOTHING_SEEN)

    def measured(self) -> str:
        return format_share(self._dropped, self._starts + self._dropped, "fell out")


class LatencyFigures(FigureCheck):
    """`LatencyFold`."""

    def __init__(self, words: AnsweredWithin, name: str) -> None:
        limits_s = {share: limit for share, limit in (("p50", words.p50_s), ("p99", words.p99_s)) if limit is not None}
        self._fold = LatencyFold(Pattern("received", name), limits_s)
        self._stops = words.stop
        self._limits_us = {share: to_us(limit_s) for share, limit_s in limits_s.items()}
        self._took = SpanCounts()
        self._late: Counter[str] = Counter()
        self._in_second: Counter[int] = Counter()

    def ended(self, change: FleetChange, fleet: WatchedFleet) -> None:
        ended = change.ended.of(change.ended.heard)
        if not ended.size:
            return
        took_us = ended.seen_us - ended.at_us
        add_spans(self._took, took_us)
        for share, limit_us in self._limits_us.items():
            self._late[share] += int(np.count_nonzero(took_us > limit_us))
        seconds, counts = np.unique(ended.seen_us // US_PER_S, return_counts=True)
        self._in_second.update(dict(zip(seconds.tolist(), counts.tolist(), strict=True)))

    def status(self) -> Status:
        missed = [share for share in self._limits_us if self._late[share] > self._took.count * (1 - SHARES[share])]
        return threshold_status(self._took.count, is_bad=bool(missed), stops=self._stops)

    @property
    def expected(self) -> str:
        return self._fold.expected

    def finding(self) -> Finding:
        return Finding(self.expected, self.measured() if self._took.count else NOTHING_SEEN)

    def measured(self) -> str:
        took = self._took
        shares = [f"{name} {format_span(took.percentile_us(share))}" for name, share in SHARES.items()]
        answers, fullest = format_amount(took.count, "answer"), max(self._in_second.values())
        return f"{answers}: {', '.join(shares)}, {format_span(took.most_us)} at most; {fullest} in the fullest second"


def add_spans(counts: SpanCounts, spans_us: Moments) -> None:
    """Of many at once; they are counted by their first digits anyhow."""
    digits = np.searchsorted(10 ** np.arange(1, 19, dtype=np.int64), spans_us, side="right") + 1
    scale = 10 ** np.maximum(0, digits - DIGITS).astype(np.int64)
    rounded, times = np.unique(spans_us // scale * scale, return_counts=True)
    for span_us, count in zip(rounded.tolist(), times.tolist(), strict=True):
        counts.add(span_us, count)
    counts.most_us = max(counts.most_us, int(spans_us.max()))
