"""Every row passes on our own server, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from fleetrig.harness.conformance.row import Row
from fleetrig.harness.conformance.run_rows import run_row
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.thingsboard.conformance.suite import ROWS
from fleetrig.harness.platforms.thingsboard.conformance.tenant_api import TenantApi
from fleetrig.harness.platforms.thingsboard.conformance.under_test import ServerUnderTest
from fleetrig.harness.verdict import Report, Verdict
from tests.harness.platforms.thingsboard.conformance.in_process import reference

pytestmark = pytest.mark.slow
BLANK = Report(name="conform/thingsboard", title="", verdict=Verdict.PASSED)
FOR_OTHERS = {"S40", "S98"}
"""Rows that need another generation, or a store that is slow."""


def judged(server: ServerUnderTest, row: Row[RowClient]) -> Report:
    return run_row(row, partial(open_client, server), server.can, BLANK)


@pytest.fixture(scope="module", name="server")
def _server() -> Iterator[ServerUnderTest]:
    with reference() as server:
        yield server


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_a_row_passes_and_leaves_nothing_behind(server: ServerUnderTest, row: Row[RowClient]) -> None:
    report = judged(server, row)
    wanted = Verdict.SKIPPED if row.number in FOR_OTHERS else Verdict.PASSED
    assert (report.verdict, report.reason, report.phases) == (wanted, report.reason, ()), report
    assert server.left_behind == []
    api = TenantApi(server)
    assert api.asked("GET", "/tenant/devices?pageSize=10&page=0")["data"] == []
    assert [one["name"] for one in api.asked("GET", "/deviceProfiles?pageSize=10&page=0")["data"]] == ["default"]


def test_rows_have_numbers_of_their_own() -> None:
    assert len({row.number for row in ROWS}) == len(ROWS)
