"""A device's own attributes, said and read back over each transport (docs/contracts/thingsboard.md §3.2 to §3.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.harness.conformance import exact_coap
from fleetrig.harness.conformance.expect import expect
from fleetrig.harness.platforms.thingsboard.conformance.asking import as_bytes
from fleetrig.harness.platforms.thingsboard.conformance.logins import log_in
from fleetrig.harness.platforms.thingsboard.conformance.operator_api import JSON
from fleetrig.harness.platforms.thingsboard.conformance.row_client import RowClient
from fleetrig.harness.servers.json_answer import read_json

TOPIC: Final = "v1/devices/me/attributes"
COAP_JSON: Final = 50


def say(client: RowClient, over: str, token: str, values: Mapping[str, Any]) -> None:
    path, body = f"/api/v1/{token}/attributes", as_bytes(values)
    match over:
        case "http":
            expect("status of attributes", 200, client.http.call("POST", path, JSON, body).status)
        case "coap":
            expect("code of attributes", "2.01", client.coap().ask(exact_coap.POST, path, body).code)
        case _:
            connection = log_in(client, user_name=token)
            connection.publish(TOPIC, body)
            connection.expect_heard("attributes", "PUBACK")


def expect_kept(client: RowClient, over: str, token: str, values: Mapping[str, Any]) -> None:
    """Raises Mismatch unless that is what the device is told of its attributes with these names."""
    expect(f"what is read back over {over}", {"client": dict(values)}, _read(client, over, token, ",".join(values)))


def _read(client: RowClient, over: str, token: str, keys: str) -> Any:
    path = f"/api/v1/{token}/attributes?clientKeys={keys}"
    match over:
        case "http":
            return client.http.call("GET", path, JSON).json()
        case "coap":
            answer = client.coap().ask(exact_coap.GET, path)
            expect("code and Content-Format", ("2.05", COAP_JSON), (answer.code, answer.content_format))
            return read_json(answer.payload)
        case _:
            connection = log_in(client, user_name=token)
            expect("the answer to SUBSCRIBE", "SUBACK 1", connection.subscribe(f"{TOPIC}/response/+"))
            connection.publish(f"{TOPIC}/request/1", as_bytes({"clientKeys": keys}), qos=0)
            return read_json(connection.expect_heard("the answer", f"PUBLISH {TOPIC}/response/1 q1")[0].payload)
