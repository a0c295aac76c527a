"""Targets through the Management API (spec/hawkbit.md §1.3)."""

from __future__ import annotations

import re
from typing import Final

from harness.conformance.findings import expect, expect_has, expect_keys, expect_that
from harness.conformance.frame import Resource
from harness.conformance.hawkbit.session import Session

ROWS: Final[Resource[Session]] = Resource("hawkbit", "targets")

TOKEN: Final = re.compile(r"[0-9a-f]{32}")


@ROWS.row("S01", "create", "A target is created as asked, its token kept, with a link to itself only")
def create(server: Session) -> None:
    name = server.name()
    body = {"controllerId": name, "name": "Board One", "description": "first", "securityToken": "tok-1",
            "address": "http://10.1.2.3:8080/x"}  # fmt: skip
    answer = server.create_targets([body])
    expect("status", 201, answer.status)
    expect("number of targets in the answer", 1, len(answer.json()))
    target = answer.json()[0]
    status = server.by_profile({"as-documented": "registered"}, "unknown")
    expect_has("the target", {**body, "updateStatus": status, "requestAttributes": True}, target)
    if server.profile != "as-documented":
        expect_keys("_links", ["self"], target["_links"])


@ROWS.row("S02", "generated-token", "A target without a token gets one of 32 lower-case hex digits")
def generated_token(server: Session) -> None:
    answer = server.create_targets([{"controllerId": server.name()}])
    token = answer.json()[0].get("securityToken", "")
    expect_that(TOKEN.fullmatch(token), "securityToken: 32 lower-case hex digits", token)
