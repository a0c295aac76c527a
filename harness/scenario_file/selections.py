"""Globs that select none of the devices: an action would do nothing, and a check would always hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from fleetrig.harness.scenario_file.marks import Mark
from fleetrig.harness.scenario_file.problems import FileMistakes, Problem, Source
from fleetrig.harness.scenario_file.scenario import Devices, Phase, Scenario
from fleetrig.simulator.contract.bounds import COMPARISONS


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
        for globs, line in (found for phase in scenario.phases for found in globs_of(phase)):
            if globs - {"*"} and not self._selects(devices, globs - {"*"}, line):
                serials = devices.serials()
                there = serials[0] if len(serials) == 1 else f"{serials[0]} to {serials[-1]}"
                glob = " and ".join(sorted(globs - {"*"}))
                here = self._source.find(glob, self._source.find("- ", Mark(line, 1)))
                yield self._source.problem(here, f"{glob!r} selects no device; there is {there}")

    def _selects(self, devices: Devices, globs: frozenset[str], line: int) -> bool:
        key = ((devices.csv, devices.serial, devices.count), globs)
        if key not in self._known:
            self._known[key] = self._compare(devices.serials(), globs, line)
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


def globs_of(phase: Phase) -> Iterator[tuple[frozenset[str], int]]:
    """The globs over serials that a word is about, all at once, and its line."""
    for entry in (*phase.do, *phase.expect):
        yield frozenset(entry.arguments.globs()), entry.line
