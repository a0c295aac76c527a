"""The whole ThingsBoard suite: every row, green or with a reason in every profile, and nothing left behind."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.row import Row
from fleetrig.harness.conformance.run_rows import run_row, run_rows
from fleetrig.harness.platforms.thingsboard.conformance import generations
from fleetrig.harness.platforms.thingsboard.conformance.differences import DIFFERENCES, EVERYWHERE
from fleetrig.harness.platforms.thingsboard.conformance.generations import GENERATIONS, Generation
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient, RowMqtt, open_client
from fleetrig.harness.platforms.thingsboard.conformance.suite import ROWS
from fleetrig.harness.platforms.thingsboard.conformance.tenant_api import TenantApi
from fleetrig.harness.platforms.thingsboard.conformance.under_test import ServerUnderTest
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from tests.harness.platforms.thingsboard.conformance.in_process import reference
from tests.harness.platforms.thingsboard.conformance.tenant_contents import everything, make_strangers

BLANK = Report(name="conform/thingsboard", title="", verdict=Verdict.PASSED)
NUMBERS = [f"S{number:02}" for number in range(1, 111)]
SLOW = "S98"
"""Waits 10 s of real time, and so has a test of its own."""
QUICK = [row for row in ROWS if row.number != SLOW]
SKIPPED = {
    "4.3": {"S40"},
    "4.2": {"S39"},
    "3.2": {"S39", *(f"S{number}" for number in (*range(75, 82), *range(107, 111)))},
    "as-documented": {"S40"},
}
"""Profile -> rows on what it does not have."""
PATIENCE_S = 0.5


def judged(server: ServerUnderTest, rows: Sequence[Row[RowClient]] = QUICK) -> list[Report]:
    return list(run_rows(rows, partial(open_client, server), server.can, BLANK, server.remedies))


def told(report: Report) -> str:
    return f"{report.name}: {report.verdict} {report.reason} {report.phases}"


def test_the_suite_has_exactly_the_rows_of_the_contract() -> None:
    assert [row.number for row in ROWS] == NUMBERS
    assert len({row.path for row in ROWS}) == len(ROWS)


@pytest.mark.slow
@pytest.mark.parametrize("profile", GENERATIONS)
def test_every_row_passes_in_every_profile_or_says_why_not_and_leaves_nothing(profile: str) -> None:
    with reference(Settings(profile=Profile(profile))) as server:
        before = everything(server)
        reports = judged(server)
        assert everything(server) == before
    assert server.left_behind == []
    passed = [report for report in reports if report.verdict is Verdict.PASSED]
    skipped = {row.number for row, one in zip(QUICK, reports, strict=True) if one.verdict is Verdict.SKIPPED}
    assert [told(one) for one in reports if one.verdict not in (Verdict.PASSED, Verdict.SKIPPED)] == []
    assert skipped == SKIPPED[profile]
    assert len(passed) + len(skipped) == len(QUICK)
    assert all(one.reason for one in reports if one.verdict is Verdict.SKIPPED)


@pytest.mark.slow
def test_a_store_that_is_too_slow() -> None:
    with reference() as server:
        [report] = judged(server, [row for row in ROWS if row.number == SLOW])
    assert report.verdict is Verdict.PASSED, told(report)


def judged_as_newest(server: ServerUnderTest, rows: Sequence[Row[RowClient]]) -> set[str]:
    """The rows that find something."""
    server = replace(server, profile="4.3")
    can = server.can | {"certificate_chain", "answers_once"}
    reports = [run_row(row, partial(open_client, server), can, BLANK) for row in rows]
    return {row.number for row, one in zip(rows, reports, strict=True) if one.verdict is Verdict.FAILED}


@pytest.mark.slow
def test_a_server_of_the_oldest_profile_differs_in_just_these_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apart from what it does otherwise everywhere, which is known before."""
    impatient(monkeypatch)
    monkeypatch.setattr(RowClient, "generation", replace(GENERATIONS["4.3"], acknowledges_subscriptions=False))
    with reference(Settings(profile=Profile("3.2"))) as server:
        differing = judged_as_newest(server, QUICK)
    about = {what: set(numbers.split()) for what, numbers in DIFFERENCES["3.2"].items()}
    assert differing == set().union(*about.values()) - about[EVERYWHERE["3.2"]]


@pytest.mark.slow
@pytest.mark.parametrize("profile", DIFFERENCES)
def test_each_difference_is_found_by_the_rows_that_tell_it(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)
    numbers = " ".join(DIFFERENCES[profile].values()).split()
    rows = [row for row in ROWS if row.number in numbers]
    with reference(Settings(profile=Profile(profile))) as server:
        assert judged_as_newest(server, rows) == set(numbers)


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits no longer for what never comes."""
    until, hear = TenantApi.until, RowMqtt.hear
    monkeypatch.setattr(TenantApi, "until", lambda self, check: until(self, check, PATIENCE_S))
    monkeypatch.setattr(RowMqtt, "hear", lambda self, _=None: hear(self, PATIENCE_S))


@pytest.mark.parametrize(
    ("version", "profile"),
    [
        ("4.4.0-SNAPSHOT", "4.3"),
        ("4.3.1.3", "4.3"),
        ("4.3", "4.3"),
        ("4.2.1.1", "4.3"),
        ("4.2.1", "4.2"),
        ("3.9.1", "4.2"),
        ("3.8.1", "3.2"),
        ("3.2", "3.2"),
        ("10.0", "4.3"),
        ("latest", None),
        ("", None),
        ("4", None),
    ],
)
def test_a_version_suggests_the_profile_that_answers_like_it(version: str, profile: str | None) -> None:
    assert generations.suggested_profile(version) == profile


def test_only_the_newest_generation_is_the_default() -> None:
    assert [name for name, one in GENERATIONS.items() if one == Generation()] == ["4.3"]


# -- among strangers


@pytest.fixture(scope="module", name="crowded")
def _crowded() -> Iterator[tuple[ServerUnderTest, dict[str, Any]]]:
    """A tenant with 300 devices, profiles (one of them the default) and customers of other people."""
    with reference() as server:
        make_strangers(server)
        yield server, everything(server)


@pytest.mark.slow
def test_rows_pass_in_any_order_and_touch_nothing_of_others(crowded: tuple[ServerUnderTest, dict[str, Any]]) -> None:
    server, before = crowded
    rows = list(QUICK)
    random.Random(1).shuffle(rows)
    assert [told(one) for one in judged(server, rows) if one.verdict is Verdict.FAILED] == []
    assert everything(server) == before


@pytest.mark.slow
def test_two_runs_at_once_do_not_disturb_each_other(crowded: tuple[ServerUnderTest, dict[str, Any]]) -> None:
    """So there is no lock. The clock of the server is theirs together, so rows that move it stay away."""
    server, before = crowded
    rows = [row for row in QUICK if row.number not in ("S64", "S81", "S88", "S89", "S105")][::2]
    found: list[list[Report]] = [[], []]

    def run(number: int) -> None:
        http = ExactClient(server.http.url)
        mine = replace(server, http=http, prefix=f"{server.prefix}{number}", left_behind=[])
        found[number] = judged(mine, rows if number else rows[::-1])
        http.close()
        assert mine.left_behind == []

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(reports) for reports in found] == [len(rows)] * 2
    assert [told(one) for reports in found for one in reports if one.verdict is Verdict.FAILED] == []
    assert everything(server) == before
