"""What applications are told of devices that were provisioned (docs/contracts/hono.md §2.4)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_has, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.contacts import (
    ACCEPTED,
    BAD_CERTIFICATE,
    Outcome,
    expect_outcome,
    post,
    with_basic,
)
from fleetrig.harness.platforms.hono.conformance.first_contact import provisioned
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("hono", "notifications")
NEEDS: Final = ("https", "current", "events")
CONTENT_TYPE: Final = "application/vnd.eclipse-hono-device-provisioning-notification"
SENT: Final = "auto-provisioning-notification-sent"


def notifications(client: RowClient, tenant: str) -> list[dict[str, Any]]:
    """Of a tenant, in order."""
    return [one for one in client.under_test.told(tenant) if one["properties"].get("content-type") == CONTENT_TYPE]


def expect_told(client: RowClient, tenant: str, *devices: str) -> list[dict[str, Any]]:
    """Of these devices, in this order, and of no others."""
    found = notifications(client, tenant)
    expect(
        "devices that applications were told of", list(devices), [one["properties"].get("device_id") for one in found]
    )
    return found


@ROWS.row("A05", "new-device", "A device that is provisioned is told once: an empty event with status NEW", needs=NEEDS)
def new_device(client: RowClient) -> None:
    tenant, _, shown = provisioned(client)
    device = client.only_device(tenant)["id"]
    [told] = expect_told(client, tenant, device)
    source = {"orig_adapter": "hono-device-registry", "orig_address": "event"}
    properties = {"hono_registration_status": "NEW", "tenant_id": tenant, "device_id": device, **source}
    expect_has("the notification", properties, told["properties"])
    expect_that("gateway_id" not in told["properties"], "no gateway_id", told["properties"])
    expect("its payload", "", told["payload"])
    expect("a later contact", "202", post(client, shown))
    expect_told(client, tenant, device)


@ROWS.row("A30", "not-told", "While the event cannot be sent, a device is refused with 503 and stays, not told of",
          needs=("sink", *NEEDS))  # fmt: skip
def not_told(client: RowClient) -> None:
    authority = client.authority()
    tenant, shown = client.trusting(authority.trusted()), authority.device()
    with client.under_test.failing_sink(tenant):
        for _ in range(2):
            expect_outcome(client, shown, Outcome("503", "3", BAD_CERTIFICATE))
        status = client.only_device(tenant)["status"]
        expect("auto-provisioned, told", (True, None), (status.get("auto-provisioned"), status.get(SENT)))


@ROWS.row("A31", "told-later", "Once it can be sent, the next contact is accepted and told of", needs=("sink", *NEEDS))
def told_later(client: RowClient) -> None:
    authority = client.authority()
    tenant, shown = client.trusting(authority.trusted()), authority.device()
    with client.under_test.failing_sink(tenant):
        expect("HTTP while it cannot be sent", "503", post(client, shown))
    expect_outcome(client, shown, ACCEPTED)
    device = client.only_device(tenant)
    expect("told", True, device["status"][SENT])
    expect_told(client, tenant, device["id"])


@ROWS.row(
    "G02",
    "edge-device",
    "Of an edge device it is told which gateway brought it, once",
    needs=("http", "current", "events"),
)
def edge_device(client: RowClient) -> None:
    tenant = client.tenant()
    gateway = client.with_password(tenant, {"authorities": ["auto-provisioning-enabled"]}, "gw", "gw")
    for _ in range(2):
        expect("PUT", 202, with_basic(client, gateway, "PUT", f"/telemetry/{tenant}/e1").status)
    [told] = expect_told(client, tenant, "e1")
    expect_has("the notification", {"hono_registration_status": "NEW", "gateway_id": "gw"}, told["properties"])
    expect("its payload", "", told["payload"])
