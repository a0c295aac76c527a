"""Distribution sets: search, their modules and targets, and taking one back (§1.4)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_has
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_document, expect_error
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import Deployment, deployed, no_content
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import NOT_READABLE, VIOLATION
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.software import NO_ENTITY, new_module

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "sets")


def new_set(client: RowClient, **more: Any) -> dict[str, Any]:
    return client.made("/distributionsets", {"name": client.name("ds"), "version": "1", "type": "os", **more})


def found(client: RowClient, query: str) -> list[int]:
    """Ids of the sets that a query finds."""
    page = expect_document(client.mgmt("GET", f"/distributionsets?q={query}"))
    return [one["id"] for one in page["content"]]


@ROWS.row("S168", "search", "Sets are found by name, type, module, metadata, and by whether they are complete")
def search(client: RowClient) -> None:
    module = new_module(client)
    whole, empty = new_set(client, modules=[{"id": module["id"]}]), new_set(client)
    ours = f"name=={client.name_prefix}*"
    client.mgmt("POST", f"/distributionsets/{empty['id']}/metadata", [{"key": "line", "value": "7"}])
    both = [whole["id"], empty["id"]]
    for query, ids in (
        (ours, both), (f"{ours};complete==true", both[:1]), (f"{ours};complete!=true", both[1:]),
        (f"{ours};type==os;valid==true", both), (f"{ours};module.name=={module['name']}", both[:1]),
        (f"{ours};metadata.line==7", both[1:]), (f"{ours};id=in=({both[0]},{both[1]})", both),
        (f"{ours};version==2", []), (f"{ours};type.key!=os", []), (f"{ours};createdat=gt=0", both),
    ):  # fmt: skip
        expect(f"sets found by {query}", ids, found(client, query))
    client.mgmt("DELETE", f"/distributionsets/{client.update().set_id}")
    expect("deleted sets in a list", both, found(client, f"{ours}&soft_deleted_mode=EXCLUDE_SOFT_DELETED"))
    wrong_mode = client.mgmt("GET", "/distributionsets?soft_deleted_mode=SOMETIMES")
    expect_error(wrong_mode, 400, NOT_READABLE)
    expect_error(client.mgmt("GET", "/distributionsets?q=complete=gt=true"), 400, "rest.param.rsqlParamSyntax")
    expect_error(client.mgmt("GET", "/distributionsets?q=colour==red"), 400, "rest.param.rsqlInvalidField")
    expect_error(client.mgmt("GET", "/distributionsets?q=id==abc"), 400, NOT_READABLE)


@ROWS.row("S169", "modules", "A set takes modules of its type's kinds; a newer one takes the place of an older one")
def modules(client: RowClient) -> None:
    older, newer, app = new_module(client), new_module(client), new_module(client, type="application")
    one = new_set(client)
    path = f"/distributionsets/{one['id']}/assignedSM"
    for module in (older, newer):
        expect(
            "status of POST …/assignedSM", no_content(client), client.mgmt("POST", path, [{"id": module["id"]}]).status
        )
    page = expect_document(client.mgmt("GET", path))
    expect("modules of the set", [newer["id"]], [module["id"] for module in page["content"]])
    expect_error(client.mgmt("POST", path, [{"id": app["id"]}]), 400, "distributionset.modules.unsupported")
    expect_error(client.mgmt("POST", path, [{"id": 2**31 - 1}]), 404, NO_ENTITY)
    expect("complete", True, expect_document(client.mgmt("GET", f"/distributionsets/{one['id']}"))["complete"])
    expect("status of DELETE …/assignedSM", no_content(client), client.mgmt("DELETE", f"{path}/{newer['id']}").status)
    expect("modules of the set", 0, expect_document(client.mgmt("GET", path))["total"])


@ROWS.row("S170", "changes", "A set is renamed and locked; its modules are locked with it, its name stays its own")
def changes(client: RowClient) -> None:
    module = new_module(client)
    one, other = new_set(client, modules=[{"id": module["id"]}]), new_set(client)
    path = f"/distributionsets/{one['id']}"
    body = {"description": "changed", "requiredMigrationStep": True}
    expect_has("the changed set", {**body, "name": one["name"]}, expect_document(client.mgmt("PUT", path, body)))
    expect_error(client.mgmt("PUT", path, {"name": other["name"]}), 409, "repo.entityAlreadyExists")
    expect_has("the locked set", {"locked": True}, expect_document(client.mgmt("PUT", path, {"locked": True})))
    locked = expect_document(client.mgmt("GET", f"/softwaremodules/{module['id']}"))
    expect_has("the module of the locked set", {"locked": True}, locked)
    expect_error(client.mgmt("PUT", path, {"requiredMigrationStep": False}), 423, "locked")
    expect_error(client.mgmt("DELETE", f"{path}/assignedSM/{module['id']}"), 423, "locked")
    again = {"name": one["name"], "version": "1", "type": "os"}
    expect_error(client.mgmt("POST", "/distributionsets", [again]), 409, "repo.entityAlreadyExists")
    expect_error(client.mgmt("POST", "/distributionsets", [{**again, "type": "nope"}]), 404, NO_ENTITY)


@ROWS.row("S171", "targets", "A set's targets are those that are to have it, and those that say they have it")
def targets(client: RowClient) -> None:
    one = deployed(client)
    path = f"/distributionsets/{one.update.set_id}"

    def ids(which: str) -> list[str]:
        content = expect_document(client.mgmt("GET", f"{path}/{which}"))["content"]
        return [target["controllerId"] for target in content]

    expect("assignedTargets", [one.target.controller_id], ids("assignedTargets"))
    expect("installedTargets", [], ids("installedTargets"))
    one.reported("closed", "success")
    expect("installedTargets", [one.target.controller_id], ids("installedTargets"))


@ROWS.row("S172", "invalidate", "A set that is invalid is assigned to nobody, and what runs of it ends as wished")
def invalidate(client: RowClient) -> None:
    for word, rels, status in (("none", ["deploymentBase"], "running"), ("soft", ["cancelAction"], "canceling"),
                               ("force", [], "canceled")):  # fmt: skip
        one = deployed(client)
        path = f"/distributionsets/{one.update.set_id}/invalidate"
        expect_error(client.mgmt("POST", path, {"actionCancelationType": "gently"}), 400, NOT_READABLE)
        answer = client.mgmt("POST", path, {"actionCancelationType": word})
        expect(f"status of invalidating with {word}", no_content(client), answer.status)
        one.expect_links([*rels, "configData"])
        one.expect_action(status, active=word != "force")
        refuse(client, one)


def refuse(client: RowClient, one: Deployment) -> None:
    """Neither assigned nor changed any more."""
    body = [{"id": client.target().controller_id}]
    answer = client.mgmt("POST", f"/distributionsets/{one.update.set_id}/assignedTargets", body)
    expect_error(answer, 400, "distributionset.invalid")
    expect_has(
        "the set", {"valid": False}, expect_document(client.mgmt("GET", f"/distributionsets/{one.update.set_id}"))
    )
    answer = client.mgmt("PUT", f"/distributionsets/{one.update.set_id}", {"description": "late"})
    expect_error(answer, 400, "distributionset.invalid")


@ROWS.row("S189", "tags", "Sets carry tags; they are found by a tag, and lose it when it is deleted")
def tags(client: RowClient) -> None:
    sets = [new_set(client)["id"] for _ in range(3)]
    tag = client.made("/distributionsettags", {"name": client.name("tag"), "colour": "blue", "description": "line"})
    path = f"/distributionsettags/{tag['id']}"
    ours, by_tag = f"name=={client.name_prefix}*", f"tag=={tag['name']}"
    expect("status", no_content(client), client.mgmt("POST", f"{path}/assigned/{sets[0]}").status)
    expect("status", no_content(client), client.mgmt("POST", f"{path}/assigned", sets[1:]).status)
    expect("tagged sets", sets, tagged(client, path))
    expect("status", no_content(client), client.mgmt("DELETE", f"{path}/assigned/{sets[0]}").status)
    expect("status", no_content(client), client.mgmt("DELETE", f"{path}/assigned", sets[1:2]).status)
    expect("tagged sets", sets[2:], tagged(client, path))
    expect("sets found by the tag", sets[2:], found(client, by_tag))
    expect("sets found by not having it", sets[:2], found(client, f"{ours};tag!={tag['name']}"))
    expect_error(client.mgmt("POST", f"{path}/assigned", [sets[0], 2**31 - 1]), 404, NO_ENTITY)
    expect("tagged sets after a refusal", sets[2:], tagged(client, path))
    expect_error(client.mgmt("POST", f"{path}/assigned", []), 400, VIOLATION)
    changed = expect_document(client.mgmt("PUT", path, {"description": "changed"}))
    expect_has("the changed tag", {"name": tag["name"], "description": "changed", "colour": "blue"}, changed)
    expect("tags found", 1, expect_document(client.mgmt("GET", f"/distributionsettags?q=name=={tag['name']}"))["total"])
    expect_error(client.mgmt("POST", "/distributionsettags", [{"name": tag["name"]}]), 409, "repo.entityAlreadyExists")
    expect_error(client.mgmt("POST", "/distributionsettags", [{"colour": "blue"}]), 400, VIOLATION)
    expect("status of the deletion", no_content(client), client.mgmt("DELETE", path).status)
    expect_error(client.mgmt("GET", path), 404, NO_ENTITY)
    expect("sets found by a tag that is gone", [], found(client, by_tag))


def tagged(client: RowClient, path: str) -> list[int]:
    """Ids of the sets that carry a tag."""
    return [one["id"] for one in expect_document(client.mgmt("GET", f"{path}/assigned"))["content"]]


@ROWS.row("S190", "statistics", "A set's statistics count its actions by status, and what assigns it by itself")
def statistics(client: RowClient) -> None:
    one = deployed(client)
    path = f"/distributionsets/{one.update.set_id}/statistics"
    expect_numbers(client, path, running=1)
    expect("numbers of rollouts", {}, expect_document(client.mgmt("GET", f"{path}/rollouts")))
    expect("numbers of what assigns by itself", {}, expect_document(client.mgmt("GET", f"{path}/autoassignments")))
    one.reported("closed", "success")
    expect_numbers(client, path, finished=1)
    client.assign(one.update, client.target())
    expect_numbers(client, path, finished=1, running=1)
    unused = f"/distributionsets/{new_set(client)['id']}/statistics/actions"
    expect("numbers of actions of another set", {}, expect_document(client.mgmt("GET", unused)))
    for which in ("", "/actions", "/rollouts", "/autoassignments"):
        answer = client.mgmt("GET", f"/distributionsets/{2**31 - 1}/statistics{which}")
        expect_error(answer, 404, NO_ENTITY)


def expect_numbers(client: RowClient, path: str, **by_status: int) -> None:
    """So many actions, in the statistics as a whole and in those of actions."""
    actions = {**{status.upper(): count for status, count in by_status.items()}, "total": sum(by_status.values())}
    expect("numbers of actions", {"actions": actions}, expect_document(client.mgmt("GET", f"{path}/actions")))
    whole = {"actions": actions, "rollouts": {"total": 0}, "totalAutoAssignments": 0}
    expect_has("all numbers", whole, expect_document(client.mgmt("GET", path)))
