"""Cancelling an action, and what its device says to that (docs/contracts/hawkbit.md §2.6)."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_bare, expect_document, expect_error
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import Deployment, canceling, deployed
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "cancel")


def expect_stop(one: Deployment) -> None:
    """The cancel document is there."""
    action_id = str(one.action_id)
    document = expect_document(one.device("GET", f"/cancelAction/{action_id}"))
    expect("the cancel document", {"id": action_id, "cancelAction": {"stopId": action_id}}, document)


def expect_canceled(one: Deployment) -> None:
    """Over, and the target counts as in sync although nothing was ever installed."""
    one.expect_action("canceled", active=False, type="cancel")
    one.expect_target("in_sync")
    expect("the assigned set", None, one.set_id("assignedDS"))
    expect("the installed set", None, one.set_id("installedDS"))
    one.expect_links(["configData"])


@ROWS.row("S105", "soft", "A cancelled action shows as cancelAction only, and its deployment is gone")
def soft(client: RowClient) -> None:
    one = deployed(client)
    one.document()
    expect_bare(one.cancel(), 204)
    one.expect_links(["cancelAction", "configData"])
    expect_that("?" not in one.links()["cancelAction"], "the link cancelAction has no query", one.links())
    expect_bare(one.read(), 404)
    expect_stop(one)
    one.expect_action("canceling", active=True, type="cancel")
    one.expect_target("pending")
    expect_error(one.cancel(), 405, "action.notCancelable")


@ROWS.row("S106", "confirmed", "A confirmed cancellation leaves the target in sync and its poll clean")
def confirmed(client: RowClient) -> None:
    one = canceling(client)
    expect_bare(one.report_cancel("closed", "success"))
    expect_canceled(one)
    expect_bare(one.report_cancel("closed", "success"))
    expect_canceled(one)


@ROWS.row("S107", "rejected", "A rejected cancellation brings the deployment back")
def rejected(client: RowClient) -> None:
    one = canceling(client)
    expect_bare(one.report_cancel("rejected"))
    one.expect_action("running", active=True, type="update")
    one.expect_links(["deploymentBase", "configData"])
    one.document()
    expect_bare(one.device("GET", f"/cancelAction/{one.action_id}"), 404)
    one.expect_target("pending")


@ROWS.row("S108", "not-asked-for", "Cancel feedback on an action that nobody cancels is refused")
def not_asked_for(client: RowClient) -> None:
    one = deployed(client)
    expect_error(one.report_cancel("closed", "success"), 405, "action.notCancelable")
    expect_bare(one.device("GET", f"/cancelAction/{one.action_id}"), 404)
    expect_error(one.cancel("?force=true"), 405, "action.notForceQuitable")
    one.expect_action("running", active=True)
    one.expect_links(["deploymentBase", "configData"])


@ROWS.row("S109", "closed-anyway", "A device may ignore the cancellation and finish its deployment")
def closed_anyway(client: RowClient) -> None:
    one = canceling(client)
    one.reported("closed", "success")
    one.expect_action("finished", active=False, type="update")
    one.expect_target("in_sync")
    expect("id of the installed set", one.update.set_id, one.set_id("installedDS"))


@ROWS.row("S133", "force-quit", "A force quit ends the action without its device; late reports find it over")
def force_quit(client: RowClient) -> None:
    one = canceling(client)
    expect_bare(one.cancel("?force=true"), 204)
    expect_canceled(one)
    expect_bare(one.report("closed", "success"), 410)
    expect_stop(one)
    expect_bare(one.report_cancel("closed", "success"))
    expect_canceled(one)
    expect_error(one.cancel("?force=true"), 405, "action.notForceQuitable")
