"""Rows run in tests: what came of one, in words."""

from __future__ import annotations

from functools import partial

from fleetrig.harness.conformance.row import Row
from fleetrig.harness.conformance.run_rows import run_row
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.hawkbit.conformance.suite import OWN_CAN
from fleetrig.harness.platforms.hawkbit.conformance.under_test import TenantUnderTest
from fleetrig.harness.verdict import Report, Verdict

BLANK = Report(name="conform/hawkbit", title="", verdict=Verdict.PASSED)


def judged(server: TenantUnderTest, row: Row[RowClient], can: frozenset[str] = OWN_CAN) -> Report:
    return run_row(row, partial(open_client, server), can, BLANK)


def needs_speed(report: Report) -> bool:
    """A busy machine does not get so many requests into a second as the row on the request limiter needs."""
    return report.verdict is Verdict.SKIPPED and "the speed that this takes" in report.reason


def told(report: Report) -> str:
    findings = [check.finding for phase in report.phases for check in phase.checks]
    return f"{report.name}: {report.verdict} {report.reason} {findings}"
