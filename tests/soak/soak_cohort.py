"""The whole product of which `make test` tries one seed for each pair: both engines tell the same."""

from __future__ import annotations

import pytest

from tests.simulator.cohort.fleets import RULES, SEEDS, SERVERS, Case
from tests.simulator.cohort.test_equality import hold_against_processes


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("rule", RULES)
def soak_same_figures_as_processes(rule: str, server: str, seed: int) -> None:
    hold_against_processes(Case(rule, server, seed))
