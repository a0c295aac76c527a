"""A scenario passes in the profile that it is about, and in another it says which one it needs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleetrig.harness.platforms.kura.vocabulary import VOCABULARY
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.verdict import Verdict
from tests.harness.command import PROJECT

ABOUT = {"open": "device_disabled", "kapua-lax": "device_disabled_lax"}
"""Profile -> a scenario that is about it alone."""


@pytest.mark.parametrize("profile", VOCABULARY.profiles)
@pytest.mark.parametrize(("its", "name"), ABOUT.items())
def test_it_passes_where_it_belongs_and_says_so_elsewhere(tmp_path: Path, profile: str, its: str, name: str) -> None:
    [one] = plan([f"kura/{name}"], PROJECT / "scenarios")
    report = asyncio.run(run(one, RunOptions(profile=profile, results=tmp_path)))
    assert report.verdict is (Verdict.PASSED if profile == its else Verdict.SKIPPED), report
    assert profile == its or report.reason.endswith(f"run it with --profile {its}")


def test_every_other_scenario_is_for_all_profiles() -> None:
    wanted = {word: words for words in VOCABULARY.profile_can.values() for word in words}
    tied = {one.scenario.id.removeprefix("kura/") for one in plan(["kura"], PROJECT / "scenarios")
            if wanted.keys() & set(one.scenario.needs)}  # fmt: skip
    assert tied == set(ABOUT.values())
