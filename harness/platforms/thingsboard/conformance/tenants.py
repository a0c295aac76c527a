"""More than one tenant, and what a tenant profile limits (docs/contracts/thingsboard.md §2, §5).

Each row makes tenants of its own, so that nothing is changed in the one that is judged.
"""

from __future__ import annotations

from typing import Final

from fleetrig.harness.conformance.expect import expect, expect_that
from fleetrig.harness.conformance.row import Resource
from fleetrig.harness.platforms.thingsboard.conformance.asking import FAILURE, ask, expect_refused, expect_token
from fleetrig.harness.platforms.thingsboard.conformance.logins import MEASURED, TELEMETRY, coap_code, log_in
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient
from fleetrig.harness.platforms.thingsboard.conformance.under_test import SYSADMIN

ROWS: Final[Resource[RowClient]] = Resource("thingsboard", "tenants")
NEEDS: Final = (SYSADMIN,)
ALLOWED: Final = 5
RATE: Final = f"{ALLOWED}:60"
"""Messages : seconds."""
MOST_OVER_COAP: Final = ALLOWED + 2
"""CoAP was seen to take one message more."""


@ROWS.row("S51", "same-name", "Two tenants may have a device of the same name", needs=NEEDS)
def same_name(client: RowClient) -> None:
    other, name = client.another_tenant(), client.name()
    tokens = [expect_token(ask(one, "http", one.profile("A").members(name))) for one in (client, other)]
    expect("distinct tokens", 2, len(set(tokens)))
    for one, token in zip((client, other), tokens, strict=True):
        expect("the stored token", token, one.credentials(one.existing(name))["credentialsId"])


@ROWS.row("S82", "most-devices", "Once a tenant has all the devices that it may have, a new name is FAILURE",
          needs=NEEDS)  # fmt: skip
def most_devices(client: RowClient) -> None:
    tenant = client.another_tenant(maxDevices=1)
    profile, name = tenant.profile("A"), client.name()
    expect_token(ask(tenant, "http", profile.members(client.name())))
    for over in client.transports:
        expect_refused(ask(tenant, over, profile.members(name)), FAILURE)
    expect("the device", None, tenant.device(name))


@ROWS.row("S105", "rate", "Who sends more than it may is cut off: MQTT ends, HTTP is 500, CoAP is 5.00; provisioning "
          "does not count", needs=NEEDS)  # fmt: skip
def rate(client: RowClient) -> None:
    tenant = client.another_tenant(transportDeviceMsgRateLimit=RATE, transportDeviceTelemetryMsgRateLimit=RATE)
    for _ in range(ALLOWED + 1):
        expect_token(ask(tenant, "http", tenant.profile("A").members(client.name())))
    over_http(tenant, device_of(tenant))
    if "mqtt" in client.transports:
        for level, ending in ((4, ("closed",)), (5, ("DISCONNECT 0x83", "closed"))):
            over_mqtt(tenant, device_of(tenant), level, client.generation.ending(*ending))
    if "coap" in client.transports:
        codes = [coap_code(tenant, token) for token in [device_of(tenant)] * MOST_OVER_COAP]
        expect(f"the first {ALLOWED} codes", ["2.01"] * ALLOWED, codes[:ALLOWED])
        expect(f"the code of message {MOST_OVER_COAP}", "5.00", codes[-1])


def device_of(tenant: RowClient) -> str:
    """The token of a new device."""
    token = tenant.name("tok")
    tenant.imported(tenant.profile("A"), token)
    return token


def over_http(tenant: RowClient, token: str) -> None:
    path, kind = f"/api/v1/{token}/telemetry", {"Content-Type": "application/json"}
    answers = [tenant.http.call("POST", path, kind, MEASURED) for _ in range(ALLOWED + 1)]
    expect(f"the first {ALLOWED} statuses", [200] * ALLOWED, [one.status for one in answers[:ALLOWED]])
    expect("the status and body of one more", (500, b""), (answers[-1].status, answers[-1].body))
    expect_that(answers[-1].header("Retry-After") is None, "no Retry-After", answers[-1].header("Retry-After"))


def over_mqtt(tenant: RowClient, token: str, level: int, ending: tuple[str, ...]) -> None:
    connection = log_in(tenant, level, user_name=token)
    for _ in range(ALLOWED):
        connection.publish(TELEMETRY, MEASURED)
        connection.expect_heard("telemetry within the limit", "PUBACK")
    connection.publish(TELEMETRY, MEASURED)
    connection.expect_heard("telemetry over the limit", *ending)
