"""A device provisions itself with its certificate (docs/contracts/hono.md §2.2, §2.3, §2.5)."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.contacts import (
    ACCEPTED,
    connected,
    expect_connack,
    expect_outcome,
    post,
)
from fleetrig.harness.platforms.hono.conformance.issuing import D1, D1_AUTH_ID, Authority
from fleetrig.harness.platforms.hono.conformance.registry_api import TIME, UUID
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient
from fleetrig.simulator.contract.identity import ClientCertificate

ROWS: Final[Resource[RowClient]] = Resource("hono", "first-contact")
NEEDS: Final = ("https", "current")
EVERY: Final = ("https", "countable")
COMMENT: Final = "Auto-provisioned at "


def provisioned(client: RowClient) -> tuple[str, Authority, ClientCertificate]:
    """A tenant, whom it trusts, and the certificate of the device that has just made itself known over HTTP."""
    authority = client.authority()
    tenant, shown = client.trusting(authority.trusted()), authority.device()
    expect("the first contact", "202", post(client, shown))
    return tenant, authority, shown


@ROWS.row("A01", "http", "A certificate of a trusted authority is taken at once, and makes one device", needs=EVERY)
def over_http(client: RowClient) -> None:
    authority = client.authority()
    tenant = client.trusting(authority.trusted())
    client.expect_count(tenant, 0)
    expect("the first contact", "202", post(client, authority.device()))
    [device] = client.expect_count(tenant, 1)
    expect_that(UUID.fullmatch(device["id"]), "the device's id is a UUID", device["id"])


@ROWS.row("A02", "device", "The device is enabled and says when it was provisioned", needs=EVERY)
def device(client: RowClient) -> None:
    tenant, _, _ = provisioned(client)
    shown = client.only_device(tenant)
    expect("enabled", True, shown["enabled"])
    expect_that(shown["ext"]["comment"].startswith(COMMENT), f"its comment begins with {COMMENT!r}", shown["ext"])
    expect_that("authorities" not in shown, "it is no gateway", shown)


@ROWS.row("A03", "status", "Its status says that it was provisioned, and that this was told", needs=NEEDS)
def status(client: RowClient) -> None:
    tenant, _, _ = provisioned(client)
    found = client.only_device(tenant)["status"]
    flags = (found.get("auto-provisioned"), found.get("auto-provisioning-notification-sent"))
    expect("auto-provisioned, auto-provisioning-notification-sent", (True, True), flags)
    expect_that(TIME.fullmatch(found["created"]), "created in UTC and whole seconds", found)


@ROWS.row("A04", "credentials", "It has one x509-cert with the certificate's subject, one secret, and no certificate",
          needs=EVERY)  # fmt: skip
def credentials(client: RowClient) -> None:
    tenant, _, _ = provisioned(client)
    [entry] = client.credentials(tenant, client.only_device(tenant)["id"])
    expect("type, auth-id, enabled", ("x509-cert", D1_AUTH_ID, True),
           (entry["type"], entry["auth-id"], entry.get("enabled", True)))  # fmt: skip
    expect("its secrets", 1, len(entry["secrets"]))
    expect_that(set(entry["secrets"][0]) <= {"id"}, "a secret that holds nothing", entry["secrets"])
    expect_that(entry["comment"].startswith(COMMENT), f"its comment begins with {COMMENT!r}", entry)


@ROWS.row("A06", "again", "The next contact is the same device, and changes nothing", needs=EVERY)
def again(client: RowClient) -> None:
    tenant, _, shown = provisioned(client)
    before = client.only_device(tenant)
    version = client.asked("GET", f"/devices/{tenant}/{before['id']}").header("ETag")
    for _ in range(2):
        expect("a later contact", "202", post(client, shown))
    expect("the device", before, client.only_device(tenant))
    after = client.asked("GET", f"/devices/{tenant}/{before['id']}").header("ETag")
    expect("its version", version, after)


@ROWS.row("A07", "mqtt", "All adapters know the same device, whichever it came to first", needs=("mqtts", *EVERY))
def over_mqtt(client: RowClient) -> None:
    tenant, authority, shown = provisioned(client)
    expect_outcome(client, shown, ACCEPTED)
    before = client.only_device(tenant)
    other = authority.device((*D1[:2], ("CN", "device-m")))
    expect("CONNECT of another device", "CONNACK 0", connected(client, other)[1])
    expect("its HTTP", "202", post(client, other))
    found = client.expect_count(tenant, 2)
    expect_that(before["id"] in [one["id"] for one in found], "the first device is still there", found)


@ROWS.row("A32", "renewed", "A renewed certificate of the same subject is the same device, whatever its key",
          needs=EVERY)  # fmt: skip
def renewed(client: RowClient) -> None:
    tenant, authority, _ = provisioned(client)
    before = client.only_device(tenant)
    new = authority.device()
    expect("HTTP", "202", post(client, new))
    expect_connack(client, new, "0")
    expect("the device", before, client.only_device(tenant))


@ROWS.row("A33", "other-subject", "The same key under another subject is another device", needs=EVERY)
def other_subject(client: RowClient) -> None:
    tenant, authority, shown = provisioned(client)
    expect("HTTP", "202", post(client, authority.renamed(shown, (*D1[:2], ("CN", "device-1b")))))
    client.expect_count(tenant, 2)


@ROWS.row("A50", "two-authorities", "One subject under two authorities of a tenant is one device", needs=EVERY)
def two_authorities(client: RowClient) -> None:
    authorities = [client.authority() for _ in range(2)]
    tenant = client.trusting(*(one.trusted() for one in authorities))
    for authority in authorities:
        expect("HTTP", "202", post(client, authority.device()))
    client.expect_count(tenant, 1)


@ROWS.row("A51", "by-hand", "A device and its certificate's name that were registered by hand are known as any other",
          needs=NEEDS)  # fmt: skip
def by_hand(client: RowClient) -> None:
    authority = client.authority()
    tenant = client.trusting(authority.trusted(provisions=False))
    entry = {"type": "x509-cert", "auth-id": D1_AUTH_ID}
    client.give(tenant, client.device(tenant), {**entry, "secrets": [{}]})
    shown = authority.device()
    expect_outcome(client, shown, ACCEPTED)
    expect("its status", ["created"], list(client.only_device(tenant)["status"]))
    client.give(tenant, "d", {**entry, "secrets": [{"not-after": "2020-01-01T00:00:00Z"}]})
    client.under_test.after_change(lambda: expect_expired_secret(client, shown))


def expect_expired_secret(client: RowClient, shown: ClientCertificate) -> None:
    status = post(client, shown)
    client.expect_known(
        "HTTP, with a secret that has expired", status, lambda one: "401" if one.judges_secret_of_certificate else "202"
    )
