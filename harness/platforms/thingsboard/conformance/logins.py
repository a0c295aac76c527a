"""Whether a device gets in with what it was given (docs/contracts/thingsboard.md §3.1, §3.3, §3.4)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.conformance import exact_coap
from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient, RowMqtt

TELEMETRY: Final = "v1/devices/me/telemetry"
MEASURED: Final = b'{"t":1}'


def log_in(client: RowClient, level: int = 4, **connect: Any) -> RowMqtt:
    """A session of a device, which has to be accepted."""
    connection = client.mqtt(level)
    answer = client.generation.connack(connection.connect(**connect))
    expect("the answer to a device's CONNECT", "CONNACK 0", answer)
    return connection


def expect_login(client: RowClient, measured: bytes = MEASURED, **connect: Any) -> None:
    """Accepted, and telemetry is acknowledged."""
    connection = log_in(client, **connect)
    connection.publish(TELEMETRY, measured)
    connection.expect_heard("telemetry of the device", "PUBACK")


def expect_no_login(client: RowClient, code: str, reason: str, **connect: Any) -> None:
    """Refused in both versions: `code` in 3.1.1, `reason` in 5."""
    for level in (4, 5):
        wanted = client.generation.refused_login(level, code, reason)
        got = client.generation.connack(client.mqtt(level).connect(**connect))
        expect(f"the answer to a wrong login (MQTT {'3.1.1' if level == 4 else '5'})", wanted, got)


def http_status(client: RowClient, token: str, measured: bytes = MEASURED) -> int:
    """Of telemetry over HTTP."""
    path = f"/api/v1/{token}/telemetry"
    return client.http.call("POST", path, {"Content-Type": "application/json"}, measured).status


def coap_code(client: RowClient, token: str, measured: bytes = MEASURED) -> str:
    """Of telemetry over CoAP."""
    return client.coap().ask(exact_coap.POST, f"/api/v1/{token}/telemetry", measured).code
