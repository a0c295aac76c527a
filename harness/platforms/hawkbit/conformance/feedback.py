"""What a device reports on a deployment, and what becomes of action and target (docs/contracts/hawkbit.md §2.5)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_has, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_bare, expect_error, usual
from fleetrig.harness.platforms.hawkbit.conformance.api_client import tt
from fleetrig.harness.platforms.hawkbit.conformance.deployment import HOUR_MS
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import Deployment, deployed
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.start_properties import DOS

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "feedback")

STAYS_OPEN: Final = {
    "canceled": "canceled", "rejected": "warning", "scheduled": "running", "resumed": "running",
    "proceeding": "running", "download": "download", "downloaded": "downloaded",
}  # fmt: skip
"""Execution -> type of its entry in the history."""

MOST_MESSAGES: Final = 50
MOST_REPORTS: Final = 999
"""The assignment itself is the first of 1000 entries."""
PIECE_CHARS: Final = 512


def send(one: Deployment, body: Any) -> Any:
    """A report of any shape."""
    return one.device("POST", f"/deploymentBase/{one.action_id}/feedback", body=body)


def expect_installed(one: Deployment) -> None:
    """The deployment ended well: both sides see it, and attributes are asked for again."""
    one.expect_action("finished", active=False, type="update")
    record = one.record()
    expect_has("the target", {"updateStatus": "in_sync", "requestAttributes": True}, record)
    expect_that(isinstance(record.get("installedAt"), int), "the target has installedAt", sorted(record))
    expect("id of the installed set", one.update.set_id, one.set_id("installedDS"))
    expect("id of the assigned set", one.update.set_id, one.set_id("assignedDS"))
    one.expect_links(["installedBase", "configData"])


@ROWS.row("S96", "success", "closed/success installs the set, and the server asks for attributes again")
def success(client: RowClient) -> None:
    one = deployed(client)
    expect_bare(one.device("PUT", "/configData", body={"data": {"a": "b"}}))
    one.expect_links(["deploymentBase"])
    one.reported("closed", "success")
    expect_installed(one)


@ROWS.row("S97", "after-the-end", "Any report on a finished action is a 410 without a body")
def after_the_end(client: RowClient) -> None:
    one = deployed(client)
    one.reported("closed", "success")
    for execution, finished in (("closed", "success"), ("closed", "failure"), ("proceeding", "none")):
        expect_bare(one.report(execution, finished), 410)
    one.expect_action("finished", active=False)
    one.expect_target("in_sync")


@ROWS.row("S98", "failure", "closed/failure leaves an error, no assigned set, and asks for no attributes")
def failure(client: RowClient) -> None:
    one = deployed(client)
    expect_bare(one.device("PUT", "/configData", body={"data": {"a": "b"}}))
    one.reported("closed", "failure")
    one.expect_action("error", active=False)
    one.expect_target("error")
    expect("the assigned set", None, one.set_id("assignedDS"))
    expect("the installed set", None, one.set_id("installedDS"))
    one.expect_links([])


@ROWS.row("S99", "closed-none", "closed/none counts as success")
def closed_none(client: RowClient) -> None:
    one = deployed(client)
    one.reported("closed", "none")
    expect_installed(one)


@ROWS.row("S100", "stays-open", "canceled, rejected, scheduled, resumed and progress leave the action open")
def stays_open(client: RowClient) -> None:
    one = deployed(client)
    for execution, entry in STAYS_OPEN.items():
        one.reported(execution)
        one.expect_open(f"after {execution}")
        newest = one.history()[0]
        expect(f"type of the entry for {execution}", entry, newest["type"])
    one.expect_target("pending")
    one.expect_links(["deploymentBase", "configData"])
    one.reported("proceeding", details=["text"], code=204)
    expect_has("the entry of a report with a code", {"code": 204}, one.history()[0])
    expect("its messages", ["Device reported status code: 204", "text"], sorted(one.history()[0]["messages"]))


@ROWS.row("S101", "malformed", "A report without result or finished, or with an unknown execution, is refused")
def malformed(client: RowClient) -> None:
    one = deployed(client)
    result = {"finished": "success"}
    for status in (
        {"execution": "closed"},
        {"execution": "closed", "result": {}},
        {"execution": "x", "result": result},
        {"result": result},
        {"execution": "closed", "result": {"finished": "x"}},
    ):
        expect_error(send(one, {"status": status}), 400, "rest.body.notReadable")
    expect_error(send(one, {}), 400, "rest.body.notReadable")
    one.expect_action("running", active=True)
    expect("number of entries in the history", 1, len(one.history()))


@ROWS.row("S102", "messages-quota", "A report has at most 50 messages, and long ones count in pieces of 512")
@usual(f"{DOS}maxMessagesPerActionStatus", MOST_MESSAGES)
def messages_quota(client: RowClient) -> None:
    one = deployed(client)
    details = [f"m{number}" for number in range(MOST_MESSAGES + 1)]
    expect_error(one.report("proceeding", details=details), client.generation.quota_status, "quota.tooManyEntries")
    expect("number of entries in the history", 1, len(one.history()))
    one.reported("proceeding", details=details[:MOST_MESSAGES])
    one.reported("proceeding", details=["x" * (2 * PIECE_CHARS + 76)])
    pieces = [len(message) for message in one.history()[0]["messages"]]
    expect("lengths of the pieces of a long message", [PIECE_CHARS, PIECE_CHARS, 76], pieces)
    expect_error(one.report("proceeding", details=["x" * (PIECE_CHARS * MOST_MESSAGES + 1)]),
                 client.generation.quota_status, "quota.tooManyEntries")  # fmt: skip


@ROWS.row("S103", "reports-quota", "999 reports pass, the next is refused, and closed is still taken")
@usual(f"{DOS}maxStatusEntriesPerAction", MOST_REPORTS + 1)
def reports_quota(client: RowClient) -> None:
    one = deployed(client)
    for number in range(1, MOST_REPORTS + 1):
        answer = one.report("proceeding")
        expect(f"status of report {number}", 200, answer.status)
    message = f"Quota exceeded: Cannot assign 1 more ActionStatus entities to Action '{one.action_id}'. "
    for _ in range(2):
        answer = one.report("proceeding")
        expect_error(
            answer, client.generation.quota_status, "quota.tooManyEntries", message=f"{message}The maximum is 1000."
        )
    one.reported("closed", "success")
    one.expect_action("finished", active=False)
    one.expect_target("in_sync")


@ROWS.row("S104", "foreign-action", "A report on another target's action is a 404 that says so")
def foreign_action(client: RowClient) -> None:
    one, other = deployed(client), deployed(client)
    answer = client.feedback(other.target, one.action_id, "closed", "success")
    message = f"Not a valid action ({one.action_id}) for target: {other.target.controller_id}"
    body = expect_error(answer, 404, "repo.entityNotFound", message=message)
    expect_that("info" not in body, "the error has no info", body)
    one.expect_action("running", active=True)
    other.expect_action("running", active=True)
    path = f"/deploymentBase/{one.action_id}"
    expect_error(client.ddi("GET", other.target.controller_id, path, auth=tt(other.target)), 404, "repo.entityNotFound")


@ROWS.row("S119", "old-timestamp", "A report older than the last installation ends the action and installs nothing")
def old_timestamp(client: RowClient) -> None:
    first = deployed(client)
    first.reported("closed", "success")
    installed_at_ms = first.record()["installedAt"]
    update = client.update(b"second fleetrig")
    second = Deployment(client, update, first.target, client.assign(update, first.target))
    body = {"timestamp": installed_at_ms - HOUR_MS,
            "status": {"execution": "closed", "result": {"finished": "success"}}}  # fmt: skip
    expect_bare(send(second, body))
    second.expect_action("finished", active=False)
    second.expect_target("pending")
    expect("id of the installed set", first.update.set_id, second.set_id("installedDS"))
    expect("installedAt", installed_at_ms, second.record()["installedAt"])
