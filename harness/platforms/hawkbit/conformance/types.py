"""Types of modules, of sets and of targets (§1.4, §1.5)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_has
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_document, expect_error
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import no_content, unassigned
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import VIOLATION
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.sets import new_set
from fleetrig.harness.platforms.hawkbit.conformance.software import NO_ENTITY, new_module

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "types")

TAKEN: Final = "repo.entityAlreadyExists"


def new_type(client: RowClient, path: str, **more: Any) -> dict[str, Any]:
    """A type whose key is its name."""
    name = client.name("ty")
    return client.made(path, {"key": name, "name": name, **more})


@ROWS.row("S173", "module-types", "A module type is made with limits, keeps its key, and is kept while it is used")
def module_types(client: RowClient) -> None:
    types = "/softwaremoduletypes"
    one = new_type(client, types, maxAssignments=2, description="boot loader")
    path = f"{types}/{one['id']}"
    fresh = {"key": one["key"], "maxAssignments": 2, "deleted": False, "description": "boot loader"}
    expect_has("the type", fresh, expect_document(client.mgmt("GET", path)))
    found = expect_document(client.mgmt("GET", f"{types}?q=key=={one['key']}"))
    expect("ids found", [one["id"]], [kind["id"] for kind in found["content"]])
    changed = expect_document(client.mgmt("PUT", path, {"description": "changed", "colour": "red", "key": "other"}))
    expect_has("the changed type", {"description": "changed", "colour": "red", "key": one["key"]}, changed)
    body = {"key": one["key"], "name": client.name("ty"), "maxAssignments": 1}
    expect_error(client.mgmt("POST", types, [body]), 409, TAKEN)
    for wrong in ({"maxAssignments": 0}, {"name": None}, {"colour": "x" * 17}):
        key = client.name("ty")
        expect_error(client.mgmt("POST", types, [{**body, "key": key, **wrong}]), 400, VIOLATION)
    new_module(client, type=one["key"])
    expect("status of deleting a used type", no_content(client), client.mgmt("DELETE", path).status)
    expect_has("the deleted type", {"deleted": True}, expect_document(client.mgmt("GET", path)))
    expect_error(client.mgmt("PUT", path, {"description": "late"}), 404, "deleted")
    unused = new_type(client, types, maxAssignments=1)
    expect("status of the deletion", no_content(client), client.mgmt("DELETE", f"{types}/{unused['id']}").status)
    expect_error(client.mgmt("GET", f"{types}/{unused['id']}"), 404, NO_ENTITY)


@ROWS.row("S174", "set-types", "A set type says which modules a set must and may have, until a set is of it")
def set_types(client: RowClient) -> None:
    kinds = [new_type(client, "/softwaremoduletypes", maxAssignments=1) for _ in range(2)]
    must, may = kinds
    types = "/distributionsettypes"
    one = new_type(client, types, mandatorymodules=[{"id": must["id"]}])
    path = f"{types}/{one['id']}"
    added = client.mgmt("POST", f"{path}/optionalmoduletypes", {"id": may["id"]})
    expect("status of adding an optional type", no_content(client), added.status)
    for part, kind in (("mandatorymoduletypes", must), ("optionalmoduletypes", may)):
        listed = expect_document(client.mgmt("GET", f"{path}/{part}"))
        expect(part, [kind["id"]], [other["id"] for other in listed])
        expect_has(part, {"key": kind["key"]}, expect_document(client.mgmt("GET", f"{path}/{part}/{kind['id']}")))
    expect_error(client.mgmt("GET", f"{path}/mandatorymoduletypes/{may['id']}"), 404, NO_ENTITY)
    removed = client.mgmt("DELETE", f"{path}/optionalmoduletypes/{may['id']}")
    expect("status of removing a type", no_content(client), removed.status)
    expect("optionalmoduletypes", [], expect_document(client.mgmt("GET", f"{path}/optionalmoduletypes")))
    changed = expect_document(client.mgmt("PUT", path, {"description": "changed", "name": "other"}))
    expect_has("the changed type", {"description": "changed", "name": one["name"]}, changed)
    found = expect_document(client.mgmt("GET", f"{types}?q=name=={one['name']}"))
    expect("ids found", [one["id"]], [kind["id"] for kind in found["content"]])
    expect_error(client.mgmt("POST", types, [{"key": one["key"], "name": client.name("ty")}]), 409, TAKEN)
    no_kind = {"key": client.name("ty"), "name": client.name("ty"), "optionalmodules": [{"id": 2**31 - 1}]}
    expect_error(client.mgmt("POST", types, [no_kind]), 404, NO_ENTITY)
    used(client, one, path, may)


def used(client: RowClient, one: dict[str, Any], path: str, may: dict[str, Any]) -> None:
    """A type that sets are of stays as it is, and is kept."""
    incomplete = new_set(client, type=one["key"])
    expect_has("a set of this type", {"type": one["key"], "complete": False}, incomplete)
    answer = client.mgmt("POST", f"{path}/optionalmoduletypes", {"id": may["id"]})
    expect_error(answer, 403, "entityReadOnly")
    expect("status of the deletion", no_content(client), client.mgmt("DELETE", path).status)
    expect_has("the deleted type", {"deleted": True}, expect_document(client.mgmt("GET", path)))
    default = client.settings.read("default.ds.type")
    expect("status of deleting the default type", 400,
           client.mgmt("DELETE", f"/distributionsettypes/{default}").status)  # fmt: skip


@ROWS.row("S175", "target-types", "A target type says which sets fit its targets, and is kept while a target is of it")
def target_types(client: RowClient) -> None:
    types = "/targettypes"
    set_types = expect_document(client.mgmt("GET", "/distributionsettypes?q=key=in=(os,app)"))["content"]
    by_key = {kind["key"]: kind["id"] for kind in set_types}
    one = new_type(client, types, compatibledistributionsettypes=[{"id": by_key["app"]}])
    path = f"{types}/{one['id']}"
    compatible = expect_document(client.mgmt("GET", f"{path}/compatibledistributionsettypes"))
    expect("compatible types", [by_key["app"]], [kind["id"] for kind in compatible])
    update, target = unassigned(client)
    typed = client.mgmt("POST", f"/targets/{target.controller_id}/targettype", {"id": one["id"]})
    expect("status of giving the target a type", no_content(client), typed.status)
    by_type = expect_document(client.mgmt("GET", f"/targets?q=targettype.key=={one['key']}"))
    expect("targets found by their type", 1, by_type["total"])
    assigned = f"/distributionsets/{update.set_id}/assignedTargets"
    answer = client.mgmt("POST", assigned, [{"id": target.controller_id}])
    expect_error(answer, 400, "target.type.incompatible")
    added = client.mgmt("POST", f"{path}/compatibledistributionsettypes", [{"id": by_key["os"]}])
    expect("status of adding a set type", no_content(client), added.status)
    result = expect_document(client.mgmt("POST", assigned, [{"id": target.controller_id}]))
    expect_has("the assignment", {"assigned": 1}, result)
    expect_error(client.mgmt("DELETE", path), 409, "target.type.used")
    taken_back(client, path, one, target.controller_id, by_key["os"])


def taken_back(client: RowClient, path: str, one: dict[str, Any], controller_id: str, set_type_id: int) -> None:
    done = no_content(client)
    removed = client.mgmt("DELETE", f"{path}/compatibledistributionsettypes/{set_type_id}")
    expect("status of removing a set type", done, removed.status)
    changed = expect_document(client.mgmt("PUT", path, {"description": "changed", "key": "ignored"}))
    expect_has("the changed type", {"description": "changed", "key": one["key"]}, changed)
    found = expect_document(client.mgmt("GET", f"/targettypes?q=name=={one['name']}"))
    expect("ids found", [one["id"]], [kind["id"] for kind in found["content"]])
    expect_error(client.mgmt("POST", "/targettypes", [{"name": one["name"]}]), 409, TAKEN)
    expect_error(client.mgmt("POST", "/targettypes", [{"colour": "red"}]), 400, "target.type.keyOrNameRequired")
    untyped = client.mgmt("DELETE", f"/targets/{controller_id}/targettype")
    expect("status of taking the type away", done, untyped.status)
    expect("status of the deletion", done, client.mgmt("DELETE", path).status)
    expect_error(client.mgmt("GET", path), 404, NO_ENTITY)
