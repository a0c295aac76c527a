"""Actions as operators see them: of all targets, of one, and deleted (§1.3)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_has, expect_keys, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    expect_bare,
    expect_document,
    expect_error,
    expect_framework,
)
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import Deployment, deployed
from fleetrig.harness.platforms.hawkbit.conformance.device_helpers import NOT_READABLE
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.start_properties import CLEAN_UP, resting_on

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "actions")

NOT_DELETABLE: Final = "action.notDeletable"
EXPIRY: Final = "action.cleanup.auto.expiry"
CLEANED_UP_WITHIN_S: Final = 12.0
DELETABLE: Final = "action.delete.allowed.statuses"


def finished(client: RowClient, count: int) -> list[Deployment]:
    """So many deployments of one target that ended well, the oldest first."""
    first = deployed(client)
    found = [first]
    first.reported("closed", "success")
    for _ in range(count - 1):
        update = client.update()
        found.append(Deployment(client, update, first.target, client.assign(update, first.target)))
        found[-1].reported("closed", "success")
    return found


def listed(client: RowClient, path: str) -> list[int]:
    """Ids of a list of actions."""
    content: list[dict[str, Any]] = expect_document(client.mgmt("GET", path))["content"]
    return [action["id"] for action in content]


@ROWS.row("S160", "of-all-targets", "The actions of all targets are listed newest first, found, and deleted when over")
def of_all_targets(client: RowClient) -> None:
    old, newer = finished(client, 2)
    running = deployed(client)
    ours = f"target.controllerid=={client.name_prefix}*"
    everything = [running.action_id, newer.action_id, old.action_id]
    expect("ids of our actions", everything, listed(client, f"/actions?q={ours}"))
    expect("oldest first", everything[::-1], listed(client, f"/actions?q={ours}&sort=id:ASC"))
    by_set = f"/actions?q={ours};distributionset.name=={newer.update.name}"
    expect("actions of a set", [newer.action_id], listed(client, by_set))
    [compact] = expect_document(client.mgmt("GET", by_set))["content"]
    [full] = expect_document(client.mgmt("GET", f"{by_set}&representation=full"))["content"]
    expect_keys("_links of an action in a list", ["self"], compact["_links"])
    expect_that({"target", "distributionset", "status"} <= full["_links"].keys(), "full: all links", full["_links"])
    expect_has("one action", {"id": old.action_id}, expect_document(client.mgmt("GET", f"/actions/{old.action_id}")))
    delete(client, ours, old, newer, running)


def delete(client: RowClient, ours: str, old: Deployment, newer: Deployment, running: Deployment) -> None:
    done = client.generation.no_content
    if not client.generation.actions_can_be_deleted:
        expect_framework(client.mgmt("DELETE", "/actions", [old.action_id]), 405, "Method Not Allowed")
        return
    client.settings.change({DELETABLE: "CANCELED,ERROR,FINISHED"})
    expect_error(client.mgmt("DELETE", f"/actions/{running.action_id}"), 405, NOT_DELETABLE)
    expect_error(client.mgmt("DELETE", f"/actions?q={ours}"), 405, NOT_DELETABLE)
    expect_error(client.mgmt("DELETE", "/actions"), 400, NOT_READABLE)
    expect("status of the deletion", done, client.mgmt("DELETE", f"/actions/{old.action_id}").status)
    expect_error(client.mgmt("GET", f"/actions/{old.action_id}"), 404, "repo.entityNotFound")
    expect("status of the deletion", done, client.mgmt("DELETE", "/actions", [newer.action_id]).status)
    expect("ids that are left", [running.action_id], listed(client, f"/actions?q={ours}"))
    running.reported("closed", "failure")
    expect("status of the deletion", done, client.mgmt("DELETE", f"/actions?q={ours}").status)
    expect("ids that are left", [], listed(client, f"/actions?q={ours}"))


@ROWS.row("S161", "of-one-target", "Of a target's actions the last so many can be kept, or some deleted")
def of_one_target(client: RowClient) -> None:
    done = client.generation.no_content
    old, middle, newest = finished(client, 3)
    path = f"/targets/{old.target.controller_id}/actions"
    expect("newest first", [newest.action_id, middle.action_id, old.action_id], listed(client, path))
    if not client.generation.actions_can_be_deleted:
        expect_framework(client.mgmt("DELETE", f"{path}?keepLast=1"), 405, "Method Not Allowed")
        return
    client.settings.change({DELETABLE: "CANCELED,ERROR,FINISHED"})
    for query, body in (("", None), ("?keepLast=1", [old.action_id]), ("?keepLast=-1", None)):
        expect(f"status of DELETE …/actions{query}", 400, client.mgmt("DELETE", path + query, body).status)
    expect("status of deleting by id", done, client.mgmt("DELETE", path, [old.action_id]).status)
    expect("status of keeping one", done, client.mgmt("DELETE", f"{path}?keepLast=1").status)
    expect("ids that are left", [newest.action_id], listed(client, path))
    update = client.update()
    running = Deployment(client, update, old.target, client.assign(update, old.target))
    expect_error(client.mgmt("DELETE", path, [running.action_id]), 405, NOT_DELETABLE)
    expect("status of keeping none", done, client.mgmt("DELETE", f"{path}?keepLast=0").status)
    expect("what is not over is kept", [running.action_id], listed(client, path))


@ROWS.row("S162", "of-another-target", "An action under another target's path is a 404 without a body")
def of_another_target(client: RowClient) -> None:
    one, other = deployed(client), client.target()
    for suffix in ("", "/status"):
        expect_bare(client.mgmt("GET", f"/targets/{other.controller_id}/actions/{one.action_id}{suffix}"), 404)
    expect("status of the cancellation", 404,
           client.mgmt("DELETE", f"/targets/{other.controller_id}/actions/{one.action_id}").status)  # fmt: skip
    one.expect_open("after that")
    unknown = client.mgmt("GET", f"/targets/{other.controller_id}/actions/0")
    expect_error(unknown, 404, "repo.entityNotFound", info={"type": "Action", "entityId": 0})


@ROWS.row("S163", "operator-confirms", "An operator can confirm in a device's place, once or for good")
def operator_confirms(client: RowClient) -> None:
    one = deployed(client, must_confirm=True)
    word = f"/actions/{one.action_id}/confirmation"
    for answer in ("denied", "confirmed"):
        body = {"confirmation": answer, "code": 1, "details": ["by hand"]}
        expect(f"status of {answer}", client.generation.no_content, one.mgmt("PUT", word, body).status)
        one.expect_action("wait_for_confirmation" if answer == "denied" else "running", active=True)
    one.expect_links(["deploymentBase", "configData"])
    state = expect_document(one.mgmt("GET", "/autoConfirm"))
    expect("active", False, state["active"])
    body = {"initiator": "line", "remark": "in the factory"}
    expect("status of activate", client.generation.no_content, one.mgmt("POST", "/autoConfirm/activate", body).status)
    expect_error(one.mgmt("POST", "/autoConfirm/activate", body), 409, "repo.autoConfAlreadyActive")
    expect_has("auto-confirmation", {"active": True, **body}, expect_document(one.mgmt("GET", "/autoConfirm")))
    update = client.update()
    at_once = Deployment(client, update, one.target, client.assign(update, one.target))
    at_once.expect_action("running", active=True)
    expect_that("line" in str(at_once.history()[-1]["messages"]), "the history says who confirms", at_once.history())
    expect("status of deactivate", client.generation.no_content, one.mgmt("POST", "/autoConfirm/deactivate").status)
    expect("active", False, expect_document(one.mgmt("GET", "/autoConfirm"))["active"])


@ROWS.row(
    "S188", "cleaned-up", "Actions of the states that a tenant names are deleted when old", needs=("fast_cleanup",)
)
def cleaned_up(client: RowClient) -> None:
    if not client.generation.actions_can_be_deleted:
        expect_error(client.mgmt("GET", f"/system/configs/{EXPIRY}"), 400, "configKeyInvalid")
        return
    over, running = finished(client, 1)[0], deployed(client)
    client.settings.change({EXPIRY: 0, "action.cleanup.auto.status": "FINISHED,NO_SUCH_STATUS"})
    expect("total of an action list before", 1, expect_document(over.mgmt("GET", "/actions"))["total"])
    client.settings.change({"action.cleanup.auto.status": "FINISHED"})

    def gone() -> None:
        expect("total of an action list", 0, expect_document(over.mgmt("GET", "/actions"))["total"])

    with resting_on(CLEAN_UP):
        client.until(CLEANED_UP_WITHIN_S, gone)
    running.expect_open("after the clean-up")
    expect("id of the installed set", over.update.set_id, over.set_id("installedDS"))
