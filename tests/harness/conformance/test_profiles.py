"""Where generations differ, and where the documents say otherwise: exactly there a server is not what is expected."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.conformance.hawkbit.session import Session
from harness.conformance.hawkbit.suite import OWN_CAN, ROWS
from harness.conformance.running import run_rows
from harness.verdict import Report, Verdict
from tests.harness.conformance.in_process import reference

BLANK = Report("conform/hawkbit", "", Verdict.PASSED)
DIFFERENCES = {
    "0.9": {
        "S01": "no target groups",
        "S21": "a deletion answers 200",
        "S27": "the code for a missing right in lower case",
        "S30": "metadata with bodies, and PUT makes none",
        "S31": "the code for a missing right in lower case",
        "S52": "other names of the certificate headers",
        "S53": "other names of the certificate headers",
        "S54": "other names of the certificate headers",
        "S57": "a deletion answers 200",
        "S75": "a change of the configuration answers 200",
        "S77": "no overrides of the polling time",
        "S78": "no deviation of the polling time",
        "S79": "a change of the configuration answers 200",
        "S105": "a cancellation answers 200",
        "S106": "a cancellation answers 200",
        "S107": "a cancellation answers 200",
        "S109": "a cancellation answers 200",
        "S127": "a change of the configuration answers 200",
        "S128": "a deletion answers 200",
        "S130": "one object is no array",
        "S132": "a deletion answers 200",
        "S133": "a cancellation answers 200",
        "S139": "polling times are HH:mm:ss",
    },
    "as-documented": {
        "S01": "registered at once, zeros for what has not happened, more links (§5, 2 to 4)",
        "S46": "who creates a target that creates itself (§5, 1)",
        "S49": "who creates a target that creates itself (§5, 1)",
    },
}
"""A server's profile -> the rows in which it is none of 1.1, and why."""


@pytest.mark.parametrize("profile", DIFFERENCES)
def test_a_server_of_another_profile_differs_in_just_these_rows(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    until = Session.until
    monkeypatch.setattr(Session, "until", lambda self, within_s, check: until(self, min(within_s, 0.5), check))
    with reference(profile) as server:
        judged_as_current = replace(server, profile="1.1")
        reports = list(run_rows(ROWS, judged_as_current.use, OWN_CAN, BLANK))
    assert len(reports) == len(ROWS)
    differing = [row.number for row, report in zip(ROWS, reports, strict=True) if report.verdict is not Verdict.PASSED]
    assert differing == list(DIFFERENCES[profile])
