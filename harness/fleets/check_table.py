"""Which words of `expect` the array engine answers, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from fleetrig.harness.fleets import device_checks, figure_checks
from fleetrig.harness.fleets.cohort_traits import CohortTraits
from fleetrig.harness.fleets.figure_checks import FigureCheck
from fleetrig.harness.fleets.not_a_cohort import NotACohort
from fleetrig.harness.fleets.watch import WatchedFleet
from fleetrig.harness.scenario_file.action_words import DeviceSelector
from fleetrig.harness.scenario_file.check_words import CheckWord, Reaches
from fleetrig.harness.scenario_file.measure_words import Attempts, Rate, Spread
from fleetrig.harness.scenario_file.threshold_words import AnsweredWithin, Dropped, Errors, TimeToOnline
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.stages import Stage

KNOWN_STAGES: Final = (Stage.ONLINE, Stage.BACKING_OFF)


@dataclass(frozen=True, slots=True)
class PhaseStart:
    """What a check is told when its phase begins."""

    fleet: WatchedFleet
    began_us: int
    interval_us: int
    """The shortest of the fleet."""

    @property
    def count(self) -> int:
        return int(self.fleet.online.size)


MAKE: Final[Mapping[type[CheckWord], Callable[[Any, PhaseStart], FigureCheck]]] = {
    Rate: lambda words, start: figure_checks.RateFigures(words, words.of, start.began_us),
    Errors: lambda words, start: figure_checks.ErrorFigures(words, words.of),
    Dropped: lambda words, start: figure_checks.DroppedFigures(words, words.of, start.interval_us),
    AnsweredWithin: lambda words, start: figure_checks.LatencyFigures(words, words.of),
    TimeToOnline: lambda words, start: device_checks.OnlineFigures(words, start.fleet, start.began_us),
    Reaches: lambda words, start: device_checks.ReachesFigures(words, start.fleet, start.began_us),
    Attempts: lambda words, start: device_checks.AttemptsFigures(words, words.of, start.count),
    Spread: lambda words, start: device_checks.SpreadFigures(words, words.of, start.count),
}


def figure_check(words: CheckWord, start: PhaseStart) -> FigureCheck:
    """Of a word that `check_words` has let pass."""
    return MAKE[type(words)](words, start)


def shortest_interval_us(traits: tuple[CohortTraits, ...]) -> int:
    return max(1, min(to_us(one.interval_s[0]) for one in traits))


def check_words(word: str, words: CheckWord, traits: tuple[CohortTraits, ...]) -> None:
    """Raises NotACohort for a check that figures do not answer."""
    if type(words) not in MAKE:
        raise NotACohort(f"the check {word} looks at single messages, or asks the server")
    if isinstance(words, DeviceSelector) and words.only != "*":
        raise NotACohort(f"the check {word} is about some of the devices (only: {words.only!r})")
    if isinstance(words, Reaches):
        if words.stage not in KNOWN_STAGES:
            raise NotACohort(f"the check {word} is about the stage {words.stage}: the array engine knows online and "
                             "backing_off")  # fmt: skip
        return
    if isinstance(words, Dropped) and any(one.is_connected for one in traits):
        raise NotACohort(f"the check {word} is about a rhythm, which connected devices do not have")
    name = getattr(words, "of", "*")
    if not all(fnmatchcase(one.asks.name, name) for one in traits):
        asked = " or ".join(dict.fromkeys(one.asks.name for one in traits))
        raise NotACohort(f"the check {word} is about {name}, and the array engine counts {asked} only")
