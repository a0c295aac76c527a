"""What could never happen in a scenario, though each of its words is right: a check of it would always hold, or never.

A glob that selects none of the devices, a fault that is never set, what only programs show.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase

from fleetrig.harness.scenario_file.check_words import (
    CheckWord,
    FaultBit,
    KeepsSecrets,
    ManufacturingRecord,
    OneAddress,
    Reaches,
    Registry,
)
from fleetrig.harness.scenario_file.marks import Mark
from fleetrig.harness.scenario_file.problems import FileMistakes, Problem, Source
from fleetrig.harness.scenario_file.scenario import Devices, Phase, Scenario
from fleetrig.simulator.contract.bounds import COMPARISONS
from fleetrig.simulator.contract.faults import FaultKind


class Selections:
    """Looks at the runs of one file; each glob is compared with the same devices once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: dict[tuple[object, frozenset[str]], bool] = {}
        self._comparisons = 0

    def empty(self, scenario: Scenario) -> Iterator[Problem]:
        """One problem for each that selects nothing, on the line of the word that it belongs to.

        Raises FileMistakes for more of them than can be compared with all devices.
        """
        devices = scenario.devices
        for globs, line, has_records in (found for phase in scenario.phases for found in globs_of(phase)):
            if globs - {"*"} and not self._selects(devices, globs - {"*"}, line, has_records=has_records):
                serials = devices.serials() if has_records else devices.speakers()
                there = serials[0] if len(serials) == 1 else f"{serials[0]} to {serials[-1]}"
                glob = " and ".join(sorted(globs - {"*"}))
                here = self._source.find(glob, self._source.find("- ", Mark(line, 1)))
                yield self._source.problem(here, f"{glob!r} selects no device; there is {there}")

    def _selects(self, devices: Devices, globs: frozenset[str], line: int, *, has_records: bool) -> bool:
        has_all = has_records or not devices.children_are_silent
        key = ((devices.csv, devices.serial, devices.count, devices.children, has_all), globs)
        if key not in self._known:
            self._known[key] = self._compare(devices.serials() if has_all else devices.speakers(), globs, line)
        return self._known[key]

    def _compare(self, serials: Sequence[str], globs: frozenset[str], line: int) -> bool:
        fitting = (place for place, one in enumerate(serials, 1) if all(fnmatchcase(one, glob) for glob in globs))
        found = next(fitting, 0)
        self._comparisons += found or len(serials)
        try:
            COMPARISONS.check(self._comparisons)
        except ValueError as wrong:
            raise FileMistakes([self._source.problem(Mark(line, 1), f"globs over serials: {wrong}")]) from None
        return found > 0


def idle_checks(scenario: Scenario, source: Source) -> Iterator[Problem]:
    """One problem for each check of something that this scenario cannot bring about, on its line."""
    set_so_far = {line.fault for line in scenario.faults}
    for phase in scenario.phases:
        set_so_far |= {line.fault for line in phase.faults}
        for check in phase.expect:
            why = why_idle(check.arguments, set_so_far, external=scenario.devices.external)
            if why := why or too_many(check.arguments, scenario.devices):
                here = source.find(check.word, source.find("- ", Mark(check.line, 1)))
                yield source.problem(here, why)


def why_idle(words: CheckWord, set_so_far: Collection[FaultKind], *, external: bool) -> str:
    """Why a check is about nothing; empty when it is not."""
    match words:
        case FaultBit(kind=kind) if kind not in set_so_far:
            there = f"set are {', '.join(sorted(set_so_far))}" if set_so_far else "none is set"
            return f"no fault {kind} is set up to here, so it cannot be triggered; {there}"
        case KeepsSecrets() if not external:
            return "keeps_secrets is about the programs of devices (external: true); simulated devices write nothing"
        case OneAddress() if not external:
            return "one_address is about the programs of devices (external: true); simulated devices have one address"
        case _:
            return ""


def too_many(words: CheckWord, devices: Devices) -> str:
    """Why a check counts more devices than there are, so that it can never hold; empty when it does not."""
    match words:
        case Reaches(devices=int(wanted)) | ManufacturingRecord(passed=int(wanted)) | Registry(devices=int(wanted)):
            there = devices.unit_count() if words.is_about_records else devices.speaker_count()
            return f"{wanted} devices are wanted, and there {_are(there)}" if wanted > there else ""
        case _:
            return ""


def _are(count: int) -> str:
    return "is only one" if count == 1 else f"are only {count}"


def globs_of(phase: Phase) -> Iterator[tuple[frozenset[str], int, bool]]:
    """The globs over serials that a word is about, all at once; its line; whether it is about records."""
    for entry in (*phase.do, *phase.expect):
        yield frozenset(entry.arguments.globs()), entry.line, entry.arguments.is_about_records
