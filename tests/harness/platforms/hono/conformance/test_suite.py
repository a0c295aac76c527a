"""The whole Hono suite: every row, green or with a reason in every profile, and nothing left behind."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import pytest

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.row import Row
from fleetrig.harness.conformance.run_rows import run_row, run_rows
from fleetrig.harness.platforms.hono.conformance.differences import DIFFERENCES
from fleetrig.harness.platforms.hono.conformance.generations import GENERATIONS, Generation, seen_beside
from fleetrig.harness.platforms.hono.conformance.registry_api import RegistryApi
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.hono.conformance.suite import ROWS
from fleetrig.harness.platforms.hono.conformance.under_test import ServerUnderTest
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from tests.harness.platforms.hono.conformance.in_process import records, reference

BLANK = Report(name="conform/hono", title="", verdict=Verdict.PASSED)
NUMBERS = [
    *(f"A{number:02}" for number in range(1, 54)), *(f"C{number:02}" for number in range(1, 7)),
    *(f"G{number:02}" for number in range(1, 14)), *(f"H{number:02}" for number in range(1, 12)),
    *(f"M{number:02}" for number in range(1, 9)), *(f"R{number:02}" for number in (*range(1, 56), *range(60, 68))),
]  # fmt: skip
WITHOUT_GROUPS = {"A34", "A40", "A41", "A42"}
"""What the JDBC registry cannot have; R13 and R63 say so."""
OF_CHANCE = {"A28"}
"""What a race comes to."""
PATIENCE_S = 0.5


def judged(server: ServerUnderTest, rows: Sequence[Row[RowClient]] = ROWS) -> list[Report]:
    return list(run_rows(rows, partial(open_client, server), server.can, BLANK, server.remedies))


def told(report: Report) -> str:
    return f"{report.name}: {report.verdict} {report.reason} {report.phases}"


def numbers_of(rows: Sequence[Row[RowClient]], reports: Sequence[Report], verdict: Verdict) -> set[str]:
    return {row.number for row, one in zip(rows, reports, strict=True) if one.verdict is verdict}


def test_the_suite_has_exactly_the_rows_of_the_contract() -> None:
    assert [row.number for row in ROWS] == NUMBERS
    assert len({row.path for row in ROWS}) == len(ROWS)


@pytest.mark.slow
@pytest.mark.parametrize("profile", GENERATIONS)
def test_every_row_passes_in_every_profile_or_says_why_not_and_leaves_nothing(profile: str) -> None:
    with reference(Settings(profile=Profile(profile))) as server:
        reports = judged(server)
        assert records(server) == {}
    assert server.left_behind == []
    skipped = numbers_of(ROWS, reports, Verdict.SKIPPED)
    assert [told(one) for one in reports if one.verdict not in (Verdict.PASSED, Verdict.SKIPPED)] == []
    assert skipped == skipped_in(profile)
    assert all(one.reason for one in reports if one.verdict is Verdict.SKIPPED)


def skipped_in(profile: str) -> set[str]:
    if profile == "1":
        return {row.number for row in ROWS if "current" in row.needs}
    return WITHOUT_GROUPS if profile == "2-jdbc" else set()


@pytest.mark.slow
@pytest.mark.parametrize("profile", DIFFERENCES)
def test_a_server_of_another_profile_differs_in_just_the_rows_that_tell_it(
    profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hear = ExactMqtt.hear
    monkeypatch.setattr(ExactMqtt, "hear", lambda self, _=None: hear(self, PATIENCE_S))
    differing = set(" ".join(DIFFERENCES[profile].values()).split())
    rows = [row for row in ROWS if row.number in differing or row in ROWS[1::3]]
    with reference(Settings(profile=Profile(profile))) as server:
        found = numbers_of(rows, judged(replace(server, profile="2"), rows), Verdict.FAILED)
    assert found - OF_CHANCE == differing


@pytest.mark.slow
@pytest.mark.parametrize("profile", DIFFERENCES)
def test_what_a_real_hono_is_known_to_do_is_a_warning_there(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A foreign server: nobody can look behind it."""
    monkeypatch.setattr(ServerUnderTest, "after_change", lambda _, check: check())
    differing = set(" ".join(DIFFERENCES[profile].values()).split())
    rows = [row for row in ROWS if row.number in differing or row in ROWS[::4]]
    rows = [row for row in rows if not {"events", "sink"} & set(row.needs)]
    with reference(Settings(profile=Profile(profile))) as server:
        reports = judged(replace(server, profile="2", control=None), rows)
    assert [told(one) for one in reports if one.verdict is Verdict.FAILED] == []
    warned = numbers_of(rows, reports, Verdict.WARNED)
    skipped = WITHOUT_GROUPS & differing
    assert numbers_of(rows, reports, Verdict.SKIPPED) == skipped
    assert warned - OF_CHANCE == differing - skipped


def test_a_profile_that_loses_races_has_losers() -> None:
    rows = [row for row in ROWS if row.number == "A28"]
    for profile in ("2-jdbc", "2-mongodb"):
        with reference(Settings(profile=Profile(profile))) as server:
            assert [one.verdict for one in judged(server, rows)] == [Verdict.PASSED]
    with reference() as server:
        assert [one.verdict for one in judged(replace(server, profile="2-jdbc"), rows)] == [Verdict.FAILED]


@pytest.mark.slow
def test_nothing_else_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ServerUnderTest, "after_change", lambda _, check: check())
    known = {number for profile in DIFFERENCES for number in " ".join(DIFFERENCES[profile].values()).split()}
    rows = [row for row in ROWS if row.number in known or row in ROWS[::4]]
    rows = [row for row in rows if not {"events", "sink"} & set(row.needs)]
    with reference() as server:
        reports = judged(replace(server, control=None), rows)
    assert [told(one) for one in reports if one.verdict is not Verdict.PASSED] == []


def test_only_profile_2_is_the_default_and_1_is_alone() -> None:
    assert [name for name, one in GENERATIONS.items() if one == Generation()] == ["2"]
    assert len(seen_beside("2-jdbc")) == 3
    assert seen_beside("1") == [GENERATIONS["1"]]


# -- among strangers


@pytest.fixture(scope="module", name="crowded")
def _crowded() -> Iterator[ServerUnderTest]:
    """A registry with tenants and devices of other people."""
    with reference() as server:
        api = RegistryApi(server.http)
        for tenant in range(40):
            api.asked("POST", f"/tenants/stranger-{tenant}", {"ext": {"n": tenant}}, 201)
            for device in range(5):
                api.asked("POST", f"/devices/stranger-{tenant}/{device}", {}, 201)
        yield server


@pytest.mark.slow
def test_rows_pass_in_any_order_and_touch_nothing_of_others(crowded: ServerUnderTest) -> None:
    before = records(crowded)
    rows = list(ROWS[::2])
    random.Random(1).shuffle(rows)
    assert [told(one) for one in judged(crowded, rows) if one.verdict is not Verdict.PASSED] == []
    assert records(crowded) == before


@pytest.mark.slow
def test_two_runs_at_once_do_not_disturb_each_other(crowded: ServerUnderTest) -> None:
    """So there is no lock."""
    before = records(crowded)
    rows = ROWS[::4]
    found: list[list[Report]] = [[], []]

    def run(number: int) -> None:
        http = ExactClient(crowded.http.url)
        mine = replace(crowded, http=http, prefix=f"{crowded.prefix}{number}", left_behind=[])
        found[number] = judged(mine, rows if number else rows[::-1])
        http.close()
        assert mine.left_behind == []

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(reports) for reports in found] == [len(rows)] * 2
    assert [told(one) for reports in found for one in reports if one.verdict is not Verdict.PASSED] == []
    assert records(crowded) == before


@pytest.mark.parametrize("row", [row for row in ROWS if row.needs], ids=lambda row: row.number)
def test_a_row_that_lacks_something_says_what_and_what_to_do(row: Row[RowClient]) -> None:
    """Nobody is asked: no server is there."""
    server = ServerUnderTest(ExactClient("http://127.0.0.1:1"), {}, profile="1")
    report = run_row(row, partial(open_client, server), server.can, BLANK, server.remedies)
    assert report.verdict is Verdict.SKIPPED
    assert report.reason
    assert "hono." not in report.reason
