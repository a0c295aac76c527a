"""The whole Kura suite: every row, green or with a reason, and nothing left behind."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.row import Row
from fleetrig.harness.conformance.run_rows import run_row, run_rows
from fleetrig.harness.platforms.kura.conformance.preflight import check_that_it_is_kapua
from fleetrig.harness.platforms.kura.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.kura.conformance.suite import ROWS
from fleetrig.harness.platforms.kura.conformance.under_test import ServerUnderTest
from fleetrig.harness.platforms.kura.server import SERVER
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.reference_server.platforms.kura.state.settings import Profile, Settings
from tests.harness.platforms.kura.conformance.in_process import records, reference

BLANK = Report(name="conform/kura", title="", verdict=Verdict.PASSED)
OF_THE_PAGE = [f"S{number:02}" for number in range(1, 44)]
WITH_CONTROL = {"clock", "audit", "slow_store", "restart"}
PUBLIC = {"S02", "S03", "S04", "S05"}
"""A connection is made only if there is a request: that is said in public."""
OF_CALLS = ("management/", "keystore/")
WAITING = {"C06", "P10", "S12", "S13", "S32"}
"""They move the clock, or wait; those on device management do so, too."""
WITHOUT_PROVISIONING = 55
"""So many rows are for a plain Kapua, too."""


def judged(server: ServerUnderTest, rows: Sequence[Row[RowClient]] = ROWS) -> list[Report]:
    return list(run_rows(rows, partial(open_client, server), server.can, BLANK, server.remedies))


def told(report: Report) -> str:
    return f"{report.name}: {report.verdict} {report.reason} {report.phases}"


def odd(reports: Sequence[Report], *wanted: Verdict) -> list[str]:
    return [told(one) for one in reports if one.verdict not in (wanted or (Verdict.PASSED,))]


def numbers_of(rows: Sequence[Row[RowClient]], reports: Sequence[Report], verdict: Verdict) -> set[str]:
    return {row.number for row, one in zip(rows, reports, strict=True) if one.verdict is verdict}


def test_the_suite_has_every_server_row_of_the_fact_sheet_and_each_path_once() -> None:
    numbers = [row.number for row in ROWS]
    assert [one for one in numbers if one.startswith("S")] == OF_THE_PAGE
    assert {f"C{number:02}" for number in range(1, 10)} <= set(numbers)
    assert {f"N{number:02}" for number in range(1, 5)} <= set(numbers)
    assert len({row.path for row in ROWS}) == len(set(numbers)) == len(ROWS)


def test_rows_on_what_vendors_do_not_publish_say_so() -> None:
    """Those that need the dialogue, and more than that there are provision requests."""
    of_dialogue = [row for row in ROWS if {"mqtt", "provisioning"} <= set(row.needs) and row.number not in PUBLIC]
    assert len(of_dialogue) >= 30
    assert [row.number for row in of_dialogue if not row.title.startswith("Profile")] == []


@pytest.mark.slow
def test_every_row_passes_and_leaves_nothing() -> None:
    with reference() as server:
        check_that_it_is_kapua(server)
        before = records(server)
        reports = judged(server)
        assert records(server) == before
    assert odd(reports, Verdict.PASSED, Verdict.SKIPPED) == []
    assert numbers_of(ROWS, reports, Verdict.SKIPPED) == {"S40"}
    assert server.left_behind == []


@pytest.mark.slow
@pytest.mark.parametrize("profile", Profile)
def test_a_server_can_be_started_again_while_it_is_judged_in_every_profile(profile: Profile, tmp_path: Path) -> None:
    rows = [row for row in ROWS if row.number in ("S40", "U05", "S06", "S21")]
    with reference(Settings(profile=profile), tmp_path) as server:
        assert odd(judged(server, rows)) == []


def test_the_wrong_profile_is_found_by_the_row_that_tells_it() -> None:
    [row] = [row for row in ROWS if row.number == "U05"]
    with reference(Settings(profile=Profile.KAPUA_LAX)) as server:
        [ours] = judged(replace(server, profile="open"), [row])
        [foreign] = judged(replace(server, profile="open", control=None), [row])
    assert (ours.verdict, foreign.verdict) == (Verdict.FAILED, Verdict.WARNED)


@pytest.mark.slow
def test_what_our_own_server_does_is_right_for_a_foreign_one_too() -> None:
    """Nobody can look behind it, and its clock is its own: rows that wait for it stay away here."""
    rows = [row for row in ROWS if not WITH_CONTROL & set(row.needs) and not row.path.startswith(OF_CALLS)]
    rows = [row for row in rows if row.number not in WAITING]
    with reference() as server:
        assert odd(judged(replace(server, control=None, crowd=3), rows[::3])) == []


@pytest.mark.slow
def test_without_provision_requests_the_rows_on_the_namespace_run() -> None:
    for_all = [row for row in ROWS if not {"provisioning", "restart"} & set(row.needs)]
    others = [row for row in ROWS if row not in for_all]
    with reference() as server:
        plain = replace(server, has_provisioning=False)
        assert odd(judged(plain, for_all[::6])) == []
        skipped = judged(plain, others)
    assert len(for_all) >= WITHOUT_PROVISIONING
    assert {one.verdict for one in skipped} == {Verdict.SKIPPED}
    assert all("/v2/provisionRequests" in one.reason for one in skipped)


@pytest.mark.slow
def test_rows_pass_in_any_order_and_two_runs_at_once_do_not_disturb_each_other() -> None:
    """So there is no lock. Those that move the clock stay away: there is one clock."""
    rows = [row for row in ROWS if not WITH_CONTROL & set(row.needs) and not row.path.startswith(OF_CALLS)]
    rows = [row for row in rows if row.number not in WAITING][::6]
    random.Random(1).shuffle(rows)
    found: list[list[Report]] = [[], []]
    with reference() as server:
        server.crowd = 3
        check_that_it_is_kapua(server)
        before = records(server)

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
        assert records(server) == before
    assert [len(reports) for reports in found] == [len(rows)] * 2
    assert odd([one for reports in found for one in reports]) == []


@pytest.mark.parametrize("row", [row for row in ROWS if row.needs], ids=lambda row: row.number)
def test_a_row_that_lacks_something_says_what_and_what_to_do(row: Row[RowClient]) -> None:
    """Nobody is asked: no server is there."""
    server = ServerUnderTest(ExactClient("http://127.0.0.1:1"), {}, SERVER.account, has_provisioning=False)
    report = run_row(row, partial(open_client, server), server.can, BLANK, server.remedies)
    assert report.verdict is Verdict.SKIPPED
    assert report.reason
    assert "kura." not in report.reason
