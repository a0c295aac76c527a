"""`/rest/v1/actions`: the actions of all targets, found, shown and deleted; and what an assignment refuses (§1.3)."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.settings import Account, Settings
from tests.reference_server.platforms.hawkbit.deployment_bench import CLOSED, Bench

NOT_ALLOWED = "are not in allowed statuses for deletion: [FINISHED, ERROR, CANCELED]"
REQUESTS = "assignDistributionSets.deploymentRequests"


READER = "Basic " + base64.b64encode(b"reader:secret").decode()


@pytest.fixture
def bench() -> Bench:
    reader = Account("reader", "secret", ("READ_TARGET",))
    return Bench(Settings(accounts=(*Settings().accounts, reader)))


def one_finished_two_running(bench: Bench) -> tuple[int, int, int]:
    """Two actions of `dev`, then one of `second`."""
    bench.target()
    bench.target("second")
    done = bench.assign(bench.release("a"))
    bench.report(done, CLOSED)
    set_id = bench.release("b")
    running = bench.assign(set_id)
    answer = bench.mgmt("POST", "/targets/second/assignedDS", {"id": set_id})
    return done, running, answer.body["assignedActions"][0]["id"]


def ids(bench: Bench, query: str = "") -> list[int]:
    return [action["id"] for action in bench.mgmt("GET", f"/actions{query}").body["content"]]


def test_all_targets_newest_first(bench: Bench) -> None:
    done, running, other = one_finished_two_running(bench)
    assert ids(bench) == [other, running, done]
    assert ids(bench, "?sort=status:DESC,id:ASC") == [running, other, done]
    assert ids(bench, "?q=target.controllerId==second") == [other]
    assert ids(bench, "?q=rollout.id==1") == ids(bench, "?q=externalref==x") == []


@pytest.mark.parametrize(
    ("representation", "is_full"), [("full", True), ("FULL", True), ("compact", False), ("", False), ("odd", False)]
)
def test_representation(bench: Bench, representation: str, is_full: bool) -> None:
    bench.deployed()
    (action,) = bench.mgmt("GET", f"/actions?representation={representation}").body["content"]
    more = {"target", "distributionset", "status"} if is_full else set()
    assert set(action["_links"]) == {"self"} | more


def test_a_single_action_has_all_its_links(bench: Bench) -> None:
    action_id = bench.deployed()
    whole = bench.mgmt("GET", f"/targets/dev/actions/{action_id}").body
    assert bench.mgmt("GET", f"/actions/{action_id}").body == whole
    assert bench.mgmt("GET", "/actions/99").body["info"] == {"type": "Action", "entityId": 99}


def test_deleting_one(bench: Bench) -> None:
    done, running, _ = one_finished_two_running(bench)
    refused = bench.mgmt("DELETE", f"/actions/{running}")
    assert refused.status == 405
    assert refused.body["message"] == (
        f"Status of action with id {running} is not in allowed values for deletion: [FINISHED, ERROR, CANCELED]"
    )
    assert bench.mgmt("DELETE", f"/actions/{done}").status == 204
    assert bench.mgmt("DELETE", f"/actions/{done}").status == 404


def test_deleting_what_a_query_finds(bench: Bench) -> None:
    done, running, other = one_finished_two_running(bench)
    refused = bench.mgmt("DELETE", "/actions?q=target.name==dev")
    assert (refused.status, refused.body["message"]) == (405, f"1 actions matching the rsql filter {NOT_ALLOWED}")
    assert bench.mgmt("DELETE", "/actions?q=status==finished").status == 204
    assert ids(bench) == [other, running]
    assert done not in ids(bench)


def test_deleting_by_ids_of_any_target_leaves_out_what_is_unknown(bench: Bench) -> None:
    done, running, other = one_finished_two_running(bench)
    refused = bench.mgmt("DELETE", "/actions", [done, running, other])
    assert (refused.status, refused.body["message"]) == (405, f"2 actions from ID list {NOT_ALLOWED}")
    assert bench.mgmt("DELETE", "/actions", [done, 99]).status == 204
    assert ids(bench) == [other, running]


@pytest.mark.parametrize(
    ("query", "body"), [("", None), ("?q=", None), ("", []), ("?q=id==1", [1]), ("", ["x"]), ("", [None])]
)
def test_deleting_takes_a_query_or_ids(bench: Bench, query: str, body: Any) -> None:
    assert bench.mgmt("DELETE", f"/actions{query}", body).body["errorCode"].endswith("rest.body.notReadable")


def test_a_body_that_is_no_json_counts_as_none(bench: Bench) -> None:
    bench.target()
    assert bench.mgmt("DELETE", "/actions", b"[1]", Content_Type="text/plain").status == 400
    assert bench.mgmt("DELETE", "/targets/dev/actions?keepLast=1", b"[1]", Content_Type="text/plain").status == 204


def test_actions_of_a_target_are_deleted_by_id_without_asking_for_the_target(bench: Bench) -> None:
    done, running, _ = one_finished_two_running(bench)
    assert bench.mgmt("DELETE", "/targets/nobody/actions", [running]).status == 405
    assert bench.mgmt("DELETE", "/targets/nobody/actions", [done]).status == 204
    assert done in ids(bench)
    unknown = bench.mgmt("DELETE", "/targets/nobody/actions?keepLast=1")
    assert (unknown.status, unknown.body["message"]) == (404, "The given entity does not exist in the repository")


def test_an_unknown_target_has_no_set_but_is_not_missed(bench: Bench) -> None:
    assert bench.mgmt("GET", "/targets/nobody/assignedDS").status == 204
    assert bench.mgmt("GET", "/targets/nobody/installedDS").status == 204
    assert bench.mgmt("POST", "/targets/nobody/assignedDS", {"id": 1}).status == 404


@pytest.mark.parametrize(
    ("body", "code", "sentence"),
    [([], 400, f"{REQUESTS} must not be empty."),
     ([{"id": 1, "weight": 1001}], 400,
      f"{REQUESTS}[0].targetWithActionType.weight must be less than or equal to 1000."),
     ([{"id": 1}, {"id": 2, "weight": -1}], 400,
      f"{REQUESTS}[1].targetWithActionType.weight must be greater than or equal to 0."),
     ({"id": 1, "weight": 2**31}, 400, "The given request body is not well formed"),
     ({"id": 1, "forcetime": None}, 400, "The given request body is not well formed"),
     ({}, 400, "The given request body is not well formed"),
     ({"id": None}, 500, None), ([None], 500, None)],
)  # fmt: skip
def test_what_an_assignment_refuses(bench: Bench, body: Any, code: int, sentence: str | None) -> None:
    bench.target()
    answer = bench.mgmt("POST", "/targets/dev/assignedDS", body)
    assert (answer.status, answer.body.get("message")) == (code, sentence)


def test_a_reader_learns_that_there_is_no_action_before_that_it_may_not_change_it(bench: Bench) -> None:
    action_id = bench.deployed()
    for method, path, body in (
        ("PUT", "", {"forceType": "forced"}),
        ("DELETE", "", None),
        ("PUT", "/confirmation", {"confirmation": "denied"}),
    ):
        for number, code in ((99, 404), (action_id, 403)):
            url = f"/rest/v1/targets/dev/actions/{number}{path}"
            assert bench.send(method, url, body, Authorization=READER).status == code, (method, path)
