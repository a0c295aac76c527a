"""Tenants (docs/contracts/hono.md §1.1)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_has, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.registry_api import (
    expect_changed,
    expect_created,
    expect_error,
    expect_status,
    expect_version,
)
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient, password
from fleetrig.harness.run.interrupts import finishing_first

ROWS: Final[Resource[RowClient]] = Resource("hono", "tenants")
CURRENT: Final = ("current",)
LIMITS: Final[dict[str, Any]] = {
    "ext": {"n": 1},
    "defaults": {"ttl": 60},
    "minimum-message-size": 4096,
    "resource-limits": {
        "max-connections": 5,
        "data-volume": {
            "max-bytes": 1000,
            "effective-since": "2024-01-01T00:00:00Z",
            "period": {"mode": "days", "no-of-days": 30},
        },
    },
    "registration-limits": {"max-devices": 5},
}


@ROWS.row("R01", "no-body", "A POST without a body makes a tenant with an id of the registry's", needs=CURRENT)
def no_body(client: RowClient) -> None:
    with finishing_first():  # until its answer is here, nobody knows what would have to be removed
        answer = client.api("POST", "/tenants")
        if answer.status == 201:
            client.owe_tenant(answer.json()["id"])
    tenant = expect_created(answer, "/tenants")
    shown = client.asked("GET", f"/tenants/{tenant}")
    expect("the tenant", {}, shown.json())
    expect("its version", answer.header("ETag"), shown.header("ETag"))


@ROWS.row("R02", "own-id", "A POST to an id makes a tenant of that id, with a version and a place")
def own_id(client: RowClient) -> None:
    tenant = client.own_tenant_id()
    expect_created(client.api("POST", f"/tenants/{tenant}", {}), "/tenants", tenant)


@ROWS.row("R03", "again", "A tenant that exists is not made again: 409")
def again(client: RowClient) -> None:
    tenant = client.tenant({"ext": {"a": 1}})
    expect_error(client.api("POST", f"/tenants/{tenant}", {}), 409)
    expect("the tenant", {"ext": {"a": 1}}, client.document(f"/tenants/{tenant}"))


@ROWS.row("R09", "get", "A tenant is shown as it was made, with its version, and without certificates")
def get(client: RowClient) -> None:
    tenant = client.trusting(client.authority().trusted(), ext={"a": 1})
    shown = client.asked("GET", f"/tenants/{tenant}")
    expect_version(shown)
    expect("ext", {"a": 1}, shown.json()["ext"])
    expect_that("cert" not in shown.json()["trusted-ca"][0], "trusted-ca without cert", shown.text)


@ROWS.row("R17", "adapters", "No adapters, one twice and one without a type are 400; one that is listed is off")
def adapters(client: RowClient) -> None:
    tenant, listed = client.own_tenant_id(), {"type": "hono-http"}
    for wrong in ([], [listed, listed], [{"enabled": True}]):
        expect_status(client.api("POST", f"/tenants/{tenant}", {"adapters": wrong}), 400)
    [shown] = client.document(f"/tenants/{client.tenant({'adapters': [listed]})}")["adapters"]
    expect_has("the adapter", {**listed, "enabled": False, "device-authentication-required": True}, shown)


@ROWS.row("R18", "replace", "A PUT replaces the whole tenant and gives it a new version")
def replace(client: RowClient) -> None:
    tenant = client.tenant({"ext": {"a": 1}, "defaults": {"ttl": 5}})
    before = expect_version(client.asked("GET", f"/tenants/{tenant}"))
    after = expect_changed(client.api("PUT", f"/tenants/{tenant}", {"enabled": False}))
    expect_that(after != before, "a new version", after)
    shown = client.asked("GET", f"/tenants/{tenant}")
    expect("the tenant", {"enabled": False}, shown.json())
    expect("its version", after, shown.header("ETag"))


@ROWS.row("R19", "other-version", "Another version, * and a quoted one are 412, and nothing changes", needs=CURRENT)
def other_version(client: RowClient) -> None:
    tenant = client.tenant({"ext": {"a": 1}})
    version = expect_version(client.asked("GET", f"/tenants/{tenant}"))
    for other in ("other", "*", f'"{version}"'):
        expect_error(client.api("PUT", f"/tenants/{tenant}", {"enabled": False}, if_match=other), 412)
        expect_error(client.api("DELETE", f"/tenants/{tenant}", if_match=other), 412)
    shown = client.asked("GET", f"/tenants/{tenant}")
    expect("the tenant", {"ext": {"a": 1}}, shown.json())
    expect("its version", version, shown.header("ETag"))


@ROWS.row("R20", "right-version", "The right version is taken once, and the new one the next time")
def right_version(client: RowClient) -> None:
    tenant = client.tenant()
    first = expect_version(client.asked("GET", f"/tenants/{tenant}"))
    second = expect_changed(client.api("PUT", f"/tenants/{tenant}", {"enabled": False}, if_match=first))
    expect_status(client.api("PUT", f"/tenants/{tenant}", {"enabled": True}, if_match=first), 412)
    expect("enabled", False, client.document(f"/tenants/{tenant}")["enabled"])
    expect_status(client.api("DELETE", f"/tenants/{tenant}", if_match=second), 204)
    expect_status(client.api("GET", f"/tenants/{tenant}"), 404)


@ROWS.row("R21", "unknown", "A tenant that there is not is 404 to GET, PUT and DELETE")
def unknown(client: RowClient) -> None:
    tenant = client.own_tenant_id()
    for method, document in (("GET", None), ("PUT", {}), ("DELETE", None)):
        expect_error(client.api(method, f"/tenants/{tenant}", document), 404)


@ROWS.row("R22", "delete", "With a tenant go its devices and their credentials; a device can still be deleted",
          needs=CURRENT)  # fmt: skip
def delete(client: RowClient) -> None:
    tenant = client.tenant()
    client.give(tenant, client.device(tenant), password())
    answer = client.api("DELETE", f"/tenants/{tenant}")
    expect_status(answer, 204)
    expect("the body", b"", answer.body)
    for path in (f"/tenants/{tenant}", f"/devices/{tenant}/d", f"/credentials/{tenant}/d"):
        expect_error(client.api("GET", path), 404)
    expect_status(client.api("DELETE", f"/devices/{tenant}/d"), 204)


@ROWS.row("R60", "alias", "An alias is shown, belongs to one tenant (Hono with JDBC: to several), and is lower case",
          needs=CURRENT)  # fmt: skip
def alias(client: RowClient) -> None:
    named = {"alias": client.name("alias")}
    expect("the alias", named, client.document(f"/tenants/{client.tenant(named)}"))
    second = client.own_tenant_id()
    answer = client.api("POST", f"/tenants/{second}", named)
    client.expect_status_known(answer, lambda one: one.status_of_taken_alias)
    expect_error(client.api("POST", f"/tenants/{client.own_tenant_id()}", {"alias": "My_Alias"}), 400)


@ROWS.row("R64", "search", "Tenants are searched: a total, and as many results as were asked for", needs=CURRENT)
def search(client: RowClient) -> None:
    client.tenant()
    client.tenant()
    found = client.asked("GET", "/tenants?pageSize=1").json()
    expect_that(found["total"] >= 2, "a total of the two tenants at least", found["total"])
    expect("results", 1, len(found["result"]))
    expect_that(found["result"][0].get("id"), "each result has its id", found["result"])


@ROWS.row("R65", "limits", "Limits and defaults are shown as they were set; numbers below -1 are 400", needs=CURRENT)
def limits(client: RowClient) -> None:
    shown = client.document(f"/tenants/{client.tenant(LIMITS)}")
    unset = {"max-devices": 5, "max-credentials-per-device": -1}
    expect("the tenant", {**LIMITS, "registration-limits": unset}, shown)
    tenant = client.own_tenant_id()
    for wrong in (
        {"registration-limits": {"max-devices": -2}},
        {"minimum-message-size": -1},
        {"resource-limits": {"data-volume": {"max-bytes": 1}}},
    ):
        expect_error(client.api("POST", f"/tenants/{tenant}", wrong), 400)


@ROWS.row("R67", "disabled", "Devices of a tenant that is disabled can be read, and new ones be made", needs=CURRENT)
def disabled(client: RowClient) -> None:
    tenant = client.tenant()
    client.device(tenant)
    version = client.asked("GET", f"/devices/{tenant}/d").header("ETag")
    expect_changed(client.api("PUT", f"/tenants/{tenant}", {"enabled": False}))
    expect("the device's version", version, client.asked("GET", f"/devices/{tenant}/d").header("ETag"))
    client.device(tenant, device="e")
