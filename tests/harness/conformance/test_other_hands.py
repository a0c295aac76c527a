"""A filter of somebody else that assigns to all targets: no row is judged by what it did to ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fleetrig.harness.conformance.expect import Mismatch, Missing, expect
from fleetrig.harness.platforms.hawkbit.conformance.session import Server
from fleetrig.harness.platforms.hawkbit.conformance.suite import ROWS
from tests.harness.conformance.in_process import reference

ROW = ROWS[0]


@pytest.fixture
def server() -> Iterator[Server]:
    with reference() as one:
        yield one


def differs(server: Server) -> None:
    with server.use(ROW) as session:
        session.target()
        expect("something", 1, 2)


def add_filter(server: Server, query: str, *, assigns: bool = True) -> None:
    other = Server(server.client, server.admin, prefix="somebody")
    session = other.use(ROW).__enter__()
    update = session.update()
    made = session.mgmt("POST", "/targetfilters", {"name": "theirs", "query": query}).json()
    if assigns:
        session.mgmt("POST", f"/targetfilters/{made['id']}/autoAssignDS", {"id": update.set_id})


@pytest.mark.parametrize("query", ["controllerId==*", "name==*,name==x"])
def test_a_difference_is_nobodys_where_somebody_else_assigns(server: Server, query: str) -> None:
    add_filter(server, query)
    with pytest.raises(Missing, match=r"its filter 'theirs' assigns a set to them too .*something: 1; got 2"):
        differs(server)


@pytest.mark.parametrize(("query", "assigns"), [("controllerId==*", False), ("controllerId==somebody*", True)])
def test_a_difference_is_the_servers_otherwise(server: Server, query: str, assigns: bool) -> None:
    add_filter(server, query, assigns=assigns)
    with pytest.raises(Mismatch):
        differs(server)
