"""What filters assign by themselves (§1.5, S137)."""

from __future__ import annotations

import pytest

from tests.reference_server.platforms.hawkbit.deployment_bench import CLOSED, Bench
from tests.reference_server.stores.failing import fail_after


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


def test_what_a_failed_store_has_undone_is_done_again(bench):
    bench.target()
    auto_assign(bench, bench.release())
    platform, store = bench.platform, bench.store
    bench.now_us = platform.next_due_us()
    fail_after(store, lambda: platform.advance(bench.now_us))
    assert bench.mgmt("GET", "/targets/dev/actions").body["total"] == 0
    bench.wait(4)
    assert bench.mgmt("GET", "/targets/dev/actions").body["total"] == 1


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


def created(bench: Bench, **more) -> int:
    body = {"name": "a", "targetFilterQuery": "id==dev*", **more}
    body.setdefault("distributionSetId", bench.release(body["name"]))
    answer = bench.mgmt("POST", "/autoassignments", body)
    assert answer.status == 201, answer.body
    assignment_id: int = answer.body["id"]
    return assignment_id


def moved(bench: Bench, assignment_id: int, what: str) -> int:
    return bench.mgmt("POST", f"/autoassignments/{assignment_id}/{what}").status


def state_of(bench: Bench, assignment_id: int) -> tuple[str, set[str]]:
    """Status, and the moves that its links offer."""
    body = bench.mgmt("GET", f"/autoassignments/{assignment_id}").body
    return body["status"], set(body["_links"]) - {"self", "distributionset"}


def test_an_assignment_of_its_own_runs_pauses_and_resumes(bench):
    bench.target()
    assignment_id = created(bench)
    assert state_of(bench, assignment_id) == ("ready", {"start"})
    bench.wait(2)
    assert state_of(bench, assignment_id) == ("running", {"pause"})
    assert bench.state() == "pending"
    assert moved(bench, assignment_id, "pause") == 204
    bench.target("dev2")
    bench.wait(10)
    assert (state_of(bench, assignment_id), bench.state("dev2")) == (("paused", {"resume"}), "unknown")
    assert moved(bench, assignment_id, "start") == 409
    assert moved(bench, assignment_id, "resume") == 204
    bench.wait(2)
    assert bench.state("dev2") == "pending"


def test_it_waits_for_its_time(bench):
    bench.target()
    created(bench, startAt=bench.now_us // 1000 + 60_000)
    bench.wait(58)
    assert bench.state() == "unknown"
    bench.wait(6)
    assert bench.state() == "pending"


def test_approval_comes_first_where_the_tenant_wants_it(bench):
    bench.configure({"auto.assignment.approval.enabled": True})
    bench.target()
    assignment_id, denied = created(bench), created(bench, name="b")
    bench.wait(10)
    assert state_of(bench, assignment_id) == ("waiting_for_approval", {"approve", "deny"})
    assert bench.mgmt("POST", f"/autoassignments/{denied}/deny?remark={'x' * 256}").status == 400
    assert moved(bench, denied, "deny") == 204
    assert state_of(bench, denied) == ("approval_denied", set())
    assert moved(bench, assignment_id, "approve") == 204
    bench.wait(2)
    assert bench.state() == "pending"


def test_a_filter_and_an_assignment_are_one_by_name_and_query(bench):
    set_id = bench.release()
    filter_id = auto_assign(bench, set_id)
    listed = bench.mgmt("GET", "/autoassignments").body["content"]
    assert [(one["name"], one["targetFilterQuery"]) for one in listed] == [("f", "controllerId==dev*")]
    bench.mgmt("PUT", f"/targetfilters/{filter_id}", {"name": "renamed"})
    assert bench.mgmt("GET", "/autoassignments").body["content"][0]["name"] == "renamed"
    bench.mgmt("PUT", f"/targetfilters/{filter_id}", {"query": "id==x"})
    changed = bench.mgmt("GET", "/autoassignments").body["content"][0]
    assert (changed["targetFilterQuery"], changed["id"] != listed[0]["id"]) == ("id==x", True)
    bench.mgmt("DELETE", f"/targetfilters/{filter_id}")
    assert bench.mgmt("GET", "/autoassignments").body["total"] == 0


REFUSED = [
    ({"name": None}, 400, "name must not be null."),
    ({"name": " "}, 400, "name size must be between 1 and 128."),
    ({"targetFilterQuery": ""}, 400, "create.create.targetFilterQuery must not be empty."),
    ({"actionType": "timeforced"}, 400, "The given action type for auto-assignment is invalid"),
    ({"weight": -1}, 400, "create.create.weight must be greater than or equal to 0."),
    ({"distributionSetId": 99}, 404, "DistributionSet with given identifier {99} does not exist."),
]


@pytest.mark.parametrize(("change", "status", "message"), REFUSED)
def test_what_an_assignment_cannot_be(bench, change, status, message):
    body = {"name": "a", "targetFilterQuery": "id==dev*", "distributionSetId": bench.release(), **change}
    answer = bench.mgmt("POST", "/autoassignments", body)
    assert (answer.status, answer.body["message"][: len(message)]) == (status, message)


def test_the_total_of_filters_is_that_of_all(bench):
    auto_assign(bench, bench.release())
    listed = bench.mgmt("GET", "/targetfilters?q=name==nobody").body
    assert (listed["content"], listed["size"], listed["total"]) == ([], 0, 1)
