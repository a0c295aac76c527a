"""Globs that select none of the devices: an action would do nothing, and a check would always hold."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from fleetrig.harness.scenario_file.marks import Mark
from fleetrig.harness.scenario_file.problems import Problem, Source
from fleetrig.harness.scenario_file.scenario import Phase, Scenario


def empty_selections(scenario: Scenario, source: Source) -> Iterator[Problem]:
    """One problem for each, on the line of the word that it belongs to."""
    wanted = [(globs - {"*"}, line) for phase in scenario.phases for globs, line in globs_of(phase)]
    if not any(globs for globs, _ in wanted):
        return
    serials = [unit.serial for unit in scenario.devices.units()]
    there = serials[0] if len(serials) == 1 else f"{serials[0]} to {serials[-1]}"
    for globs, line in wanted:
        if not any(all(fnmatchcase(serial, glob) for glob in globs) for serial in serials):
            glob = " and ".join(sorted(globs))
            here = source.find(glob, source.find("- ", Mark(line, 1)))
            yield source.problem(here, f"{glob!r} selects no device; there is {there}")


def globs_of(phase: Phase) -> Iterator[tuple[frozenset[str], int]]:
    """The globs over serials that a word is about, all at once, and its line."""
    for entry in (*phase.do, *phase.expect):
        yield frozenset(entry.arguments.globs()), entry.line
