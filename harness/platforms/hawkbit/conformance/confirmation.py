"""Asking the device before anything is installed (docs/contracts/hawkbit.md §2.7)."""

from __future__ import annotations

import re
from typing import Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import expect, expect_has, expect_keys, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import expect_bare, expect_document, expect_error
from fleetrig.harness.platforms.hawkbit.conformance.deployment_fixture import Deployment, deployed
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "confirmation")

CACHE_BREAKER: Final = re.compile(r".*\?c=-?\d+")


def answer_with(one: Deployment, word: str, detail: str) -> Answer:
    body = {"confirmation": word, "code": 1, "details": [detail]}
    return one.device("POST", f"/confirmationBase/{one.action_id}/feedback", body=body)


@ROWS.row("S120", "flow", "With the confirmation flow on, a deployment waits for its device's word")
def flow(client: RowClient) -> None:
    one = deployed(client, must_confirm=True)
    expect_waiting(one)
    expect_bare(answer_with(one, "denied", "not now"))
    expect_waiting(one)
    expect_bare(answer_with(one, "confirmed", "go"))
    one.expect_links(["deploymentBase", "configData"])
    one.expect_action("running", active=True)
    expect("id of the deployment", str(one.action_id), one.document()["id"])
    expect("status of confirming again", 404, answer_with(one, "confirmed", "again").status)
    expect_auto_confirm(one)


def expect_waiting(one: Deployment) -> None:
    """The device is asked, and has nothing to install yet."""
    one.expect_links(["confirmationBase", "configData"])
    href = one.links()["confirmationBase"]
    expect_that(CACHE_BREAKER.fullmatch(href), "the link confirmationBase ends in ?c=<integer>", href)
    expect_bare(one.read(), 404)
    one.expect_action("wait_for_confirmation", active=True)
    base = expect_document(one.device("GET", "/confirmationBase"))
    expect("autoConfirm", {"active": False, "activatedAt": 0}, base["autoConfirm"])
    expect_keys("_links of confirmationBase", ["activateAutoConfirm", "confirmationBase"], base["_links"])
    document = expect_document(one.device("GET", f"/confirmationBase/{one.action_id}"))
    expect("id", str(one.action_id), document["id"])
    expect_has("the confirmation", {"download": "forced", "update": "forced"}, document["confirmation"])
    expect("name of the chunk", one.update.name, document["confirmation"]["chunks"][0]["name"])


def expect_auto_confirm(one: Deployment) -> None:
    """A device can confirm once and for all, and take that back."""
    body = {"initiator": "device", "remark": "always"}
    expect_bare(one.device("POST", "/confirmationBase/activateAutoConfirm", body=body))
    expect_has("the target", {"autoConfirmActive": True}, one.record())
    answer = one.device("POST", "/confirmationBase/activateAutoConfirm", body=body)
    expect_error(answer, 409, "repo.autoConfAlreadyActive")
    state = expect_document(one.device("GET", "/confirmationBase"))
    expect_has("autoConfirm", {"active": True, **body}, state["autoConfirm"])
    expect_keys("_links of confirmationBase", ["deactivateAutoConfirm"], state["_links"])
    expect_bare(one.device("POST", "/confirmationBase/deactivateAutoConfirm"))
    expect_has("the target", {"autoConfirmActive": False}, one.record())
