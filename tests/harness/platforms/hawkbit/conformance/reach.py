"""Every row of the suite against a server in this process, once in each profile."""

from __future__ import annotations

from fleetrig.harness.platforms.hawkbit.conformance.suite import PROFILES, ROWS
from fleetrig.harness.verdict import Verdict
from tests.harness.platforms.hawkbit.conformance.in_process import reference
from tests.harness.platforms.hawkbit.conformance.row_reports import judged, needs_speed, told


def run_every_row() -> None:
    """Raises AssertionError when a row does not pass."""
    for profile in PROFILES:
        with reference(profile) as server:
            reports = [judged(server, row) for row in ROWS]
        odd = [told(one) for one in reports if one.verdict is not Verdict.PASSED and not needs_speed(one)]
        assert not odd, odd
