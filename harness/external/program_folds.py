"""Folds for external devices: programs that must keep running, ids that must not be shared."""

from __future__ import annotations

from collections import deque

from fleetrig.harness.checks.fold import Status, evidence_of
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.trace import Lane, TraceEvent


class KeepsRunningFold:
    """No program ends by itself."""

    def __init__(self) -> None:
        self._ended: TraceEvent | None = None

    def step(self, event: TraceEvent) -> None:
        if event.lane is Lane.DEVICE and event.kind == "ended" and self._ended is None:
            self._ended = event

    def status(self) -> Status:
        return Status.MET if self._ended is None else Status.VIOLATED

    @property
    def expected(self) -> str:
        return "no device program exits"

    def finding(self) -> Finding:
        if self._ended is None:
            return Finding(self.expected, "none did")
        return Finding(
            self.expected, f"{self._ended.device} ended by itself: {self._ended.reason}", (evidence_of(self._ended),)
        )


class OneAddressFold:
    """Each id comes from one address at a time. Two that take turns are two devices with one id."""

    def __init__(self) -> None:
        self._last: dict[str, deque[TraceEvent]] = {}
        self._turns: tuple[TraceEvent, ...] = ()

    def step(self, event: TraceEvent) -> None:
        if event.lane is not Lane.SERVER or event.kind != "sent" or not event.reason:
            return
        seen = self._last.setdefault(event.device, deque(maxlen=3))
        if seen and address_of(seen[-1]) == address_of(event):
            return
        seen.append(event)
        if not self._turns and len(seen) == 3 and address_of(seen[0]) == address_of(event):
            self._turns = tuple(seen)

    def status(self) -> Status:
        return Status.VIOLATED if self._turns else Status.MET

    @property
    def expected(self) -> str:
        return "each id comes from one address"

    def finding(self) -> Finding:
        addresses = " and ".join(sorted({address_of(event) for event in self._turns}))
        got = f"duplicate id: {self._turns[0].device} comes from {addresses} by turns" if self._turns else "it does"
        return Finding(self.expected, got, tuple(map(evidence_of, self._turns)))


def address_of(event: TraceEvent) -> str:
    """A device's address: the first one in `X-Forwarded-For`, else where it came from."""
    forwarded = event.envelope.header("X-Forwarded-For") if isinstance(event.envelope, HttpRequest) else None
    return forwarded.partition(",")[0].strip() if forwarded else event.reason
