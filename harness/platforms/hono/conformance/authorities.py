"""The authorities that a tenant trusts (docs/contracts/hono.md §1.1, §0)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.expect import expect, expect_has, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.issuing import Authority
from fleetrig.harness.platforms.hono.conformance.registry_api import UUID, expect_error, expect_status
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("hono", "trusted-ca")
CURRENT: Final = ("current",)
FOREVER: Final = {"not-before": "2020-01-01T00:00:00Z", "not-after": "2040-01-01T00:00:00Z"}


@ROWS.row("R10", "certificate", "Of a certificate its name, key and validity are shown, and that it provisions nothing")
def certificate(client: RowClient) -> None:
    authority = client.authority()
    tenant = client.trusting({"cert": authority.base64_der})
    [shown] = client.document(f"/tenants/{tenant}")["trusted-ca"]
    begin, end = authority.ca.certificate.not_valid_before_utc, authority.ca.certificate.not_valid_after_utc
    validity = {"not-before": f"{begin:%Y-%m-%dT%H:%M:%SZ}", "not-after": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    named = {"subject-dn": authority.subject_dn, "public-key": authority.public_key, "algorithm": "EC"}
    expect_has("the authority", {**named, **validity, "auto-provisioning-enabled": False}, shown)


@ROWS.row("R11", "incomplete", "Neither certificate nor name, key and validity, or what is none of them, is 400")
def incomplete(client: RowClient) -> None:
    tenant, key = client.own_tenant_id(), {"public-key": client.authority().public_key}
    named = {"subject-dn": "CN=x", "algorithm": "EC"}
    for wrong in (
        {"subject-dn": "CN=x"},
        {**named, **key},
        {"subject-dn": "CN=x", **key, **FOREVER},  # without its algorithm, a key is one of RSA
        {"cert": "MIIB"},
        {"cert": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"},
        {**named, **key, **FOREVER, "not-before": "2020-01-01T00:00:00+0200"},
    ):
        expect_status(client.api("POST", f"/tenants/{tenant}", {"trusted-ca": [wrong]}), 400)


@ROWS.row("R12", "other-tenant", "No two tenants trust the same authority: 409")
def other_tenant(client: RowClient) -> None:
    authority = client.authority()
    client.trusting(authority.trusted())
    expect_error(client.api("POST", f"/tenants/{client.own_tenant_id()}", {"trusted-ca": [authority.trusted()]}), 409)


@ROWS.row("R13", "group", "Tenants of one trust anchor group may (Hono with JDBC: may not)", needs=CURRENT)
def group(client: RowClient) -> None:
    authority, grouped = client.authority(), client.name("group")
    client.trusting(authority.trusted(), trust_anchor_group=grouped)
    second = {"trusted-ca": [authority.trusted()], "trust-anchor-group": grouped}
    answer = client.api("POST", f"/tenants/{client.own_tenant_id()}", second)
    client.expect_status_known(answer, lambda one: one.status_of_shared_authority)
    stranger = {**second, "trust-anchor-group": f"{grouped}x"}
    expect_error(client.api("POST", f"/tenants/{client.own_tenant_id()}", stranger), 409)


@ROWS.row("R14", "same-id", "Two authorities of one tenant have different ids, else 400", needs=CURRENT)
def same_id(client: RowClient) -> None:
    entries = [client.authority().trusted(id="a") for _ in range(2)]
    expect_error(client.api("POST", f"/tenants/{client.own_tenant_id()}", {"trusted-ca": entries}), 400)
    entries[1]["id"] = "b"
    shown = client.document(f"/tenants/{client.trusting(*entries)}")["trusted-ca"]
    expect("the ids", ["a", "b"], sorted(one["id"] for one in shown))


@ROWS.row("R15", "new-id", "An authority without an id gets a UUID", needs=CURRENT)
def new_id(client: RowClient) -> None:
    [shown] = client.document(f"/tenants/{client.trusting(client.authority().trusted())}")["trusted-ca"]
    expect_that(UUID.fullmatch(shown["id"]), "the id is a UUID", shown["id"])


@ROWS.row("R16", "template", "A template holds one of its four placeholders at least, and no others, else 400",
          needs=CURRENT)  # fmt: skip
def template(client: RowClient) -> None:
    authority, tenant = client.authority(), client.own_tenant_id()
    for member in ("auto-provisioning-device-id-template", "auth-id-template"):
        for wrong in ("abc", "{{foo}}", "{{subject-cn}}{{foo}}"):
            trusted = {**authority.trusted(), member: wrong}
            expect_error(client.api("POST", f"/tenants/{tenant}", {"trusted-ca": [trusted]}), 400)
    good: dict[str, Any] = {
        "auth_id_template": "{{subject-cn}}",
        "auto_provisioning_device_id_template": "x-{{subject-ou}}{{subject-o}}",
    }
    [shown] = client.document(f"/tenants/{client.trusting(authority.trusted(**good))}")["trusted-ca"]
    expect_has("the authority", {name.replace("_", "-"): text for name, text in good.items()}, shown)


@ROWS.row("R61", "none", "An empty list of authorities is none", needs=CURRENT)
def none(client: RowClient) -> None:
    expect("the tenant", {}, client.document(f"/tenants/{client.tenant({'trusted-ca': []})}"))


@ROWS.row(
    "R62", "by-key", "An authority by name and key: its name as Java writes it, its validity in UTC", needs=CURRENT
)
def by_key(client: RowClient) -> None:
    common_name = client.name("x")
    entry = {
        "subject-dn": f"cn={common_name}, o=y",
        "public-key": client.authority().public_key,
        "algorithm": "EC",
        "not-before": "2020-01-01T00:00:00+02:00",
        "not-after": "2040-01-01T00:00:00.5Z",
    }
    [shown] = client.document(f"/tenants/{client.trusting(entry)}")["trusted-ca"]
    validity = {"not-before": "2019-12-31T22:00:00Z", "not-after": "2040-01-01T00:00:00Z"}
    given = {"public-key": entry["public-key"], "algorithm": "EC"}
    flags = {"auto-provisioning-enabled": False, "auto-provision-as-gateway": False}
    expect(
        "the authority", {"id": shown["id"], "subject-dn": f"CN={common_name},O=y", **given, **validity, **flags}, shown
    )


@ROWS.row("R63", "second-key", "A tenant may trust two authorities of one name, to change from one to the other "
          "(Hono with JDBC: 409)", needs=CURRENT)  # fmt: skip
def second_key(client: RowClient) -> None:
    common_name = client.name("ca")
    entries = [Authority(common_name).trusted() for _ in range(2)]
    answer = client.api("POST", f"/tenants/{client.own_tenant_id()}", {"trusted-ca": entries})
    client.expect_status_known(answer, lambda one: one.status_of_second_key)
