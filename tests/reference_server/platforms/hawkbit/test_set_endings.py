"""Sets that nobody gets any longer, what became of a set in numbers, and searching for complete ones (§1.4)."""

from __future__ import annotations

import pytest

from tests.reference_server.platforms.hawkbit.deployment_bench import CLOSED, Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def states(bench: Bench, controller_id: str = "dev") -> list[str]:
    return [action["status"] for action in bench.mgmt("GET", f"/targets/{controller_id}/actions").body["content"]]


@pytest.mark.parametrize(
    ("word", "state"), [("none", "running"), ("soft", "canceling"), ("force", "canceled"), (1, "canceled")]
)
def test_invalidation_ends_running_actions_as_asked(bench, word, state):
    bench.target()
    set_id = bench.release()
    bench.assign(set_id)
    path = f"/distributionsets/{set_id}"
    assert bench.mgmt("POST", f"{path}/invalidate", {"actionCancelationType": word}).status == 204
    assert (bench.mgmt("GET", path).body["valid"], states(bench)) == (False, [state])
    assert bench.mgmt("GET", "/distributionsets?q=valid==false").body["total"] == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "", {"description": "x"}),
        ("POST", "/assignedSM", [{"id": 1}]),
        ("POST", "/metadata", [{"key": "a", "value": "b"}]),
        ("POST", "/assignedTargets", [{"id": "dev"}]),
        ("POST", "/assignedTargets?offline=true", [{"id": "dev"}]),
    ],
)
def test_an_invalid_set_is_not_changed_and_not_assigned(bench, method, path, body):
    bench.target()
    set_path = f"/distributionsets/{bench.release()}"
    bench.mgmt("POST", f"{set_path}/invalidate", {"actionCancelationType": "none"})
    answer = bench.mgmt(method, set_path + path, body)
    assert (answer.status, answer.body["errorCode"]) == (400, "hawkbit.server.error.distributionset.invalid")


@pytest.mark.parametrize("body", [{}, {"actionCancelationType": None}, {"actionCancelationType": "SOFT"}, [], 3])
def test_invalidation_needs_a_word(bench, body):
    answer = bench.mgmt("POST", f"/distributionsets/{bench.release()}/invalidate", body)
    assert (answer.status, answer.body["errorCode"]) == (400, "hawkbit.server.error.rest.body.notReadable")


def test_an_incomplete_set_cannot_be_invalidated(bench):
    answer = bench.mgmt("POST", f"/distributionsets/{bench.set_of()}/invalidate", {"actionCancelationType": "none"})
    assert answer.body["errorCode"] == "hawkbit.server.error.distributionset.incomplete"


def test_statistics_count_by_status(bench):
    bench.target()
    bench.target("other")
    set_id = bench.release()
    path = f"/distributionsets/{set_id}/statistics"
    nothing = {"actions": {"total": 0}, "rollouts": {"total": 0}, "totalAutoAssignments": 0}
    assert bench.mgmt("GET", path).body == nothing
    assert [bench.mgmt("GET", f"{path}/{part}").body for part in ("actions", "rollouts", "autoassignments")] == [{}] * 3
    bench.report(bench.assign(set_id), CLOSED)
    bench.assign(set_id, "other")
    counted = {"FINISHED": 1, "RUNNING": 1, "total": 2}
    assert bench.mgmt("GET", path).body == {**nothing, "actions": counted}
    assert bench.mgmt("GET", f"{path}/actions").body == {"actions": counted}
    assert bench.mgmt("GET", "/distributionsets/99/statistics").status == 404


def test_filters_that_assign_a_set(bench):
    set_id = bench.release()
    one = bench.mgmt("POST", "/targetfilters", {"name": "f", "query": "name==nobody"}).body["id"]
    path = f"/distributionsets/{set_id}"
    assert bench.mgmt("GET", f"{path}/autoAssignTargetFilters").body["total"] == 0
    bench.mgmt("POST", f"/targetfilters/{one}/autoAssignDS", {"id": set_id})
    found = bench.mgmt("GET", f"{path}/autoAssignTargetFilters").body["content"]
    assert [(each["id"], each["autoAssignDistributionSet"]) for each in found] == [(one, set_id)]
    assert bench.mgmt("GET", f"{path}/statistics/autoassignments").body == {"totalAutoAssignments": 1}
    bench.mgmt("POST", f"{path}/invalidate", {"actionCancelationType": "none"})
    assert bench.mgmt("GET", f"{path}/autoAssignTargetFilters").body["total"] == 0


@pytest.mark.parametrize(
    ("query", "names", "total"),
    [
        ("complete==true", ["full"], 1),
        ("complete==false;name==*", ["empty"], 1),
        ("complete!=true", ["empty"], 1),
        ("complete==nonsense", ["empty"], 1),
        ("complete==true;name==empty", [], 1),
    ],
)
def test_complete_sets_are_picked_from_the_page(bench, query, names, total):
    bench.set_of(name="empty")
    bench.release("full")
    body = bench.mgmt("GET", f"/distributionsets?q={query}").body
    assert ([record["name"] for record in body["content"]], body["total"]) == (names, total)


@pytest.mark.parametrize("query", ["name==x,complete==true", "complete=in=(true)", "complete==true;complete==true"])
def test_complete_is_asked_for_once_and_joined_with_and(bench, query):
    assert bench.mgmt("GET", f"/distributionsets?q={query}").status == 400


@pytest.mark.parametrize(
    ("weight", "sentence"), [(-1, "greater than or equal to 0"), (1001, "less than or equal to 1000")]
)
def test_a_weight_out_of_range_is_named(bench, weight, sentence):
    bench.target()
    bodies = [{"id": "nobody"}, {"id": "dev", "weight": weight}]
    answer = bench.mgmt("POST", f"/distributionsets/{bench.release()}/assignedTargets", bodies)
    path = "assignDistributionSets.deploymentRequests[1].targetWithActionType.weight"
    assert (answer.status, answer.body["message"]) == (400, f"{path} must be {sentence}.")


def test_assigning_to_nobody(bench):
    set_id = bench.release()
    answer = bench.mgmt("POST", f"/distributionsets/{set_id}/assignedTargets", [])
    assert answer.body["message"] == "assignDistributionSets.deploymentRequests must not be empty."
    assert bench.mgmt("POST", f"/distributionsets/{set_id}/assignedTargets?offline=true", []).status == 200
