"""Who may use the Management API, and for what (spec/hawkbit.md §1.1)."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Final

from fleetrig.harness.conformance.exact_client import Answer
from fleetrig.harness.conformance.expect import Missing, expect, expect_has, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hawkbit.conformance.answers import (
    expect_document,
    expect_error,
    expect_framework,
    expect_headers,
)
from fleetrig.harness.platforms.hawkbit.conformance.session import GATEWAY_KEY, Session, basic, tt
from fleetrig.simulator.contract.identity import UserPassword

ROWS: Final[Resource[Session]] = Resource("hawkbit", "mgmt-auth")


def expect_challenge(server: Session, answer: Answer) -> None:
    """The one refusal of the Management API."""
    expect_framework(answer, 401, "Unauthorized")
    expect_headers(answer, {"WWW-Authenticate": server.generation.challenge})


def expect_forbidden(answer: Answer) -> None:
    """A right is missing."""
    expect_error(answer, 403, "insufficientPermission", message="Insufficient Permission")


@ROWS.row("S26", "credentials", "No credentials, wrong ones, and those of devices are refused with a challenge")
def credentials(server: Session) -> None:
    admin, name, target = server.server.admin, server.name("new"), server.target()
    server.forget_target(name)
    with contextlib.suppress(Missing):  # Switched on or not, they are no credentials here.
        server.target_tokens()
    # The wrong password only once: some servers lock an account after a few.
    wrong_password, stranger = (
        basic(replace(admin, password="wrong")),
        basic(UserPassword(server.name("user"), "wrong")),
    )
    for method, credentials in (("GET", wrong_password), ("POST", stranger), ("GET", tt(target)), ("POST", tt(target))):
        body = [{"controllerId": name}] if method == "POST" else None
        expect_challenge(server, server.mgmt(method, "/targets", body, headers={"Authorization": credentials}))
    expect_challenge(server, server.call("GET", "/rest/v1/targets?limit=1", {}))
    with contextlib.suppress(Missing):
        expect_challenge(server, server.mgmt("GET", "/targets?limit=1", headers={"Authorization": server.gateway()}))
    expect("whether a target was created without credentials", False, server.exists(name))


@ROWS.row("S27", "hidden-token", "Tokens are shown only to those who may see them")
def hidden_token(server: Session) -> None:
    reader, creator = server.account("reader"), server.account("creator")
    target, name = server.target(), server.name()
    expect(
        "securityToken as an administrator sees it",
        target.token,
        server.record(target.controller_id).get("securityToken"),
    )
    seen = expect_document(server.mgmt("GET", f"/targets/{target.controller_id}", account=reader))
    expect_has("the target as a reader sees it", {"controllerId": target.controller_id}, seen)
    expect_that("securityToken" not in seen, "no securityToken for a reader", sorted(seen))
    query = f"/targets?q=controllerId=={target.controller_id}"
    listed = expect_document(server.mgmt("GET", query, account=reader))["content"]
    expect_that(listed and "securityToken" not in listed[0], "no securityToken in a reader's list", sorted(listed[0]))
    made = expect_document(server.create_targets([{"controllerId": name}], account=creator), 201)[0]
    expect_that("securityToken" not in made, "no securityToken for who may only create", sorted(made))
    expect_forbidden(server.mgmt("GET", f"/system/configs/{GATEWAY_KEY}", account=reader))


@ROWS.row("S31", "no-right", "Without the right to create, nothing is created")
def no_right(server: Session) -> None:
    reader, name = server.account("reader"), server.name()
    expect_forbidden(server.create_targets([{"controllerId": name}], account=reader))
    expect("whether the target was created", False, server.exists(name))
