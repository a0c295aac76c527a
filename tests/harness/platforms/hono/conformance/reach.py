"""Every row of the suite against a server in this process, in each profile, and what `conform` does around rows."""

from __future__ import annotations

from functools import partial

from fleetrig.harness.conformance.run_rows import run_rows
from fleetrig.harness.platforms.hono.conformance.preflight import check_that_it_is_a_registry
from fleetrig.harness.platforms.hono.conformance.row_client import open_client
from fleetrig.harness.platforms.hono.conformance.suite import ROWS
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from tests.harness.platforms.hono.conformance.in_process import reference

BLANK = Report(name="conform/hono", title="", verdict=Verdict.PASSED)


def run_every_row() -> None:
    """Raises AssertionError when a row neither passes nor says why it cannot."""
    for profile in Profile:
        with reference(Settings(profile=profile)) as server:
            check_that_it_is_a_registry(server)
            reports = list(run_rows(ROWS, partial(open_client, server), server.can, BLANK, server.remedies))
        odd = [f"{one.name}: {one.verdict} {one.phases}" for one in reports
               if one.verdict not in (Verdict.PASSED, Verdict.SKIPPED)]  # fmt: skip
        assert not odd, odd
