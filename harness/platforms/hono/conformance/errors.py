"""Requests that the registry refuses as such (docs/contracts/hono.md §1)."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.registry_api import (
    JSON,
    expect_changed,
    expect_error,
    expect_status,
)
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("hono", "errors")
CURRENT: Final = ("current",)
MOST_BYTES: Final = 2048
"""Of a body, in a registry as it comes."""
FAR_TOO_MANY_BYTES: Final = 16_500
"""More than the 16,000 that its documentation speaks of."""


@ROWS.row("R04", "tenant-id", "A tenant id with a blank or a dollar sign is refused with 400", needs=CURRENT)
def tenant_id(client: RowClient) -> None:
    for letter in ("%20", "%24", "%2C"):
        answer = client.api("POST", f"/tenants/bad{letter}id", {})
        if answer.status == 201:
            client.owe_tenant(f"bad{letter}id")
        expect_error(answer, 400)


@ROWS.row("R05", "unknown-member", "A tenant with a member that there is not is refused with 400, and not made",
          needs=CURRENT)  # fmt: skip
def unknown_member(client: RowClient) -> None:
    tenant = client.own_tenant_id()
    expect_error(client.api("POST", f"/tenants/{tenant}", {"foo": 1}), 400)
    expect_error(client.api("GET", f"/tenants/{tenant}"), 404)


@ROWS.row("R06", "content-type", "A body that is not said to be JSON is refused with 400")
def content_type(client: RowClient) -> None:
    tenant = client.own_tenant_id()
    for headers in ({"Content-Type": "text/plain"}, {}):
        expect_status(client.api_bytes("POST", f"/tenants/{tenant}", b"{}", headers), 400)
    expect_status(client.api("GET", f"/tenants/{tenant}"), 404)
    with_charset = {"Content-Type": "application/json; charset=utf-8"}
    expect_status(client.api_bytes("POST", f"/tenants/{tenant}", b"{}", with_charset), 201)


@ROWS.row("R07", "no-object", "What is no JSON, null or of the wrong type is refused with 400 (an array: Hono 500)")
def no_object(client: RowClient) -> None:
    tenant = client.own_tenant_id()
    expect_status(client.api_bytes("POST", f"/tenants/{tenant}", b'{"enabled":', JSON), 400)
    if client.generation.is_current:
        expect_no_object(client, tenant)
    expect_status(client.api("GET", f"/tenants/{tenant}"), 404)


def expect_no_object(client: RowClient, tenant: str) -> None:
    """Not the object that is wanted, though it is JSON."""
    for body in (b"null", b'{"enabled": "yes"}'):
        expect_error(client.api_bytes("POST", f"/tenants/{tenant}", body, JSON), 400)
    array = client.api_bytes("POST", f"/tenants/{tenant}", b"[]", JSON)
    client.expect_status_known(array, lambda one: one.status_of_wrong_kind)
    expect_error(array, array.status)


@ROWS.row("R08", "too-large", "A body of 2048 bytes is taken, one of 2049 is 413", needs=CURRENT)
def too_large(client: RowClient) -> None:
    tenant = client.tenant()
    expect_changed(client.api_bytes("PUT", f"/tenants/{tenant}", of_size(MOST_BYTES), JSON))
    larger = client.api_bytes("PUT", f"/tenants/{tenant}", of_size(MOST_BYTES + 1), JSON)
    if client.under_test.is_foreign and larger.status == 204:
        client.warn(f"413 for {MOST_BYTES + 1} bytes", "a registry that is set up to take more")
        larger = client.api_bytes("PUT", f"/tenants/{tenant}", of_size(FAR_TOO_MANY_BYTES), JSON)
    expect_error(larger, 413)


def of_size(size_bytes: int) -> bytes:
    """A tenant of so many bytes."""
    frame = b'{"ext":{"x":"%s"}}'
    return frame % (b"y" * (size_bytes - len(frame) + 2))


@ROWS.row("R55", "form", "Errors are JSON with a text `error`; another method is 405 with Allow, another path a page",
          needs=CURRENT)  # fmt: skip
def form(client: RowClient) -> None:
    tenant = client.own_tenant_id()
    for path in (f"/tenants/{tenant}", f"/tenants/{tenant}/", f"/devices/{tenant}/d", f"/credentials/{tenant}/d"):
        expect_error(client.api("GET", path), 404)
    expect_allowed(client, "PATCH", f"/tenants/{tenant}", {"DELETE", "POST", "GET", "PUT"})
    expect_allowed(client, "POST", f"/credentials/{tenant}/d", {"GET", "PUT"})
    elsewhere = client.api("GET", "/nosuch")
    expect_status(elsewhere, 404)
    expect_that(elsewhere.body[:6].lower() == b"<html>", "a path that is none gets a page", elsewhere.text)


def expect_allowed(client: RowClient, method: str, path: str, allowed: set[str]) -> None:
    """405 without a body."""
    answer = client.api(method, path, {})
    expect_status(answer, 405)
    found = {one.strip() for one in (answer.header("Allow") or "").split(",")}
    expect(f"Allow of {answer.request}", sorted(allowed), sorted(found))
    expect(f"the body of {answer.request}", b"", answer.body)
