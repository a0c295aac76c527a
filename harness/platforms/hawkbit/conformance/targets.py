"""Targets made through the Management API (docs/contracts/hawkbit.md §1.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect, expect_has, expect_keys, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    REPOSITORY,
    expect_document,
    expect_error,
    expect_link,
    expect_type,
)
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import NOT_READABLE
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "targets")

TOKEN: Final = re.compile(r"[0-9a-f]{32}")
LIMITS: Final = {"name": (1, 128), "description": (0, 512), "securityToken": (1, 128), "address": (0, 512)}
"""Fields of a new target -> their least and greatest number of characters."""
ONLY_LATER: Final = ("lastControllerRequestAt", "installedAt", "pollStatus")
"""Absent until there is a value."""
NO_TYPE_ID: Final = 2_000_000_000
BOGUS: Final = (b"", b"abc", b"[", b"null")


def created(client: RowClient, *bodies: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answer to a creation that must succeed: one document for each body."""
    answer = client.create_targets(bodies)
    documents: list[dict[str, Any]] = expect_document(answer, 201)
    expect_type(answer, "application/hal+json")
    expect("number of targets in the answer", len(bodies), len(documents))
    return documents


def expect_violation(answer: Answer, *sentences: str) -> None:
    """A constraint violation that says at least this; its sentences come in no fixed order (§0.1)."""
    error = expect_error(
        answer, 400, "repo.constraintViolation", exceptionClass="jakarta.validation.ConstraintViolationException"
    )
    for sentence in sentences:
        expect_that(sentence in error.get("message", ""), f"message of {answer.request} says {sentence}", error)


def expect_taken(answer: Answer) -> None:
    """The 409 of a name that exists already."""
    expect_error(answer, 409, "repo.entityAlreadyExists", exceptionClass=f"{REPOSITORY}EntityAlreadyExistsException",
                 message="The given entity already exists in database")  # fmt: skip


def expect_none_called(client: RowClient, name: str) -> None:
    """No target has this name: the way to find one whose id cannot stand in a path."""
    page = expect_document(client.mgmt("GET", f"/targets?q=name=={name}"))
    expect(f"number of targets called {name}", 0, page["total"])


def expect_text(client: RowClient, field: str, text: str) -> None:
    """A target with this text in this field is made, and keeps it."""
    target = created(client, {"controllerId": client.name(), field: text})[0]
    expect(f"{field} of {len(text)} characters", text, target.get(field))


@ROWS.row("S01", "create", "A target is created as asked, its token kept, with a link to itself only")
def create(client: RowClient) -> None:
    kind = client.made("/targettypes", {"name": client.name("type")})
    user = expect_document(client.mgmt("GET", "/userinfo"))["username"]
    name = client.name()
    body = {"controllerId": name, "name": "Board One", "description": "first", "securityToken": "tok-1",
            "address": "http://10.1.2.3:8080/x", "targetType": kind["id"], "group": "Europe"}  # fmt: skip
    target = created(client, body)[0]
    if not client.generation.has_target_groups:
        del body["group"]
    shown = {**body, "ipAddress": "10.1.2.3", "targetTypeName": kind["name"], "requestAttributes": True,
             "createdBy": user, "lastModifiedBy": user}  # fmt: skip
    expect_has("the target", shown, target)
    for when in ("createdAt", "lastModifiedAt"):
        expect_that(isinstance(target.get(when), int) and target[when] > 10**12, f"{when}: ms since 1970", target)
    expect_link("_links.self", target["_links"]["self"]["href"], f"/rest/v1/targets/{name}")
    expect("updateStatus of a new target", client.generation.first_status, target["updateStatus"])
    expect_not_yet(client, target)
    if not client.generation.creates_as_documented:
        expect_keys("_links", ["self"], target["_links"])
        return
    for rel in ("assignedDS", "installedDS", "attributes", "actions"):
        expect_that(rel in target["_links"], f"_links of the target has {rel}", target["_links"])


def expect_not_yet(client: RowClient, target: Mapping[str, Any], fields: Sequence[str] = ONLY_LATER) -> None:
    """What has not happened has no time, or the one that the generation gives it (§5, 3)."""
    nothing = client.generation.no_time
    found = [field for field in fields if field in target and (nothing is None or target[field] != nothing)]
    expect("fields without a value yet", [], found)


@ROWS.row("S02", "generated-token", "A target without a token gets one of 32 lower-case hex digits")
def generated_token(client: RowClient) -> None:
    first, second = created(client, {"controllerId": client.name()}, {"controllerId": client.name()})
    for target in (first, second):
        token = target.get("securityToken", "")
        expect_that(TOKEN.fullmatch(token), "securityToken: 32 lower-case hex digits", token)
    expect_that(first["securityToken"] != second["securityToken"], "a token of its own for each target", "one for both")


@ROWS.row("S03", "default-name", "A target without a name is called after the first 128 characters of its id")
def default_name(client: RowClient) -> None:
    controller_id = client.name().ljust(200, "a")
    target = created(client, {"controllerId": controller_id})[0]
    expect("controllerId", controller_id, target["controllerId"])
    expect("name", controller_id[:128], target.get("name"))


@ROWS.row("S04", "order", "Several targets are created in one request and answered in its order")
def order(client: RowClient) -> None:
    names = [f"{client.name()}-{letter}" for letter in "cab"]
    targets = created(client, *({"controllerId": name} for name in names))
    expect("controllerIds in the answer", names, [target["controllerId"] for target in targets])
    expect("names", names, [target["name"] for target in targets])
    expect("which of them exist", [True] * 3, [client.exists(name) for name in names])


@ROWS.row("S05", "taken", "An id that exists already is refused, and its target stays as it is")
def taken(client: RowClient) -> None:
    target = client.target(name="the first")
    before = client.record(target.controller_id)
    expect_taken(client.create_targets([{"controllerId": target.controller_id, "name": "the second"}]))
    page = expect_document(client.mgmt("GET", f"/targets?q=controllerId=={target.controller_id}"))
    expect(f"number of targets {target.controller_id}", 1, page["total"])
    expect("the target after the refusal", before, client.record(target.controller_id))


@ROWS.row("S06", "all-or-nothing", "One id that exists already rejects the whole array")
def all_or_nothing(client: RowClient) -> None:
    existing, fresh = client.target().controller_id, client.name("new")
    expect_taken(client.create_targets([{"controllerId": fresh}, {"controllerId": existing}]))
    expect("whether the new one of the array was created", False, client.exists(fresh))


@ROWS.row("S07", "no-id", "A target without an id is refused")
def no_id(client: RowClient) -> None:
    name = client.name()
    expect_violation(
        client.create_targets([{"name": name}]), f"{client.generation.new('controllerId')} must not be null."
    )
    expect_none_called(client, name)


@ROWS.row("S08", "blank-in-id", "An id with a blank is refused")
def blank_in_id(client: RowClient) -> None:
    name = client.name()
    answer = client.create_targets([{"controllerId": f"{name} b", "name": name}])
    expect_violation(answer, "controllerId has whitespaces which are not allowed.")
    expect_none_called(client, name)


@ROWS.row("S09", "id-length", "An id has 1 to 256 characters")
def id_length(client: RowClient) -> None:
    longest = client.name().ljust(256, "b")
    expect("controllerId", longest, created(client, {"controllerId": longest})[0]["controllerId"])
    expect("whether the target with the longest id exists", True, client.exists(longest))
    name = client.name()
    for wrong in (name.ljust(257, "c"), ""):
        answer = client.create_targets([{"controllerId": wrong, "name": name}])
        expect_violation(answer, f"{client.generation.new('controllerId')} size must be between 1 and 256.")
    expect_none_called(client, name)


@ROWS.row("S10", "field-lengths", "Too long a field is refused; an empty name or token counts as absent")
def field_lengths(client: RowClient) -> None:
    for field, (least, most) in LIMITS.items():
        text = "http://h/".ljust(most + 1, "n") if field == "address" else "n" * (most + 1)
        name = client.name()
        answer = client.create_targets([{"controllerId": name, field: text}])
        expect_violation(answer, f"{client.generation.new(field)} size must be between {least} and {most}.")
        expect(f"whether a target with too long a {field} was created", False, client.exists(name))
        expect_text(client, field, text[:most])
    name = client.name()
    target = created(client, {"controllerId": name, "name": "", "securityToken": ""})[0]
    expect("name of a target created with an empty one", name, target.get("name"))
    token = target.get("securityToken", "")
    expect_that(TOKEN.fullmatch(token), "a fresh token for a target created with an empty one", token)
    for field, text in (("securityToken", ""), ("securityToken", "n" * 129), ("name", "n" * 129)):
        answer = client.mgmt("PUT", f"/targets/{name}", {field: text})
        expect_violation(answer, f"{client.generation.changed(field)} size must be between 1 and 128.")
    expect_has("the target after refused changes", {"name": name, "securityToken": token}, client.record(name))


@ROWS.row("S11", "markup", "Markup in id or name is refused; < and > alone are not markup")
def markup(client: RowClient) -> None:
    name = client.name()
    in_id = client.create_targets([{"controllerId": f"{name}<b>x", "name": name}])
    expect_violation(in_id, f"{client.generation.marked_up('controllerId')} Invalid characters in string.")
    good = client.name()
    in_name = client.create_targets([{"controllerId": good}, {"controllerId": name, "name": f"{name}<b>x"}])
    expect_violation(in_name, f"{client.generation.marked_up('name', 1)} Invalid characters in string.")
    expect_none_called(client, f"{name}*")
    expect("whether the good one of the array was created", False, client.exists(good))
    expect_text(client, "name", "1 < 2 & 3 > 2")


@ROWS.row("S12", "unreadable", "A missing or unreadable body is refused; an empty array makes nothing")
def unreadable(client: RowClient) -> None:
    for body in BOGUS:
        answer = client.mgmt("POST", "/targets", body)
        expect_error(answer, 400, "rest.body.notReadable", message="The given request body is not well formed",
                     exceptionClass="org.eclipse.hawkbit.rest.exception.MessageNotReadableException")  # fmt: skip
    expect("targets made by an empty array", [], expect_document(client.mgmt("POST", "/targets", []), 201))


@ROWS.row("S13", "unknown-type", "A target type that does not exist is a 404 that names it, and nothing is created")
def unknown_type(client: RowClient) -> None:
    name = client.name()
    answer = client.create_targets([{"controllerId": name, "targetType": NO_TYPE_ID}])
    expect_error(answer, 404, "repo.entityNotFound", exceptionClass=f"{REPOSITORY}EntityNotFoundException",
                 info={"type": "TargetType", "entityId": NO_TYPE_ID},
                 message=f"TargetType with given identifier {{{NO_TYPE_ID}}} does not exist.")  # fmt: skip
    expect("whether the target was created", False, client.exists(name))


@ROWS.row("S14", "request-attributes", "A new target is asked for its attributes, whatever its creator says")
def request_attributes(client: RowClient) -> None:
    name = client.name()
    target = created(client, {"controllerId": name, "requestAttributes": False})[0]
    expect("requestAttributes in the answer", True, target.get("requestAttributes"))
    expect("requestAttributes afterwards", True, client.record(name).get("requestAttributes"))


@ROWS.row("S130", "one-object", "An id twice in one array rejects it; from 1.1 on one object counts as an array of one")
def one_object(client: RowClient) -> None:
    name, twice = client.name(), client.name()
    client.forget_target(name)
    answer = client.mgmt("POST", "/targets", {"controllerId": name})
    if not client.generation.one_counts_as_array:
        expect_error(answer, 400, "rest.body.notReadable")
        expect("whether a single object created a target", False, client.exists(name))
    else:
        targets = expect_document(answer, 201)
        expect_that(isinstance(targets, list), "an array as answer to a single object", targets)
        expect("controllerIds in the answer", [name], [target["controllerId"] for target in targets])
    expect_taken(client.create_targets([{"controllerId": twice}, {"controllerId": twice}]))
    expect("whether the id given twice was created", False, client.exists(twice))


UNREADABLE: Final[tuple[dict[str, Any], ...]] = (
    {"name": ["x"]}, {"name": {}}, {"requestAttributes": "maybe"}, {"requestAttributes": [True]}, {"targetType": True},
    {"targetType": "one"}, {"targetType": [1]},
)  # fmt: skip


@ROWS.row(
    "S187", "coercions", "Numbers count as text and text as numbers where a body wants the other; the rest is a 400"
)
def coercions(client: RowClient) -> None:
    name = client.name()
    client.forget_target(name)
    answer = client.mgmt("POST", "/targets", [{"controllerId": name, "name": 7, "description": True}])
    [made] = expect_document(answer, 201)
    expect_has("the target", {"name": "7", "description": "true"}, made)
    path = f"/targets/{name}"
    for value in ("true", 1, " TRUE "):
        changed = client.mgmt("PUT", path, {"requestAttributes": value})
        expect(f"status of requestAttributes = {value!r}", 200, changed.status)
    for number in ("1000000001", 1000000001.9):
        expect_error(client.mgmt("PUT", path, {"targetType": number}), 404, "repo.entityNotFound")
    for wrong in UNREADABLE:
        expect_error(client.mgmt("PUT", path, wrong), 400, NOT_READABLE)
    expect_error(client.mgmt("POST", "/targets", ["x"]), 400, NOT_READABLE)
    expect_has("the target", {"name": "7", "description": "true"}, client.record(name))
