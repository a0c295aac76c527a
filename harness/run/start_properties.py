"""Start-up properties that a file asks for: tried with our own server before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fleetrig.harness.platform import platform_of
from fleetrig.harness.scenario_file.marks import locate
from fleetrig.harness.scenario_file.problems import Problem, Source
from fleetrig.harness.scenario_file.scenario import Scenario

PLACE = ("server", "properties")


def why_not(scenario: Scenario) -> str:
    """Why our own server cannot be started with the properties of this scenario; empty when it can."""
    properties = {name: str(value) for name, value in scenario.server.properties.items()}
    platform = platform_of(scenario.platform)
    try:
        if properties:
            platform.own_server.build(properties, platform.vocabulary.profiles[0])
    except ValueError as wrong:
        return str(wrong)
    return ""


def property_problems(source: Source, scenarios: Iterable[Scenario]) -> Iterator[Problem]:
    """One for each property that is not known or has a value of another form, on its line."""
    for scenario in scenarios:
        if why := why_not(scenario):
            named = next((name for name in scenario.server.properties if name in why), None)
            mark, _ = locate(source.tree, PLACE if named is None else (*PLACE, named), key=True)
            yield source.problem(mark, f"server.properties: {why}")
