"""Open MQTT connections of devices that have provisioned themselves (docs/contracts/hono.md §2.6, §4.2, §4.5)."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.contacts import (
    FORBIDDEN,
    NO_TENANT,
    connack,
    connected,
    expect_outcome,
)
from fleetrig.harness.platforms.hono.conformance.first_contact import provisioned
from fleetrig.harness.platforms.hono.conformance.registry_api import expect_status
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient
from fleetrig.simulator.contract.identity import ClientCertificate

ROWS: Final[Resource[RowClient]] = Resource("hono", "connections")
NEEDS: Final = ("https", "mqtts", "current")


@ROWS.row("A46", "tenant-disabled", "An open connection ends when its tenant is disabled, and the next gets 5",
          needs=NEEDS)  # fmt: skip
def tenant_disabled(client: RowClient) -> None:
    tenant, authority, shown = provisioned(client)
    connection = opened(client, shown)
    client.change_tenant(tenant, {"trusted-ca": [authority.trusted()], "enabled": False})
    connection.expect_heard("the connection", "closed")
    client.under_test.after_change(lambda: expect_outcome(client, shown, FORBIDDEN))
    client.expect_count(tenant, 1)


@ROWS.row("A45", "device-deleted", "An open connection ends when its device is deleted", needs=NEEDS)
def device_deleted(client: RowClient) -> None:
    tenant, _, shown = provisioned(client)
    connection = opened(client, shown)
    client.asked("DELETE", f"/devices/{tenant}/{client.only_device(tenant)['id']}", None, 204)
    connection.expect_heard("the connection", "closed")


@ROWS.row("A53", "tenant-deleted", "An open connection ends when its tenant is deleted, and nobody knows the device "
          "any more: 404", needs=NEEDS)  # fmt: skip
def tenant_deleted(client: RowClient) -> None:
    tenant, _, shown = provisioned(client)
    connection = opened(client, shown)
    expect_status(client.api("DELETE", f"/tenants/{tenant}"), 204)
    connection.expect_heard("the connection", "closed")
    client.under_test.after_change(lambda: expect_outcome(client, shown, NO_TENANT))


def opened(client: RowClient, shown: ClientCertificate) -> ExactMqtt:
    """A connection that stays open by itself."""
    connection, answer = connected(client, shown)
    expect("CONNECT", "CONNACK 0", answer)
    connection.expect_open("before the change")
    return connection


@ROWS.row("A52", "no-more", "Where a tenant may have no connections, CONNECT is refused with 5, and the device is made "
          "all the same (a Hono without Prometheus does not count)", needs=NEEDS)  # fmt: skip
def no_more(client: RowClient) -> None:
    authority = client.authority()
    tenant = client.trusting(authority.trusted(), resource_limits={"max-connections": 0})
    answer = connack(client, authority.device())
    client.expect_known("CONNECT", answer, lambda one: "CONNACK 5" if one.counts_connections else "CONNACK 0")
    client.expect_count(tenant, 1)
