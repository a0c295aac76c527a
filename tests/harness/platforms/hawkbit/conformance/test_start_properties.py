"""Every start-up property that our server knows, set otherwise: rows adapt, or say which property they rest on.

Here each group meets a third of the rows, another one than its neighbours; all meet all in `tests/soak`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import pytest

from fleetrig.harness.conformance.row import Row
from fleetrig.harness.conformance.run_rows import run_rows
from fleetrig.harness.platforms.hawkbit.conformance.preflight import check_accounts, check_that_it_is_hawkbit
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient, open_client
from fleetrig.harness.platforms.hawkbit.conformance.suite import OWN_CAN, RIGHTS, ROWS
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.reference_server.platforms.hawkbit.state.properties import KNOWN
from fleetrig.simulator.contract.errors import BrokenBench
from tests.harness.platforms.hawkbit.conformance.in_process import reference
from tests.harness.platforms.hawkbit.conformance.row_reports import BLANK, judged, needs_speed, told

DDI: Final = "hawkbit.server.ddi.security."
SECURITY: Final = "hawkbit.server.security."
DOS: Final = f"{SECURITY}dos."
DEFAULTS: Final = "hawkbit.server.tenant.configuration."
LINKS: Final = "hawkbit.artifact.url.protocols."
PATIENCE_S: Final = {"strangers": 0.05, "what happens by itself": 0.3}
"""Where nothing comes of waiting; else a second."""
OLD_NAMES: Final = {f"{DDI}rp.cnHeader": "X-Device", f"{DDI}rp.sslIssuerHashHeader": "X-Issuer-%d"}
BY_NUMBER: Final = {row.number: row for row in ROWS}

GROUPS: Final[Mapping[str, Mapping[str, str]]] = {
    "tenants' defaults": {
        f"{DDI}authentication.targettoken.enabled": "true",
        f"{DDI}authentication.gatewaytoken.enabled": "true",
        f"{DDI}authentication.gatewaytoken.key": "a-key-of-the-server",
        f"{DDI}authentication.header.enabled": "true",
        f"{DDI}authentication.header.authority": "Hawkbit,x",
        f"{DDI}authentication.anonymous.enabled": "false",
        "hawkbit.controller.pollingTime": "00:00:40",
        "hawkbit.controller.pollingOverdueTime": "00:00:01",
        "hawkbit.controller.maintenanceWindowPollCount": "1",
    },
    "tenants' defaults by their keys": {
        f"{DEFAULTS}authentication-targettoken-enabled.defaultValue": "true",
        f"{DEFAULTS}authentication-gatewaytoken-enabled.defaultValue": "true",
        f"{DEFAULTS}authentication-gatewaytoken-key.defaultValue": "a-key-of-the-server",
        f"{DEFAULTS}authentication-header-enabled.defaultValue": "true",
        f"{DEFAULTS}authentication-header-authority.defaultValue": "Hawkbit,x",
        f"{DEFAULTS}polling-time.defaultValue": "00:07:00",
        f"{DEFAULTS}polling-overdue-time.defaultValue": "00:07:00",
        f"{DEFAULTS}maintenance-window-poll-count.defaultValue": "7",
        f"{DEFAULTS}repository-actions-autoclose-enabled.defaultValue": "true",
        f"{DEFAULTS}user-confirmation-enabled.defaultValue": "true",
        f"{DEFAULTS}rollout-approval-enabled.defaultValue": "true",
        f"{DEFAULTS}auto-assignment-approval-enabled.defaultValue": "true",
        f"{DEFAULTS}batch-assignments-enabled.defaultValue": "true",
        f"{DEFAULTS}implicit-lock-enabled.defaultValue": "false",
        f"{DEFAULTS}action-cleanup-auto-expiry.defaultValue": "86400000",
        f"{DEFAULTS}action-cleanup-auto-status.defaultValue": "ERROR",
        f"{DEFAULTS}action-cleanup-on-quota-hit-percent.defaultValue": "7",
        f"{DEFAULTS}action-delete-allowed-statuses.defaultValue": "ERROR",
    },
    "quotas": {
        f"{DOS}maxAttributeEntriesPerTarget": "3",
        f"{DOS}maxMetaDataEntriesPerTarget": "1",
        f"{DOS}maxMetaDataEntriesPerDistributionSet": "1",
        f"{DOS}maxMetaDataEntriesPerSoftwareModule": "1",
        f"{DOS}maxActionsPerTarget": "2",
        f"{DOS}maxStatusEntriesPerAction": "3",
        f"{DOS}maxMessagesPerActionStatus": "3",
        f"{DOS}maxTargetDistributionSetAssignmentsPerManualAssignment": "1",
        f"{DOS}maxRolloutGroupsPerRollout": "1",
        f"{DOS}maxTargetsPerRolloutGroup": "1",
        f"{DOS}maxTargetsPerAutoAssignment": "1",
        f"{DOS}maxSoftwareModulesPerDistributionSet": "1",
        f"{DOS}maxSoftwareModuleTypesPerDistributionSetType": "1",
        f"{DOS}maxArtifactsPerSoftwareModule": "1",
        f"{DOS}maxDistributionSetTypesPerTargetType": "1",
        f"{DOS}maxArtifactSize": "2000",
        f"{DOS}maxArtifactStorage": "50000",
    },
    "names on the wire": {
        f"{DDI}rp.controllerIdHeader": "X-Device",
        f"{DDI}rp.authorityHeader": "X-Issuer",
        f"{DDI}rp.authoritiesSeparatorRegex": "#",
        f"{SECURITY}basicRealm": "Acme",
        f"{SECURITY}allowedHostNames": "127.0.0.1",
        f"{SECURITY}clients.remoteIpHeader": "X-Client",
        f"{SECURITY}clients.blacklist": "10\\..*",
        f"{DDI}rp.trustedIPs": "",
    },
    "what proxies forward": {
        "server.forward-headers-strategy": "native",
        "hawkbit.controller.maxPollingTime": "00:02:00",
        f"{DOS}filter.enabled": "false",
    },
    "limits of callers": {
        f"{DOS}filter.whitelist": "127\\..*",
        f"{DOS}filter.maxRead": "1000",
        f"{DOS}filter.maxWrite": "1000",
        "hawkbit.controller.minPollingTime": "00:10:00",
        "hawkbit.server.repository.implicitTenantCreateAllowed": "false",
        f"{SECURITY}clients.trackRemoteIp": "false",
    },
    "what happens by itself": {
        "hawkbit.rollout.scheduler.fixedDelay": "600000",
        "hawkbit.server.repository.dynamicRolloutsMinInvolvePeriodMS": "600000",
        "hawkbit.autocleanup.scheduler.fixedDelay": "600000",
        "hawkbit.autoassign.scheduler.fixedDelay": "600000",
        "fleetrig.firstActionId": "1000",
        "hawkbit.server.servlet.context-path": "/hawkbit",
        f"{LINKS}download.hostname": "cdn.example",
        f"{LINKS}download.protocol": "https",
        f"{LINKS}download-http.rel": "other",
        f"{LINKS}download-http.ref": "{protocol}://{hostname}/x/{artifactFileName}",
    },
    "a path": {"server.servlet.context-path": "/hawkbit"},
    "strangers": {f"{DDI}rp.trustedIPs": "192.0.2.1"},
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_a_row_that_does_not_pass_names_the_property(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    judge_group(group, ROWS[list(GROUPS).index(group) % 3 :: 3], monkeypatch)


def judge_group(group: str, rows: Sequence[Row[RowClient]], monkeypatch: pytest.MonkeyPatch) -> None:
    until = RowClient.until
    most_s = PATIENCE_S.get(group, 1.0)
    monkeypatch.setattr(RowClient, "until", lambda self, within_s, check: until(self, min(within_s, most_s), check))
    properties = GROUPS[group]
    with reference(properties=properties) as server:
        reports = list(run_rows(rows, partial(open_client, server), OWN_CAN, BLANK))
    assert len(reports) == len(rows)
    silent = [one for one in reports if one.verdict is not Verdict.PASSED and not names_one(one, properties)]
    assert [told(one) for one in silent if not needs_speed(one)] == []


def names_one(report: Report, properties: Mapping[str, str]) -> bool:
    """Whether what the report says has one of these properties in it, in full or by its last word."""
    text = told(report)
    shared = {f"{LINKS}*" if name.startswith(LINKS) else name.rpartition(".")[2] for name in properties}
    return any(name in text for name in shared)


def test_no_property_is_left_out() -> None:
    assert KNOWN.keys() - OLD_NAMES.keys() <= {name for group in GROUPS.values() for name in group}


@pytest.mark.parametrize("number", ["S52", "S53", "S54"])
def test_headers_are_called_by_the_properties_of_the_generation(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RowClient, "until", lambda self, within_s, check: check())
    for name, value in OLD_NAMES.items():
        with reference("0.9", {name: value}) as server:
            report = judged(server, BY_NUMBER[number])
        assert report.verdict is Verdict.FAILED
        assert f"{name} is X-Ssl-" in told(report)


@pytest.mark.parametrize(
    ("number", "properties", "said"),
    [
        ("S26", {f"{SECURITY}basicRealm": "Acme"}, ""),
        ("S52", {f"{DDI}rp.controllerIdHeader": "X-Device"}, f"{DDI}rp.controllerIdHeader is X-Controller-Id"),
        ("S53", {f"{DDI}rp.authorityHeader": "X-Issuer"}, f"{DDI}rp.authorityHeader is X-Authority"),
        ("S53", {f"{DDI}rp.authoritiesSeparatorRegex": "#"}, f"{DDI}rp.authoritiesSeparatorRegex is [;,]"),
        ("S58", {f"{SECURITY}clients.remoteIpHeader": "X"}, f"{SECURITY}clients.remoteIpHeader is X-Forwarded-For"),
        ("S40", {f"{DDI}rp.trustedIPs": "192.0.2.1"}, f"{DDI}rp.trustedIPs is empty or has the address"),
        ("S81", {f"{DOS}maxAttributeEntriesPerTarget": "3"}, f"{DOS}maxAttributeEntriesPerTarget is at its default"),
        ("S136", {f"{SECURITY}allowedHostNames": "127.0.0.1"}, f"{SECURITY}allowedHostNames is empty"),
    ],
)
def test_what_a_row_says(
    number: str, properties: Mapping[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RowClient, "until", lambda self, within_s, check: check())
    with reference(properties=properties) as server:
        report = judged(server, BY_NUMBER[number])
    assert (report.verdict is Verdict.PASSED) is not bool(said)
    assert said in told(report)


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({f"{SECURITY}clients.blacklist": "127\\..*"}, "clients.blacklist match the address that we come from"),
        (
            {f"{SECURITY}allowedHostNames": "hawkbit.test"},
            "is this host one of hawkbit.server.security.allowedHostNames",
        ),
    ],
)
def test_a_server_that_refuses_all_of_us_is_said_before_any_row(properties: Mapping[str, str], said: str) -> None:
    with reference(properties=properties) as server, pytest.raises(BrokenBench, match=said):
        check_that_it_is_hawkbit(server)


def test_accounts_that_rows_use_are_let_in() -> None:
    with reference() as server:
        check_accounts(server, RIGHTS)
