"""What targets are called together by: tags, groups, filters, and what filters assign by themselves (§1.5)."""

from __future__ import annotations

import time
from typing import Any, Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import MissingCapability, expect, expect_has, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_document, expect_error, expect_framework
from fleetrig.harness.platforms.hawkbit.conformance.assignment import APPROVAL, AUTO_ASSIGNED_WITHIN_S
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import no_content, unassigned
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import VIOLATION
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.software import NO_ENTITY
from fleetrig.harness.platforms.hawkbit.conformance.start_properties import AUTO_ASSIGNMENT, resting_on
from fleetrig.harness.platforms.hawkbit.conformance.types import TAKEN
from fleetrig.harness.platforms.hawkbit.conformance.under_test import Target, Update

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "labels")

A_DAY_MS: Final = 86_400_000

ILLEGAL_STATE: Final = "auto.assignment.illegalState"


def done(client: RowClient, answer: Answer) -> None:
    expect(f"status of {answer.request}", no_content(client), answer.status)


def targets_of(answer: Answer) -> list[str]:
    return [target["controllerId"] for target in expect_document(answer)["content"]]


@ROWS.row("S176", "tags", "Targets carry tags; an unknown target is refused, or left out, as the request says")
def tags(client: RowClient) -> None:
    names = [client.target().controller_id for _ in range(2)]
    tag = client.made("/targettags", {"name": client.name("tag"), "colour": "red", "description": "line"})
    path = f"/targettags/{tag['id']}"
    done(client, client.mgmt("POST", f"{path}/assigned", names))
    expect("tagged targets", names, targets_of(client.mgmt("GET", f"{path}/assigned")))
    expect("found by tag", names, targets_of(client.mgmt("GET", f"/targets?q=tag=={tag['name']}")))
    without = f"controllerid=={client.name_prefix}*;tag!={tag['name']}"
    expect("found by not having it", [], targets_of(client.mgmt("GET", f"/targets?q={without}")))
    [carried] = expect_document(client.mgmt("GET", f"/targets/{names[0]}/tags"))
    expect_has("the tag of a target", {"name": tag["name"], "colour": "red"}, carried)
    done(client, client.mgmt("DELETE", f"{path}/assigned/{names[0]}"))
    expect("tagged targets", names[1:], targets_of(client.mgmt("GET", f"{path}/assigned")))
    unknown(client, path, names)
    changed = expect_document(client.mgmt("PUT", path, {"description": "changed"}))
    expect_has("the changed tag", {"name": tag["name"], "description": "changed", "colour": "red"}, changed)
    expect("tags found", 1, expect_document(client.mgmt("GET", f"/targettags?q=name=={tag['name']}"))["total"])
    expect_error(client.mgmt("POST", "/targettags", [{"name": tag["name"]}]), 409, TAKEN)
    expect_error(client.mgmt("POST", "/targettags", [{"colour": "red"}]), 400, VIOLATION)
    done(client, client.mgmt("DELETE", path))
    expect_error(client.mgmt("GET", path), 404, NO_ENTITY)
    expect("tags of a target", [], expect_document(client.mgmt("GET", f"/targets/{names[1]}/tags")))


def unknown(client: RowClient, path: str, names: list[str]) -> None:
    """`onNotFoundPolicy` says what becomes of the targets that are there."""
    done(client, client.mgmt("DELETE", f"{path}/assigned", names[1:]))
    mixed = [names[0], client.name("nobody")]
    expect_error(client.mgmt("POST", f"{path}/assigned", mixed), 404, NO_ENTITY)
    expect("tagged after a refusal", [], targets_of(client.mgmt("GET", f"{path}/assigned")))
    answer = client.mgmt("POST", f"{path}/assigned?onNotFoundPolicy=ON_WHAT_FOUND_AND_FAIL", mixed)
    expect_error(answer, 404, NO_ENTITY)
    expect("tagged all the same", names[:1], targets_of(client.mgmt("GET", f"{path}/assigned")))
    done(client, client.mgmt("DELETE", f"{path}/assigned?onNotFoundPolicy=ON_WHAT_FOUND_AND_SUCCESS", mixed))
    done(client, client.mgmt("POST", f"{path}/assigned/{names[1]}"))
    expect_error(client.mgmt("POST", f"{path}/assigned", []), 400, VIOLATION)


@ROWS.row(
    "S177", "groups", "Targets are put into groups by name or by query; a group is read with or without subgroups"
)
def groups(client: RowClient) -> None:
    if not client.generation.has_target_groups:
        expect_framework(client.mgmt("GET", "/targetgroups"), 404, "Not Found")
        return
    names = [client.target().controller_id for _ in range(3)]
    one, below = client.name("g"), client.name("g")
    sub = f"{one}%2F{below}"
    expect("status", 204, client.mgmt("PUT", f"/targetgroups/{one}/assigned", names[:1]).status)
    expect("status", 204, client.mgmt("PUT", f"/targetgroups/assigned?group={sub}", names[1:2]).status)
    members = f"/targetgroups/assigned?group={one}"
    expect("members", names[:1], targets_of(client.mgmt("GET", f"/targetgroups/{one.upper()}/assigned")))
    expect("members without subgroups", names[:1], targets_of(client.mgmt("GET", members)))
    expect("members with subgroups", names[:2], targets_of(client.mgmt("GET", f"{members}&subgroups=true")))
    used = expect_document(client.mgmt("GET", "/targetgroups"))
    expect_that({one, f"{one}/{below}"} <= set(used), "both groups are in use", used)
    expect("found by group", names[:1], targets_of(client.mgmt("GET", f"/targets?q=group=={one}")))
    expect("status", 204, client.mgmt("PUT", f"/targetgroups/{one}?q=controllerid=={names[2]}").status)
    expect("members", [names[0], names[2]], targets_of(client.mgmt("GET", members)))
    expect("status", 204, client.mgmt("PUT", f"/targetgroups?group={one}&q=controllerid=={names[1]}").status)
    expect("status", 204, client.mgmt("DELETE", f"/targetgroups?q=controllerid=={names[2]}").status)
    expect("status", 204, client.mgmt("DELETE", "/targetgroups/assigned", names[:1]).status)
    expect("members", names[1:2], targets_of(client.mgmt("GET", members)))
    for method, path in (("PUT", f"/targetgroups/{one}/assigned"), ("GET", "/targetgroups/assigned?group=")):
        expect_error(client.mgmt(method, path, [] if method == "PUT" else None), 400, VIOLATION)


@ROWS.row("S178", "filters", "A filter keeps a query under a name; both can be changed, and neither may be nonsense")
def filters(client: RowClient) -> None:
    body = {"name": client.name("f"), "query": f"controllerid=={client.name_prefix}*"}
    one = expect_document(client.mgmt("POST", "/targetfilters", body), 201)
    path = f"/targetfilters/{one['id']}"
    client.undo_delete(path)
    expect_has("the filter", {**body, "autoAssignDistributionSet": None}, expect_document(client.mgmt("GET", path)))
    found = expect_document(client.mgmt("GET", f"/targetfilters?q=name=={body['name']}&representation=full"))
    expect("ids found", [one["id"]], [other["id"] for other in found["content"]])
    expect("status of autoAssignDS", 204, client.mgmt("GET", f"{path}/autoAssignDS").status)
    renamed = expect_document(client.mgmt("PUT", path, {"name": client.name("f")}))
    expect_that(renamed["name"] != body["name"] and renamed["query"] == body["query"], "another name alone", renamed)
    expect_error(client.mgmt("POST", "/targetfilters", {**body, "name": renamed["name"]}), 409, TAKEN)
    for wrong, code in (({"query": "colour==red"}, "rest.param.rsqlInvalidField"),
                        ({"query": "name=="}, "rest.param.rsqlParamSyntax"), ({"name": ""}, VIOLATION),
                        ({"query": None}, VIOLATION)):  # fmt: skip
        expect_error(client.mgmt("POST", "/targetfilters", {**body, **wrong}), 400, code)
    expect_error(client.mgmt("PUT", path, {"query": "colour==red"}), 400, "rest.param.rsqlInvalidField")
    expect_error(client.mgmt("GET", "/targetfilters/0"), 404, NO_ENTITY)


@ROWS.row("S179", "filter-assigns", "What a filter assigns is read, follows another query, and is switched off")
def filter_assigns(client: RowClient) -> None:
    update, target = unassigned(client)
    approved(client)
    body = {"name": client.name("f"), "query": f"controllerid=={client.name('nobody')}"}
    one = expect_document(client.mgmt("POST", "/targetfilters", body), 201)
    path = f"/targetfilters/{one['id']}"
    client.undo_delete(path)
    switched = expect_document(client.mgmt("POST", f"{path}/autoAssignDS", {"id": update.set_id, "type": "soft"}))
    expect_has("the filter", {"autoAssignDistributionSet": update.set_id, "autoAssignActionType": "soft"}, switched)
    assigned = expect_document(client.mgmt("GET", f"{path}/autoAssignDS"))
    expect("id of what it assigns", update.set_id, assigned["id"])
    by_set = expect_document(client.mgmt("GET", f"/distributionsets/{update.set_id}/autoAssignTargetFilters"))
    expect("filters of the set", [one["id"]], [other["id"] for other in by_set["content"]])
    timed = {"id": update.set_id, "type": "timeforced"}
    expect_error(client.mgmt("POST", f"{path}/autoAssignDS", timed), 400, "repo.invalidAutoAssignActionType")
    expect_document(client.mgmt("PUT", path, {"query": f"controllerid=={target.controller_id}"}))

    def reached() -> None:
        actions = expect_document(client.mgmt("GET", f"/targets/{target.controller_id}/actions"))["content"]
        expect("types of the target's actions", ["soft"], [action["forceType"] for action in actions])

    with resting_on(AUTO_ASSIGNMENT):
        client.until(AUTO_ASSIGNED_WITHIN_S, reached)
    expect("status of switching it off", 204, client.mgmt("DELETE", f"{path}/autoAssignDS").status)
    expect("status of autoAssignDS", 204, client.mgmt("GET", f"{path}/autoAssignDS").status)


def approved(client: RowClient) -> None:
    """Nobody has to approve what filters assign."""
    if client.settings.read(APPROVAL) is True:
        client.settings.change({APPROVAL: False})


@ROWS.row("S180", "auto-assignments", "An automatic assignment is approved, started, paused, resumed and found")
def auto_assignments(client: RowClient) -> None:
    if not client.generation.has_auto_assignments:
        expect_framework(client.mgmt("GET", "/autoassignments"), 404, "Not Found")
        return
    update, target = unassigned(client)
    client.settings.change({APPROVAL: True})
    body = {"name": client.name("aa"), "targetFilterQuery": f"controllerid=={target.controller_id}",
            "distributionSetId": update.set_id, "actionType": "soft", "startAt": later_ms()}  # fmt: skip
    one = made(client, body)
    path = f"/autoassignments/{one['id']}"
    expect_has("the assignment", {**body, "status": "waiting_for_approval"}, one)
    expect_error(client.mgmt("POST", f"{path}/start"), 409, ILLEGAL_STATE)
    moved(client, path, "approve?remark=fine", "ready")
    moved(client, path, "start", "running")
    moved(client, path, "pause", "paused")
    expect_error(client.mgmt("POST", f"{path}/pause"), 409, ILLEGAL_STATE)
    moved(client, path, "resume", "running")
    assigned_to(client, target)
    expect_error(client.mgmt("POST", "/autoassignments", body), 409, TAKEN)
    denied_and_refused(client, update, body)
    found_and_deleted(client, update, one, path)


def later_ms() -> int:
    """A time at which nothing begins by itself while the row lasts."""
    return int(time.time() * 1000) + A_DAY_MS


def made(client: RowClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.mgmt("POST", "/autoassignments", body)
    if answer.status == 404:
        raise MissingCapability("automatic assignments of their own (/autoassignments)")
    document: dict[str, Any] = expect_document(answer, 201)
    client.undo_delete(f"/autoassignments/{document['id']}")
    return document


def moved(client: RowClient, path: str, word: str, status: str) -> None:
    expect(f"status of {word}", 204, client.mgmt("POST", f"{path}/{word}").status)
    expect(f"where it is after {word}", status, expect_document(client.mgmt("GET", path))["status"])


def assigned_to(client: RowClient, target: Target) -> None:
    def reached() -> None:
        page = expect_document(client.mgmt("GET", f"/targets/{target.controller_id}/actions"))
        expect("number of the target's actions", 1, page["total"])

    with resting_on(AUTO_ASSIGNMENT):
        client.until(AUTO_ASSIGNED_WITHIN_S, reached)


def denied_and_refused(client: RowClient, update: Update, body: dict[str, Any]) -> None:
    other = made(client, {**body, "name": client.name("aa")})
    moved(client, f"/autoassignments/{other['id']}", "deny", "approval_denied")
    expect_error(client.mgmt("POST", f"/autoassignments/{other['id']}/approve"), 409, ILLEGAL_STATE)
    for wrong in ({"weight": 1001}, {"targetFilterQuery": ""}):
        expect_error(client.mgmt("POST", "/autoassignments", {**body, **wrong}), 400, VIOLATION)


def found_and_deleted(client: RowClient, update: Update, one: dict[str, Any], path: str) -> None:
    name = one["name"]
    for where in (f"/autoassignments?q=name=={name};status==running",
                  f"/distributionsets/{update.set_id}/autoAssignments?q=actiontype==soft;name=={name}"):  # fmt: skip
        found = expect_document(client.mgmt("GET", where))["content"]
        expect("ids found", [one["id"]], [other["id"] for other in found])
    changed = expect_document(client.mgmt("PUT", path, {"description": "changed"}))
    expect_has("the changed assignment", {"description": "changed", "name": one["name"]}, changed)
    expect("status of the deletion", 204, client.mgmt("DELETE", path).status)
    for method in ("GET", "DELETE"):
        expect_error(client.mgmt(method, path), 404, NO_ENTITY)
