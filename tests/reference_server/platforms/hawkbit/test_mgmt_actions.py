"""Actions as operators see them: lists, deletion, and what is refused (§1.3)."""

from __future__ import annotations

import pytest

from tests.reference_server.platforms.hawkbit.deployment_bench import CLOSED, Bench, said


@pytest.fixture
def bench() -> Bench:
    return Bench()


def three_finished(bench: Bench) -> list[int]:
    bench.target()
    action_ids = []
    for name in "abc":
        action_ids.append(bench.assign(bench.release(name)))
        bench.report(action_ids[-1], CLOSED)
    return action_ids


def ids(bench: Bench, query: str = "") -> list[int]:
    return [action["id"] for action in bench.mgmt("GET", f"/targets/dev/actions{query}").body["content"]]


def test_newest_first_unless_asked(bench):
    action_ids = three_finished(bench)
    assert ids(bench) == action_ids[::-1]
    assert ids(bench, "?sort=id:ASC") == action_ids
    assert ids(bench, "?limit=1&offset=1") == [action_ids[1]]


def test_search(bench):
    action_ids = three_finished(bench)
    running = bench.assign(bench.release("d"))
    assert ids(bench, "?q=active==true") == [running]
    assert ids(bench, "?q=status==finished;distributionset.name==b") == [action_ids[1]]
    assert ids(bench, "?q=target.name==dev;id==" + str(running)) == [running]
    assert bench.mgmt("GET", "/targets/dev/actions?q=colour==red").status == 400
    assert bench.mgmt("GET", "/targets/nobody/actions").status == 404


def test_history_pages(bench):
    bench.target()
    action_id = bench.assign(bench.release())
    for n in range(3):
        bench.report(action_id, said("proceeding", details=[str(n)]))
    path = f"/targets/dev/actions/{action_id}/status"
    page = bench.mgmt("GET", f"{path}?offset=0&limit=2&sort=id:DESC").body
    assert ([line["messages"] for line in page["content"]], page["total"], page["size"]) == ([["2"], ["1"]], 4, 2)
    assert bench.mgmt("GET", f"{path}?sort=id:ASC&limit=1").body["content"][0]["messages"][0].startswith("Assignment")


def test_an_action_of_another_target(bench):
    action_id = bench.deployed()
    bench.target("other")
    for path in (f"/targets/other/actions/{action_id}", f"/targets/other/actions/{action_id}/status"):
        answer = bench.mgmt("GET", path)
        assert (answer.status, answer.raw) == (404, b"")
    assert bench.mgmt("DELETE", f"/targets/other/actions/{action_id}").status == 404
    assert bench.action(action_id)["status"] == "running"
    unknown = bench.mgmt("GET", "/targets/dev/actions/4711")
    assert unknown.body["info"] == {"type": "Action", "entityId": 4711}
    assert bench.mgmt("GET", "/targets/dev/actions/abc").status == 400


def test_keep_the_last(bench):
    action_ids = three_finished(bench)
    assert bench.mgmt("DELETE", "/targets/dev/actions?keepLast=1").status == 204
    assert ids(bench) == [action_ids[2]]


def test_keep_last_spares_what_may_not_be_deleted(bench):
    running = bench.deployed()
    assert bench.mgmt("DELETE", "/targets/dev/actions?keepLast=0").status == 204
    assert ids(bench) == [running]


def test_delete_by_ids(bench):
    action_ids = three_finished(bench)
    running = bench.assign(bench.release("d"))
    answer = bench.mgmt("DELETE", "/targets/dev/actions", [action_ids[0], running])
    assert (answer.status, answer.body["errorCode"]) == (405, "hawkbit.server.error.action.notDeletable")
    assert len(ids(bench)) == 4
    assert bench.mgmt("DELETE", "/targets/dev/actions", action_ids[:2]).status == 204
    assert ids(bench) == [running, action_ids[2]]


@pytest.mark.parametrize(("query", "body"), [("", None), ("?keepLast=1", [1]), ("?keepLast=-1", None)])
def test_one_way_of_deleting_must_be_chosen(bench, query, body):
    bench.target()
    assert bench.mgmt("DELETE", f"/targets/dev/actions{query}", body).status == 400


def test_status_words_of_a_life(bench):
    action_id = bench.deployed()
    bench.device("GET", f"/deploymentBase/{action_id}")
    assert bench.action(action_id)["status"] == "retrieved"
    bench.mgmt("DELETE", f"/targets/dev/actions/{action_id}")
    document = bench.action(action_id)
    assert (document["status"], document["type"]) == ("canceling", "cancel")
    assert list(document["_links"]) == ["self", "canceledaction", "target", "distributionset", "status"]
    bench.device("GET", f"/cancelAction/{action_id}")
    bench.device("GET", f"/cancelAction/{action_id}")
    assert [kind for kind, _ in bench.history(action_id)] == ["retrieved", "canceling", "retrieved", "running"]
