"""A filter of somebody else that assigns to all targets: no row is judged by what it did to ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fleetrig.harness.conformance.expect import Mismatch, MissingCapability, expect
from fleetrig.harness.platforms.hawkbit.conformance.row_client import open_client
from fleetrig.harness.platforms.hawkbit.conformance.suite import ROWS
from fleetrig.harness.platforms.hawkbit.conformance.under_test import TenantUnderTest
from tests.harness.platforms.hawkbit.conformance.in_process import reference

ROW = ROWS[0]


@pytest.fixture
def server() -> Iterator[TenantUnderTest]:
    with reference() as one:
        yield one


def differs(server: TenantUnderTest) -> None:
    with open_client(server, ROW) as session:
        session.target()
        expect("something", 1, 2)


def add_filter(server: TenantUnderTest, query: str, *, assigns: bool = True) -> None:
    other = TenantUnderTest(server.http, server.admin, prefix="somebody")
    session = open_client(other, ROW).__enter__()
    update = session.update()
    made = session.mgmt("POST", "/targetfilters", {"name": "theirs", "query": query}).json()
    if assigns:
        session.mgmt("POST", f"/targetfilters/{made['id']}/autoAssignDS", {"id": update.set_id})


@pytest.mark.parametrize("query", ["controllerId==*", "name==*,name==x"])
def test_a_difference_is_nobodys_where_somebody_else_assigns(server: TenantUnderTest, query: str) -> None:
    add_filter(server, query)
    with pytest.raises(MissingCapability, match=r"its filter 'theirs' assigns a set to them too .*something: 1; got 2"):
        differs(server)


@pytest.mark.parametrize(("query", "assigns"), [("controllerId==*", False), ("controllerId==somebody*", True)])
def test_a_difference_is_the_servers_otherwise(server: TenantUnderTest, query: str, assigns: bool) -> None:
    add_filter(server, query, assigns=assigns)
    with pytest.raises(Mismatch):
        differs(server)
