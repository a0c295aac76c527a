"""Where generations differ, and where the documents say otherwise: exactly there a server is not what is expected."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from fleetrig.harness.conformance.run_rows import run_rows
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.hawkbit.conformance.suite import OWN_CAN, ROWS
from fleetrig.harness.verdict import Report, Verdict
from tests.harness.platforms.hawkbit.conformance.in_process import reference

BLANK = Report("conform/hawkbit", "", Verdict.PASSED)
DIFFERENCES = {
    "0.9": {
        "no target groups": "S01",
        "a violation is said of the record": "S07 S09 S10 S11",
        "the challenge names no charset": "S26",
        "changes and deletions answer 200": "S21 S30 S57 S128 S132",
        "other names of the certificate headers": "S52 S53 S54",
        "a change of the configuration answers with the value": "S75 S79",
        "polling times are HH:mm:ss": "S77 S78 S139",
        "a quota is a 403": "S82 S102 S103",
        "an action's own status is its detailStatus":
            "S90 S94 S96 S97 S98 S99 S100 S101 S104 S105 S106 S107 S108 S109 S110 S111 S119 S120 S129 S131 S133",
        "a file's ETag is the bare sha1": "S114 S115 S117 S118 S140",
        "values are not converted": "S127",
        "one object is no array": "S130",
        "TRACE is a 400": "S136",
    },
    "as-documented": {
        "registered at once, zeros for what has not happened, more links (§5, 2 to 4)": "S01",
        "who creates a target that creates itself (§5, 1)": "S46 S49",
    },
}  # fmt: skip
"""A server's profile -> why it is none of 1.1, and the rows that say so."""


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
