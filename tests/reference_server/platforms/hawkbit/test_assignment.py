"""Assignment: what it answers, what it does to older actions, and what it refuses (§1.4, §4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.settings import Quotas, Settings
from tests.reference_server.platforms.hawkbit.deployment_bench import CLOSED, Bench, said


@pytest.fixture
def bench() -> Bench:
    return Bench()


def assigned(bench: Bench, set_id: int, body, query: str = ""):
    return bench.mgmt("POST", f"/distributionsets/{set_id}/assignedTargets{query}", body)


def test_unknown_targets_are_dropped_silently(bench):  # S92
    bench.target()
    set_id = bench.release()
    answer = assigned(bench, set_id, [{"id": "nobody"}])
    assert (answer.status, answer.body["assigned"], answer.body["total"]) == (200, 0, 0)
    mixed = assigned(bench, set_id, [{"id": "nobody"}, {"id": "dev"}])
    assert (mixed.body["assigned"], mixed.body["alreadyAssigned"], mixed.body["total"]) == (1, 0, 1)


def test_nothing_is_locked_when_nobody_is_there(bench):
    set_id = bench.release()
    assigned(bench, set_id, [{"id": "nobody"}])
    assert bench.mgmt("GET", f"/distributionsets/{set_id}").body["locked"] is False


def test_the_newer_action_waits_behind_the_cancel(bench):  # S110
    first = bench.deployed()
    second = bench.assign(bench.release("newer"))
    assert bench.links() == {"cancelAction": f"cancelAction/{first}", "configData": "configData"}
    assert bench.history(first)[0] == ("canceling", ["Update Server: cancel obsolete action due to new update"])
    assert bench.report(first, CLOSED, "cancelAction").status == 200
    assert bench.links()["deploymentBase"].startswith(f"deploymentBase/{second}?c=")
    assert bench.state() == "pending"


def test_a_canceled_action_hands_over_to_the_next_set(bench):
    first = bench.deployed()
    newer = bench.release("newer")
    bench.assign(newer)
    bench.report(first, CLOSED, "cancelAction")
    assert bench.set_id_of("assignedDS") == newer


def test_autoclose_ends_older_actions_at_once(bench):
    bench.configure({"repository.actions.autoclose.enabled": True})
    first = bench.deployed()
    second = bench.assign(bench.release("newer"))
    assert (bench.action(first)["status"], bench.action(first)["active"]) == ("canceled", False)
    assert bench.history(first)[0] == ("canceled", ["Update Server: close obsolete action due to new update"])
    assert "deploymentBase" in bench.links()
    assert bench.links()["deploymentBase"].startswith(f"deploymentBase/{second}?")


def test_a_required_migration_step_is_not_given_up(bench):
    bench.target()
    first = bench.assign(bench.release(requiredMigrationStep=True))
    bench.assign(bench.release("newer"))
    assert bench.action(first)["status"] == "running"
    assert bench.links()["deploymentBase"].startswith(f"deploymentBase/{first}?")


def test_the_heavier_action_comes_first(bench):  # §2.1
    bench.target()
    bench.assign(bench.release(requiredMigrationStep=True), weight=10)
    heavy = bench.assign(bench.release("newer"), weight=500)
    assert bench.links()["deploymentBase"].startswith(f"deploymentBase/{heavy}?")


@pytest.mark.parametrize("weight", [-1, 1001])
def test_a_weight_out_of_range_is_refused(bench, weight):
    bench.target()
    assert assigned(bench, bench.release(), [{"id": "dev", "weight": weight}]).status == 400


def test_an_unknown_type_is_refused(bench):
    bench.target()
    answer = assigned(bench, bench.release(), [{"id": "dev", "type": "FORCED"}])
    assert (answer.status, answer.body["errorCode"]) == (400, "hawkbit.server.error.rest.body.notReadable")


def test_the_same_set_twice_for_one_target_counts_once(bench):
    bench.target()
    set_id = bench.release()
    answer = bench.mgmt("POST", "/targets/dev/assignedDS", [{"id": set_id}, {"id": set_id}])
    assert (answer.status, answer.body["assigned"]) == (200, 1)


def test_offline(bench):  # S131
    bench.target()
    set_id = bench.release()
    answer = assigned(bench, set_id, [{"id": "dev"}], "?offline=true")
    action_id = answer.body["assignedActions"][0]["id"]
    target = bench.mgmt("GET", "/targets/dev").body
    assert (target["updateStatus"], target["installedAt"]) == ("in_sync", bench.now_us // 1000)
    assert (bench.set_id_of("assignedDS"), bench.set_id_of("installedDS")) == (set_id, set_id)
    assert (bench.action(action_id)["status"], bench.action(action_id)["active"]) == ("finished", False)
    assert bench.links()["installedBase"] == f"installedBase/{action_id}"
    assert bench.history(action_id) == [
        (
            "finished",
            ["Assignment initiated by user 'admin'", "Update Server: Action reported as offline deployment"],
        )
    ]


def test_offline_leaves_pending_targets_alone(bench):
    action_id = bench.deployed()
    answer = assigned(bench, bench.release("newer"), [{"id": "dev"}], "?offline=true")
    assert (answer.body["assigned"], answer.body["alreadyAssigned"]) == (0, 1)
    assert bench.links()["deploymentBase"].startswith(f"deploymentBase/{action_id}?")


def test_an_incompatible_target_type_is_refused(bench):
    types = bench.mgmt("GET", "/distributionsettypes?q=key==app").body["content"]
    made = bench.mgmt(
        "POST", "/targettypes", [{"name": "apps only", "compatibledistributionsettypes": [{"id": types[0]["id"]}]}]
    )
    bench.target()
    bench.mgmt("POST", "/targets/dev/targettype", {"id": made.body[0]["id"]})
    answer = assigned(bench, bench.release(), [{"id": "dev"}])
    assert (answer.status, answer.body["errorCode"]) == (400, "hawkbit.server.error.target.type.incompatible")
    assert answer.body["message"] == (
        "Targets of types [apps only] are not compatible with distribution set of type OS only"
    )
    assert bench.state() == "unknown"


def quotas(**changes) -> Bench:
    return Bench(Settings(quotas=replace(Quotas(), **changes)))


def test_too_many_actions_of_a_target():
    bench = quotas(actions_per_target=2)
    bench.target()
    for name in ("a", "b"):
        bench.report(bench.assign(bench.release(name)), CLOSED)
    answer = assigned(bench, bench.release("c"), [{"id": "dev"}])
    assert (answer.status, answer.body["errorCode"]) == (429, "hawkbit.server.error.quota.tooManyEntries")
    assert answer.body["message"] == (
        "Quota exceeded: Cannot assign 1 more Action entities to Target 'dev'. The maximum is 2."
    )


def test_the_oldest_actions_make_room_if_the_tenant_wants_it():
    bench = quotas(actions_per_target=2)
    bench.configure({"action.cleanup.onQuotaHit.percent": 50})
    bench.target()
    first = bench.assign(bench.release("a"))
    bench.report(first, CLOSED)
    bench.report(bench.assign(bench.release("b")), CLOSED)
    bench.assign(bench.release("c"))
    assert bench.mgmt("GET", f"/targets/dev/actions/{first}").status == 404
    assert bench.mgmt("GET", "/targets/dev/actions").body["total"] == 2


def test_too_many_assignments_at_once():
    bench = quotas(assignments_per_request=2)
    answer = assigned(bench, bench.release(), [{"id": f"dev{n}"} for n in range(3)])
    assert (answer.status, answer.body["message"]) == (
        429,
        "Quota exceeded: Cannot assign 3 entities at once. The maximum is 2.",
    )


def test_assigning_locks_unless_switched_off(bench):
    bench.configure({"implicit.lock.enabled": False})
    bench.target()
    set_id = bench.release()
    bench.assign(set_id)
    assert bench.mgmt("GET", f"/distributionsets/{set_id}").body["locked"] is False


def test_a_deleted_set_cannot_be_assigned(bench):
    bench.target()
    set_id = bench.release()
    bench.report(bench.assign(set_id), CLOSED)
    assert bench.mgmt("DELETE", f"/distributionsets/{set_id}").status == 204
    answer = assigned(bench, set_id, [{"id": "dev"}])
    assert (answer.status, answer.body["errorCode"]) == (404, "hawkbit.server.error.deleted")


def test_an_assignment_moves_who_last_modified_the_target_and_a_device_does_not(bench):  # §4
    bench.target()
    set_id = bench.release()
    bench.wait(5)
    assigned_at_ms = bench.now_us // 1000
    action_id = bench.assign(set_id)
    bench.wait(5)
    bench.device("GET", f"/deploymentBase/{action_id}")
    bench.report(action_id, said("proceeding"))
    bench.report(action_id, CLOSED)
    target = bench.mgmt("GET", "/targets/dev").body
    assert (target["lastModifiedAt"], target["lastModifiedBy"]) == (assigned_at_ms, "admin")
    assert bench.action(action_id)["lastModifiedBy"] == "admin"


def test_a_deleted_target_takes_its_actions_along(bench):
    action_id = bench.deployed()
    assert bench.mgmt("DELETE", "/targets/dev").status == 204
    bench.target()
    assert bench.mgmt("GET", "/targets/dev/actions").body["total"] == 0
    assert bench.device("GET", f"/deploymentBase/{action_id}").status == 404
    assert bench.links() == {"configData": "configData"}


@pytest.mark.parametrize("body", [{}, {"id": "x"}, {"id": 1, "type": "foo"}, {"id": 1, "weight": "x"}, [{"id": 1}, {}]])
def test_a_body_that_cannot_be_read_is_told_before_the_target_is_looked_for(bench, body):
    answer = bench.mgmt("POST", "/targets/gone/assignedDS", body)
    assert (answer.status, answer.body["errorCode"]) == (400, "hawkbit.server.error.rest.body.notReadable")


def test_a_type_of_assignment_that_is_none_is_told_before_the_filter_is_looked_for(bench):
    answer = bench.mgmt("POST", "/targetfilters/99999/autoAssignDS", {"id": 1, "type": "foo"})
    assert answer.status == 400


def test_a_filter_is_looked_for_before_a_missing_set_breaks(bench):
    assert bench.mgmt("POST", "/targetfilters/99999/autoAssignDS", {"type": 0}).status == 404
