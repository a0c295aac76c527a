"""How long phases can take."""

from __future__ import annotations

from fleetrig.harness.scenario_file.action_words import Wait
from fleetrig.harness.scenario_file.scenario import Phase, Scenario


def longest_spans_s(scenario: Scenario) -> dict[str, float]:
    """Phase -> its span, and what its actions wait; what actions take that ask a server is not known before."""
    return {phase.name: _longest_s(phase) for phase in scenario.phases}


def _longest_s(phase: Phase) -> float:
    waits = (action.arguments.for_s for action in phase.do if isinstance(action.arguments, Wait))
    return (phase.within_s or 0.0) + (phase.for_s or 0.0) + sum(waits)
