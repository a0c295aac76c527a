"""What a server gives to devices is masked, also where only the devices know it."""

from __future__ import annotations

import json

import pytest

from fleetrig.harness.platforms.thingsboard.issued_credentials import credentials_on_server, given_in, learning
from fleetrig.simulator.contract.coap import CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import MqttPublish
from fleetrig.simulator.contract.trace import Lane, Trace
from fleetrig.simulator.flows.thingsboard.credentials import AccessToken, Credentials, MqttBasic, OwnCertificate

TOKEN = "oTgXy2K3pQ9vLw7Zr1Bd"
REPLY = json.dumps({"credentialsValue": TOKEN, "credentialsType": "ACCESS_TOKEN", "status": "SUCCESS"}).encode()
PROTOBUF = b"\x08\x01\x1a\x14" + TOKEN.encode()
ANSWERS: dict[str, Envelope] = {
    "mqtt": MqttPublish("/provision/response", REPLY, 1, packet_id=1),
    "protobuf": MqttPublish("/provision/response", PROTOBUF, 1, packet_id=1),
    "http": HttpResponse(200, (), REPLY),
    "coap": CoapResponse("2.01", REPLY),
}


@pytest.mark.parametrize("over", ANSWERS)
def test_a_token_is_masked_from_the_moment_at_which_a_device_is_given_it(over: str) -> None:
    secrets, trace = Secrets(), Trace()
    trace.listen(learning(secrets))
    trace.emit(1, Lane.DEVICE, "received", "dev-1", envelope=ANSWERS[over], name="provision")
    assert TOKEN not in secrets.hide(f"POST /api/v1/{TOKEN}/telemetry")


@pytest.mark.parametrize(
    ("lane", "kind", "name"),
    [(Lane.SERVER, "received", "provision"), (Lane.DEVICE, "sent", "provision"), (Lane.DEVICE, "received", "idle")],
)
def test_nothing_else_is_taken_for_credentials(lane: Lane, kind: str, name: str) -> None:
    secrets, trace = Secrets(), Trace()
    trace.listen(learning(secrets))
    trace.emit(1, lane, kind, "dev-1", envelope=ANSWERS["mqtt"], name=name)
    assert secrets.hide(f"/api/v1/{TOKEN}") == f"/api/v1/{TOKEN}"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"status":"FAILURE"}', b"\x08\x03"])
def test_an_answer_without_credentials_gives_none(body: bytes) -> None:
    assert given_in(HttpResponse(200, (), body)) is None


@pytest.mark.parametrize(
    ("kind", "credentials_id", "value", "read"),
    [
        ("ACCESS_TOKEN", TOKEN, None, AccessToken(TOKEN)),
        ("MQTT_BASIC", "sha", '{"clientId":"c","userName":"u","password":"p"}', MqttBasic("c", "u", "p")),
        ("X509_CERTIFICATE", "sha", "MIIB", OwnCertificate()),
        ("LWM2M_CREDENTIALS", "x", "{}", None),
    ],
)
def test_credentials_are_read_as_the_rest_api_shows_them(
    kind: str, credentials_id: str, value: str | None, read: Credentials | None
) -> None:
    stored = {"credentialsType": kind, "credentialsId": credentials_id, "credentialsValue": value}
    assert credentials_on_server(stored) == read
