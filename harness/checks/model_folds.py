"""The fold of `follows_model`: has the server seen of each device only what its model permits?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fleetrig.harness.checks.fold import Status, evidence_of, format_amount
from fleetrig.harness.checks.model_watch import ModelWatch
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.drivers.oracle import Divergence, Oracle
from fleetrig.simulator.drivers.oracle_rules import Tolerance

SHOWN: Final = 4
"""Of what was permitted; the others are counted."""


class FollowsModelFold:
    """The watch sees the events; this only asks it. With no message followed there is nothing to judge."""

    def __init__(self, watch: ModelWatch | None, serials: Sequence[str], tolerance: Tolerance) -> None:
        self._watch, self._serials, self._tolerance = watch, tuple(serials), tolerance

    def step(self, event: TraceEvent) -> None:
        pass

    def status(self) -> Status:
        if self._diverged() is not None:
            return Status.VIOLATED
        return Status.MET if any(oracle.followed for _, oracle in self._followed()) else Status.OPEN

    @property
    def expected(self) -> str:
        return f"each device says what its model permits, where it permits it ({self._tolerance})"

    def finding(self) -> Finding:
        found = self._diverged()
        if found is None:
            return Finding(self.expected, "no message of any of them was seen, so there is nothing to compare")
        serial, divergence = found
        events = (*divergence.before, *([divergence.at] if divergence.at is not None else []))
        evidence = tuple(evidence_of(event) for event in events)
        return Finding(f"of {serial}: {permitted(divergence)}", divergence.came, evidence, divergence.clause)

    def measured(self) -> str:
        followed = [oracle.followed for _, oracle in self._followed() if oracle.followed]
        return f"{format_amount(sum(followed), 'message')} of {format_amount(len(followed), 'device')} followed"

    def _followed(self) -> list[tuple[str, Oracle]]:
        if self._watch is None:
            return []
        found = ((serial, self._watch.of(serial, self._tolerance)) for serial in self._serials)
        return [(serial, oracle) for serial, oracle in found if oracle is not None]

    def _diverged(self) -> tuple[str, Divergence] | None:
        found = [(one, oracle.divergence) for one, oracle in self._followed() if oracle.divergence is not None]
        return min(found, key=lambda one: one[1].at.at_us if one[1].at is not None else 0, default=None)


def permitted(divergence: Divergence) -> str:
    """All alternatives, in one line."""
    more = len(divergence.permitted) - SHOWN
    shown = " or ".join(divergence.permitted[:SHOWN]) or "nothing"
    return shown + (f", or {more} more" if more > 0 else "")
