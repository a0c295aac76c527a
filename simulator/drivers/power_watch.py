"""Counts how often a device reaches each effect, and says when its power is to be cut."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleetrig.simulator.agent import CutPoint, cut_points, effect_name
from fleetrig.simulator.effects import Effect


@dataclass(slots=True)
class PowerWatch:
    """One device's watch: with `cut` it names that one moment; without, it only lists the points passed."""

    cut: CutPoint | None = None
    off_s: float = 2.0
    points: list[str] = field(default_factory=list)
    fired: bool = False
    """The power has gone: a point that the device never reaches leaves this False."""
    _counts: dict[str, int] = field(default_factory=dict)

    def reach(self, effect: Effect) -> str:
        """`before`, `sent` or `answered` when the power goes at this effect, else the empty string."""
        name = effect_name(effect)
        nth = self._counts[name] = self._counts.get(name, 0) + 1
        if self.cut is None:
            self.points += [str(CutPoint(name, nth, where)) for where in cut_points(effect)]
            return ""
        here = (name, nth) == (self.cut.effect, self.cut.nth) and self.cut.where in cut_points(effect)
        if self.fired or not here:
            return ""
        self.fired = True
        return self.cut.where
