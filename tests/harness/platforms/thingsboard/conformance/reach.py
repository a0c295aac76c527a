"""Every row of the suite against a server in this process, in each profile, and what `conform` does around rows."""

from __future__ import annotations

from functools import partial

from fleetrig.harness.conformance.run_rows import run_rows
from fleetrig.harness.platforms.thingsboard.conformance.preflight import check_that_it_is_thingsboard, remarks_on
from fleetrig.harness.platforms.thingsboard.conformance.row_client import open_client
from fleetrig.harness.platforms.thingsboard.conformance.suite import ROWS
from fleetrig.harness.platforms.thingsboard.conformance.sweeping import sweep
from fleetrig.harness.platforms.thingsboard.conformance.under_test import ServerUnderTest
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from tests.harness.platforms.thingsboard.conformance.in_process import reference

SLOW = "S98"
"""Waits 10 s of real time."""
BLANK = Report(name="conform/thingsboard", title="", verdict=Verdict.PASSED)


def run_every_row() -> None:
    """Raises AssertionError when a row neither passes nor says why it cannot."""
    rows = [row for row in ROWS if row.number != SLOW]
    for profile in Profile:
        with reference(Settings(profile=profile)) as server:
            check_that_it_is_thingsboard(server)
            remarks_on(server)
            reports = list(run_rows(rows, partial(open_client, server), server.can, BLANK))
            sweep_after_an_interrupted_row(server)
        odd = [f"{one.name}: {one.verdict} {one.phases}" for one in reports
               if one.verdict not in (Verdict.PASSED, Verdict.SKIPPED)]  # fmt: skip
        assert not odd, odd


def sweep_after_an_interrupted_row(server: ServerUnderTest) -> None:
    """What a row has made and nobody knows the id of is looked for in lists, and removed."""
    with open_client(server, ROWS[0]) as client:
        client.imported(client.profile("C"))
        client.customer()
        other = client.another_tenant()
        other.imported(other.profile("C"))
        other.customer()
        assert sweep(server, client.name_prefix) == []
