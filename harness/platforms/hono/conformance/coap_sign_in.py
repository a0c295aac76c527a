"""Devices with a pre-shared key or a certificate at the CoAP adapter, over DTLS (docs/contracts/hono.md §4.3)."""

from __future__ import annotations

import base64
from typing import Any, Final

from fleetrig.harness.conformance.exact_coap import NON
from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.hono.conformance.contacts import SILENCE, coap, key_of
from fleetrig.harness.platforms.hono.conformance.first_contact import COMMENT
from fleetrig.harness.platforms.hono.conformance.row_client import AUTH_ID, RowClient
from fleetrig.simulator.contract.identity import PreSharedKey

ROWS: Final[Resource[RowClient]] = Resource("hono", "coap")
NEEDS: Final = ("coaps",)
KEY: Final = b"hono-secret"


def with_key(client: RowClient, document: Any = None, tenant_document: Any = None) -> tuple[str, PreSharedKey]:
    """A tenant, and the key of its device d."""
    tenant = client.tenant(tenant_document)
    secret = {"key": base64.b64encode(KEY).decode()}
    client.give(tenant, client.device(tenant, document), {"type": "psk", "auth-id": AUTH_ID, "secrets": [secret]})
    return tenant, key_of(tenant, KEY, AUTH_ID)


@ROWS.row("C01", "key", "With the right key telemetry and events are 2.04, another path is 4.04", needs=NEEDS)
def right_key(client: RowClient) -> None:
    _, key = with_key(client)
    codes = [coap(client, key, path) for path in ("/telemetry", "/t", "/event", "/e", "/nosuch")]
    expect("codes of /telemetry, /t, /event, /e, /nosuch", ["2.04", "2.04", "2.04", "2.04", "4.04"], codes)


@ROWS.row("C02", "wrong-key", "A wrong key and a name that nobody has get no session, and no word why", needs=NEEDS)
def wrong_key(client: RowClient) -> None:
    tenant, key = with_key(client)
    expect("a wrong key", SILENCE, coap(client, key_of(tenant, b"wrong", AUTH_ID)))
    expect("an unknown name", SILENCE, coap(client, key_of(tenant, KEY, "nope")))
    expect("the right key", "2.04", coap(client, key))


@ROWS.row("C03", "disabled", "A tenant that is disabled is 4.03, a device that is disabled 4.04", needs=NEEDS)
def disabled(client: RowClient) -> None:
    expect("CoAP of a disabled device", "4.04", coap(client, with_key(client, {"enabled": False})[1]))
    expect("CoAP of a disabled tenant", "4.03", coap(client, with_key(client, None, {"enabled": False})[1]))


@ROWS.row("C04", "empty", "An empty payload without a content format is 4.00", needs=NEEDS)
def empty(client: RowClient) -> None:
    _, key = with_key(client)
    expect("CoAP without a payload", "4.00", coap(client, key, payload=b"", content_format=None))
    expect("CoAP that says that it is empty", "2.04", coap(client, key, "/event?empty", b"", content_format=None))


@ROWS.row("C05", "certificate", "A certificate over ECDSA provisions a device as over HTTP", needs=("coaps", "current"))
def certificate(client: RowClient) -> None:
    authority = client.authority()
    tenant, shown = client.trusting(authority.trusted()), authority.device()
    for _ in range(2):
        expect("CoAP", "2.04", coap(client, shown))
        comment = client.only_device(tenant)["ext"]["comment"]
        expect("its comment begins with", COMMENT, comment[: len(COMMENT)])


@ROWS.row("C06", "unconfirmed", "An event that wants no acknowledgement is 4.00", needs=NEEDS)
def unconfirmed(client: RowClient) -> None:
    _, key = with_key(client)
    expect("a NON event", "4.00", coap(client, key, "/event", kind=NON))
    expect("a CON event", "2.04", coap(client, key, "/event"))
