"""Where generations differ, and where the documents say otherwise: exactly there a server is not what is expected."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from fleetrig.harness.conformance.run_rows import run_rows
from fleetrig.harness.platforms.hawkbit.conformance.differences import DIFFERENCES
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.hawkbit.conformance.suite import OWN_CAN, ROWS
from fleetrig.harness.verdict import Report, Verdict
from tests.harness.platforms.hawkbit.conformance.in_process import reference

BLANK = Report("conform/hawkbit", "", Verdict.PASSED)


@pytest.mark.slow
@pytest.mark.parametrize("profile", DIFFERENCES)
def test_a_server_of_another_profile_differs_in_just_these_rows(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    until = RowClient.until
    monkeypatch.setattr(RowClient, "until", lambda self, within_s, check: until(self, min(within_s, 0.5), check))
    with reference(profile) as server:
        judged_as_current = replace(server, profile="1.1")
        reports = list(run_rows(ROWS, partial(open_client, judged_as_current), OWN_CAN, BLANK))
    assert len(reports) == len(ROWS)
    differing = [row.number for row, report in zip(ROWS, reports, strict=True) if report.verdict is not Verdict.PASSED]
    assert sorted(differing) == sorted(" ".join(DIFFERENCES[profile].values()).split())
