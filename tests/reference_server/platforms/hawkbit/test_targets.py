"""Targets through the management API (§1.3, S01-S31)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.settings import Account, Profile, Settings
from tests.reference_server.platforms.hawkbit.rig import ORIGIN, Rig, document, error_code, status

CREATOR = Account("creator", "c", ("CREATE_TARGET", "READ_TARGET"))
READER = Account("reader", "r", ("READ_TARGET",))


def create(rig: Rig, *entries: Any) -> Any:
    return rig.mgmt("POST", "/targets", list(entries))


def test_a_token_is_generated_or_kept(rig: Rig) -> None:
    assert re.fullmatch("[0-9a-f]{32}", rig.create("a")["securityToken"])
    assert rig.create("b", securityToken="mine")["securityToken"] == "mine"
    assert [secret for _, secret in rig.platform.secrets()][-1] == "mine"


def test_what_a_creation_answers_and_ignores(rig: Rig) -> None:
    created = rig.create("a", requestAttributes=False, name=5, description=1.50, unknown={"x": 1})
    assert created["requestAttributes"] is True
    assert (created["name"], created["description"]) == ("5", "1.5")
    assert created["updateStatus"] == "unknown"
    assert created["_links"] == {"self": {"href": f"{ORIGIN}/rest/v1/targets/a"}}
    assert not {"lastControllerRequestAt", "installedAt", "pollStatus"} & created.keys()


def test_numbers_become_text_as_written(rig: Rig) -> None:
    answer = rig.mgmt("POST", "/targets", b'[{"controllerId": 1e3, "name": 1.50, "group": true}]')
    (created,) = document(answer)
    assert (created["controllerId"], created["name"], created["group"]) == ("1e3", "1.50", "true")


MARKUP = "Invalid characters in string."


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"name": "x"}, "create.create[0].controllerId must not be null."),
        ({"controllerId": "a b"}, "controllerId has whitespaces which are not allowed."),
        ({"controllerId": "a<b>"}, f"create.create[0].controllerId {MARKUP} create.create[0].name {MARKUP}"),
        ({"controllerId": "a", "name": "x<br/>y"}, f"create.create[0].name {MARKUP}"),
        ({"controllerId": "a", "description": "<!-- -->"}, f"create.create[0].description {MARKUP}"),
        ({"controllerId": "a", "securityToken": "<b>x"}, f"create.create[0].securityToken {MARKUP}"),
        ({"controllerId": "a", "group": "<i>"}, f"create.create[0].group {MARKUP}"),
    ],
)
def test_a_broken_rule_is_said_in_the_servers_words(rig: Rig, entry: dict[str, Any], message: str) -> None:
    answer = create(rig, entry)
    assert (status(answer), error_code(answer)) == (400, "repo.constraintViolation")
    assert document(answer)["message"] == message
    assert rig.read("/targets")["total"] == 0


def test_comparisons_are_no_markup(rig: Rig) -> None:
    assert rig.create("a", name="1 < 2 & 3 > 2")["name"] == "1 < 2 & 3 > 2"


def test_the_number_of_the_broken_element_is_told(rig: Rig) -> None:
    answer = create(rig, {"controllerId": "a"}, {"controllerId": "b", "name": "n" * 129})
    assert document(answer)["message"] == "create.create[1].name size must be between 1 and 128."


@pytest.mark.parametrize(
    "entries", [({"controllerId": "new"}, {"controllerId": "old"}), ({"controllerId": "new"},) * 2]
)
def test_a_creation_is_all_or_nothing(rig: Rig, entries: tuple[dict[str, str], ...]) -> None:
    """S06, S130."""
    rig.create("old")
    answer = create(rig, *entries)
    assert (status(answer), error_code(answer)) == (409, "repo.entityAlreadyExists")
    assert status(rig.mgmt("GET", "/targets/new")) == 404


@pytest.mark.parametrize(
    "body", [b"", b"abc", b"[", b"null", b'"x"', b"[1]", b'[{"controllerId": ["a"]}]', b'[{"controllerId": {}}]',
             b'[{"controllerId": "a", "targetType": "x"}]', b"\xff\xfe", b"[" * 5000, b"[{}] x", b"[NaN]"],
)  # fmt: skip
def test_a_body_that_cannot_be_read(rig: Rig, body: bytes) -> None:
    answer = rig.mgmt("POST", "/targets", body)
    assert (status(answer), error_code(answer)) == (400, "rest.body.notReadable")


def test_only_the_given_fields_change(rig: Rig) -> None:
    """S17."""
    created = rig.create("a", name="old", description="d", address="http://h:1/x", group="g")
    rig.let_pass(1)
    changed = document(rig.mgmt("PUT", "/targets/a", {"name": "new", "group": "other"}))
    assert changed["lastModifiedAt"] == created["lastModifiedAt"] + 1000
    expected = {**created, "name": "new", "lastModifiedAt": changed["lastModifiedAt"], "_links": changed["_links"]}
    assert changed == expected


def test_an_operator_moves_the_audit_fields() -> None:
    rig = Rig(Settings(accounts=(Account("admin", "admin"), Account("other", "o"))))
    created = rig.create("a")
    rig.let_pass(2)
    rig.mgmt("PUT", "/targets/a", {"description": "x"}, account=Account("other", "o"))
    target = rig.read("/targets/a")
    assert (target["createdBy"], target["lastModifiedBy"]) == ("admin", "other")
    assert target["lastModifiedAt"] == created["createdAt"] + 2000


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"securityToken": ""}, "update.update.securityToken size must be between 1 and 128."),
        ({"name": ""}, "update.update.name size must be between 1 and 128."),
        ({"description": "d" * 513}, "update.update.description size must be between 0 and 512."),
        ({"address": "a" * 513}, "update.update.address size must be between 0 and 512."),
    ],
)
def test_a_change_obeys_the_same_limits(rig: Rig, body: dict[str, str], message: str) -> None:
    rig.create("a")
    answer = rig.mgmt("PUT", "/targets/a", body)
    assert (status(answer), document(answer)["message"]) == (400, message)


def test_attributes_cannot_be_unasked(rig: Rig) -> None:
    """S18."""
    rig.create("a")
    answer = rig.mgmt("PUT", "/targets/a", {"requestAttributes": False})
    assert (status(answer), answer.response.body) == (400, b"")


def test_a_type_is_given_changed_and_removed(rig: Rig) -> None:
    """S20."""
    (board,) = document(rig.mgmt("POST", "/targettypes", [{"name": "board"}]))
    created = rig.create("a", targetType=board["id"])
    assert (created["targetType"], created["targetTypeName"]) == (board["id"], "board")
    assert rig.read("/targets/a")["_links"]["targetType"]["href"] == f"{ORIGIN}/rest/v1/targettypes/{board['id']}"
    assert "targetType" not in document(rig.mgmt("PUT", "/targets/a", {"targetType": -1}))
    assert document(rig.mgmt("PUT", "/targets/a", {"targetType": str(board["id"])}))["targetType"] == board["id"]
    assert error_code(rig.mgmt("PUT", "/targets/a", {"targetType": 999})) == "repo.entityNotFound"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/targets/nope", None), ("PUT", "/targets/nope", {"name": "x"}), ("DELETE", "/targets/nope", None),
        ("GET", "/targets/nope/attributes", None), ("GET", "/targets/nope/tags", None),
        ("GET", "/targets/nope/metadata", None), ("POST", "/targets/nope/metadata", [{"key": "k", "value": "v"}]),
        ("GET", "/targets/nope/metadata/k", None), ("PUT", "/targets/nope/metadata/k", {"value": "v"}),
        ("DELETE", "/targets/nope/metadata/k", None), ("POST", "/targets/nope/targettype", {"id": 1}),
        ("DELETE", "/targets/nope/targettype", None), ("GET", "/targets/nope/autoConfirm", None),
        ("POST", "/targets/nope/autoConfirm/activate", None), ("POST", "/targets/nope/autoConfirm/deactivate", None),
    ],
)  # fmt: skip
def test_an_unknown_target_is_not_found(rig: Rig, method: str, path: str, body: Any) -> None:
    answer = rig.mgmt(method, path, body)
    assert status(answer) == 404
    assert document(answer)["info"] == {"type": "Target", "entityId": "nope"}


def test_rights_are_needed_and_tokens_hidden() -> None:
    """S27, S31."""
    rig = Rig(Settings(accounts=(Account("admin", "admin"), CREATOR, READER)))
    created = rig.mgmt("POST", "/targets", [{"controllerId": "a"}], account=CREATOR)
    assert status(created) == 201
    assert "securityToken" not in document(created)[0]
    refused = rig.mgmt("POST", "/targets", [{"controllerId": "b"}], account=READER)
    assert (status(refused), error_code(refused)) == (403, "insufficientPermission")
    assert "reader lacks CREATE_TARGET" in refused.reason
    assert "securityToken" not in document(rig.mgmt("GET", "/targets/a", account=READER))
    assert status(rig.mgmt("DELETE", "/targets/a", account=READER)) == 403
    assert status(rig.mgmt("GET", "/targettypes", account=READER)) == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Basic eDp5"}, {"Authorization": "Basic !!"}, {"Authorization": "TargetToken x"},
     {"Authorization": "GatewayToken x"}, {"Authorization": "Bearer x"}, {"Authorization": "Basic YWRtaW4="}],
)  # fmt: skip
def test_management_takes_basic_credentials_only(rig: Rig, headers: dict[str, str]) -> None:
    """S26."""
    answer = rig.send("GET", "/rest/v1/targets", headers)
    assert status(answer) == 401
    assert answer.response.header("WWW-Authenticate") == 'Basic realm="hawkBit", charset="UTF-8"'
    assert document(answer)["error"] == "Unauthorized"
    assert answer.reason


def test_tenants_do_not_see_each_other() -> None:
    other = Account("other", "o", tenant="second")
    rig = Rig(Settings(accounts=(Account("admin", "admin"), other)))
    rig.create("a")
    assert document(rig.mgmt("GET", "/targets", account=other))["total"] == 0
    assert status(rig.mgmt("POST", "/targets", [{"controllerId": "a"}], account=other)) == 201
    rig.target_tokens_on()
    token = document(rig.mgmt("GET", "/targets/a", account=other))["securityToken"]
    assert status(rig.poll("a", token)) == 401
    assert status(rig.poll("a", token, tenant="SECOND")) == 401
    rig.mgmt("PUT", "/system/configs", {"authentication.targettoken.enabled": True}, account=other)
    assert status(rig.poll("a", token, tenant="second")) == 200
    assert document(rig.mgmt("GET", "/userinfo", account=other))["tenant"] == "SECOND"


@pytest.mark.parametrize("name", ["attribute", "metadata", "tag", "autoConfirm"])
def test_what_has_many_values_sorts_nothing(rig: Rig, name: str) -> None:
    for controller_id in ("b", "a"):
        rig.create(controller_id)
    answer = rig.mgmt("GET", f"/targets?sort={name}:ASC")
    assert [target["controllerId"] for target in document(answer)["content"]] == ["a", "b"]


@pytest.mark.parametrize("name", ["type", "assignedds", "installedDS", "targettype"])
def test_what_has_parts_can_be_sorted_by(rig: Rig, name: str) -> None:
    assert status(rig.mgmt("GET", f"/targets?sort={name}:ASC")) == 200


def test_parameters_given_twice_are_joined(rig: Rig) -> None:
    for controller_id in "abc":
        rig.create(controller_id)
    found = rig.read("/targets?q=name==a&q=name==b&sort=name:DESC&sort=id:ASC")
    assert [target["name"] for target in found["content"]] == ["b", "a"]


def test_lists_are_searched_sorted_and_paged(rig: Rig) -> None:
    for number in range(7):
        rig.create(f"dev-{number}", name=f"name {6 - number}", group="even" if number % 2 == 0 else None)
    page = rig.read("/targets?q=group==even&sort=name:asc&offset=1&limit=2")
    assert [target["controllerId"] for target in page["content"]] == ["dev-4", "dev-2"]
    assert (page["total"], page["size"]) == (4, 2)
    both = rig.read("/targets?sort=group:DESC,controllerId:DESC&limit=4")
    assert [target["controllerId"] for target in both["content"]] == ["dev-6", "dev-4", "dev-2", "dev-0"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=x", "rest.body.notReadable"),
        ("offset=99999999999", "rest.body.notReadable"),
        ("sort=foo:ASC", "rest.param.invalidField"),
        ("sort=name:UP", "rest.param.invalidDirection"),
        ("sort=name", "rest.param.sortParamSyntax"),
        ("sort=assignedds.name:ASC", "rest.param.invalidField"),
        ("q=foo==1", "rest.param.rsqlInvalidField"),
        ("q=name==", "rest.param.rsqlParamSyntax"),
        ("q=updatestatus==foo", "rest.param.rsqlInvalidField"),
        ("q=lastTargetQuery==1", "rest.param.rsqlInvalidField"),
    ],
)
def test_bad_parameters_of_a_list(rig: Rig, query: str, code: str) -> None:
    answer = rig.mgmt("GET", f"/targets?{query}")
    assert (status(answer), error_code(answer)) == (400, code)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("controllerId==a", "a"), ("id==B", "b"), ("attribute.hw==2", "a"), ("metadata.k==v", "b"),
        ("updateStatus==registered", "a"), ("updateStatus==unknown", "b"), ("tag==red", "b"), ("tag.name==RED", "b"),
        ("type==board", "a"), ("type.key==board", "a"), ("type.name==board", "a"), ("type!=board", "b"),
        ("targettype.key==board", "a"), ("ipaddress==*127.0.0.1*", "a"), ("group==g", "b"), ("group=is=null", "a"),
        ("lastControllerRequestAt=lt=${now_ts}", "a"), ("lastControllerRequestAt=is=null", "b"),
        ("createdat<=${NOW_TS}", "ab"), ("createdby==ADMIN", "ab"), ("autoconfirm==true", "b"),
        ("autoconfirm==false", "a"), ("assignedds.name==x", ""), ("assignedds.name!=x", "ab"),
        ("lastcontrollerrequestat=le=${overdue_ts}", "a"), ("description==*plug*", ""),
    ],
)  # fmt: skip
def test_the_fields_of_a_target_can_be_searched(rig: Rig, query: str, found: str) -> None:
    (board,) = document(rig.mgmt("POST", "/targettypes", [{"name": "board"}]))
    (red,) = document(rig.mgmt("POST", "/targettags", [{"name": "red"}]))
    rig.target_tokens_on()
    rig.create("a", securityToken="t", targetType=board["id"])
    rig.create("b", group="g")
    rig.poll("a", "t")
    rig.put_attributes("a", "t", {"HW": "2"})
    rig.mgmt("POST", "/targets/b/metadata", [{"key": "k", "value": "v"}])
    rig.mgmt("POST", f"/targettags/{red['id']}/assigned/b")
    rig.mgmt("POST", "/targets/b/autoConfirm/activate")
    rig.let_pass(700)
    page = rig.read(f"/targets?q={quote(query)}")
    assert "".join(target["controllerId"] for target in page["content"]) == found


def test_ids_are_encoded_in_links(rig: Rig) -> None:
    created = rig.create("a:b@c+d*é")
    assert created["_links"]["self"]["href"] == f"{ORIGIN}/rest/v1/targets/a%3Ab%40c%2Bd%2A%C3%A9"
    assert status(rig.mgmt("GET", "/targets/a%3Ab%40c%2Bd%2A%C3%A9")) == 200


def test_as_documented_a_creation_answers_like_the_documentation() -> None:
    """§5, 2-4. What is read afterwards says the same."""
    rig = Rig(Settings(profile=Profile.AS_DOCUMENTED))
    created = rig.create("a")
    (listed,) = rig.read("/targets")["content"]
    for target in (created, rig.read("/targets/a"), listed):
        assert target["updateStatus"] == "registered"
        assert (target["lastControllerRequestAt"], target["installedAt"]) == (0, 0)
    assert set(created["_links"]) == {"self", "assignedDS", "installedDS", "attributes", "actions"}


def test_before_1_0_deletions_answer_200_and_groups_are_unknown() -> None:
    rig = Rig(Settings(profile=Profile.OLD))
    assert "group" not in rig.create("a", group="g")
    assert status(rig.mgmt("DELETE", "/targets/a")) == 200
