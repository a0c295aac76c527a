"""Which module types the sets of a type take (§1.4)."""

from __future__ import annotations

import pytest

from tests.reference_server.platforms.hawkbit.deployment_bench import Bench

TYPES = "/distributionsettypes"


@pytest.fixture
def bench() -> Bench:
    return Bench()


def type_id(bench: Bench, kind: str, key: str) -> int:
    found: int = bench.mgmt("GET", f"/{kind}?q=key=={key}").body["content"][0]["id"]
    return found


@pytest.fixture
def os(bench) -> int:
    return type_id(bench, "softwaremoduletypes", "os")


@pytest.fixture
def app(bench) -> int:
    return type_id(bench, "softwaremoduletypes", "application")


def make(bench: Bench, **more: object) -> int:
    made = bench.mgmt("POST", TYPES, [{"key": "own", "name": "Own", **more}])
    assert made.status == 201, made.body
    found: int = made.body[0]["id"]
    return found


def keys(bench: Bench, set_type: int, part: str) -> list[str]:
    return [kind["key"] for kind in bench.mgmt("GET", f"{TYPES}/{set_type}/{part}moduletypes").body]


@pytest.mark.parametrize("part", ["mandatory", "optional"])
def test_module_types_come_and_go_while_no_set_is_of_the_type(bench, os, part):
    set_type = make(bench)
    path = f"{TYPES}/{set_type}/{part}moduletypes"
    made = bench.mgmt("GET", f"{TYPES}/{set_type}").body
    bench.wait(1)
    assert bench.mgmt("POST", path, {"id": os}).status == 204
    assert bench.mgmt("POST", path, {"id": os}).status == 204, "again changes nothing"
    assert bench.mgmt("GET", f"{path}/{os}").body["key"] == "os"
    assert bench.mgmt("DELETE", f"{path}/{os}").status == 204
    assert bench.mgmt("DELETE", f"{path}/{os}").status == 204
    assert bench.mgmt("GET", f"{TYPES}/{set_type}").body == made, "which is no change of the type itself"
    missing = bench.mgmt("GET", f"{path}/{os}")
    assert (missing.status, "is not part of" in missing.body["message"]) == (404, True)


def test_a_module_type_moves_to_the_other_part(bench, os, app):
    set_type = make(bench, mandatorymodules=[{"id": os}], optionalmodules=[{"id": app}])
    assert bench.mgmt("POST", f"{TYPES}/{set_type}/optionalmoduletypes", {"id": os}).status == 204
    assert (keys(bench, set_type, "mandatory"), set(keys(bench, set_type, "optional"))) == ([], {"os", "application"})
    assert bench.mgmt("POST", f"{TYPES}/{set_type}/mandatorymoduletypes", {"id": app}).status == 204
    assert (keys(bench, set_type, "mandatory"), keys(bench, set_type, "optional")) == (["application"], ["os"])


def test_a_module_type_is_mandatory_or_optional(bench, os, app):
    set_type = make(bench, mandatorymodules=[{"id": os}], optionalmodules=[{"id": app}])
    both = [{"key": "both", "name": "both", "mandatorymodules": [{"id": os}], "optionalmodules": [{"id": os}]}]
    assert bench.mgmt("POST", TYPES, both).status == 409
    assert bench.mgmt("DELETE", f"{TYPES}/{set_type}/mandatorymoduletypes/{app}").status == 204, "either way removes it"
    assert (keys(bench, set_type, "mandatory"), keys(bench, set_type, "optional")) == (["os"], [])


def test_a_type_that_sets_are_of_keeps_its_module_types(bench, os, app):
    set_type = make(bench, mandatorymodules=[{"id": os}])
    bench.set_of(kind="own")
    for method, path, body in [
        ("POST", "/optionalmoduletypes", {"id": app}),
        ("POST", "/mandatorymoduletypes", {"id": app}),
        ("DELETE", f"/mandatorymoduletypes/{os}", None),
    ]:
        answer = bench.mgmt(method, f"{TYPES}/{set_type}{path}", body)
        assert (answer.status, answer.body["errorCode"]) == (403, "hawkbit.server.error.entityReadOnly")
    assert bench.mgmt("PUT", f"{TYPES}/{set_type}", {"description": "d"}).body["description"] == "d"


def test_a_used_type_is_only_marked_as_deleted(bench, os):
    set_type = make(bench, mandatorymodules=[{"id": os}])
    bench.set_of(kind="own")
    assert bench.mgmt("DELETE", f"{TYPES}/{set_type}").status == 204
    assert bench.mgmt("GET", f"{TYPES}/{set_type}").body["deleted"] is True
    assert bench.mgmt("GET", f"{TYPES}?q=key==own").body["total"] == 0
    assert bench.mgmt("GET", f"{TYPES}?q=key==own&soft_deleted_mode=ONLY_SOFT_DELETED").body["total"] == 1
    assert bench.mgmt("PUT", f"{TYPES}/{set_type}", {}).body["errorCode"] == "hawkbit.server.error.deleted"
    new = bench.mgmt("POST", "/distributionsets", [{"name": "n", "version": "2", "type": "own"}])
    assert (new.status, "already deleted" in new.body["message"]) == (400, True)
    assert bench.mgmt("POST", TYPES, [{"key": "own", "name": "again"}]).status == 409


def test_unknown_module_types(bench):
    set_type = make(bench)
    answer = bench.mgmt("POST", f"{TYPES}/{set_type}/mandatorymoduletypes", {"id": 99})
    assert answer.body["message"] == "SoftwareModuleTypes with given identifiers {99} do not exist."
    made = bench.mgmt("POST", TYPES, [{"key": "k", "name": "n", "optionalmodules": [{"id": 99}]}])
    assert (made.status, made.body["info"]) == (404, {"type": "SoftwareModuleType", "entityId": ["99"]})
