"""Who may use the Management API, and for what (docs/contracts/hawkbit.md §1.1)."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from typing import Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import MissingCapability, expect, expect_has, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    expect_document,
    expect_error,
    expect_framework,
    expect_headers,
)
from fleetrig.harness.platforms.hawkbit.conformance.api_client import basic, tt
from fleetrig.harness.platforms.hawkbit.conformance.row_client import RowClient
from fleetrig.harness.platforms.hawkbit.conformance.start_properties import REALM, resting_on
from fleetrig.harness.platforms.hawkbit.settings import GATEWAY_KEY
from fleetrig.simulator.contract.identity import UserPassword

ROWS: Final[Resource[RowClient]] = Resource("hawkbit", "mgmt-auth")
OF_REALM: Final = re.compile(r'realm="[^"]+"')


def expect_challenge(client: RowClient, answer: Answer) -> None:
    """The one refusal of the Management API."""
    expect_framework(answer, 401, "Unauthorized")
    with resting_on(REALM):
        expect_headers(answer, {"WWW-Authenticate": challenge(client, answer)})


def challenge(client: RowClient, answer: Answer) -> str:
    """The challenge of the generation, with the realm that the operator has chosen."""
    realm = OF_REALM.search(answer.header("WWW-Authenticate") or "")
    return OF_REALM.sub(lambda _: realm[0], client.generation.challenge) if realm else client.generation.challenge


def expect_forbidden(answer: Answer) -> None:
    """A right is missing."""
    expect_error(answer, 403, "insufficientPermission", message="Insufficient Permission")


@ROWS.row("S26", "credentials", "No credentials, wrong ones, and those of devices are refused with a challenge")
def credentials(client: RowClient) -> None:
    admin, name, target = client.under_test.admin, client.name("new"), client.target()
    client.forget_target(name)
    with contextlib.suppress(MissingCapability):  # Switched on or not, they are no credentials here.
        client.settings.switch_target_tokens_on()
    # The wrong password only once: some servers lock an account after a few.
    wrong_password, stranger = (
        basic(replace(admin, password="wrong")),
        basic(UserPassword(client.name("user"), "wrong")),
    )
    for method, credentials in (("GET", wrong_password), ("POST", stranger), ("GET", tt(target)), ("POST", tt(target))):
        body = [{"controllerId": name}] if method == "POST" else None
        expect_challenge(client, client.mgmt(method, "/targets", body, headers={"Authorization": credentials}))
    expect_challenge(client, client.call("GET", "/rest/v1/targets?limit=1", {}))
    with contextlib.suppress(MissingCapability):
        expect_challenge(
            client,
            client.mgmt("GET", "/targets?limit=1", headers={"Authorization": client.settings.switch_gateway_on()}),
        )
    expect("whether a target was created without credentials", False, client.exists(name))


@ROWS.row("S27", "hidden-token", "Tokens are shown only to those who may see them")
def hidden_token(client: RowClient) -> None:
    reader, creator = client.account("reader"), client.account("creator")
    target, name = client.target(), client.name()
    expect(
        "securityToken as an administrator sees it",
        target.token,
        client.record(target.controller_id).get("securityToken"),
    )
    seen = expect_document(client.mgmt("GET", f"/targets/{target.controller_id}", account=reader))
    expect_has("the target as a reader sees it", {"controllerId": target.controller_id}, seen)
    expect_that("securityToken" not in seen, "no securityToken for a reader", sorted(seen))
    query = f"/targets?q=controllerId=={target.controller_id}"
    listed = expect_document(client.mgmt("GET", query, account=reader))["content"]
    expect_that(listed and "securityToken" not in listed[0], "no securityToken in a reader's list", sorted(listed[0]))
    made = expect_document(client.create_targets([{"controllerId": name}], account=creator), 201)[0]
    expect_that("securityToken" not in made, "no securityToken for who may only create", sorted(made))
    expect_forbidden(client.mgmt("GET", f"/system/configs/{GATEWAY_KEY}", account=reader))


@ROWS.row("S31", "no-right", "Without the right to create, nothing is created")
def no_right(client: RowClient) -> None:
    reader, name = client.account("reader"), client.name()
    expect_forbidden(client.create_targets([{"controllerId": name}], account=reader))
    expect("whether the target was created", False, client.exists(name))
