"""`/distributionsettags` (§1.5)."""

from __future__ import annotations

import pytest

from tests.reference_server.platforms.hawkbit.deployment_bench import Bench

TAGS = "/distributionsettags"


@pytest.fixture
def bench() -> Bench:
    return Bench()


def make(bench: Bench, name: str = "beta") -> int:
    tag_id: int = bench.mgmt("POST", TAGS, [{"name": name, "colour": "red"}]).body[0]["id"]
    return tag_id


def test_a_tag_is_made_read_changed_and_deleted(bench):
    tag_id = make(bench)
    read = bench.mgmt("GET", f"{TAGS}/{tag_id}").body
    assert (read["name"], read["colour"], "description" in read) == ("beta", "red", False)
    assert read["_links"]["assignedDistributionSets"]["href"].endswith(f"{TAGS}/{tag_id}/assigned?offset=0&limit=50")
    assert bench.mgmt("PUT", f"{TAGS}/{tag_id}", {"name": "gamma", "description": "d"}).body["description"] == "d"
    assert [tag["name"] for tag in bench.mgmt("GET", f"{TAGS}?q=colour==red").body["content"]] == ["gamma"]
    assert bench.mgmt("DELETE", f"{TAGS}/{tag_id}").status == 204
    gone = bench.mgmt("DELETE", f"{TAGS}/{tag_id}")
    assert (gone.status, gone.body["info"]) == (404, {"type": "DistributionSetTag", "entityId": [str(tag_id)]})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([{"name": "beta"}], 409),
        ([{"name": "x"}, {"name": "x"}], 409),
        ([{}], 400),
        ([{"name": "x" * 129}], 400),
        ([{"name": "x", "colour": "y" * 17}], 400),
        ([None], 500),
        ([], 201),
        ({"name": "single"}, 201),
    ],
)
def test_creation(bench, body, status):
    make(bench)
    before = bench.mgmt("GET", TAGS).body["total"]
    assert bench.mgmt("POST", TAGS, body).status == status
    assert (bench.mgmt("GET", TAGS).body["total"] > before) == (status == 201 and body != [])


def test_two_names_are_not_made_one(bench):
    make(bench, "taken")
    assert bench.mgmt("PUT", f"{TAGS}/{make(bench)}", {"name": "taken"}).status == 409


def test_sets_carry_tags(bench):
    tag_id, sets = make(bench), [bench.set_of(name=name) for name in "abc"]
    path = f"{TAGS}/{tag_id}/assigned"
    assert bench.mgmt("POST", f"{path}/{sets[0]}").status == 204
    assert bench.mgmt("POST", path, sets[1:]).status == 204

    def tagged(query: str = "") -> list[str]:
        return [record["name"] for record in bench.mgmt("GET", path + query).body["content"]]

    assert tagged() == ["a", "b", "c"]
    assert tagged("?sort=name:DESC&limit=2") == ["c", "b"]
    assert tagged("?q=name==b") == ["b"]
    found = bench.mgmt("GET", "/distributionsets?q=tag==beta;name!=a").body["content"]
    assert [record["name"] for record in found] == ["b", "c"]
    assert bench.mgmt("GET", f"{TAGS}?q=distributionSet.name==c").body["total"] == 1
    assert bench.mgmt("DELETE", f"{path}/{sets[0]}").status == 204
    assert bench.mgmt("DELETE", path, [sets[1]]).status == 204
    assert tagged() == ["c"]
    bench.mgmt("DELETE", f"{TAGS}/{tag_id}")
    assert bench.mgmt("GET", "/distributionsets?q=tag==beta").body["total"] == 0


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_all_sets_or_none_are_tagged(bench, method):
    tag_id, set_id = make(bench), bench.set_of()
    path = f"{TAGS}/{tag_id}/assigned"
    unknown = bench.mgmt(method, path, [set_id, 99])
    assert (unknown.status, unknown.body["info"]["entityId"]) == (404, [99])
    assert bench.mgmt(method, path, [set_id, set_id]).status == 404, "twice is not found"
    empty = bench.mgmt(method, path, [])
    operation = "assignTag" if method == "POST" else "unassignTag"
    assert (empty.status, empty.body["message"]) == (400, f"{operation}.ids must not be empty.")
    assert bench.mgmt("GET", path).body["total"] == 0
    nowhere = bench.mgmt(method, f"{TAGS}/99/assigned", [set_id])
    assert (nowhere.status, nowhere.body["info"]["type"]) == (404, "DistributionSetTag")


def test_a_deleted_set_keeps_its_tags_and_gets_no_more(bench):
    bench.target()
    tag_id, set_id = make(bench), bench.release()
    path = f"{TAGS}/{tag_id}/assigned"
    bench.mgmt("POST", path, [set_id])
    bench.assign(set_id)
    bench.mgmt("DELETE", f"/distributionsets/{set_id}")
    assert bench.mgmt("GET", path).body["total"] == 1
    assert bench.mgmt("GET", f"{path}?q=name==*").body["total"] == 0
    answer = bench.mgmt("POST", path, [set_id])
    assert (answer.status, answer.body["errorCode"]) == (404, "hawkbit.server.error.deleted")


@pytest.mark.parametrize(("name", "is_locked"), [("skip-implicit-lock", False), ("beta", True)])
@pytest.mark.parametrize("query", ["", "?offline=true"])
def test_a_tag_keeps_a_set_from_being_locked_when_it_is_assigned(bench, name, is_locked, query):
    bench.target()
    set_id = bench.release()
    bench.mgmt("POST", f"{TAGS}/{make(bench, name)}/assigned/{set_id}")
    bench.mgmt("POST", f"/distributionsets/{set_id}/assignedTargets{query}", [{"id": "dev"}])
    assert bench.mgmt("GET", f"/distributionsets/{set_id}").body["locked"] is is_locked
