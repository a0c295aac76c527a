"""Folds for load: how many exchanges fail, how many starts fall out, how long devices take to be online."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from fleetrig.harness.checks.fold import (
    EVIDENCE_KEPT,
    RecentEvents,
    Status,
    evidence_of,
    format_amount,
    format_requests,
    format_span,
    summarize_names,
    threshold_status,
)
from fleetrig.harness.checks.latency_folds import SHARES, SpanCounts
from fleetrig.harness.checks.matching import Pattern
from fleetrig.harness.scenario_file.threshold_words import Allowance
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.failures import FIRST_FAILURE_STATUS, is_failure
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.drivers.schedule import was_rhythm
from fleetrig.simulator.stages import Stage

EXCHANGE_ENDS: Final = frozenset({"received", "no_reply", "downloaded"})
ONLINE: Final = frozenset({Stage.ONLINE, Stage.UPDATING})
WAITS: Final = frozenset({"paused", "applied", "waited"})


WHOM: Final[Mapping[str, str]] = {"p50": "half of them", "p99": "99 of 100", "all": "all"}


def has_failed(event: TraceEvent) -> bool:
    """True for the end of an exchange without a usable answer, or with one that refuses."""
    if event.kind == "downloaded":
        status = event.reason.partition(":")[0]
        return event.reason.endswith(", cut") or (status.isdecimal() and int(status) >= FIRST_FAILURE_STATUS)
    return event.kind == "no_reply" or is_failure(event.envelope)


class ErrorsFold:
    """No more exchanges than allowed fail."""

    kinds: Final = EXCHANGE_ENDS

    def __init__(self, ended: Sequence[Pattern], allowed: Allowance, *, stops: bool = False) -> None:
        """`ended`: the events that end such an exchange."""
        self._ended, self._allowed, self._stops = ended, allowed, stops
        self._exchanges = self._errors = 0
        self._recent = RecentEvents()

    def step(self, event: TraceEvent) -> None:
        if event.kind not in EXCHANGE_ENDS:
            return
        for one in self._ended:
            if one.fits(event):
                break
        else:
            return
        self._exchanges += 1
        if has_failed(event):
            self._errors += 1
            self._recent.keep(event)

    def status(self) -> Status:
        is_bad = not self._allowed.allows(self._errors, self._exchanges)
        return threshold_status(self._exchanges, is_bad=is_bad, stops=self._stops, can_mend=self._allowed.can_mend)

    @property
    def expected(self) -> str:
        name = self._ended[0].name
        return f"at most {self._allowed} of {'all' if name == '*' else name} exchanges fail"

    def finding(self) -> Finding:
        if not self._exchanges:
            return Finding(self.expected, "none were seen, so there is nothing to measure")
        return Finding(self.expected, self.measured(), self._recent.evidence())

    def measured(self) -> str:
        return format_share(self._errors, self._exchanges, "failed")


def format_share(bad: int, of: int, what: str) -> str:
    """`3 of 1,200 failed (0.25%)`."""
    return f"{bad:,} of {of:,} {what} ({bad / of:.2%})"


@dataclass(slots=True)
class StartSlot:
    """A device's last start, and the intervals that it has waited since."""

    at_us: int
    waited_us: int = 0


class DroppedFold:
    """No more starts than allowed fall out: a device is busy for more than a whole interval of its schedule.

    A device that waits otherwise meanwhile, as after a failure or while it installs, has no schedule there.
    """

    def __init__(self, start: Pattern, allowed: Allowance, *, stops: bool = False) -> None:
        self._start, self._allowed, self._stops = start, allowed, stops
        self._slots: dict[str, StartSlot] = {}
        self._starts = self._dropped = 0
        self._recent = RecentEvents()

    def step(self, event: TraceEvent) -> None:
        slot = self._slots.get(event.device)
        if event.kind in WAITS:
            self._waited(slot, event)
        elif event.kind in ("power_cut", "ended"):
            self._slots.pop(event.device, None)
        elif self._start.fits(event):
            self._starts += 1
            if slot is not None:
                self._count(slot, event)
            self._slots[event.device] = StartSlot(event.at_us)

    def _waited(self, slot: StartSlot | None, event: TraceEvent) -> None:
        if slot is None:
            return
        if was_rhythm(event):
            slot.waited_us += event.took_us
        elif event.kind != "waited":
            del self._slots[event.device]

    def _count(self, slot: StartSlot, event: TraceEvent) -> None:
        if slot.waited_us <= 0:
            return
        lost = (event.at_us - slot.at_us) // slot.waited_us - 1
        if lost > 0:
            self._dropped += lost
            self._recent.keep(event)

    def status(self) -> Status:
        is_bad = not self._allowed.allows(self._dropped, self._starts + self._dropped)
        return threshold_status(self._starts, is_bad=is_bad, stops=self._stops, can_mend=self._allowed.can_mend)

    @property
    def expected(self) -> str:
        return f"at most {self._allowed} of the starts of {format_requests(self._start.name)} fall out"

    def finding(self) -> Finding:
        if not self._starts:
            return Finding(self.expected, "none were seen, so there is nothing to measure")
        return Finding(self.expected, self.measured(), self._recent.evidence())

    def measured(self) -> str:
        return format_share(self._dropped, self._starts + self._dropped, "fell out")


class TimeToOnlineFold:
    """Devices are online soon enough after power-on; those that are on already count from the phase's beginning."""

    kinds: Final = frozenset({"power_on", "entered", "sent", "over"})
    """`sent` tells the time often enough for a limit that is to end the run."""

    def __init__(
        self, stages: Mapping[str, str], limits_s: Mapping[str, float], began_us: int, *, stops: bool = False
    ) -> None:
        """`stages`: the stage of each device at the start, empty while it is off. `limits_s`: p50, p99 or all."""
        self._stops = stops
        self._waiting = {serial for serial, stage in stages.items() if stage not in ONLINE}
        self._total = len(self._waiting)
        self._on_us = {serial: began_us for serial, stage in stages.items() if stage and serial in self._waiting}
        self._limits = [OnlineLimit(share, to_us(limit_s)) for share, limit_s in limits_s.items()]
        self._started = list(self._on_us)
        """In the order in which their time began."""
        self._switched: dict[str, TraceEvent] = {}
        """The power-on of each that is not online yet."""
        self._took = SpanCounts()

    def step(self, event: TraceEvent) -> None:
        if event.lane is Lane.DEVICE or event.kind == "over":
            self._note_late(event.at_us)
        device = event.device
        if event.lane is not Lane.DEVICE or device not in self._waiting:
            return
        if event.kind == "power_on" and device not in self._on_us:
            self._on_us[device] = event.at_us
            self._started.append(device)
            self._switched[device] = event
        elif event.kind == "entered" and event.stage in ONLINE and device in self._on_us:
            self._came(device, event.at_us - self._on_us[device])

    def _came(self, device: str, took_us: int) -> None:
        self._waiting.discard(device)
        self._switched.pop(device, None)
        self._took.add(took_us)
        for limit in self._limits:
            limit.in_time += took_us <= limit.most_us

    def _note_late(self, now_us: int) -> None:
        """Counts those that are not online when their time is over, each once for each limit."""
        for limit in self._limits:
            while limit.seen < len(self._started):
                device = self._started[limit.seen]
                if now_us - self._on_us[device] <= limit.most_us:
                    break
                limit.seen += 1
                limit.late += device in self._waiting

    def status(self) -> Status:
        if self._stops and any(limit.late > limit.may_be_late(self._total) for limit in self._limits):
            return Status.VIOLATED
        return Status.MET if self._took.count and not self._missed() else Status.OPEN

    def _missed(self) -> list[OnlineLimit]:
        """The limits that too few have kept so far."""
        return [one for one in self._limits if self._total - one.in_time > one.may_be_late(self._total)]

    @property
    def expected(self) -> str:
        limits = " and ".join(f"{WHOM[one.share]} after at most {format_span(one.most_us)}" for one in self._limits)
        return f"devices are online after power-on: {limits}"

    def finding(self) -> Finding:
        if not self._total:
            return Finding(self.expected, "none was to come online, so there is nothing to measure")
        if not self._on_us:
            return Finding(self.expected, f"none of {format_amount(self._total, 'device')} was switched on")
        evidence = tuple(evidence_of(event) for event in islice(self._switched.values(), EVIDENCE_KEPT))
        return Finding(self.expected, f"{self.measured()}{self._who_is_missing()}", evidence)

    def _who_is_missing(self) -> str:
        return f"; not online: {summarize_names(sorted(self._waiting))}" if self._waiting else ""

    def measured(self) -> str:
        return online_text(self._took, self._total)


def online_text(took: SpanCounts, total: int) -> str:
    """How many of so many devices came online, and how long they took."""
    came = f"{took.count:,} of {format_amount(total, 'device')} online"
    if not took.count:
        return came
    shares = [f"{name} {format_span(took.percentile_us(share))}" for name, share in SHARES.items()]
    return f"{came}: {', '.join(shares)}, {format_span(took.most_us)} at most"


@dataclass(slots=True)
class OnlineLimit:
    """One limit, and how many devices have kept it so far."""

    share: str
    most_us: int
    in_time: int = 0
    late: int = 0
    seen: int = 0
    """How many of those that were started are older than the limit."""

    def may_be_late(self, total: int) -> float:
        return total * (1 - SHARES.get(self.share, 1.0))
