"""Rollouts: an update reaches many targets group by group (§1.5)."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_has, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    expect_document,
    expect_error,
    expect_framework,
    expect_link,
)
from fleetrig.harness.platforms.hawkbit.conformance.rollout_fixture import (
    SCHEDULER_WITHIN_S,
    RolloutUnderTest,
    created,
    posted,
    prepare,
    running,
)
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "rollouts")

COUNTS: Final = {"scheduled": 0, "running": 0, "error": 0, "finished": 0, "cancelled": 0, "notstarted": 0}
ILLEGAL_STATE: Final = "rollout.illegalState"


@ROWS.row("S141", "created", "A rollout cuts its targets into groups and waits for its start")
def created_and_ready(client: RowClient) -> None:
    one = created(client, 4, amountGroups=2, description="two halves")
    fresh = {"totalTargets": 4, "deleted": False, "type": "forced", "totalGroups": 2}
    expect_has("the rollout", {**fresh, "name": one.name, "distributionSetId": one.update.set_id}, one.document())
    expect_link("start", one.document()["_links"]["start"]["href"], f"/rollouts/{one.rollout_id}/start")
    one.expect_status("ready")
    groups = one.groups()
    expect("names of the groups", ["group-1", "group-2"], [group["name"] for group in groups])
    for group in groups:
        expect_has(group["name"], {"status": "ready", "totalTargets": 2, "targetPercentage": 50.0}, group)
        expect("successCondition", {"condition": "THRESHOLD", "expression": "50"}, group["successCondition"])
        expect_has("errorAction", {"action": "PAUSE"}, group["errorAction"])
    expect("targets of the groups", [[0, 1], [2, 3]], one.members())
    one.expect_work()
    expect("totalTargetsPerStatus", {**COUNTS, "notstarted": 4}, one.document()["totalTargetsPerStatus"])


@ROWS.row("S142", "read", "Rollouts and groups are found by name, read one by one, and renamed")
def read(client: RowClient) -> None:
    one, other = created(client, 2), client.name("other")
    one.expect_status("ready")
    found = expect_document(client.mgmt("GET", f"/rollouts?q=name=={one.name}"))
    expect_has("the list", {"total": 1, "size": 1}, found)
    expect("id of the rollout found", one.rollout_id, found["content"][0]["id"])
    expect_that("totalGroups" not in found["content"][0], "a compact list has no counts", found["content"][0])
    full = expect_document(client.mgmt("GET", f"/rollouts?q=name=={one.name};status==ready&representation=full"))
    expect("totalGroups in a full list", [1], [rollout["totalGroups"] for rollout in full["content"]])
    by_set = expect_document(client.mgmt("GET", f"/rollouts?q=distributionset.name=={one.update.name}"))
    expect("rollouts of the set", [one.rollout_id], [rollout["id"] for rollout in by_set["content"]])
    [group] = one.groups()
    read_alone = expect_document(one.mgmt("GET", f"/deploygroups/{group['id']}"))
    expect_has("the group", {"id": group["id"], "name": "group-1", "totalTargets": 2}, read_alone)
    expect_error(one.mgmt("GET", "/deploygroups/0"), 404, "repo.entityNotFound")
    expect_error(client.mgmt("GET", "/rollouts/0"), 404, "repo.entityNotFound", info={"type": "Rollout", "entityId": 0})
    renamed = expect_document(one.mgmt("PUT", body={"name": other, "description": "renamed"}))
    expect_has("the renamed rollout", {"name": other, "description": "renamed", "status": "ready"}, renamed)
    changed_while_running(one)


def changed_while_running(one: RolloutUnderTest) -> None:
    """The answer counts no target as begun, whatever a read tells."""
    one.move("start")
    one.expect_status("running")
    document = one.document()["totalTargetsPerStatus"]
    expect_has("the counts while it runs", {"running": 2, "notstarted": 0}, document)
    changed = expect_document(one.mgmt("PUT", body={"description": "late"}))
    expect_has("the counts of a change", {"running": 0, "notstarted": 2}, changed["totalTargetsPerStatus"])


@ROWS.row("S143", "group-by-group", "Only targets of groups that have begun are offered the update")
def group_by_group(client: RowClient) -> None:
    one = running(client, 4, amountGroups=2)
    one.expect_groups("running", "scheduled")
    one.expect_work(0, 1)
    waiting = one.deployment(2).action()
    expect_has("the waiting action", client.generation.state_of("scheduled", active=False), waiting)
    expect_has("the waiting action", {"rollout": one.rollout_id, "rolloutName": one.name}, waiting)
    expect("totalTargetsPerStatus", {**COUNTS, "running": 2, "scheduled": 2}, one.document()["totalTargetsPerStatus"])
    one.deployment(0).expect_target("pending")
    expect("members of the group that runs", [0, 1], one.members()[0])


@ROWS.row("S144", "success", "What succeeds begins the next group, and the last one ends the rollout")
def success(client: RowClient) -> None:
    one = running(client, 4, amountGroups=2)
    one.report([0])
    one.expect_groups("running", "running")
    one.expect_work(1, 2, 3)
    one.report([1, 2, 3])
    one.expect_groups("finished", "finished")
    one.expect_status("finished")
    expect("totalTargetsPerStatus", {**COUNTS, "finished": 4}, one.document()["totalTargetsPerStatus"])
    expect_error(one.mgmt("POST", "/pause"), 400, ILLEGAL_STATE)


@ROWS.row("S145", "failure", "Too many failures in a group pause the rollout; resuming it begins the next group")
def failure(client: RowClient) -> None:
    one = running(client, 4, amountGroups=2, errorCondition={"condition": "THRESHOLD", "expression": "40"})
    one.report([0], "closed", "failure")
    one.expect_status("paused")
    one.expect_groups("error", "scheduled")
    one.expect_work(1)
    expect("errors counted", 1, one.document()["totalTargetsPerStatus"]["error"])
    expect_error(one.mgmt("POST", "/pause"), 400, ILLEGAL_STATE)
    one.move("resume")
    one.expect_groups("error", "running")
    one.expect_work(1, 2, 3)


@ROWS.row("S146", "threshold", "Just as many failures as the threshold says do not pause a rollout")
def threshold(client: RowClient) -> None:
    one = running(client, 2)
    one.report([0], "closed", "failure")
    one.report([1])
    one.expect_status("finished")
    one.expect_groups("finished")


@ROWS.row("S147", "pauses", "A rollout is paused by its success or an operator, and its next group begun by hand")
def pauses(client: RowClient) -> None:
    one = running(client, 3, amountGroups=3, successAction={"action": "PAUSE"})
    one.report([0])
    one.expect_status("paused")
    one.move("resume")
    one.expect_groups("finished", "running", "scheduled")
    one.move("triggerNextGroup")
    one.expect_work(1, 2)
    expect_error(one.mgmt("POST", "/triggerNextGroup"), 400, ILLEGAL_STATE)
    one.move("pause")
    expect("status after the pause", "paused", one.document()["status"])
    expect_error(one.mgmt("POST", "/triggerNextGroup"), 400, ILLEGAL_STATE)
    expect_error(one.mgmt("POST", "/start"), 400, ILLEGAL_STATE)


@ROWS.row("S148", "own-groups", "Groups can have shares and queries of their own")
def own_groups(client: RowClient) -> None:
    update, targets, body = prepare(client, 5)
    name = body["name"]
    groups = [
        {"name": "picked", "targetFilterQuery": f"id=={name}-4", "description": "by hand"},
        {"name": "some", "targetPercentage": 50, "successCondition": {"condition": "THRESHOLD", "expression": "100"}},
        {"name": "rest"},
    ]
    one = posted(client, update, targets, {**body, "groups": groups})
    one.expect_status("ready")
    expect("targets of the groups", [[4], [0, 1], [2, 3]], one.members())
    expect("successCondition of the second", "100", one.groups()[1]["successCondition"]["expression"])
    one.move("start")
    one.expect_groups("running", "scheduled", "scheduled")
    one.report([4])
    one.expect_groups("finished", "running", "scheduled")


@ROWS.row("S149", "overlap", "Groups whose queries overlap share their targets out")
def overlap(client: RowClient) -> None:
    update, targets, body = prepare(client, 4)
    name = body["name"]
    groups = [{"name": "half", "targetFilterQuery": f"id=={name}-0,id=={name}-1", "targetPercentage": 50},
              {"name": "both", "targetFilterQuery": f"id=={name}-*"}]  # fmt: skip
    one = posted(client, update, targets, {**body, "groups": groups})
    one.expect_status("ready")
    expect("targets of the groups", [[0], [1, 2, 3]], one.members())


@ROWS.row("S150", "stop", "Stopping a rollout cancels what runs and drops what waits")
def stop(client: RowClient) -> None:
    one = running(client, 2, amountGroups=2)
    one.deployment(0).expect_links(["deploymentBase", "configData"])
    if not client.generation.rollouts_can_be_stopped:
        expect_framework(one.mgmt("POST", "/stop"), 404, "Not Found")
        return
    one.move("stop")
    one.expect_status("stopped")
    one.expect_groups("finished", "finished")
    one.deployment(0).expect_links(["cancelAction", "configData"])
    path = f"/targets/{one.targets[1].controller_id}/actions"
    expect("actions of a target that waited", 0, expect_document(client.mgmt("GET", path))["total"])
    expect_error(one.mgmt("POST", "/stop"), 400, ILLEGAL_STATE)


@ROWS.row("S151", "deleted", "A rollout that never began is deleted for good; one that began is kept, but ends")
def deleted(client: RowClient) -> None:
    done = client.generation.no_content
    unused, used = created(client, 1), running(client, 1)
    unused.expect_status("ready")
    for one in (unused, used):
        expect("status of the deletion", done, one.mgmt("DELETE").status)

    def gone() -> None:
        expect("status of the rollout that never began", 404, unused.mgmt("GET").status)
        expect("deleted", True, used.document()["deleted"])

    client.until(SCHEDULER_WITHIN_S, gone)
    used.expect_work()
    used.deployment(0).expect_target("in_sync")
    found = expect_document(client.mgmt("GET", f"/rollouts?q=name=={used.name}"))
    expect("deleted rollouts in a list", 0, found["total"])
    expect_error(used.mgmt("PUT", body={"name": client.name("other")}), 403, "entityReadOnly")
    expect_error(client.mgmt("POST", "/rollouts", {
        "name": used.name, "distributionSetId": unused.update.set_id, "targetFilterQuery": f"id=={used.name}-*",
    }), 409, "repo.entityAlreadyExists")  # fmt: skip


@ROWS.row("S152", "retry", "A finished rollout can be tried again for whom it failed")
def retry(client: RowClient) -> None:
    one = running(client, 2)
    expect_that(one.mgmt("POST", "/retry").status == 400, "a running rollout is not retried: 400", one.document())
    one.report([0])
    one.report([1], "closed", "failure")
    one.expect_status("finished")
    document = expect_document(one.mgmt("POST", "/retry"), 201)
    client.undo_delete(f"/rollouts/{document['id']}")
    expect_has("the new rollout", {"name": f"{one.name}_retry", "totalTargets": 1}, document)
    expect("its query", f"failedrollout=={one.rollout_id}", document["targetFilterQuery"])
