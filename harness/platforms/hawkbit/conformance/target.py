"""One target: read, change, delete (docs/contracts/hawkbit.md §1.3)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_has, expect_keys, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    REPOSITORY,
    expect_bare,
    expect_document,
    expect_error,
    expect_link,
)
from fleetrig.harness.platforms.hawkbit.conformance.api_client import tt
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import admitted, no_content
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.targets import expect_not_yet

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "target")

LINKS: Final = ("assignedDS", "installedDS", "attributes", "actions", "metadata")
CHANGING: Final = ("lastModifiedAt", "lastModifiedBy")


def steady(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what every change moves."""
    return {field: value for field, value in record.items() if field not in CHANGING}


@ROWS.row("S15", "read", "A single target has links to all about it, and no times of what has not happened")
def read(client: RowClient) -> None:
    target = client.target(name="Board One", description="first")
    record = client.record(target.controller_id)
    shown = {"controllerId": target.controller_id, "name": "Board One", "description": "first",
             "securityToken": target.token, "updateStatus": client.generation.first_status,
             "requestAttributes": True}  # fmt: skip
    expect_has("the target", shown, record)
    expect_not_yet(client, record)
    # A tenant with the confirmation flow adds autoConfirm.
    expect_keys("_links", ["self", *LINKS], {rel: 0 for rel in record["_links"] if rel != "autoConfirm"})
    path = f"/rest/v1/targets/{target.controller_id}"
    expect_link("_links.self", record["_links"]["self"]["href"], path)
    for rel in LINKS:
        href = record["_links"][rel]["href"]
        expect_link(f"_links.{rel}", href, f"{path}/{rel}")
        if rel == "actions" and not client.generation.creates_as_documented:
            query = "?offset=0&limit=50&sort=id%3ADESC"
            expect_that(href.endswith(query), f"_links.actions ends in {query}", href)


@ROWS.row("S16", "unknown", "An unknown target is a 404 that names it")
def unknown(client: RowClient) -> None:
    name = client.name()
    error = expect_error(client.mgmt("GET", f"/targets/{name}"), 404, "repo.entityNotFound",
                         exceptionClass=f"{REPOSITORY}EntityNotFoundException",
                         message=f"Target with given identifier {{{name}}} does not exist.",
                         info={"type": "Target", "entityId": name})  # fmt: skip
    expect_keys("the error", ["exceptionClass", "errorCode", "message", "info"], error)


@ROWS.row("S17", "rename", "A change of one field leaves the others as they were")
def rename(client: RowClient) -> None:
    kind = client.made("/targettypes", {"name": client.name("type")})
    target = client.target(name="before", description="first", securityToken="tok-17", targetType=kind["id"],
                           address="http://10.1.2.3:8080/x")  # fmt: skip
    before = client.record(target.controller_id)
    after = expect_document(client.mgmt("PUT", f"/targets/{target.controller_id}", {"name": "after"}))
    expect("the answer to the change", steady({**before, "name": "after"}), steady(after))
    expect("the target afterwards", steady({**before, "name": "after"}), steady(client.record(target.controller_id)))


@ROWS.row("S18", "unask-attributes", "Attributes cannot be un-asked: a 400 without a body, nothing changed")
def unask_attributes(client: RowClient) -> None:
    target = client.target()
    before = client.record(target.controller_id)
    expect("requestAttributes of a fresh target", True, before.get("requestAttributes"))
    expect_bare(client.mgmt("PUT", f"/targets/{target.controller_id}", {"requestAttributes": False}), 400)
    expect("the target after the refusal", before, client.record(target.controller_id))


@ROWS.row("S19", "ask-attributes", "Asked for again, attributes are linked to in the next poll")
def ask_attributes(client: RowClient) -> None:
    client.settings.switch_target_tokens_on()
    target = client.target()
    admitted(client, target)
    body = {"data": {"hw": "1"}}
    expect_bare(client.ddi("PUT", target.controller_id, "/configData", auth=tt(target), body=body))
    expect("_links of the poll after the attributes", None, expect_document(client.poll(target)).get("_links"))
    expect("requestAttributes after them", False, client.record(target.controller_id).get("requestAttributes"))
    asked = expect_document(client.mgmt("PUT", f"/targets/{target.controller_id}", {"requestAttributes": True}))
    expect("requestAttributes in the answer", True, asked.get("requestAttributes"))
    links = expect_document(client.poll(target)).get("_links", {})
    expect_keys("_links of the next poll", ["configData"], links)
    expect_link("configData", links["configData"]["href"], f"/{target.controller_id}/configData")


@ROWS.row("S20", "remove-type", "The target type -1 removes the type")
def remove_type(client: RowClient) -> None:
    kind = client.made("/targettypes", {"name": client.name("type")})
    target = client.target(targetType=kind["id"])
    before = client.record(target.controller_id)
    expect_has("the target", {"targetType": kind["id"], "targetTypeName": kind["name"]}, before)
    expect_link("_links.targetType", before["_links"]["targetType"]["href"], f"/rest/v1/targettypes/{kind['id']}")
    changed = expect_document(client.mgmt("PUT", f"/targets/{target.controller_id}", {"targetType": -1}))
    for record in (changed, client.record(target.controller_id)):
        left = [field for field in ("targetType", "targetTypeName") if field in record]
        expect("fields of the removed type", [], left)


@ROWS.row("S21", "delete", "A deleted target is gone, and cannot be deleted again")
def delete(client: RowClient) -> None:
    name = client.target().controller_id
    expect_bare(client.mgmt("DELETE", f"/targets/{name}"), no_content(client))
    for method in ("DELETE", "GET"):
        expect_error(client.mgmt(method, f"/targets/{name}"), 404, "repo.entityNotFound",
                     info={"type": "Target", "entityId": name})  # fmt: skip
