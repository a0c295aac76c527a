"""Every scenario of ThingsBoard passes in each generation of our server, or says which one it needs.

Those of the newest are run by test_exchange_names.py.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleetrig.harness.platforms.thingsboard.vocabulary import VOCABULARY
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.verdict import Verdict
from tests.harness.platforms.thingsboard.library import NOT_IN, name_of, runs

AS_DOCUMENTED = "as-documented"


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["4.2", "3.2", AS_DOCUMENTED])
def test_a_scenario_passes_or_says_which_profile_it_needs(tmp_path: Path, profile: str) -> None:
    skipped: set[str] = set()
    passed: set[str] = set()
    for one in runs():
        report = asyncio.run(run(one, RunOptions(profile=profile, results=tmp_path)))
        assert report.verdict in (Verdict.PASSED, Verdict.SKIPPED), report
        if report.verdict is Verdict.SKIPPED:
            assert "run it with --profile" in report.reason
        (passed if report.verdict is Verdict.PASSED else skipped).add(name_of(one))
    if profile == AS_DOCUMENTED:
        assert passed == {"as_documented"}
    else:
        assert skipped == NOT_IN[profile]


def test_every_profile_is_tried() -> None:
    assert {*NOT_IN, AS_DOCUMENTED} == set(VOCABULARY.profiles)


def test_every_scenario_is_for_some_profile() -> None:
    assert frozenset.intersection(*NOT_IN.values()) == {"as_documented"}


def test_words_of_a_profile_hold_in_that_one_and_where_they_are_not_told_apart() -> None:
    assert "thingsboard.answers_once" in VOCABULARY.of_profile("")
    assert "thingsboard.answers_once" not in VOCABULARY.of_profile("4.2")
    assert {"mqtt", "reference.faults", "client_certificates"} <= VOCABULARY.of_profile("3.2")
    assert VOCABULARY.profiles_with(["thingsboard.certificate_chain", "coap"]) == ("4.3", "4.2")
    assert VOCABULARY.profiles_with(["thingsboard.answers_once", "thingsboard.answers_again"]) == ()
