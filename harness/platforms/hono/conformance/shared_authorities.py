"""Authorities that share a name, and tenants that share an authority (docs/contracts/hono.md §1.1, §5)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance.expect import MissingCapability, expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.contacts import (
    ACCEPTED,
    NO_TENANT,
    expect_connack,
    expect_outcome,
    post,
)
from fleetrig.harness.platforms.hono.conformance.issuing import D2, Authority
from fleetrig.harness.platforms.hono.conformance.registry_api import expect_status
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient

ROWS: Final[Resource[RowClient]] = Resource("hono", "shared")
NEEDS: Final = ("https", "current")


@ROWS.row("A34", "two-keys", "Devices of two authorities of one name are both accepted, and one subject is one device",
          needs=NEEDS)  # fmt: skip
def two_keys(client: RowClient) -> None:
    common_name = client.name("ca")
    old, new = (Authority(common_name) for _ in range(2))
    tenant = made_or_skipped(client, {"trusted-ca": [old.trusted(), new.trusted()]}, "two authorities of one name")
    for shown in (old.device(), new.device(D2), new.device()):
        expect("HTTP", "202", post(client, shown))
    client.expect_count(tenant, 2)


@ROWS.row(
    "A40", "server-name", "Of tenants that share an authority the host name (SNI) tells which is meant", needs=NEEDS
)
def server_name(client: RowClient) -> None:
    one, other, authority, _ = sharing(client)
    expect("HTTP", "202", post(client, authority.device(), f"{one}.example.com"))
    client.expect_count(one, 1)
    client.expect_count(other, 0)


@ROWS.row("A41", "no-server-name", "Without one, and with one that names neither, it is 404", needs=NEEDS)
def no_server_name(client: RowClient) -> None:
    one, other, authority, _ = sharing(client)
    expect_outcome(client, authority.device(), NO_TENANT)
    expect_connack(client, authority.device(), "4", f"{client.name('nosuch')}.example.com")
    client.expect_count(one, 0)
    client.expect_count(other, 0)


@ROWS.row("A42", "alias", "The alias of a tenant does as well as its id", needs=NEEDS)
def alias(client: RowClient) -> None:
    one, other, authority, named = sharing(client)
    expect_outcome(client, authority.device(), ACCEPTED, f"{named}.example.com")
    client.expect_count(one, 0)
    client.expect_count(other, 1)


def sharing(client: RowClient) -> tuple[str, str, Authority, str]:
    """Two tenants, the authority that both trust, and the alias of the second."""
    authority, named = client.authority(), client.name("alias")
    document = {"trusted-ca": [authority.trusted()], "trust-anchor-group": client.name("group")}
    one = client.tenant(document)
    other = made_or_skipped(client, {**document, "alias": named}, "trust anchor groups")
    return one, other, authority, named


def made_or_skipped(client: RowClient, document: Any, what: str) -> str:
    """A new tenant. Raises MissingCapability where a registry is known not to have this."""
    tenant = client.own_tenant_id()
    answer = client.api("POST", f"/tenants/{tenant}", document)
    client.expect_status_known(answer, lambda one: one.status_of_shared_authority)
    if answer.status != 201:
        raise MissingCapability(f"{what}: the JDBC registry has none, as R13 and R63 say")
    expect_status(client.api("GET", f"/tenants/{tenant}"), 200)
    return tenant
