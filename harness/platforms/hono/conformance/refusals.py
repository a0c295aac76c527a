"""Certificates that are refused, and provision nothing (docs/contracts/hono.md §2.2, §2.6, §5)."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.contacts import (
    BAD_CERTIFICATE,
    FORBIDDEN,
    NO_TENANT,
    REFUSED,
    Outcome,
    coap,
    expect_connack,
    expect_outcome,
    post,
)
from fleetrig.harness.platforms.hono.conformance.issuing import D1, D2, Authority, expired, not_yet_valid
from fleetrig.harness.platforms.hono.conformance.row_client import RowClient
from fleetrig.simulator.certificates.profile import Validity
from fleetrig.simulator.contract.identity import ClientCertificate

ROWS: Final[Resource[RowClient]] = Resource("hono", "refusals")
NEEDS: Final = ("https", "current")
EVERY: Final = ("https", "countable")
NO_HANDSHAKE: Final = Outcome("alert certificate_unknown", "alert certificate_unknown", BAD_CERTIFICATE)


@ROWS.row("A08", "off", "Where automatic provisioning is off, an unknown device is refused with 401", needs=EVERY)
def provisioning_off(client: RowClient) -> None:
    authority = client.authority()
    tenant = client.trusting(authority.trusted(provisions=False))
    expect_outcome(client, authority.device(), REFUSED)
    client.expect_count(tenant, 0)


@ROWS.row("A09", "other-key", "An authority that has only the name of the one that is trusted is refused with 401",
          needs=EVERY)  # fmt: skip
def other_key(client: RowClient) -> None:
    common_name = client.name("ca")
    tenant = client.trusting(Authority(common_name).trusted())
    expect_outcome(client, Authority(common_name).device(), REFUSED)
    client.expect_count(tenant, 0)


@ROWS.row("A10", "stranger", "An authority that nobody trusts: 404, or 400 for a host name (SNI) without a dot, or 401 "
          "for one that names a tenant", needs=EVERY)  # fmt: skip
def stranger(client: RowClient) -> None:
    tenant = client.trusting(client.authority().trusted())
    shown = client.authority().device()
    expect_outcome(client, shown, NO_TENANT)
    if client.generation.is_current:
        expect_by_server_name(client, shown, tenant)
    client.expect_count(tenant, 0)


def expect_by_server_name(client: RowClient, shown: ClientCertificate, tenant: str) -> None:
    """Hono 1.1 does not look at host names."""
    for server_name, status in (
        ("localhost", "400"),
        (f"{client.name('nosuch')}.example.com", "404"),
        (f"{tenant}.example.com", "401"),
    ):
        expect_outcome(client, shown, Outcome(status, "4", BAD_CERTIFICATE), server_name)


def expect_no_handshake(client: RowClient, validity: Validity) -> None:
    authority = client.authority()
    tenant = client.trusting(authority.trusted())
    expect_outcome(client, authority.device(D1, validity), NO_HANDSHAKE)
    client.expect_count(tenant, 0)


@ROWS.row("A11", "expired", "A certificate that has expired does not get through the handshake", needs=EVERY)
def has_expired(client: RowClient) -> None:
    expect_no_handshake(client, expired())


@ROWS.row("A12", "not-yet", "Neither does one that is not valid yet", needs=EVERY)
def not_yet(client: RowClient) -> None:
    expect_no_handshake(client, not_yet_valid())


@ROWS.row("A13", "authority-expired", "An authority whose validity has ended is trusted no more: 401", needs=NEEDS)
def authority_expired(client: RowClient) -> None:
    authority = client.authority()
    shown = authority.device()
    tenant = client.trusting(authority.trusted_by_key(end="2021-01-01T00:00:00Z"))
    expect_outcome(client, shown, REFUSED)
    client.expect_count(tenant, 0)
    client.change_tenant(tenant, {"trusted-ca": [authority.trusted_by_key()]})
    client.under_test.after_change(lambda: expect("valid again", "202", post(client, shown)))


@ROWS.row("A14", "tenant-disabled", "A tenant that is disabled: 403, and no device is made (Hono over CoAP: it is)",
          needs=NEEDS)  # fmt: skip
def tenant_disabled(client: RowClient) -> None:
    authority = client.authority()
    tenant = client.trusting(authority.trusted(), enabled=False)
    expect_outcome(client, authority.device(), Outcome("403", "5"))
    client.expect_count(tenant, 0)
    if "coaps" in client.under_test.addresses:
        expect("CoAP", FORBIDDEN.coap, coap(client, authority.device()))
        client.expect_known(
            "devices after CoAP", len(client.devices_of(tenant)), lambda one: int(one.provisions_before_it_refuses)
        )


@ROWS.row("A15", "adapter-disabled", "An adapter that is not on the tenant's list: 403, and no device; one that is: "
          "accepted", needs=("mqtts", *NEEDS))  # fmt: skip
def adapter_disabled(client: RowClient) -> None:
    authority = client.authority()
    tenant = client.trusting(authority.trusted(), adapters=[{"type": "hono-mqtt", "enabled": True}])
    shown = authority.device()
    expect("HTTP", "403", post(client, shown))
    client.expect_count(tenant, 0)
    expect_connack(client, shown, "0")
    client.expect_count(tenant, 1)


@ROWS.row("A26", "gateway-off", "That devices become gateways does not switch provisioning on: 401", needs=NEEDS)
def gateway_off(client: RowClient) -> None:
    authority = client.authority()
    tenant = client.trusting(authority.trusted(provisions=False, auto_provision_as_gateway=True))
    expect_outcome(client, authority.device(), REFUSED)
    client.expect_count(tenant, 0)


@ROWS.row("A27", "limit", "Where max-devices has been reached, a new device is refused with 403", needs=NEEDS)
def limit(client: RowClient) -> None:
    authority = client.authority()
    tenant = client.trusting(authority.trusted(), registration_limits={"max-devices": 1})
    shown = authority.device()
    expect("the first device", "202", post(client, shown))
    expect_outcome(client, authority.device(D2), Outcome("403", "5", BAD_CERTIFICATE))
    client.expect_count(tenant, 1)
    expect("the first device again", "202", post(client, shown))


@ROWS.row("A38", "intermediate", "The authority that is trusted has to be the direct issuer: a chain to it is 404",
          needs=NEEDS)  # fmt: skip
def intermediate(client: RowClient) -> None:
    above = client.authority()
    between = client.authority("between", above)
    tenant = client.trusting(above.trusted())
    expect_outcome(client, between.followed_by_itself(between.device()), NO_TENANT)
    client.expect_count(tenant, 0)


@ROWS.row("A39", "only-intermediate", "An authority that others stand above is trusted as it is, with its chain or "
          "without", needs=NEEDS)  # fmt: skip
def only_intermediate(client: RowClient) -> None:
    between = client.authority("between", client.authority())
    tenant, shown = client.trusting(between.trusted()), between.device()
    expect("alone", "202", post(client, shown))
    expect("with its chain", "202", post(client, between.followed_by_itself(shown)))
    client.expect_count(tenant, 1)


@ROWS.row("A48", "order-of-name", "An authority whose name is written in another order is another: 404", needs=NEEDS)
def order_of_name(client: RowClient) -> None:
    authority = client.authority()
    backwards = ",".join(reversed(authority.subject_dn.split(",")))
    tenant = client.trusting({**authority.trusted_by_key(), "subject-dn": backwards})
    expect_outcome(client, authority.device(), NO_TENANT)
    client.expect_count(tenant, 0)
