"""What operators do afterwards to a device that has provisioned itself (docs/contracts/hono.md §2.5, §2.6)."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.contacts import (
    ACCEPTED,
    DISABLED,
    NO_TENANT,
    connack,
    expect_outcome,
    post,
)
from fleetrig.harness.platforms.hono.conformance.first_contact import provisioned
from fleetrig.harness.platforms.hono.conformance.issuing import D1_AUTH_ID, D2
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient
from fleetrig.simulator.contract.identity import ClientCertificate

ROWS: Final[Resource[RowClient]] = Resource("hono", "later-contact")
NEEDS: Final = ("https", "current")
EVERY: Final = ("https", "countable")


@ROWS.row("A16", "disabled", "A device that is disabled is refused with 404, and enabled again accepted", needs=NEEDS)
def disabled(client: RowClient) -> None:
    tenant, _, shown = provisioned(client)
    device = f"/devices/{tenant}/{client.only_device(tenant)['id']}"
    client.asked("PUT", device, {"enabled": False}, 204)
    client.under_test.after_change(lambda: expect_outcome(client, shown, DISABLED))
    client.asked("PUT", device, {"enabled": True}, 204)
    client.under_test.after_change(lambda: expect_outcome(client, shown, ACCEPTED))
    client.expect_count(tenant, 1)


@ROWS.row("A17", "deleted", "A device that was deleted provisions itself anew, as another", needs=EVERY)
def deleted(client: RowClient) -> None:
    tenant, _, shown = provisioned(client)
    before = client.only_device(tenant)["id"]
    client.asked("DELETE", f"/devices/{tenant}/{before}", None, 204)
    client.expect_count(tenant, 0)
    client.under_test.after_change(lambda: expect("HTTP after its DELETE", "202", post(client, shown)))
    after = client.only_device(tenant)["id"]
    expect_that(after != before, "another id", after)


@ROWS.row("A35", "switched-off", "Without automatic provisioning, devices that are known go on, and new ones are "
          "refused with 401", needs=EVERY)  # fmt: skip
def switched_off(client: RowClient) -> None:
    tenant, authority, shown = provisioned(client)
    client.change_tenant(tenant, {"trusted-ca": [authority.trusted(provisions=False)]})
    new = authority.device(D2)
    client.under_test.after_change(lambda: expect("HTTP of a new device", "401", post(client, new)))
    expect_outcome(client, shown, ACCEPTED)
    client.expect_count(tenant, 1)


@ROWS.row("A36", "removed", "Once its authority is removed, a device is refused with 404, and stays registered",
          needs=EVERY)  # fmt: skip
def removed(client: RowClient) -> None:
    tenant, _, shown = provisioned(client)
    client.change_tenant(tenant, {})
    client.under_test.after_change(lambda: expect_outcome(client, shown, NO_TENANT))
    client.expect_count(tenant, 1)


@ROWS.row("A37", "changed", "What an operator changes leaves alone that a device was provisioned and told of (Hono: "
          "the latter is forgotten, with MongoDB both)", needs=NEEDS)  # fmt: skip
def changed(client: RowClient) -> None:
    tenant, _, shown = provisioned(client)
    device = client.only_device(tenant)["id"]
    client.asked("PUT", f"/devices/{tenant}/{device}", {"ext": {"by": "operator"}}, 204)
    found = client.document(f"/devices/{tenant}/{device}")
    expect("ext", {"by": "operator"}, found["ext"])
    status = found["status"]
    provisioned_, told = (status.get(one, False) for one in ("auto-provisioned", "auto-provisioning-notification-sent"))
    client.expect_known("auto-provisioned after a PUT", provisioned_, lambda one: one.keeps_auto_provisioned)
    client.expect_known("...-notification-sent after a PUT", told, lambda one: one.keeps_notification_sent)
    expect("the next contact", "202", post(client, shown))
    client.expect_count(tenant, 1)


@ROWS.row("A49", "credentials-disabled", "A device whose credentials are disabled is refused (401 or 409; Hono with "
          "JDBC: 500), and makes no other device (Hono: one each time)", needs=NEEDS)  # fmt: skip
def credentials_disabled(client: RowClient) -> None:
    tenant, _, shown = provisioned(client)
    device = client.only_device(tenant)["id"]
    entry = {"type": "x509-cert", "auth-id": D1_AUTH_ID, "enabled": False, "secrets": [{}]}
    client.give(tenant, device, entry)
    client.under_test.after_change(lambda: expect_that(post(client, shown) != "202", "HTTP is refused", "202"))
    expect_refused_as_known(client, shown)
    found = {one["id"]: client.credentials(tenant, one["id"]) for one in client.devices_of(tenant)}
    expect_that(device in found, "the device is still registered", list(found))
    expect("credentials of others", [], [one for other, one in found.items() if other != device and one])
    client.expect_known("devices beside it", len(found) > 1, lambda one: one.leaves_orphans)


def expect_refused_as_known(client: RowClient, shown: ClientCertificate) -> None:
    """Over HTTP and MQTT."""
    status = post(client, shown)
    if status != "401":
        client.expect_known("HTTP", status, lambda one: str(one.status_of_disabled_credentials))
    if "mqtts" in client.under_test.addresses:
        code = "4" if status == "401" else "5"
        expect("MQTT 4", f"CONNACK {code}", connack(client, shown))
