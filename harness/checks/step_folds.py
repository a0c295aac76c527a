"""The fold of `steps`: what the server did on its way to an answer, in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase

from fleetrig.harness.checks.fold import RecentEvents, Status, format_bounds, format_count, summarize_names
from fleetrig.harness.checks.lives import Lives
from fleetrig.harness.scenario_file.values import Times
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.by_session import BySession
from fleetrig.simulator.contract.trace import Lane, TraceEvent


class StepsFold:
    """Counts how often the server has taken all of the steps in one session; other steps may lie between.

    The first of them begins anew: a step of one exchange does not complete those of an earlier one.
    """

    def __init__(self, in_order: Sequence[str], bounds: Times, lives: Lives, device: str = "*") -> None:
        self._in_order, self._bounds, self._lives, self._device = tuple(in_order), bounds, lives, device
        self._taken = BySession[int]()
        """Session -> how many of the steps it has come through."""
        self._count = 0
        self._seen: Counter[str] = Counter()
        self._recent = RecentEvents()

    def step(self, event: TraceEvent) -> None:
        self._lives.step(event)
        if event.kind != "step" or event.lane is not Lane.SERVER or not fnmatchcase(event.device, self._device):
            return
        self._seen[event.name] += 1
        taken = self._taken.get(event.session) or 0
        if taken < len(self._in_order) and event.name == self._in_order[taken]:
            taken += 1
        elif event.name == self._in_order[0]:
            taken = 1
        else:
            return
        self._recent.keep(event)
        is_complete = taken == len(self._in_order)
        self._count += is_complete
        self._taken.put(event.session, 0 if is_complete else taken)

    def status(self) -> Status:
        if self._bounds.at_most is not None and self._count > self._bounds.at_most:
            return Status.VIOLATED
        could = self._count or self._lives
        return Status.MET if could and self._count >= self._bounds.at_least else Status.OPEN

    @property
    def expected(self) -> str:
        return f"the server takes {', then '.join(self._in_order)}: {format_bounds(self._bounds)}"

    def finding(self) -> Finding:
        if self._bounds.at_least == 0 and not self._count:
            return Finding(self.expected, self._lives.why_not)
        got = format_count(self._count)
        if self._seen:
            seen = [f"{name} ×{count}" for name, count in self._seen.most_common()]
            got += f"; steps seen: {summarize_names(seen, at_most=10)}"
        else:
            got += "; it told no step at all (only our own server tells them)"
        return Finding(self.expected, got, self._recent.evidence())

    def measured(self) -> str:
        return format_count(self._count) if self._count else f"never, while {self._lives}"
