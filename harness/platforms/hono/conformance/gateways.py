"""Gateways that bring devices of their own (docs/contracts/hono.md §3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.contacts import https, mqtt, post, with_basic
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("hono", "gateways")
NEEDS: Final = ("http", "current")
MAY_PROVISION: Final = {"authorities": ["auto-provisioning-enabled"]}
AT_A_TIME: Final = 10


def with_gateway(client: RowClient, document: Any = None) -> tuple[str, str]:
    """A tenant, and how its gateway gw signs in."""
    tenant = client.tenant()
    return tenant, client.with_password(tenant, MAY_PROVISION if document is None else document, "gw", "gw")


def put(client: RowClient, gateway: str, device: str) -> int:
    """Telemetry of a device of the gateway's own tenant."""
    tenant = gateway.partition("@")[2].partition(":")[0]
    return with_basic(client, gateway, "PUT", f"/telemetry/{tenant}/{device}").status


def brought(client: RowClient) -> tuple[str, str]:
    """The same after the gateway has brought a device e1."""
    tenant, gateway = with_gateway(client)
    expect("PUT for e1", 202, put(client, gateway, "e1"))
    return tenant, gateway


@ROWS.row("G01", "new-device", "A gateway with the authority brings a device by naming it; both ways to name it do",
          needs=NEEDS)  # fmt: skip
def new_device(client: RowClient) -> None:
    tenant, gateway = brought(client)
    shown = client.document(f"/devices/{tenant}/e1")
    status = shown.pop("status")
    expect("e1", {"enabled": True, "via": ["gw"]}, shown)
    expect("auto-provisioned, told", (True, True),
           (status.get("auto-provisioned"), status.get("auto-provisioning-notification-sent")))  # fmt: skip
    expect("its credentials", [], client.credentials(tenant, "e1"))
    expect("PUT /telemetry//e2", 202, with_basic(client, gateway, "PUT", "/telemetry//e2").status)
    expect("via of e2", ["gw"], client.document(f"/devices/{tenant}/e2")["via"])


@ROWS.row("G03", "again", "The next message of the device changes nothing", needs=NEEDS)
def again(client: RowClient) -> None:
    tenant, gateway = brought(client)
    before = client.asked("GET", f"/devices/{tenant}/e1")
    for path in (f"/telemetry/{tenant}/e1", "/telemetry//e1", f"/event/{tenant}/e1"):
        expect(f"PUT {path}", 202, with_basic(client, gateway, "PUT", path).status)
    after = client.asked("GET", f"/devices/{tenant}/e1")
    expect("e1 and its version", (before.json(), before.header("ETag")), (after.json(), after.header("ETag")))
    client.expect_count(tenant, 2)


@ROWS.row("G04", "no-authority", "Without the authority a gateway brings no device: 404, over MQTT the connection ends",
          needs=NEEDS)  # fmt: skip
def no_authority(client: RowClient) -> None:
    tenant, gateway = with_gateway(client, {})
    expect("PUT for e2", 404, put(client, gateway, "e2"))
    if "mqtt" in client.under_test.can:
        connection, answer = mqtt(client, gateway)
        expect("CONNECT", "CONNACK 0", answer)
        connection.publish("t//e2", b"{}")
        connection.expect_heard("after PUBLISH t//e2", "closed")
    client.expect_count(tenant, 1)


@ROWS.row("G05", "other-gateway", "Another gateway may not speak for the device: 403", needs=NEEDS)
def other_gateway(client: RowClient) -> None:
    tenant, gateway = brought(client)
    other = client.with_password(tenant, MAY_PROVISION, "gw2", "gw2")
    expect("PUT of another gateway", 403, put(client, other, "e1"))
    expect("PUT of its own", 202, put(client, gateway, "e1"))
    expect("via", ["gw"], client.document(f"/devices/{tenant}/e1")["via"])


@ROWS.row("G06", "gateway-disabled", "A gateway that is disabled: 403 for a device that is known, 404 for another, and "
          "CONNECT is refused with 5", needs=NEEDS)  # fmt: skip
def gateway_disabled(client: RowClient) -> None:
    tenant, gateway = brought(client)
    client.asked("PUT", f"/devices/{tenant}/gw", {"enabled": False, **MAY_PROVISION}, 204)
    client.under_test.after_change(lambda: expect("PUT for e1", 403, put(client, gateway, "e1")))
    expect("PUT for e9", 404, put(client, gateway, "e9"))
    if "mqtt" in client.under_test.can:
        expect("CONNECT", "CONNACK 5", mqtt(client, gateway)[1])
    client.expect_count(tenant, 2)


@ROWS.row("G07", "device-disabled", "A device that is disabled is 404 to its gateway", needs=NEEDS)
def device_disabled(client: RowClient) -> None:
    tenant, gateway = brought(client)
    client.asked("PUT", f"/devices/{tenant}/e1", {"enabled": False, "via": ["gw"]}, 204)
    client.under_test.after_change(lambda: expect("PUT for e1", 404, put(client, gateway, "e1")))
    client.asked("PUT", f"/devices/{tenant}/e1", {"via": ["gw"]}, 204)
    client.under_test.after_change(lambda: expect("enabled again", 202, put(client, gateway, "e1")))


@ROWS.row(
    "G08", "group", "A gateway's groups become those of the device, and each member may speak for it", needs=NEEDS
)
def group(client: RowClient) -> None:
    tenant, gateway = with_gateway(client, {**MAY_PROVISION, "memberOf": ["g"]})
    expect("PUT for e3", 202, put(client, gateway, "e3"))
    shown = client.document(f"/devices/{tenant}/e3")
    expect("via, viaGroups", (["gw"], ["g"]), (shown.get("via"), shown.get("viaGroups")))
    member = client.with_password(tenant, {"memberOf": ["g"]}, "gw2", "gw2")
    expect("PUT of another member", 202, put(client, member, "e3"))
    stranger = client.with_password(tenant, {"memberOf": ["other"]}, "gw3", "gw3")
    expect("PUT of a member of another group", 403, put(client, stranger, "e3"))


@ROWS.row("G09", "illegal-id", "A device-id that may not be is 400, and no device is made", needs=NEEDS)
def illegal_id(client: RowClient) -> None:
    tenant, gateway = with_gateway(client)
    expect("PUT for e$x", 400, put(client, gateway, "e%24x"))
    client.expect_count(tenant, 1)


@ROWS.row("G12", "other-tenant", "A path with another tenant is 403", needs=NEEDS)
def other_tenant(client: RowClient) -> None:
    tenant, gateway = with_gateway(client)
    other = client.tenant()
    expect("PUT for another tenant", 403, with_basic(client, gateway, "PUT", f"/telemetry/{other}/e1").status)
    client.expect_count(tenant, 1)
    client.expect_count(other, 0)


@ROWS.row("G10", "at-once", "Of 10 messages at once for a new device all are accepted, and one device is made",
          needs=NEEDS)  # fmt: skip
def at_once(client: RowClient) -> None:
    tenant, gateway = with_gateway(client)
    expect("statuses", {202: AT_A_TIME}, dict(Counter(put_at_once(client, [gateway] * AT_A_TIME))))
    client.expect_count(tenant, 2)


@ROWS.row("G11", "two-at-once", "Through two gateways at once it is the device of one of them, and the other is 403",
          needs=NEEDS)  # fmt: skip
def two_at_once(client: RowClient) -> None:
    tenant, gateway = with_gateway(client)
    other = client.with_password(tenant, MAY_PROVISION, "gx", "gx")
    statuses = put_at_once(client, [gateway, other] * (AT_A_TIME // 2))
    by_gateway = {"gw": set(statuses[::2]), "gx": set(statuses[1::2])}
    [via] = client.document(f"/devices/{tenant}/e1")["via"]
    expect("statuses", {"gw": {403}, "gx": {403}} | {via: {202}}, by_gateway)
    client.expect_count(tenant, 3)


def put_at_once(client: RowClient, gateways: Sequence[str]) -> list[int]:
    """For the device e1."""
    with ThreadPoolExecutor(len(gateways)) as pool:
        return list(pool.map(lambda gateway: put(client, gateway, "e1"), gateways))


@ROWS.row("G13", "provisioned-gateway", "A gateway that has provisioned itself brings devices, too",
          needs=("https", "current"))  # fmt: skip
def provisioned_gateway(client: RowClient) -> None:
    authority = client.authority()
    tenant, shown = client.trusting(authority.trusted(auto_provision_as_gateway=True)), authority.device()
    expect("the gateway's first contact", "202", post(client, shown))
    gateway = client.only_device(tenant)["id"]
    expect("PUT for edge-1", 202, https(client, shown, method="PUT", path=f"/telemetry/{tenant}/edge-1").status)
    found = client.document(f"/devices/{tenant}/edge-1")
    expect("via of edge-1", [gateway], found["via"])
    expect_that(found["status"].get("auto-provisioned"), "it says that it was provisioned", found)
