"""Attributes, metadata, auto-confirmation, types, tags, groups and filters (§1.3, §1.5, §2.3)."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.settings import Quotas, Settings
from tests.reference_server.platforms.hawkbit.rig import ORIGIN, Rig, document, error_code, status


@pytest.fixture
def known(rig: Rig) -> Rig:
    """With target `dev`, token `t`."""
    rig.target_tokens_on()
    rig.create("dev", securityToken="t")
    return rig


def attributes(rig: Rig) -> Any:
    answer = rig.mgmt("GET", "/targets/dev/attributes")
    return {} if status(answer) == 204 else document(answer)


@pytest.mark.parametrize(
    ("mode", "data", "expected"),
    [
        (None, {"b": "3", "c": "4"}, {"a": "1", "b": "3", "c": "4"}),
        ("merge", {"a": None, "c": "4"}, {"b": "2", "c": "4"}),
        ("replace", {"c": "4", "a": None}, {"c": "4"}),
        ("remove", {"a": "whatever", "nope": "x"}, {"b": "2"}),
        ("remove", {"a": None, "b": None}, {}),
        ("merge", {"": "empty key"}, {"a": "1", "b": "2", "": "empty key"}),
    ],
)
def test_attributes_are_merged_replaced_or_removed(known: Rig, mode: str | None, data: Any, expected: Any) -> None:
    """S80."""
    known.put_attributes("dev", "t", {"a": "1", "b": "2"})
    answer = known.put_attributes("dev", "t", data, mode)
    assert (status(answer), answer.response.body) == (200, b"")
    assert attributes(known) == expected


def test_numbers_and_booleans_become_text_as_written(known: Rig) -> None:
    """S125."""
    data = b'{"data": {"a": 5, "b": 1.50, "c": true, "d": 123456789012345678901234567890, "e": 1e3, "f": -1, "f": "x"}}'
    assert status(known.device("PUT", "dev", "/configData", "t", data)) == 200
    assert attributes(known) == {
        "a": "5", "b": "1.50", "c": "true", "d": "123456789012345678901234567890", "e": "1e3", "f": "x"}  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [{}, {"data": {}}, {"data": None}, {"data": []}, {"data": "x"}, {"data": {"a": {}}}, {"data": {"a": ["b"]}},
     {"data": {"a": "b"}, "mode": "MERGE"}, {"data": {"a": "b"}, "mode": "other"}, [], "x"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(known: Rig, body: Any) -> None:
    """S83, S125."""
    answer = known.device("PUT", "dev", "/configData", "t", body)
    assert (status(answer), error_code(answer)) == (400, "rest.body.notReadable")
    assert attributes(known) == {}


@pytest.mark.parametrize(
    "data",
    [{"k" * 129: "v"}, {"k": "v" * 129}, {"k": "\u00e4"}, {"\u00e4": "v"}, {"k": "~"}, {"k": "`"}, {"k\u2003": ""}],
)
def test_characters_and_lengths_are_limited_and_nothing_is_stored(known: Rig, data: dict[str, str]) -> None:
    """S81."""
    answer = known.put_attributes("dev", "t", {"good": "1", **data})
    assert (status(answer), error_code(answer)) == (400, "repo.invalidTargetAttributes")
    assert attributes(known) == {}


def test_the_quota_counts_only_when_there_would_be_more() -> None:
    """S82."""
    rig = Rig(Settings(quotas=Quotas(attributes_per_target=2)))
    rig.target_tokens_on()
    rig.create("dev", securityToken="t")
    assert status(rig.put_attributes("dev", "t", {"a": "1", "b": "2"})) == 200
    answer = rig.put_attributes("dev", "t", {"c": "3"})
    assert (status(answer), error_code(answer)) == (429, "quota.tooManyEntries")
    assert status(rig.put_attributes("dev", "t", {"a": "9"})) == 200
    assert status(rig.put_attributes("dev", "t", {"a": None, "c": "3"})) == 200


def test_metadata_is_made_read_changed_and_deleted(known: Rig) -> None:
    """S30."""
    made = known.mgmt("POST", "/targets/dev/metadata", [{"key": "k", "value": "v"}])
    assert (status(made), made.response.body) == (201, b"")
    assert known.read("/targets/dev/metadata/k") == {"key": "k", "value": "v"}
    assert status(known.mgmt("PUT", "/targets/dev/metadata/new", {"value": 7})) == 204
    assert known.read("/targets/dev/metadata")["content"] == [{"key": "k", "value": "v"}, {"key": "new", "value": "7"}]
    again = known.mgmt("POST", "/targets/dev/metadata", [{"key": "x", "value": "1"}, {"key": "k", "value": "2"}])
    assert status(again) == 409
    assert known.read("/targets/dev/metadata")["total"] == 2
    assert status(known.mgmt("DELETE", "/targets/dev/metadata/k")) == 204
    assert status(known.mgmt("DELETE", "/targets/dev/metadata/k")) == 404


def test_metadata_has_a_quota() -> None:
    rig = Rig(Settings(quotas=Quotas(metadata_per_target=1)))
    rig.create("dev")
    entries = [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    assert error_code(rig.mgmt("POST", "/targets/dev/metadata", entries)) == "quota.tooManyEntries"
    assert status(rig.mgmt("POST", "/targets/dev/metadata", entries[0])) == 201
    assert status(rig.mgmt("PUT", "/targets/dev/metadata/a", {"value": "2"})) == 204


def test_auto_confirmation_is_switched_on_and_off(known: Rig) -> None:
    url = f"{ORIGIN}/rest/v1/targets/dev/autoConfirm"
    assert known.read("/targets/dev/autoConfirm") == {
        "active": False, "_links": {"activate": {"href": f"{url}/activate"}}}  # fmt: skip
    assert "autoConfirmActive" not in known.read("/targets/dev")
    known.configure(user__confirmation__flow__enabled=True)
    assert known.read("/targets/dev")["autoConfirmActive"] is False
    answer = known.mgmt("POST", "/targets/dev/autoConfirm/activate", {"initiator": "me", "remark": "why"})
    assert status(answer) == 204
    assert known.read("/targets/dev/autoConfirm") == {
        "active": True, "initiator": "me", "remark": "why", "activatedAt": known.now_us // 1000,
        "_links": {"deactivate": {"href": f"{url}/deactivate"}}}  # fmt: skip
    assert known.read("/targets/dev")["_links"]["autoConfirm"]["href"] == url
    again = known.mgmt("POST", "/targets/dev/autoConfirm/activate")
    assert (status(again), error_code(again)) == (409, "repo.autoConfAlreadyActive")
    assert status(known.mgmt("POST", "/targets/dev/autoConfirm/deactivate")) == 204
    assert known.read("/targets/dev/autoConfirm")["active"] is False


def test_target_types(known: Rig) -> None:
    """S01, §1.5."""
    made = document(known.mgmt("POST", "/targettypes", [{"key": "k1"}, {"name": "n2", "colour": "#fff"}]))
    assert [(entry["key"], entry["name"]) for entry in made] == [("k1", "k1"), ("n2", "n2")]
    path = f"/targettypes/{made[0]['id']}"
    changed = document(known.mgmt("PUT", path, {"name": "other", "description": "d", "key": "ignored"}))
    assert (changed["key"], changed["name"], changed["description"]) == ("k1", "other", "d")
    assert set(changed["_links"]) == {"self", "compatibledistributionsettypes"}
    assert status(known.mgmt("POST", "/targets/dev/targettype", {"id": made[0]["id"]})) == 204
    used = known.mgmt("DELETE", path)
    assert (status(used), error_code(used)) == (409, "target.type.used")
    assert status(known.mgmt("DELETE", "/targets/dev/targettype")) == 204
    assert status(known.mgmt("DELETE", path)) == 204
    assert error_code(known.mgmt("GET", path)) == "repo.entityNotFound"
    assert known.read("/targettypes?q=name==n*")["total"] == 1
    assert error_code(known.mgmt("POST", "/targettypes", [{"description": "x"}])) == "target.type.keyOrNameRequired"
    assert error_code(known.mgmt("POST", "/targettypes", [{"name": "n2"}])) == "repo.entityAlreadyExists"


def test_types_of_sets_that_fit_a_target_type(known: Rig) -> None:
    os_app = known.read("/system/configs/default.ds.type")["value"]
    (made,) = document(known.mgmt("POST", "/targettypes", [{"name": "n", "compatibledistributionsettypes": []}]))
    path = f"/targettypes/{made['id']}/compatibledistributionsettypes"
    assert document(known.mgmt("GET", path)) == []
    assert status(known.mgmt("POST", path, [{"id": os_app}])) == 204
    assert [entry["key"] for entry in document(known.mgmt("GET", path))] == ["os_app"]
    assert error_code(known.mgmt("POST", path, [{"id": 999}])) == "repo.entityNotFound"
    assert status(known.mgmt("DELETE", f"{path}/{os_app}")) == 204
    assert document(known.mgmt("GET", path)) == []


def test_tags_and_the_targets_that_carry_them(known: Rig) -> None:
    known.create("other")
    (tag,) = document(known.mgmt("POST", "/targettags", [{"name": "red", "colour": "#f00"}]))
    path = f"/targettags/{tag['id']}"
    assert status(known.mgmt("POST", f"{path}/assigned/dev")) == 204
    assert status(known.mgmt("POST", f"{path}/assigned", ["dev", "other"])) == 204
    assert [target["controllerId"] for target in known.read(f"{path}/assigned")["content"]] == ["dev", "other"]
    assert known.read(f"{path}/assigned?q=name==o*")["total"] == 1
    assert [entry["name"] for entry in known.read("/targets/dev/tags")] == ["red"]
    assert status(known.mgmt("DELETE", f"{path}/assigned/dev")) == 204
    assert known.read(f"{path}/assigned")["total"] == 1
    assert document(known.mgmt("PUT", path, {"description": "d"}))["description"] == "d"
    assert status(known.mgmt("DELETE", path)) == 204
    assert known.read("/targets/other/tags") == []


@pytest.mark.parametrize(
    ("policy", "expected", "tagged"),
    [("", 404, 0), ("?onNotFoundPolicy=FAIL", 404, 0), ("?onNotFoundPolicy=ON_WHAT_FOUND_AND_FAIL", 404, 1),
     ("?onNotFoundPolicy=ON_WHAT_FOUND_AND_SUCCESS", 204, 1), ("?onNotFoundPolicy=fail", 400, 0),
     ("?onNotFoundPolicy=", 404, 0)],
)  # fmt: skip
def test_unknown_targets_of_a_tag(known: Rig, policy: str, expected: int, tagged: int) -> None:
    (tag,) = document(known.mgmt("POST", "/targettags", [{"name": "red"}]))
    assert status(known.mgmt("POST", f"/targettags/{tag['id']}/assigned{policy}", ["dev", "nope"])) == expected
    assert known.read(f"/targettags/{tag['id']}/assigned")["total"] == tagged


def test_groups(known: Rig) -> None:
    for name in ("a", "b", "c"):
        known.create(name)
    assert status(known.mgmt("PUT", "/targetgroups/eu/assigned", ["a", "nope"])) == 204
    assert status(known.mgmt("PUT", "/targetgroups/assigned?group=eu/de", ["b"])) == 204
    assert status(known.mgmt("PUT", "/targetgroups/asia?q=controllerid==c")) == 204
    assert known.read("/targetgroups") == ["asia", "eu", "eu/de"]
    assert known.read("/targetgroups/eu/assigned")["total"] == 1
    assert known.read("/targetgroups/assigned?group=eu&subgroups=true")["total"] == 2
    assert known.read("/targetgroups/assigned?group=eu")["total"] == 1
    assert status(known.mgmt("DELETE", "/targetgroups/assigned", ["a"])) == 204
    assert status(known.mgmt("DELETE", "/targetgroups?q=group==asia")) == 204
    assert status(known.mgmt("PUT", "/targetgroups?group=x&q=controllerid==dev")) == 204
    assert known.read("/targetgroups") == ["eu/de", "x"]
    assert document(known.mgmt("GET", "/targetgroups/assigned"))["error"] == "Bad Request"


def test_filters(known: Rig) -> None:
    made = document(known.mgmt("POST", "/targetfilters", {"name": "f", "query": "name==dev*"}))
    assert (made["name"], made["query"], made["autoAssignDistributionSet"]) == ("f", "name==dev*", None)
    path = f"/targetfilters/{made['id']}"
    assert set(made["_links"]) == {"self", "autoAssignDS"}
    assert document(known.mgmt("PUT", path, {"query": "name==x"}))["query"] == "name==x"
    assert set(known.read("/targetfilters")["content"][0]["_links"]) == {"self"}
    assert (
        error_code(known.mgmt("POST", "/targetfilters", {"name": "g", "query": "foo==1"}))
        == "rest.param.rsqlInvalidField"
    )
    assert (
        error_code(known.mgmt("POST", "/targetfilters", {"name": "f", "query": "name==x"}))
        == "repo.entityAlreadyExists"
    )
    assert error_code(known.mgmt("POST", "/targetfilters", {"name": "g"})) == "repo.constraintViolation"
    assert error_code(known.mgmt("POST", "/targetfilters", [])) == "rest.body.notReadable"
    assert status(known.mgmt("DELETE", path)) == 204
    assert document(known.mgmt("GET", path))["info"]["type"] == "TargetFilterQuery"
