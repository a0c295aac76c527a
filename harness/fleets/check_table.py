"""Which words of `expect` the array engine answers, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from fleetrig.harness.fleets import device_checks, figure_checks
from fleetrig.harness.fleets.cohort_traits import CohortTraits
from fleetrig.harness.fleets.figure_checks import Bystander, FigureCheck
from fleetrig.harness.fleets.first_contacts import FirstContacts
from fleetrig.harness.fleets.not_a_cohort import NotACohort
from fleetrig.harness.fleets.watch import FleetChange, RequestWatcher, SentRequests, WatchedFleet
from fleetrig.harness.scenario_file.action_words import DeviceSelector
from fleetrig.harness.scenario_file.check_words import CheckWord, Reaches
from fleetrig.harness.scenario_file.measure_words import Attempts, Rate, Spread
from fleetrig.harness.scenario_file.threshold_words import AnsweredWithin, Dropped, Errors, TimeToOnline
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.stages import Stage

EVERY_NAME: Final = "*"
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


class OfSomeName(Bystander):
    """Lets a check look at what has a certain name, and at nothing else."""

    def __init__(self, check: FigureCheck, name: str, contacts: FirstContacts) -> None:
        self._check, self._contacts = check, contacts
        self._table = contacts.table(name)

    def sent(self, requests: SentRequests) -> None:
        called = requests.of(self._contacts.called(self._table, requests))
        if called.at_us.size:
            self._check.sent(called)

    def lost(self, connections: int) -> None:
        self._check.lost(connections)

    def cut(self, devices: range) -> None:
        self._check.cut(devices)

    def ended(self, change: FleetChange, fleet: WatchedFleet) -> None:
        is_called = self._contacts.called(self._table, change.ended)
        if is_called.any():
            self._check.ended(FleetChange(change.came_online[is_called], change.ended.of(is_called)), fleet)


def watcher_of(check: FigureCheck, words: CheckWord, contacts: FirstContacts) -> RequestWatcher:
    """What shows requests to a check: those of one name, where it names one."""
    name = getattr(words, "of", EVERY_NAME)
    if contacts.is_simple or not hasattr(words, "of"):
        return check
    return OfSomeName(check, name, contacts)


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
    name = getattr(words, "of", EVERY_NAME)
    asked = dict.fromkeys(asked.name for one in traits for asked in one.all_asked)
    if not any(fnmatchcase(one, name) for one in asked):
        raise NotACohort(f"the check {word} is about {name}, and the array engine counts {', '.join(asked)} only")
