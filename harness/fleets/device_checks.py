"""Checks that know each device of a fleet on the array engine: who is online, who fails, how often each asked."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fleetrig.harness.checks.event_folds import AttemptsFold, row_status, row_text
from fleetrig.harness.checks.fold import Status, format_amount, format_range, format_span
from fleetrig.harness.checks.latency_folds import SpanCounts
from fleetrig.harness.checks.matching import Pattern
from fleetrig.harness.checks.threshold_folds import OnlineLimit, TimeToOnlineFold, online_text
from fleetrig.harness.checks.time_folds import SpreadFold
from fleetrig.harness.fleets.figure_checks import FigureCheck, add_spans
from fleetrig.harness.fleets.watch import Booleans, FleetChange, Moments, SentRequests, WatchedFleet
from fleetrig.harness.scenario_file.check_words import Reaches
from fleetrig.harness.scenario_file.measure_words import Attempts, Spread
from fleetrig.harness.scenario_file.threshold_words import TimeToOnline
from fleetrig.harness.scenario_file.values import Times
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.stages import Stage

OFF: Final = -1


class OnlineFigures(FigureCheck):
    """`TimeToOnlineFold`."""

    def __init__(self, words: TimeToOnline, fleet: WatchedFleet, began_us: int) -> None:
        given = {"p50": words.p50_s, "p99": words.p99_s, "all": words.at_most_s}
        limits_s = {share: limit for share, limit in given.items() if limit is not None}
        self._fold = TimeToOnlineFold({}, limits_s, began_us)
        self._limits = [OnlineLimit(share, to_us(limit_s)) for share, limit_s in limits_s.items()]
        self._stops, self._began_us = words.stop, began_us
        self._waiting: Booleans = ~fleet.online
        self._total = int(np.count_nonzero(self._waiting))
        self._fleet = fleet
        self._was_on: Booleans = (fleet.power_on_us >= 0) & (fleet.power_on_us <= began_us)
        self._took = SpanCounts()
        self._now_us = began_us

    def ended(self, change: FleetChange, fleet: WatchedFleet) -> None:
        ended = change.ended
        self._now_us = max(self._now_us, int(ended.seen_us.max()))
        came = change.came_online & self._waiting[ended.devices]
        if not came.any():
            return
        devices = ended.devices[came]
        took_us = ended.seen_us[came] - self._since_us(devices)
        self._waiting[devices] = False
        add_spans(self._took, took_us)
        for limit in self._limits:
            limit.in_time += int(np.count_nonzero(took_us <= limit.most_us))

    def _since_us(self, devices: NDArray[np.int64]) -> Moments:
        """Whoever was on counts from the phase's beginning, also if its power fails; below 0 while it is off."""
        return np.where(self._was_on[devices], self._began_us, self._fleet.power_on_us[devices])

    def status(self) -> Status:
        if self._stops and any(self._late(limit) > limit.may_be_late(self._total) for limit in self._limits):
            return Status.VIOLATED
        missed = any(self._total - limit.in_time > limit.may_be_late(self._total) for limit in self._limits)
        return Status.MET if self._took.count and not missed else Status.OPEN

    def _late(self, limit: OnlineLimit) -> int:
        """Those who came too late, and those who are not online when their time is over."""
        since_us = self._since_us(np.flatnonzero(self._waiting))
        late = int(np.count_nonzero((since_us >= 0) & (self._now_us - since_us > limit.most_us)))
        return late + self._took.count - limit.in_time

    @property
    def expected(self) -> str:
        return self._fold.expected

    def finding(self) -> Finding:
        if not self._total:
            return Finding(self.expected, "none was to come online, so there is nothing to measure")
        if not self._was_on.any() and (self._fleet.power_on_us < 0).all():
            return Finding(self.expected, f"none of {format_amount(self._total, 'device')} was switched on")
        left = int(np.count_nonzero(self._waiting))
        missing = f"; not online: {format_amount(left, 'device')}" if left else ""
        return Finding(self.expected, f"{self.measured()}{missing}")

    def measured(self) -> str:
        return online_text(self._took, self._total)


class ReachesFigures(FigureCheck):
    """`ReachesFold`, of the two stages that the array engine knows: online and backing_off.

    Who is there from the start counts until its power is cut, unless it has asked for something before.
    """

    def __init__(self, words: Reaches, fleet: WatchedFleet, began_us: int) -> None:
        self._stage, self._began_us = words.stage, began_us
        self._there: Booleans = is_in(fleet, words.stage)
        self._from_start: Booleans = self._there.copy()
        """Who is there, and has asked nothing yet."""
        self._came = 0
        self._needed = fleet.online.size if words.devices == "all" else words.devices
        self._least_us = self._most_us = OFF

    def sent(self, requests: SentRequests) -> None:
        self._from_start[requests.devices] = False

    def cut(self, devices: range) -> None:
        part = slice(devices.start, devices.stop)
        self._there[part] &= ~self._from_start[part]
        self._from_start[part] = False

    def look(self, fleet: WatchedFleet, now_us: int) -> None:
        """Who is there now, without having asked anything: those that have lost their connection."""
        came = is_in(fleet, self._stage) & ~self._there
        self._note(np.flatnonzero(came), np.array([now_us], np.int64))

    def ended(self, change: FleetChange, fleet: WatchedFleet) -> None:
        ended = change.ended
        came = fleet.online[ended.devices] if self._stage is Stage.ONLINE else ~ended.answered
        came = came & ~self._there[ended.devices]
        self._note(ended.devices[came], ended.seen_us[came])

    def _note(self, devices: NDArray[np.int64], at_us: Moments) -> None:
        if not devices.size:
            return
        self._there[devices] = True
        self._came += devices.size
        first_us, last_us = int(at_us.min()) - self._began_us, int(at_us.max()) - self._began_us
        self._least_us = first_us if self._least_us == OFF else min(self._least_us, first_us)
        self._most_us = max(self._most_us, last_us)

    def status(self) -> Status:
        return Status.MET if self._count() >= max(1, self._needed) else Status.OPEN

    def _count(self) -> int:
        return int(np.count_nonzero(self._there))

    @property
    def expected(self) -> str:
        return f"{self._needed} device{'s reach' if self._needed != 1 else ' reaches'} {self._stage}"

    def finding(self) -> Finding:
        return Finding(self.expected, f"{self._count()} did; {self._there.size - self._count()} did not")

    def measured(self) -> str:
        already = self._count() - self._came
        parts = [f"{format_amount(already, 'device')} from the start"] if already else []
        if self._came:
            took = format_range(format_span(self._least_us), format_span(self._most_us))
            parts.append(f"{format_amount(self._came, 'device')} after {took}")
        return ", ".join(parts)


def is_in(fleet: WatchedFleet, stage: Stage) -> Booleans:
    return fleet.online.copy() if stage is Stage.ONLINE else fleet.failures > 0


class AttemptsFigures(FigureCheck):
    """`AttemptsFold`. What failed before the phase is not counted."""

    def __init__(self, words: Attempts, name: str, count: int) -> None:
        self._bounds = Times(at_least=words.at_least or 0, at_most=words.at_most)
        self._fold = AttemptsFold(name, "*", self._bounds)
        self._row = np.zeros(count, np.int32)
        self._tried = np.zeros(count, np.bool_)
        self._tries = self._longest = 0

    def ended(self, change: FleetChange, fleet: WatchedFleet) -> None:
        devices = change.ended.devices
        self._tries += change.ended.size
        self._tried[devices] = True
        self._row[devices] = np.where(change.ended.answered, 0, self._row[devices] + 1)
        self._longest = max(self._longest, int(self._row[devices].max()))

    def status(self) -> Status:
        return row_status(self._bounds, self._tries, self._longest)

    @property
    def expected(self) -> str:
        return self._fold.expected

    def finding(self) -> Finding:
        if not self._tries:
            return Finding(self.expected, "none were tried, so there is nothing to measure")
        return Finding(self.expected, row_text(self._longest, self._tries))

    def measured(self) -> str:
        who = format_amount(int(np.count_nonzero(self._tried)), "device")
        return f"{self._longest} in a row at most, of {self._tries} tries by {who}"


class SpreadFigures(FigureCheck):
    """`SpreadFold`."""

    def __init__(self, words: Spread, name: str, count: int) -> None:
        first_of = count if words.first else None
        self._fold = SpreadFold(Pattern("sent", name), words.peak_at_most, words.per_s, words.over_s, first_of)
        self._per_us = to_us(words.per_s)
        self._seen = np.zeros(count, np.bool_) if words.first else None
        self._first_us: int | None = None

    def sent(self, requests: SentRequests) -> None:
        at_us = requests.at_us
        if self._seen is not None:
            _, firsts = np.unique(requests.devices, return_index=True)
            firsts = firsts[~self._seen[requests.devices[firsts]]]
            self._seen[requests.devices[firsts]] = True
            at_us = np.sort(at_us[firsts])
        if not at_us.size:
            return
        if self._first_us is None:
            self._first_us = int(at_us[0])
        windows, counts = np.unique((at_us - self._first_us) // self._per_us, return_counts=True)
        for window, number in zip(windows.tolist(), counts.tolist(), strict=True):
            self._fold.count(window, number)

    def status(self) -> Status:
        return self._fold.status()

    @property
    def expected(self) -> str:
        return self._fold.expected

    def finding(self) -> Finding:
        return self._fold.finding()

    def measured(self) -> str:
        return self._fold.measured()
