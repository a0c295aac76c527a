"""Every scenario of ThingsBoard passes in each generation of our server, or says which one it needs.

Those of the newest are run by test_exchange_names.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from fleetrig.harness.platforms.thingsboard.vocabulary import VOCABULARY
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import Expanded, plan
from fleetrig.harness.verdict import Verdict
from tests.harness.command import PROJECT

SCENARIOS: Final = PROJECT / "scenarios"
OF_CHAINS: Final = frozenset(
    {"certificate_chain", "chain_creates_none", "chain_refused", "recovery/chain", "recovery/chain_renamed"}
)
OF_ONE_ANSWER: Final = frozenset({"second_request", "recovery/check_forgotten"})
NOT_IN: Final[Mapping[str, frozenset[str]]] = {
    "4.3": frozenset({"as_documented", "gateway_before_3_8", "recovery/check_forgotten_older"}),
    "4.2": frozenset({"as_documented", "gateway_before_3_8"}) | OF_ONE_ANSWER,
    "3.2": frozenset({"as_documented", "gateway"}) | OF_ONE_ANSWER | OF_CHAINS,
}
"""Profile -> the scenarios that are about another generation."""
SLOW: Final = frozenset({"power_cuts", "boot_storm"})
"""Tried in the newest profile alone."""


def runs() -> tuple[Expanded, ...]:
    """All of them, without the axis of power cuts."""
    everything = plan(["thingsboard"], SCENARIOS)
    return tuple(one for one in everything if name_of(one) not in SLOW)


def name_of(one: Expanded) -> str:
    return one.scenario.id.removeprefix("thingsboard/")


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["4.2", "3.2", "as-documented"])
def test_a_scenario_passes_or_says_which_profile_it_needs(tmp_path: Path, profile: str) -> None:
    skipped: set[str] = set()
    passed: set[str] = set()
    for one in runs():
        report = asyncio.run(run(one, RunOptions(profile=profile, results=tmp_path)))
        assert report.verdict in (Verdict.PASSED, Verdict.SKIPPED), report
        if report.verdict is Verdict.SKIPPED:
            assert "run it with --profile" in report.reason
        (passed if report.verdict is Verdict.PASSED else skipped).add(name_of(one))
    if profile == "as-documented":
        assert passed == {"as_documented"}
    else:
        assert skipped == NOT_IN[profile]


def test_every_profile_is_tried() -> None:
    assert {*NOT_IN, "as-documented"} == set(VOCABULARY.profiles)


def test_every_scenario_is_for_some_profile() -> None:
    of_all = frozenset.intersection(*NOT_IN.values())
    assert of_all == {"as_documented"}
