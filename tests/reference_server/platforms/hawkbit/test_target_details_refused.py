"""What the sub-resources of targets, tags, types and groups refuse, and in which words (§1.3, §1.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reference_server.platforms.hawkbit.rig import Rig, document, error_code, status

INTEGRITY = "org.springframework.dao.DataIntegrityViolationException"


@pytest.fixture
def known(rig: Rig) -> Rig:
    rig.create("dev")
    rig.mgmt("POST", "/targettags", [{"name": "tag"}])
    rig.mgmt("POST", "/targettypes", [{"name": "kind"}])
    return rig


@pytest.mark.parametrize(
    ("body", "code"),
    [([{"key": "k"}], 500), ([{}], 500), ([None], 500), ([{"key": "k", "value": "1"}, {"key": "k", "value": "2"}], 500),
     ([{"key": "", "value": "v"}], 201), ([{"key": "k", "value": ""}], 201)],
)  # fmt: skip
def test_metadata_that_is_missing_or_given_twice(known: Rig, body: Any, code: int) -> None:
    assert status(known.mgmt("POST", "/targets/dev/metadata", body)) == code


@pytest.mark.parametrize(
    "pair", [{"value": "v"}, {"key": "k" * 129, "value": "v"}, {"key": "k", "value": "v" * 4001}], ids=str
)
def test_metadata_that_the_database_has_no_room_for(known: Rig, pair: dict[str, str]) -> None:
    refused = known.mgmt("POST", "/targets/dev/metadata", [pair])
    assert (status(refused), document(refused)["exceptionClass"]) == (400, INTEGRITY)
    assert known.read("/targets/dev/metadata")["total"] == 0


def test_metadata_is_listed_by_key(known: Rig) -> None:
    pairs = [{"key": key, "value": "v"} for key in ("b", "c", "a")]
    assert status(known.mgmt("POST", "/targets/dev/metadata", pairs)) == 201
    assert [pair["key"] for pair in known.read("/targets/dev/metadata")["content"]] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("method", "path", "body", "sentence"),
    [("POST", "/targets/dev/metadata", [], "createMetadata.metadata must not be empty."),
     ("PUT", "/targets/dev/metadata/k", {}, "createMetadata.value must not be null."),
     ("POST", "/targets/dev/targettype", {}, "assignType.targetTypeId must not be null."),
     ("POST", "/targets/dev/autoConfirm/activate", {"initiator": "x" * 65}, "initiator size must be between 0 and 64."),
     ("POST", "/targets/dev/autoConfirm/activate", {"remark": "x" * 513}, "remark size must be between 0 and 512."),
     ("POST", "/targettags/1/assigned", [], "assignTag.controllerIds must not be empty."),
     ("DELETE", "/targettags/1/assigned", [], "unassignTag.controllerIds must not be empty."),
     ("POST", "/targettypes/1/compatibledistributionsettypes", [],
      "assignCompatibleDistributionSetTypes.distributionSetTypeIds must not be empty."),
     ("PUT", "/targetgroups/g/assigned", [], "assignTargetsWithGroup.controllerIds must not be empty."),
     ("DELETE", "/targetgroups/assigned", None, "assignTargetsWithGroup.controllerIds must not be empty."),
     ("DELETE", "/targetgroups", None, "assignTargetGroupWithRsql.rsql must not be null."),
     ("GET", "/targetgroups/assigned?group=", None, "findTargetsByGroup.group must not be empty.")],
)  # fmt: skip
def test_what_must_not_be_missing_empty_or_too_long(
    known: Rig, method: str, path: str, body: Any, sentence: str
) -> None:
    refused = known.mgmt(method, path, body)
    assert (status(refused), error_code(refused)) == (400, "repo.constraintViolation")
    assert document(refused)["message"] == sentence


@pytest.mark.parametrize(
    ("method", "path", "body", "missing"),
    [("DELETE", "/targettypes/99", None, ["99"]),
     ("POST", "/targettypes/1/compatibledistributionsettypes", [{"id": 98}, {"id": 99}], ["98", "99"]),
     ("POST", "/targettypes/1/compatibledistributionsettypes", [{}], ["null"]),
     ("POST", "/targettypes", [{"name": "x", "compatibledistributionsettypes": [{"id": 99}]}], ["99"]),
     ("POST", "/targettypes", [{"name": "x", "compatibledistributionsettypes": [{"id": 1}, {"id": 1}]}], [])],
)  # fmt: skip
def test_types_that_are_looked_up_together(known: Rig, method: str, path: str, body: Any, missing: list[str]) -> None:
    refused = known.mgmt(method, path, body)
    assert (status(refused), document(refused)["info"]["entityId"]) == (404, missing)
    assert document(refused)["message"].endswith(f"s with given identifiers {{{','.join(missing)}}} do not exist.")


@pytest.mark.parametrize(("given", "missing"), [(["dev", "dev"], []), ([None], [None]), (["dev", "x"], ["x"])])
def test_a_tagged_target_given_twice_counts_as_unknown(known: Rig, given: list[Any], missing: list[Any]) -> None:
    refused = known.mgmt("POST", "/targettags/1/assigned", given)
    assert (status(refused), document(refused)["info"]["entityId"]) == (404, missing)


def test_tagged_targets_come_by_number_and_are_sorted_by_the_fields_of_a_tag(known: Rig) -> None:
    known.create("aaa")
    assert status(known.mgmt("POST", "/targettags/1/assigned", ["aaa", "dev"])) == 204
    names = [target["controllerId"] for target in known.read("/targettags/1/assigned")["content"]]
    assert names == ["dev", "aaa"]
    by_name = known.read("/targettags/1/assigned?sort=name:ASC")["content"]
    assert [target["controllerId"] for target in by_name] == ["aaa", "dev"]
    assert error_code(known.mgmt("GET", "/targettags/1/assigned?sort=controllerId:ASC")) == "rest.param.invalidField"


def test_groups_compare_without_case_and_know_no_search(known: Rig) -> None:
    known.create("one", group="Eu/De")
    assert known.read("/targetgroups/assigned?group=eu&subgroups=true")["total"] == 1
    assert known.read("/targetgroups/assigned?group=EU/DE&q=nonsense")["total"] == 1
    assert known.read("/targetgroups/assigned?group=E&subgroups=true")["total"] == 0


def test_a_group_given_by_its_members_may_be_called_anything_short(known: Rig) -> None:
    assert status(known.mgmt("PUT", "/targetgroups/assigned?group=%3Cb%3E", ["dev"])) == 204
    assert known.read("/targets/dev")["group"] == "<b>"
    assert status(known.mgmt("PUT", f"/targetgroups/{'x' * 257}/assigned", ["dev"])) == 500
    assert known.read("/targets/dev")["group"] == "<b>"


def test_who_confirms_automatically_is_shown_only_if_said(known: Rig) -> None:
    assert status(known.mgmt("POST", "/targets/dev/autoConfirm/activate")) == 204
    assert {"initiator", "remark"}.isdisjoint(known.read("/targets/dev/autoConfirm"))


ANY = "application/json, application/cbor, application/yaml, application/*+json"


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [("application/json", b'{"value":"v"}', 204), ("application/vnd.x+json", b'{"value":"v"}', 204),
     ("text/plain", b'{"value":"v"}', 415), ("", b'{"value":"v"}', 415), ("", b"", 400)],
)  # fmt: skip
def test_routes_that_name_no_type_take_any_json(known: Rig, content_type: str, body: bytes, code: int) -> None:
    answer = known.mgmt("PUT", "/targets/dev/metadata/k", body, headers={"Content-Type": content_type})
    assert status(answer) == code
    if code == 415:
        assert ("Accept", ANY) in answer.response.headers


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [("GET", "/targetgroups/assigned", {"Accept": "application/xml"}),
     ("PUT", "/targetgroups/assigned", {"Content-Type": "text/plain"}),
     ("PUT", "/targetgroups?group=x", {}), ("PUT", "/targetgroups?q=id==dev", {}), ("PUT", "/targetgroups/x", {})],
)  # fmt: skip
def test_a_parameter_that_must_be_there_is_asked_for_first(
    known: Rig, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = known.mgmt(method, path, b"x", headers=headers)
    assert status(answer) == 400
    if "Accept" not in headers:
        assert document(answer)["error"] == "Bad Request"
