"""The whole hawkBit suite: every row of the contract, green in every profile, and nothing left behind."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.row import Row
from fleetrig.harness.platforms.hawkbit.conformance.api_client import basic
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.suite import PROFILES, ROWS, own_hawkbit
from fleetrig.harness.platforms.hawkbit.conformance.under_test import TenantUnderTest
from fleetrig.harness.verdict import Verdict
from tests.harness.platforms.hawkbit.conformance.row_reports import judged, needs_speed, told

NUMBERS = [
    *(f"S{number:02}" for number in range(1, 32)),
    *(f"S{number}" for number in range(40, 62)),
    *(f"S{number}" for number in range(70, 87)),
    *(f"S{number}" for number in range(90, 192)),
]
"""Gaps are numbers that were never given (docs/contracts/hawkbit.md)."""

ENTITIES = (
    "rollouts",
    "softwaremoduletypes",
    "distributionsettypes",
    "targets",
    "targettypes",
    "targettags",
    "distributionsettags",
    "targetfilters",
    "distributionsets",
    "softwaremodules",
)
LIMIT = "?limit=500"


@pytest.fixture(params=PROFILES)
def reference(request: pytest.FixtureRequest) -> Iterator[tuple[TenantUnderTest, frozenset[str]]]:
    with own_hawkbit(request.param) as own:
        yield own


def run(rows: Sequence[Row[RowClient]], server: TenantUnderTest, can: frozenset[str]) -> list[str]:
    """What did not pass, in words."""
    reports = [judged(server, row, can) for row in rows]
    return [told(report) for report in reports if report.verdict is not Verdict.PASSED and not needs_speed(report)]


def state(client: ExactClient, server: TenantUnderTest) -> dict[str, object]:
    """What a tenant has and how it is set up."""
    headers = {"Authorization": basic(server.admin)}
    found: dict[str, object] = {
        kind: sorted(str(one["id" if "id" in one else "controllerId"]) for one in page["content"])
        for kind in ENTITIES
        for page in [client.call("GET", f"/rest/v1/{kind}{LIMIT}", headers).json()]
    }
    configs = client.call("GET", "/rest/v1/system/configs", headers).json()
    return found | {"configuration": {key: entry["value"] for key, entry in configs.items()}}


def test_the_suite_has_exactly_the_rows_of_the_contract() -> None:
    assert [row.number for row in ROWS] == NUMBERS
    assert len(NUMBERS) == 172
    assert len({row.path for row in ROWS}) == len(ROWS)


@pytest.mark.slow
def test_every_row_passes_in_every_profile_and_leaves_nothing(
    reference: tuple[TenantUnderTest, frozenset[str]],
) -> None:
    server, can = reference
    before = state(server.http, server)
    assert run(ROWS, server, can) == []
    assert state(server.http, server) == before


@pytest.mark.slow
def test_rows_pass_in_any_order_on_a_server_that_has_been_used() -> None:
    """Two orders, among a stranger's targets and with settings of the tenant's own."""
    with own_hawkbit("1.1") as (server, can):
        headers = {"Authorization": basic(server.admin), "Content-Type": "application/json"}
        strangers = b"[" + b",".join(b'{"controllerId":"stranger-%d"}' % number for number in range(300)) + b"]"
        assert server.http.call("POST", "/rest/v1/targets", headers, strangers).status == 201
        settings = b"""{"pollingTime": "00:02:00", "user.confirmation.flow.enabled": true,
            "repository.actions.autoclose.enabled": true, "implicit.lock.enabled": false,
            "maintenanceWindowPollCount": 7, "authentication.gatewaytoken.enabled": true,
            "authentication.gatewaytoken.key": "the-fleet-uses-it"}"""
        assert server.http.call("PUT", "/rest/v1/system/configs", headers, settings).status == 204
        before = state(server.http, server)
        for seed, every in ((1, 1), (2, 3)):
            rows = list(ROWS[::every])
            random.Random(seed).shuffle(rows)
            assert run(rows, server, can) == []
        assert state(server.http, server) == before
