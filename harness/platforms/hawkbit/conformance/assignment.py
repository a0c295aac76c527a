"""Assigning distribution sets to targets (docs/contracts/hawkbit.md §1.4)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_has, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    expect_bare,
    expect_document,
    expect_error,
    expect_link,
)
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import (
    Deployment,
    deployed,
    let_in,
    no_content,
    unassigned,
)
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.start_properties import AUTO_ASSIGNMENT, resting_on
from fleetrig.harness.platforms.hawkbit.conformance.targets import expect_not_yet

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "assignment")

NOBODY: Final = {"assigned": 0, "alreadyAssigned": 0, "assignedActions": [], "total": 0}
APPROVAL: Final = "auto.assignment.approval.enabled"
"""Newer servers only."""
AUTO_ASSIGNED_WITHIN_S: Final = 20.0
"""The scheduler looks every 2 s by default."""


def expect_counts(result: dict[str, Any], *, assigned: int, already: int) -> None:
    """An assignment result; `assignedActions` has one entry per action that was made."""
    counts = {"assigned": assigned, "alreadyAssigned": already, "total": assigned + already}
    expect_has("the assignment", counts, result)
    expect("number of assignedActions", assigned, len(result["assignedActions"]))


def expect_one_action(one: Deployment) -> None:
    actions = expect_document(one.mgmt("GET", "/actions"))
    expect("ids of the target's actions", [one.action_id], [action["id"] for action in actions["content"]])
    expect("total of the target's actions", 1, actions["total"])


@ROWS.row("S90", "assign", "An assigned target is pending, and its poll leads to the deployment")
def assign(client: RowClient) -> None:
    one = deployed(client)
    another = client.target()
    path = f"/distributionsets/{one.update.set_id}/assignedTargets"
    result = expect_document(client.mgmt("POST", path, [{"id": another.controller_id}]))
    expect_counts(result, assigned=1, already=0)
    action = result["assignedActions"][0]
    expect_link("assignedActions", action["_links"]["self"]["href"], f"/{another.controller_id}/actions/{action['id']}")
    one.expect_target("pending")
    expect("id of the assigned set", one.update.set_id, one.set_id("assignedDS"))
    expect("the installed set", None, one.set_id("installedDS"))
    one.expect_links(["deploymentBase", "configData"])
    one.expect_action("running", active=True, type="update", forceType="forced")
    expect_one_action(one)


@ROWS.row("S91", "again", "Assigning the same set again makes no action")
def again(client: RowClient) -> None:
    one = deployed(client)
    path = f"/distributionsets/{one.update.set_id}/assignedTargets"
    expect_counts(expect_document(client.mgmt("POST", path, [{"id": one.target.controller_id}])), assigned=0, already=1)
    expect_one_action(one)


@ROWS.row("S92", "unknown-target", "An unknown target in assignedTargets is dropped without a word")
def unknown_target(client: RowClient) -> None:
    path = f"/distributionsets/{client.update().set_id}/assignedTargets"
    nobody = client.name("nobody")
    expect_has("the assignment", NOBODY, expect_document(client.mgmt("POST", path, [{"id": nobody}])))
    expect("whether the unknown target came into being", False, client.exists(nobody))


@ROWS.row("S93", "assigned-ds-unknown", "assignedDS of an unknown target or with an unknown set is a 404")
def assigned_ds_unknown(client: RowClient) -> None:
    update, nobody, target = client.update(), client.name("nobody"), client.target()
    answer = client.mgmt("POST", f"/targets/{nobody}/assignedDS", {"id": update.set_id})
    expect_error(answer, 404, "repo.entityNotFound", info={"type": "Target", "entityId": nobody},
                 message=f"Target with given identifier {{{nobody}}} does not exist.")  # fmt: skip
    no_set = 2**31 - 1
    answer = client.mgmt("POST", f"/targets/{target.controller_id}/assignedDS", {"id": no_set})
    expect_error(answer, 404, "repo.entityNotFound", info={"type": "DistributionSet", "entityId": no_set})
    answer = client.mgmt("POST", f"/targets/{target.controller_id}/assignedDS", {"id": update.set_id})
    expect_counts(expect_document(answer), assigned=1, already=0)


@ROWS.row("S110", "superseded", "A second set cancels the first action before its own deployment is shown")
def superseded(client: RowClient) -> None:
    first = deployed(client)
    update = client.update(b"second fleetrig")
    second = Deployment(client, update, first.target, client.assign(update, first.target))
    first.expect_links(["cancelAction", "configData"])
    first.expect_action("canceling", active=True, type="cancel")
    expect("status of the cancel feedback", 200, first.report_cancel("closed", "success").status)
    first.expect_action("canceled", active=False)
    second.expect_links(["deploymentBase", "configData"])
    second.expect_target("pending")
    expect("id of the assigned set", update.set_id, second.set_id("assignedDS"))


@ROWS.row("S121", "before-first-poll", "A target assigned before its first poll stays pending when it polls")
def before_first_poll(client: RowClient) -> None:
    one = deployed(client)
    expect_not_yet(client, one.record(), ("lastControllerRequestAt",))
    one.expect_links(["deploymentBase", "configData"])

    def polled() -> None:
        expect_that(one.record().get("lastControllerRequestAt"), "the poll was noted", sorted(one.record()))

    client.until(12, polled)
    one.expect_target("pending")


@ROWS.row("S131", "offline", "An offline assignment counts as installed at once")
def offline(client: RowClient) -> None:
    update, target = unassigned(client)
    path = f"/distributionsets/{update.set_id}/assignedTargets?offline=true"
    result = expect_document(client.mgmt("POST", path, [{"id": target.controller_id}]))
    expect_has("the assignment", {"assigned": 1, "alreadyAssigned": 0, "total": 1}, result)
    actions = expect_document(client.mgmt("GET", f"/targets/{target.controller_id}/actions"))["content"]
    expect("number of actions", 1, len(actions))
    one = Deployment(client, update, target, actions[0]["id"])
    one.expect_target("in_sync")
    expect_that(isinstance(one.record().get("installedAt"), int), "the target has installedAt", sorted(one.record()))
    expect("id of the assigned set", update.set_id, one.set_id("assignedDS"))
    expect("id of the installed set", update.set_id, one.set_id("installedDS"))
    one.expect_action("finished", active=False)
    one.expect_links(["installedBase", "configData"])


@ROWS.row("S132", "incomplete-and-locked", "No incomplete set is assigned, no used module changed; used sets can go")
def incomplete_and_locked(client: RowClient) -> None:
    client.settings.change({"implicit.lock.enabled": True})
    one = deployed(client)
    empty = client.made("/distributionsets", {"name": client.name("empty"), "version": "1", "type": "os"})
    expect("complete", False, empty["complete"])
    body = [{"id": client.target().controller_id}]
    answer = client.mgmt("POST", f"/distributionsets/{empty['id']}/assignedTargets", body)
    expect_error(answer, 400, "distributionset.incomplete")
    expect_error(client.upload(one.update.module_id, b"x", "late.bin"), 423, "locked")
    module = client.made("/softwaremodules", {"name": client.name("sm"), "version": "1", "type": "os"})
    expect_bare(client.upload(module["id"], b"", "empty.bin"), 400)
    expect_bare(client.mgmt("DELETE", f"/distributionsets/{one.update.set_id}"), no_content(client))


@ROWS.row("S137", "auto-assignment", "A filter assigns its set to a matching target that registers later")
def auto_assignment(client: RowClient) -> None:
    gateway = client.settings.switch_gateway_on()
    update, newcomer = unassigned(client)[0], client.name("auto")
    if client.settings.read(APPROVAL) is True:
        client.settings.change({APPROVAL: False})
    body = {"name": client.name("filter"), "query": f"controllerId=={newcomer}"}
    filter_id = expect_document(client.mgmt("POST", "/targetfilters", body), 201)["id"]
    client.undo_delete(f"/targetfilters/{filter_id}")
    answer = client.mgmt("POST", f"/targetfilters/{filter_id}/autoAssignDS", {"id": update.set_id})
    expect("autoAssignDistributionSet", update.set_id, expect_document(answer)["autoAssignDistributionSet"])
    client.forget_target(newcomer)

    document = expect_document(let_in(client, newcomer, gateway))
    expect("links of the first poll", ["configData"], sorted(document.get("_links", {})))

    def assigned() -> None:
        document = expect_document(client.ddi("GET", newcomer, auth=gateway))
        expect("links of a later poll", ["configData", "deploymentBase"], sorted(document.get("_links", {})))

    with resting_on(AUTO_ASSIGNMENT):
        client.until(AUTO_ASSIGNED_WITHIN_S, assigned)
    expect("updateStatus", "pending", client.record(newcomer)["updateStatus"])
