"""Devices as operators make and change them (docs/contracts/hono.md §1.2)."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.registry_api import (
    JSON,
    TIME,
    expect_changed,
    expect_created,
    expect_error,
    expect_status,
    expect_version,
)
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient, password

ROWS: Final[Resource[RowClient]] = Resource("hono", "devices")
CURRENT: Final = ("current",)
FLAGS: Final = {"auto-provisioned": True, "auto-provisioning-notification-sent": True}


@ROWS.row("R23", "new-id", "A POST without an id makes a device whose id is a UUID")
def new_id(client: RowClient) -> None:
    tenant = client.tenant()
    answer = client.api("POST", f"/devices/{tenant}", {})
    client.owe_device(tenant, answer.json()["id"])
    made = expect_created(answer, f"/devices/{tenant}")
    expect_status(client.api("GET", f"/devices/{tenant}/{made}"), 200)


@ROWS.row("R24", "own-id", "A POST to an id makes that device once; the next one is 409")
def own_id(client: RowClient) -> None:
    tenant = client.tenant()
    client.device(tenant, {"ext": {"a": 1}})
    expect_error(client.api("POST", f"/devices/{tenant}/d", {}), 409)
    expect("ext", {"a": 1}, client.document(f"/devices/{tenant}/d")["ext"])


@ROWS.row("R25", "no-tenant", "Without its tenant there is no device, no credentials and no search: 404", needs=CURRENT)
def no_tenant(client: RowClient) -> None:
    tenant = client.own_tenant_id()
    expect_error(client.api("POST", f"/devices/{tenant}/d"), 404)
    for path in (f"/devices/{tenant}/d", f"/credentials/{tenant}/d", f"/devices/{tenant}"):
        expect_error(client.api("GET", path), 404)


@ROWS.row("R26", "id", "An id with a blank, a dollar sign, a comma or a plus sign is 400", needs=CURRENT)
def device_id(client: RowClient) -> None:
    tenant = client.tenant()
    for letter in ("%20", "%24", "%2C", "+"):
        expect_error(client.api("POST", f"/devices/{tenant}/a{letter}b", {}), 400)
    client.device(tenant, device="aZ0-_.:=")


@ROWS.row("R27", "no-credentials", "A new device has no credentials: an empty list", needs=CURRENT)
def no_credentials(client: RowClient) -> None:
    tenant = client.tenant()
    shown = client.asked("GET", f"/credentials/{tenant}/{client.device(tenant)}")
    expect("credentials", [], shown.json())
    expect_version(shown)


@ROWS.row("R28", "gateways", "memberOf together with via or viaGroups, and members that there are not, are 400; "
          "one gateway may be given as text", needs=CURRENT)  # fmt: skip
def gateways(client: RowClient) -> None:
    tenant = client.tenant()
    for wrong in ({"via": ["g"], "memberOf": ["x"]}, {"viaGroups": ["g"], "memberOf": ["x"]}, {"foo": 1}):
        expect_error(client.api("POST", f"/devices/{tenant}/d", wrong), 400)
    client.device(tenant, {"via": "g"})
    expect("via", ["g"], client.document(f"/devices/{tenant}/d")["via"])


@ROWS.row("R29", "status", "What a device is given as its status is ignored", needs=CURRENT)
def status(client: RowClient) -> None:
    tenant = client.tenant()
    client.device(tenant, {"status": FLAGS})
    expect("status", ["created"], list(client.document(f"/devices/{tenant}/d")["status"]))


@ROWS.row("R30", "created", "A device made by hand says when, and nothing of provisioning", needs=CURRENT)
def created(client: RowClient) -> None:
    tenant = client.tenant()
    shown = client.document(f"/devices/{tenant}/{client.device(tenant)}")
    expect("the members", ["status"], list(shown))
    expect("status", ["created"], list(shown["status"]))
    expect_that(TIME.fullmatch(shown["status"]["created"]), "created in UTC and whole seconds", shown["status"])


@ROWS.row("R31", "replace", "A PUT replaces the whole device, and says when; without a body it is 400")
def replace(client: RowClient) -> None:
    tenant = client.tenant()
    client.device(tenant, {"ext": {"a": 1}})
    before = client.document(f"/devices/{tenant}/d").get("status", {})
    version = expect_changed(client.api("PUT", f"/devices/{tenant}/d", {"enabled": False}))
    for body, headers in ((b"", JSON), (b"null", JSON), (None, {})):
        expect_status(client.api_bytes("PUT", f"/devices/{tenant}/d", body, headers), 400)
    answer = client.asked("GET", f"/devices/{tenant}/d")
    shown = answer.json()
    after = shown.pop("status", {})
    expect("the device", {"enabled": False}, shown)
    expect("its version", version, answer.header("ETag"))
    if client.generation.is_current:
        expect("created", before["created"], after["created"])
        expect_that(TIME.fullmatch(after.get("updated", "")), "updated in UTC and whole seconds", after)


@ROWS.row("R32", "version", "Another version is 412 to PUT and DELETE, the right one is taken")
def version(client: RowClient) -> None:
    tenant = client.tenant()
    client.device(tenant, {"ext": {"a": 1}})
    for method, document in (("PUT", {}), ("DELETE", None)):
        expect_status(client.api(method, f"/devices/{tenant}/d", document, if_match="x"), 412)
        expect_status(client.api(method, f"/devices/{tenant}/nope", document, if_match="x"), 404)
    shown = client.asked("GET", f"/devices/{tenant}/d")
    expect("ext", {"a": 1}, shown.json()["ext"])
    expect_changed(client.api("PUT", f"/devices/{tenant}/d", {}, if_match=expect_version(shown)))


@ROWS.row("R33", "delete", "With a device go its credentials; the second DELETE is 404")
def delete(client: RowClient) -> None:
    tenant = client.tenant()
    client.give(tenant, client.device(tenant), password())
    expect_status(client.api("DELETE", f"/devices/{tenant}/d"), 204)
    for method, path in (("GET", "devices"), ("GET", "credentials"), ("DELETE", "devices")):
        expect_status(client.api(method, f"/{path}/{tenant}/d"), 404)


@ROWS.row("R34", "limit", "One device more than max-devices is 403", needs=CURRENT)
def limit(client: RowClient) -> None:
    tenant = client.tenant({"registration-limits": {"max-devices": 1}})
    client.device(tenant)
    expect_error(client.api("POST", f"/devices/{tenant}/e", {}), 403)
    expect_error(client.api("GET", f"/devices/{tenant}/e"), 404)


@ROWS.row("R39", "delete-all", "DELETE of a tenant's devices removes them all", needs=CURRENT)
def delete_all(client: RowClient) -> None:
    tenant = client.tenant()
    for device in "de":
        client.give(tenant, client.device(tenant, device=device), password(device))
    expect_status(client.api("DELETE", f"/devices/{tenant}"), 204)
    for device in "de":
        expect_error(client.api("GET", f"/devices/{tenant}/{device}"), 404)
        expect_error(client.api("GET", f"/credentials/{tenant}/{device}"), 404)
