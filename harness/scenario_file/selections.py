"""Globs that select none of the devices: an action would do nothing, and a check would hold whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from fleetrig.harness.scenario_file.action_words import Deploy, DeviceSelector, Preregister
from fleetrig.harness.scenario_file.check_words import Never, Order
from fleetrig.harness.scenario_file.marks import Mark
from fleetrig.harness.scenario_file.problems import Problem, Source
from fleetrig.harness.scenario_file.scenario import Phase, Scenario
from fleetrig.harness.scenario_file.words import ActionWord, CheckWord


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
    for action in phase.do:
        yield frozenset(of_action(action.arguments)), action.line
    for check in phase.expect:
        yield frozenset(of_check(check.arguments)), check.line


def of_action(words: ActionWord) -> Iterator[str]:
    match words:
        case Deploy():
            yield words.to
        case Preregister() if words.csv is not None:
            pass  # the list says which
        case DeviceSelector():
            yield words.only


def of_check(words: CheckWord) -> Iterator[str]:
    match words:
        case Order():
            yield from (step.arguments.only for step in words.steps)
        case Never():
            yield words.what.arguments.only
        case DeviceSelector():
            yield words.only
