"""An operator chose other limits: then the finding names the property, or the row is skipped."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from fleetrig.harness.platforms.hawkbit.conformance.preflight import check_accounts
from fleetrig.harness.platforms.hawkbit.conformance.suite import RIGHTS, ROWS
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import UserPassword
from tests.harness.platforms.hawkbit.conformance.in_process import PASSWORD, reference
from tests.harness.platforms.hawkbit.conformance.row_reports import judged, needs_speed

DOS = "hawkbit.server.security.dos."
BY_NUMBER = {row.number: row for row in ROWS}
EVERYBODY = {f"{DOS}filter.whitelist": "10.0.0.1"}
"""Nobody here is beyond the request limiter."""


@pytest.mark.parametrize(
    ("number", "properties", "said"),
    [
        ("S60", {f"{DOS}filter.maxRead": "20"}, f"and {DOS}filter.maxRead is 200"),
        ("S61", {f"{DOS}filter.maxWrite": "70"}, f"and {DOS}filter.maxWrite is 50"),
        ("S82", {f"{DOS}maxAttributeEntriesPerTarget": "10"}, f"if {DOS}maxAttributeEntriesPerTarget is 100"),
        ("S102", {f"{DOS}maxMessagesPerActionStatus": "5"}, f"if {DOS}maxMessagesPerActionStatus is 50"),
        ("S103", {f"{DOS}maxStatusEntriesPerAction": "20"}, f"if {DOS}maxStatusEntriesPerAction is 1000"),
    ],
)
def test_another_limit_is_named(number: str, properties: Mapping[str, str], said: str) -> None:
    with reference(properties=properties) as server:
        report = judged(server, BY_NUMBER[number])
    if needs_speed(report):
        pytest.skip(report.reason)
    finding = report.phases[0].checks[0].finding
    assert report.verdict is Verdict.FAILED
    assert finding is not None
    assert finding.expected.endswith(said)


@pytest.mark.parametrize("number", ["S16", "S41", "S71", "S75", "S78", "S79", "S112", "S139"])
def test_rows_that_need_shorter_intervals_than_allowed_are_skipped(number: str) -> None:
    with reference(properties={"hawkbit.controller.minPollingTime": "00:10:00"}) as server:
        report = judged(server, BY_NUMBER[number])
    if report.verdict is not Verdict.PASSED:
        assert report.verdict is Verdict.SKIPPED
        assert "hawkbit.controller.minPollingTime" in report.reason


@pytest.mark.slow
def test_rows_wait_for_a_strict_request_limiter() -> None:
    strict = {**EVERYBODY, f"{DOS}filter.maxRead": "12", f"{DOS}filter.maxWrite": "12"}
    with reference(properties=strict) as server:
        reports = [judged(server, BY_NUMBER[number]) for number in ("S01", "S84", "S122")]
        at_once = judged(server, BY_NUMBER["S55"])
    assert [report.verdict for report in reports] == [Verdict.PASSED] * 3
    assert at_once.verdict is Verdict.SKIPPED
    assert "request limiter refused" in at_once.reason


def test_devices_from_elsewhere_are_only_judged_where_their_addresses_count() -> None:
    with reference() as server:
        assert judged(server, BY_NUMBER["S54"]).verdict is Verdict.PASSED
        unknown = judged(server, BY_NUMBER["S54"], can=frozenset())
    assert unknown.reason.endswith("say so in a SERVER.yaml: `can: [hawkbit.trusted_ips]`")


@pytest.mark.parametrize(
    ("kind", "user", "password", "said"),
    [
        ("reader", "reader", "wrong", "the reader's account 'reader' is not accepted"),
        ("reader", "admin", "admin", "the reader's account 'admin' may do too much: ROLE_TENANT_ADMIN"),
        ("reader", "creator", PASSWORD, "the reader's account 'creator' may do too much: CREATE_TARGET"),
        ("creator", "reader", PASSWORD, "the creator's account 'reader' lacks CREATE_TARGET"),
    ],
)
def test_an_account_with_other_rights_than_rows_reckon_with(kind: str, user: str, password: str, said: str) -> None:
    with reference() as server:
        check_accounts(server, RIGHTS)
        server.accounts = {kind: UserPassword(user, password)}
        with pytest.raises(BrokenBench, match=said):
            check_accounts(server, RIGHTS)
