"""Folds for external devices: programs that must keep running, ids that must not be shared."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from fleetrig.harness.checks.fold import Status, evidence_of, format_amount
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.trace import Lane, TraceEvent


class KeepsRunningFold:
    """No program ends by itself."""

    def __init__(self, serials: Collection[str], on: Collection[str], *, must_run: bool) -> None:
        """`on`: those that are on at the start. `must_run`: with none that was ever on there is nothing to judge."""
        self._serials = frozenset(serials)
        self._on = self._serials.intersection(on)
        self._must_run = must_run
        self._ended: TraceEvent | None = None

    def step(self, event: TraceEvent) -> None:
        if event.lane is not Lane.DEVICE or event.device not in self._serials:
            return
        self._on |= {event.device}
        if event.kind == "ended" and self._ended is None:
            self._ended = event

    def status(self) -> Status:
        if self._ended is not None:
            return Status.VIOLATED
        return Status.OPEN if self._must_run and not self._on else Status.MET

    @property
    def expected(self) -> str:
        return "no device program exits"

    def finding(self) -> Finding:
        if self._ended is None:
            return Finding(self.expected, "none was ever on, so none could")
        return Finding(
            self.expected, f"{self._ended.device} ended by itself: {self._ended.reason}", (evidence_of(self._ended),)
        )

    def measured(self) -> str:
        return f"{format_amount(len(self._on), 'device')} ran, none ended" if self._on else "none was on"


class OneAddressFold:
    """Each id comes from one address at a time. Two that take turns are two devices with one id."""

    def __init__(self) -> None:
        self._last: dict[str, deque[TraceEvent]] = {}
        self._turns: tuple[TraceEvent, ...] = ()
        self._calls = 0

    def step(self, event: TraceEvent) -> None:
        if event.lane is not Lane.SERVER or event.kind != "sent" or not event.reason:
            return
        self._calls += 1
        seen = self._last.setdefault(event.device, deque(maxlen=3))
        if seen and address_of(seen[-1]) == address_of(event):
            return
        seen.append(event)
        if not self._turns and len(seen) == 3 and address_of(seen[0]) == address_of(event):
            self._turns = tuple(seen)

    def status(self) -> Status:
        if self._turns:
            return Status.VIOLATED
        return Status.MET if self._calls else Status.OPEN

    @property
    def expected(self) -> str:
        return "each id comes from one address"

    def finding(self) -> Finding:
        if not self._turns:
            return Finding(self.expected, "no request came with an address, so there is nothing to compare")
        addresses = " and ".join(sorted({address_of(event) for event in self._turns}))
        got = f"duplicate id: {self._turns[0].device} comes from {addresses} by turns"
        return Finding(self.expected, got, tuple(map(evidence_of, self._turns)))

    def measured(self) -> str:
        """Who has moved has come from several, one after the other."""
        ids, requests = format_amount(len(self._last), "id"), format_amount(self._calls, "request")
        return f"{requests} of {ids}, none from two addresses by turns"


def address_of(event: TraceEvent) -> str:
    """A device's address: the first one in `X-Forwarded-For`, else where it came from."""
    forwarded = event.envelope.header("X-Forwarded-For") if isinstance(event.envelope, HttpRequest) else None
    return forwarded.partition(",")[0].strip() if forwarded else event.reason
