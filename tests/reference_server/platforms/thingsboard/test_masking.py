"""No secret is written into the trace, in whatever form it goes over whichever wire (S83): right, wrong or issued."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleetrig.reference_server.platforms.thingsboard.state.records import (
    CREDENTIALS,
    INSTALLATION,
    CredentialsType,
    ProvisionType,
)
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.mqtt import MqttVersion
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace_json import to_line
from tests.reference_server.platforms.thingsboard.mqtt_rig import MqttRig

KEY, SECRET = "key-of-profile-a", "secret-of-profile-a"
WRONG, OWN, PASSWORD = "wrong-secret-of-nobody", "a-token-of-ones-own", "password-of-ones-own"
COAP = Session(id=900, listener="coap")


class Told(MqttRig):
    """Every line of the trace, as it was written when things happened."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.profile("A", ProvisionType.ALLOW_CREATE, KEY, SECRET)
        self.lines: list[str] = []
        self.trace.listen(lambda event: self.lines.append(to_line(event, self.secrets)))
        self.server.opened(COAP, self.now_us)

    def http(self, path: str, body: object = None, method: str = "POST", **headers: str) -> Any:
        sent = [("Content-Type", "application/json"), *((name.replace("_", "-"), at) for name, at in headers.items())]
        data = b"" if body is None else json.dumps(body).encode()
        request = HttpRequest(method, "http://h", path, tuple(sent), data)
        response = self.server.exchange(request, Session(), self.now_us).response
        assert response is not None
        return json.loads(response.body) if response.body else None  # type: ignore[arg-type]

    def show(self, *secrets: str) -> list[str]:
        """Those of them that the trace shows, as they are or in hex."""
        text = "\n".join(self.lines)
        assert text, "nothing was written at all"
        return [one for one in secrets if one in text or one.encode().hex() in text]

    @property
    def issued(self) -> list[str]:
        found = self.store.scan(CREDENTIALS, INSTALLATION)
        return [one.credentials_id for one in found if one.type is CredentialsType.ACCESS_TOKEN]


def _field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2, len(value)]) + value


def protobuf(name: str, secret: str, token: str = "", password: str = "") -> bytes:
    body = _field(1, name.encode()) + _field(3, _field(1, KEY.encode()) + _field(2, secret.encode()))
    if token:
        return body + _field(4, _field(1, _field(1, token.encode())))
    if password:
        basic = _field(2, name.encode()) + _field(3, password.encode())
        return body + bytes([2 << 3, 2]) + _field(4, _field(3, basic))
    return body


def as_json(name: str, secret: str, token: str = "", password: str = "") -> bytes:
    body = {"deviceName": name, "provisionDeviceKey": KEY, "provisionDeviceSecret": secret}
    if token:
        body["token"] = token
    if password:
        body |= {"credentialsType": "MQTT_BASIC", "username": name, "password": password}
    return json.dumps(body).encode()


FORMS = {"json": as_json, "protobuf": protobuf}
WIRES = ["mqtt 3.1.1", "mqtt 5", "coap"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wire", WIRES)
def test_a_request_and_its_answer_tell_nothing(form: str, wire: str) -> None:
    rig = Told()
    bodies = [
        FORMS[form]("a", SECRET),
        FORMS[form]("b", WRONG),
        FORMS[form]("c", SECRET, token=OWN),
        FORMS[form]("d", SECRET, password=PASSWORD),
    ]
    if wire != "coap":
        rig.provision(1, version=MqttVersion.V5 if wire == "mqtt 5" else MqttVersion.V311)
    for body in bodies:
        if wire == "coap":
            request = CoapRequest("POST", "coap://h", "/api/v1/provision", body, token=b"t")
            rig.server.receive(COAP, request, rig.now_us)
        else:
            rig.publish("/provision/request", body)
    assert [rig.named(name) is not None for name in "abcd"] == [True, False, True, True]
    assert rig.show(SECRET, WRONG, OWN, PASSWORD, *rig.issued) == []


@pytest.mark.parametrize("body", [b'{"provisionDeviceSecret":"%s"', b'{"provisionDeviceSecret":"%s"}'])
def test_a_request_that_is_none_tells_nothing(body: bytes) -> None:
    """Its answer over HTTP quotes it."""
    rig = Told()
    sent = body % WRONG.encode()
    rig.provision(1)
    rig.publish("/provision/request", sent)
    rig.server.receive(COAP, CoapRequest("POST", "coap://h", "/api/v1/provision", sent, token=b"t"), rig.now_us)
    headers = (("Content-Type", "application/json"),)
    rig.server.exchange(HttpRequest("POST", "http://h", "/api/v1/provision", headers, sent), Session(), rig.now_us)
    assert len([line for line in rig.lines if '"received"' in line]) == 4
    assert rig.show(WRONG) == []


def test_over_http_and_at_logins_nothing_is_told() -> None:
    rig = Told()
    for body in (as_json("a", SECRET), as_json("b", WRONG), as_json("c", SECRET, password=PASSWORD)):
        rig.http("/api/v1/provision", json.loads(body))
    token = rig.issued[0]
    rig.http(f"/api/v1/{token}/telemetry", {"a": 1})
    rig.http("/api/v1/a-token-that-nobody-has/telemetry", {"a": 1})
    rig.join(1, user_name=token)
    rig.join(2, user_name="a-token-that-nobody-has-either")
    rig.join(3, user_name="c", password="a-wrong-password")
    strange = ("a-token-that-nobody-has", "a-token-that-nobody-has-either", "a-wrong-password")
    assert rig.show(SECRET, WRONG, PASSWORD, token, *strange) == []


def test_an_operator_tells_nothing() -> None:
    rig = Told()
    rig.http("/api/auth/login", {"username": "tenant@thingsboard.org", "password": "a-wrong-password"})
    pair = rig.http("/api/auth/login", {"username": "tenant@thingsboard.org", "password": "tenant"})
    bearer = {"X_Authorization": f"Bearer {pair['token']}"}
    devices = "/api/tenant/devices?pageSize=1&page=0"
    rig.http(devices, method="GET", **bearer)
    rig.http(devices, method="GET", X_Authorization=f"Bearer {pair['token']}x")
    rig.http(devices, method="GET", Authorization="ApiKey a-key-that-nobody-has")
    rig.http("/api/auth/token", {"refreshToken": pair["refreshToken"]})
    rig.http("/api/device?accessToken=a-token-in-a-query", {"name": "q", "type": "default"}, **bearer)
    value = json.dumps({"clientId": "x", "userName": "u", "password": "a-password-in-a-value"})
    basic = {"credentialsType": "MQTT_BASIC", "credentialsValue": value}
    rig.http("/api/device-with-credentials", {"device": {"name": "r"}, "credentials": basic}, **bearer)
    columns = [{"type": kind} for kind in ("NAME", "ACCESS_TOKEN", "MQTT_PASSWORD")]
    lines = "NAME,T,P\ns,a-token-in-a-file,\nt,,a-password-in-a-file"
    mapping = {"columns": columns, "delimiter": ",", "header": True, "update": True}
    told = rig.http("/api/device/bulk_import", {"file": lines, "mapping": mapping}, **bearer)
    assert (told["created"], told["errors"]) == (1, 1), "the password of a line that is refused is none the less one"
    secrets = ("a-wrong-password", "a-token-in-a-query", "a-password-in-a-value", "a-key-that-nobody-has")
    assert rig.show(pair["token"], pair["refreshToken"], *secrets, "a-token-in-a-file", "a-password-in-a-file") == []
