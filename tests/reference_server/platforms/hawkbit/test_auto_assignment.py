"""What filters assign by themselves (§1.5, S137)."""

from __future__ import annotations

import pytest

from tests.reference_server.platforms.hawkbit.deployment_bench import CLOSED, Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def auto_assign(bench: Bench, set_id: int, query: str = "controllerId==dev*", name: str = "f", **more) -> int:
    made = bench.mgmt("POST", "/targetfilters", {"name": name, "query": query})
    assert made.status == 201, made.body
    answer = bench.mgmt("POST", f"/targetfilters/{made.body['id']}/autoAssignDS", {"id": set_id, **more})
    assert answer.status == 200, answer.body
    filter_id: int = made.body["id"]
    return filter_id


def test_a_device_that_registers_gets_its_set_within_two_seconds(bench):  # S137
    auto_assign(bench, bench.release())
    bench.wait(10)
    assert set(bench.links("dev7")) == {"configData"}
    bench.wait(2)
    assert "deploymentBase" in bench.links("dev7")
    assert set(bench.links("else")) == {"configData"}
    bench.wait(2)
    assert set(bench.links("else")) == {"configData"}


def test_targets_that_are_there_already(bench):
    bench.target()
    auto_assign(bench, bench.release(), type="soft", weight=7)
    bench.wait(2)
    action = bench.mgmt("GET", "/targets/dev/actions").body["content"][0]
    assert (action["forceType"], action["weight"], action["createdBy"]) == ("soft", 7, "admin")
    assert bench.history(action["id"])[0][1] == ["Auto assignment: f"]


def test_whoever_had_the_set_once_does_not_get_it_again(bench):
    bench.target()
    set_id = bench.release()
    auto_assign(bench, set_id)
    bench.wait(2)
    action_id = bench.mgmt("GET", "/targets/dev/actions").body["content"][0]["id"]
    bench.report(action_id, CLOSED)
    bench.assign(bench.release("newer"))
    bench.wait(60)
    assert bench.mgmt("GET", "/targets/dev/actions").body["total"] == 2


def test_attributes_decide(bench):
    bench.target()
    auto_assign(bench, bench.release(), "attribute.hw==2")
    bench.wait(10)
    assert bench.state() == "unknown"
    bench.device("PUT", "/configData", {"data": {"hw": "2"}})
    bench.wait(2)
    assert bench.state() == "pending"


def test_one_filter_can_wake_another(bench):
    bench.target()
    auto_assign(bench, bench.release("first"), "updatestatus==unknown", "a")
    auto_assign(bench, bench.release("second"), "assignedds.name==first", "b", weight=1)
    bench.wait(10)
    assert bench.mgmt("GET", "/targets/dev/actions").body["total"] == 2


def test_time_can_decide(bench):
    bench.target()
    bench.device("GET", "")
    auto_assign(bench, bench.release(), "lastcontrollerrequestat=lt=${overdue_ts}")
    bench.wait(590)
    assert bench.state() == "registered"
    bench.wait(15)
    assert bench.state() == "pending"


def test_nothing_falls_due_while_nothing_changes(bench):
    bench.target()
    auto_assign(bench, bench.release())
    bench.wait(10)
    assert bench.server.next_due_us() is None
    bench.device("GET", "")
    bench.wait(10)
    bench.device("GET", "")
    assert bench.server.next_due_us() is None


def test_nothing_is_remembered_while_there_is_no_filter(bench):
    for n in range(5):
        bench.device("GET", "", device=f"dev{n}")
    assert bench.platform.repo.written_targets == {}
    assert bench.server.next_due_us() is None


def test_switched_off(bench):
    filter_id = auto_assign(bench, bench.release())
    path = f"/targetfilters/{filter_id}/autoAssignDS"
    assert bench.mgmt("GET", path).body["name"] == "release"
    assert bench.mgmt("DELETE", path).status == 204
    assert bench.mgmt("GET", path).status == 204
    bench.target()
    bench.wait(10)
    assert bench.state() == "unknown"


def test_a_deleted_set_is_assigned_to_nobody(bench):
    set_id = bench.release()
    filter_id = auto_assign(bench, set_id)
    bench.mgmt("DELETE", f"/distributionsets/{set_id}")
    bench.target()
    bench.wait(10)
    assert bench.state() == "unknown"
    assert bench.mgmt("GET", f"/targetfilters/{filter_id}").body["autoAssignDistributionSet"] is None


def test_an_incomplete_set_cannot_be_auto_assigned(bench):
    made = bench.mgmt("POST", "/targetfilters", {"name": "f", "query": "name==*"})
    answer = bench.mgmt("POST", f"/targetfilters/{made.body['id']}/autoAssignDS", {"id": bench.set_of()})
    assert (answer.status, answer.body["errorCode"]) == (400, "hawkbit.server.error.distributionset.incomplete")


def test_confirmation_counts_for_automatic_assignments_too(bench):
    bench.configure({"user.confirmation.flow.enabled": True})
    bench.target()
    auto_assign(bench, bench.release())
    bench.wait(2)
    assert "confirmationBase" in bench.links()


def test_a_server_that_starts_again_looks_at_everything(bench):
    auto_assign(bench, bench.release())
    bench.wait(10)
    bench.device("GET", "", device="dev9")
    repo = bench.platform.repo
    platform = type(bench.platform)(repo.store, repo.blobs, repo.entropy, repo.settings)
    assert platform.next_due_us() == 0
    with repo.store.transaction():
        platform.advance(bench.now_us)
    assert "deploymentBase" in bench.links("dev9")
