"""Two runs on one tenant would restore each other's settings: the second one is told so and does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.platforms.hawkbit.conformance import tenant_lock as alone_module
from fleetrig.harness.platforms.hawkbit.conformance.row_client import open_client
from fleetrig.harness.platforms.hawkbit.conformance.suite import ROWS
from fleetrig.harness.platforms.hawkbit.conformance.tenant_lock import TAG, tenant_lock
from fleetrig.harness.platforms.hawkbit.conformance.under_test import TenantUnderTest
from fleetrig.harness.report.exits import Exit
from fleetrig.simulator.contract.errors import BrokenBench
from tests.harness.conformance.raw_server import always, answer, raw_server
from tests.harness.platforms.hawkbit.conformance.in_process import reference
from tests.harness.platforms.hawkbit.conformance.server_contents import everything

ROW = ROWS[0]


@pytest.fixture
def server() -> Iterator[TenantUnderTest]:
    with reference() as one:
        yield one


def test_a_second_run_is_kept_out_and_changes_nothing(
    server: TenantUnderTest, capsys: pytest.CaptureFixture[str]
) -> None:
    with tenant_lock(server) as use, use(ROW):
        before = everything(server)
        assert main(["conform", "hawkbit", "S01", "--against", server.http.url]) == Exit.BROKEN
        assert everything(server) == before
    said = capsys.readouterr().err
    assert said.startswith("another run judges this tenant since ")
    assert f"target tag {TAG}" in said


def test_who_has_run_leaves_room_for_the_next(server: TenantUnderTest) -> None:
    before = everything(server)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), tenant_lock(server):
            raise KeyboardInterrupt
    assert everything(server) == before


def test_a_run_that_was_killed_is_not_waited_for_for_ever(
    server: TenantUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(server)
    killed = tenant_lock(server)
    killed.__enter__()
    monkeypatch.setattr(alone_module, "DEAD_AFTER_S", -5)
    with tenant_lock(replace(server, prefix="next")) as use, use(ROW) as session:
        [tag] = session.mgmt("GET", f"/targettags?q=name=={TAG}").json()["content"]
        assert tag["description"] == f"next {ROW.number}"
    assert everything(server) == before


def test_a_run_whose_tag_was_taken_away_stops(server: TenantUnderTest) -> None:
    with tenant_lock(server) as use:
        with open_client(server, ROW) as session:
            [tag] = session.mgmt("GET", f"/targettags?q=name=={TAG}").json()["content"]
            session.mgmt("DELETE", f"/targettags/{tag['id']}")
        with pytest.raises(BrokenBench, match="somebody removed the target tag"), use(ROW):
            pass


def test_a_server_without_tags_is_judged_all_the_same(server: TenantUnderTest) -> None:
    with raw_server(always(answer(404))) as url:
        other = replace(server, http=type(server.http)(url))
        with tenant_lock(other) as use, use(ROW):
            pass
        other.http.close()
