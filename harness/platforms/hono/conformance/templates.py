"""Ids of devices by templates, and names as Java writes them (docs/contracts/hono.md §0, §2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.contacts import (
    BAD_CERTIFICATE,
    Outcome,
    coap,
    expect_connack,
    expect_outcome,
    post,
)
from fleetrig.harness.platforms.hono.conformance.issuing import D1, Authority, Subject
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("hono", "ids")
NEEDS: Final = ("https", "current")
EVERY: Final = ("https", "countable")
BY_CN: Final[Mapping[str, Any]] = {"auto_provisioning_device_id_template": "dev-{{subject-cn}}"}


def with_template(client: RowClient, **members: Any) -> tuple[str, Authority]:
    authority = client.authority()
    return client.trusting(authority.trusted(**members)), authority


def auth_ids(client: RowClient, tenant: str) -> list[str]:
    """Of all devices of a tenant that have provisioned themselves."""
    found = [client.credentials(tenant, one["id"])[0]["auth-id"] for one in client.devices_of(tenant)]
    return sorted(found)


def expect_auth_id(client: RowClient, tenant: str, authority: Authority, subject: Subject, auth_id: str) -> None:
    """A contact with this subject is accepted, and this auth-id is a new one."""
    before = auth_ids(client, tenant)
    expect(f"HTTP as {subject}", "202", post(client, authority.device(subject)))
    expect("new auth-ids", [auth_id], [one for one in auth_ids(client, tenant) if one not in before])


@ROWS.row("A18", "device-id", "A device gets the id that the template makes of its subject", needs=NEEDS)
def device_id(client: RowClient) -> None:
    tenant, authority = with_template(client, **BY_CN)
    expect("HTTP", "202", post(client, authority.device()))
    expect("the device's id", "dev-device-1", client.only_device(tenant)["id"])


@ROWS.row("A19", "device-id-again", "Deleted, it gets the same id at its next contact", needs=NEEDS)
def device_id_again(client: RowClient) -> None:
    tenant, authority = with_template(client, **BY_CN)
    shown = authority.device()
    expect("HTTP", "202", post(client, shown))
    client.asked("DELETE", f"/devices/{tenant}/dev-device-1", None, 204)
    client.under_test.after_change(lambda: expect("HTTP after its DELETE", "202", post(client, shown)))
    expect("the device's id", "dev-device-1", client.only_device(tenant)["id"])


@ROWS.row("A20", "illegal-id", "An id with a comma or a blank is refused with 400, and no device is made", needs=NEEDS)
def illegal_id(client: RowClient) -> None:
    refused = Outcome("400", "5", BAD_CERTIFICATE)
    tenant, authority = with_template(client, auto_provisioning_device_id_template="x-{{subject-dn}}")
    expect_outcome(client, authority.device(), refused)
    client.expect_count(tenant, 0)
    tenant, authority = with_template(client, **BY_CN)
    expect_outcome(client, authority.device((*D1[:2], ("CN", "dev 1"))), refused)
    client.expect_count(tenant, 0)


@ROWS.row("A21", "missing-part", "A subject without what the template names is refused with 400 (Hono: 500), and no "
          "device is made", needs=NEEDS)  # fmt: skip
def missing_part(client: RowClient) -> None:
    tenant, authority = with_template(client, auto_provisioning_device_id_template="x-{{subject-ou}}")
    shown = authority.device((("O", "ACME"), ("CN", "device-1")))
    status = post(client, shown)
    client.expect_known("HTTP", status, lambda one: str(one.status_of_missing_attribute))
    expect_connack(client, shown, "5")
    if "coaps" in client.under_test.addresses:
        expect("CoAP", BAD_CERTIFICATE, coap(client, shown))
    client.expect_count(tenant, 0)


@ROWS.row("A22", "id-taken", "An id that another device has is refused with 409, and that device stays as it is",
          needs=NEEDS)  # fmt: skip
def id_taken(client: RowClient) -> None:
    tenant, authority = with_template(client, **BY_CN)
    client.device(tenant, {"ext": {"hand": 1}}, "dev-device-1")
    before = client.only_device(tenant)
    expect_outcome(client, authority.device(), Outcome("409", "5", BAD_CERTIFICATE))
    expect("the device", before, client.only_device(tenant))
    expect("its credentials", [], client.credentials(tenant, "dev-device-1"))


@ROWS.row("A23", "auth-id", "The auth-id is what its template makes of the subject; without that part it is 401",
          needs=NEEDS)  # fmt: skip
def auth_id(client: RowClient) -> None:
    tenant, authority = with_template(client, auth_id_template="id-{{subject-cn}}-{{subject-ou}}")
    expect_auth_id(client, tenant, authority, D1, "id-device-1-iot")
    expect_outcome(client, authority.device((("O", "ACME"), ("CN", "x"))), Outcome("401", "4", BAD_CERTIFICATE))
    client.expect_count(tenant, 1)


@ROWS.row("A24", "same-auth-id", "Subjects of which the template makes one auth-id are one device", needs=NEEDS)
def same_auth_id(client: RowClient) -> None:
    tenant, authority = with_template(client, auth_id_template="id-{{subject-cn}}")
    expect_auth_id(client, tenant, authority, D1, "id-device-1")
    before = client.only_device(tenant)
    other = authority.device((("O", "ACME"), ("OU", "other"), ("CN", "device-1")))
    expect("HTTP with another OU", "202", post(client, other))
    expect("the device", before, client.only_device(tenant))


@ROWS.row("A25", "gateway", "A device may be provisioned as a gateway, with the authority to provision others",
          needs=NEEDS)  # fmt: skip
def gateway(client: RowClient) -> None:
    tenant, authority = with_template(client, auto_provision_as_gateway=True)
    expect("HTTP", "202", post(client, authority.device()))
    expect("authorities", ["auto-provisioning-enabled"], client.only_device(tenant)["authorities"])


@ROWS.row("A43", "escapes", "In auth-ids commas, quotes, # and = have a backslash before them", needs=EVERY)
def escapes(client: RowClient) -> None:
    tenant, authority = with_template(client)
    subject = (("C", "DE"), ("O", "ACME, Inc."), ("CN", 'dev "q" #1=x'))
    expect_auth_id(client, tenant, authority, subject, r"CN=dev \"q\" \#1\=x,O=ACME\, Inc.,C=DE")
    expect_auth_id(client, tenant, authority, (("CN", " x "),), "CN=\\ x\\ ")


@ROWS.row("A44", "numbers", "Parts that Java has no word for are numbers, their value in hex as it is encoded",
          needs=EVERY)  # fmt: skip
def numbers(client: RowClient) -> None:
    tenant, authority = with_template(client)
    subject = (("O", "ACME"), ("serialNumber", "77"), ("emailAddress", "a@b.c"), ("CN", "x"))
    expected = "CN=x,1.2.840.113549.1.9.1=#16056140622e63,2.5.4.5=#13023737,O=ACME"
    expect_auth_id(client, tenant, authority, subject, expected)


@ROWS.row("A47", "odd-values", "A template takes values as they are: commas, dollar signs (Hono: 500) and backslashes "
          "(Hono: lost)", needs=NEEDS)  # fmt: skip
def odd_values(client: RowClient) -> None:
    tenant, authority = with_template(client, auth_id_template="id-{{subject-cn}}-{{subject-o}}")
    expect_auth_id(client, tenant, authority, (("O", "ACME, Inc."), ("CN", "dev")), "id-dev-ACME, Inc.")
    dollar = post(client, authority.device((("O", "ACME"), ("CN", "a$1b"))))
    client.expect_known("HTTP with a dollar sign", dollar, lambda one: str(one.status_of_dollar))
    before = auth_ids(client, tenant)
    expect("HTTP with a backslash", "202", post(client, authority.device((("O", "ACME"), ("CN", "a\\b")))))
    [made] = [one for one in auth_ids(client, tenant) if one not in before]
    expect_that(made in ("id-a\\b-ACME", "id-ab-ACME"), "an auth-id of a\\b or ab", made)
    client.expect_known("a backslash is kept", "\\" in made, lambda one: one.keeps_backslashes)
