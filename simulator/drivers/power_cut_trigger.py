"""Counts how often a device reaches each effect, and says when its power is to be cut."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleetrig.simulator.agent import CutPoint, cut_points, effect_name
from fleetrig.simulator.effects import Effect


@dataclass(slots=True)
class PowerCutTrigger:
    """Cuts one device's power at the moment `cut`, once; without `cut` it only lists the moments `passed`."""

    cut: CutPoint | None = None
    off_s: float = 2.0
    passed: list[str] = field(default_factory=list)
    fired: bool = False
    """The power was cut: stays False when the device never comes to `cut`."""
    _counts: dict[str, int] = field(default_factory=dict)

    def on_effect(self, effect: Effect) -> str:
        """`before`, `sent` or `answered` when the power is cut at this effect, else the empty string."""
        name = effect_name(effect)
        nth = self._counts[name] = self._counts.get(name, 0) + 1
        if self.cut is None:
            self.passed += [str(CutPoint(name, nth, where)) for where in cut_points(effect)]
            return ""
        here = (name, nth) == (self.cut.effect, self.cut.nth) and self.cut.where in cut_points(effect)
        if self.fired or not here:
            return ""
        self.fired = True
        return self.cut.where
