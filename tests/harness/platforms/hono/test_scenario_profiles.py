"""Every scenario of Hono passes in each generation of our server, or says which one it needs.

Those of the newest are run by test_exchange_names.py.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleetrig.harness.platforms.hono.vocabulary import VOCABULARY
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.verdict import Verdict
from tests.harness.platforms.hono.library import NOT_IN, name_of, runs


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["2-jdbc", "2-mongodb", "1"])
def test_a_scenario_passes_or_says_which_profile_it_needs(tmp_path: Path, profile: str) -> None:
    skipped: set[str] = set()
    for one in runs():
        report = asyncio.run(run(one, RunOptions(profile=profile, results=tmp_path)))
        assert report.verdict in (Verdict.PASSED, Verdict.SKIPPED), report
        if report.verdict is Verdict.SKIPPED:
            assert "run it with --profile" in report.reason
            skipped.add(name_of(one))
    assert skipped == NOT_IN[profile]


def test_every_profile_is_tried() -> None:
    assert set(NOT_IN) == set(VOCABULARY.profiles)


def test_every_scenario_is_for_some_profile() -> None:
    assert frozenset.intersection(*NOT_IN.values()) == frozenset()
