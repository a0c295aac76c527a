"""What REST asks of devices, byte for byte, and what their replies become (spec 2.6, 3.2 to 3.4, 5.5; S-41, S-42)."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any, Final

import pytest

from fleetrig.reference_server.platform import HeldRequest, HttpAnswer
from fleetrig.reference_server.platforms.kura.payload.payload import (
    KuraPayload,
    Metric,
    ValueType,
    boolean,
    int32,
    int64,
    octets,
    string,
)
from fleetrig.reference_server.platforms.kura.rest.device_calls import DeviceCall
from fleetrig.reference_server.platforms.kura.state.connections import connection_by_client, disconnected
from fleetrig.reference_server.platforms.kura.state.device_records import ConnectionStatus
from fleetrig.simulator.contract.bodies import body_bytes
from tests.reference_server.platforms.kura.rest_rig import RestRig

ENTRY = {"keystoreServicePid": "SSLKeystore", "alias": "a"}
CONFIGURATION = {
    "configuration": [
        {"id": "p&1", "properties": {"property": [
            {"name": "n", "array": False, "encrypted": False, "type": "Integer", "value": ["7"]},
            {"name": "s", "array": True, "type": "String", "value": ["<", ""]},
        ]}}
    ]
}  # fmt: skip
AS_XML = (
    b'<?xml version="1.0" encoding="UTF-8"?><esf:configurations xmlns:esf="http://eurotech.com/esf/2.0" '
    b'xmlns:ocd="http://www.osgi.org/xmlns/metatype/v1.2.0"><esf:configuration pid="p&amp;1"><esf:properties>'
    b'<esf:property name="n" array="false" encrypted="false" type="Integer"><esf:value>7</esf:value></esf:property>'
    b'<esf:property name="s" array="true" encrypted="false" type="String"><esf:value>&lt;</esf:value>'
    b"<esf:value></esf:value></esf:property></esf:properties></esf:configuration></esf:configurations>"
)


class Management:
    """A device that is connected, and whoever asks it."""

    def __init__(self) -> None:
        self.rig = RestRig()
        self.path = f"/v1/{self.rig.scope()}/devices/{self.rig.connect('gw-1')}"

    def asks(self, method: str, path: str, document: Any = None) -> DeviceCall:
        answer = self.rig.ask(method, f"{self.path}/{path}", document)
        assert isinstance(answer, HeldRequest), answer
        return self.rig.device.asked[-1]

    def hears(self, body: bytes | None = None, code: Metric | None = None, **metrics: Metric) -> tuple[int, Any]:
        """What a reply becomes."""
        answer = self.rig.answer(KuraPayload(metrics={"response.code": code or int32(200), **metrics}, body=body))
        raw = body_bytes(answer.response.body)
        return answer.response.status, json.loads(raw) if raw else None


SHORT: list[tuple[str, str, Any, tuple[str, str, str, Any]]] = [
    ("GET", "configurations", None, ("CONF-V1", "GET", "configurations", None)),
    ("GET", "configurations/org.eclipse.kura.data.DataService", None,
     ("CONF-V1", "GET", "configurations/org.eclipse.kura.data.DataService", None)),
    ("PUT", "configurations", CONFIGURATION, ("CONF-V1", "PUT", "configurations", AS_XML)),
    ("PUT", "configurations/p&1", CONFIGURATION["configuration"][0], ("CONF-V1", "PUT", "configurations/p&1", AS_XML)),
    ("GET", "snapshots", None, ("CONF-V1", "GET", "snapshots", None)),
    ("GET", "snapshots/17", None, ("CONF-V1", "GET", "snapshots/17", None)),
    ("POST", "snapshots/17/_rollback", None, ("CONF-V1", "EXEC", "rollback/17", None)),
    ("GET", "keystore", None, ("KEYS-V1", "GET", "keystores", None)),
    ("GET", "keystore/items", None, ("KEYS-V1", "GET", "keystores/entries", None)),
    ("GET", "keystore/items?keystoreId=SSLKeystore", None,
     ("KEYS-V1", "GET", "keystores/entries", {"keystoreServicePid": "SSLKeystore"})),
    ("GET", "keystore/item?keystoreId=SSLKeystore&alias=a", None, ("KEYS-V1", "GET", "keystores/entries/entry", ENTRY)),
    ("DELETE", "keystore/item?keystoreId=SSLKeystore&alias=a", None, ("KEYS-V1", "DEL", "keystores/entries", ENTRY)),
    ("POST", "keystore/items/certificateRaw", {"keystoreId": "SSLKeystore", "alias": "a", "certificate": "PEM"},
     ("KEYS-V1", "POST", "keystores/entries/certificate", {**ENTRY, "certificate": "PEM"})),
    ("POST", "keystore/items/keypair",
     {"keystoreId": "SSLKeystore", "alias": "a", "algorithm": "RSA", "size": 2048, "singnatureAlgorithm": "X",
      "attributes": "CN=a"},
     ("KEYS-V1", "POST", "keystores/entries/keypair",
      {**ENTRY, "algorithm": "RSA", "attributes": "CN=a", "size": 2048, "signatureAlgorithm": "X"})),
    ("POST", "keystore/items/csr",
     {"keystoreId": "SSLKeystore", "alias": "a", "signatureAlgorithm": "X", "attributes": "CN=a"},
     ("KEYS-V1", "POST", "keystores/entries/csr", {**ENTRY, "attributes": "CN=a", "signatureAlgorithm": "X"})),
    ("GET", "packages", None, ("DEPLOY-V2", "GET", "packages", None)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "document", "expected"), SHORT, ids=lambda one: one if isinstance(one, str) else ""
)
def test_what_is_asked(method: str, path: str, document: Any, expected: tuple[str, str, str, Any]) -> None:
    asked = Management().asks(method, path, document)

    body: Any = asked.body
    if isinstance(expected[3], dict):
        body = json.loads(asked.body or b"")
    assert (asked.app_id, asked.method, asked.resource, body) == expected
    assert (asked.client_id, asked.timeout_ms, dict(asked.metrics)) == ("gw-1", 30_000, {})


def test_a_certificate_that_the_account_has() -> None:
    management = Management()
    found = management.rig.done("GET", f"/v1/{management.rig.scope()}/certificateInfos?name=dm-1")["items"][0]
    document = {"keystoreId": "DMKeystore", "alias": "dm-1", "certificateInfoId": found["id"]}
    asked = management.asks("POST", "keystore/items/certificateInfo", document)

    sent = json.loads(asked.body or b"")
    assert sent["alias"] == "dm-1"
    assert found["certificate"].startswith(sent["certificate"])
    assert sent["certificate"].count("BEGIN") == 1
    refused = management.rig.refused(
        "POST", f"{management.path}/keystore/items/certificateInfo", {**document, "certificateInfoId": "x"}
    )
    assert refused == (404, "ENTITY_NOT_FOUND")


def test_a_download() -> None:
    management = Management()
    document = {
        "uri": "http://127.0.0.1/a.dp", "name": "a", "version": "1", "username": "u",
        "password": "Secret-of-a-download", "fileHash": "MD5:00", "reboot": True, "advancedOptions": {"blockSize": 128},
    }  # fmt: skip
    asked = management.asks("POST", "packages/_download", document)

    assert (asked.app_id, asked.method, asked.resource) == ("DEPLOY-V2", "EXEC", "download")
    assert dict(asked.metrics) == {
        "job.id": int64(1), "dp.uri": string("http://127.0.0.1/a.dp"), "dp.name": string("a"),
        "dp.version": string("1"), "dp.download.protocol": string("HTTP"), "dp.install": boolean(True),
        "dp.install.system.update": boolean(False),
        "dp.download.username": string("u"), "dp.download.password": string("Secret-of-a-download"),
        "dp.download.hash": string("MD5:00"), "dp.download.block.size": int32(128), "dp.reboot": boolean(True),
        "dp.reboot.delay": int32(0),
    }  # fmt: skip
    assert ("password", "Secret-of-a-download") in management.rig.registry.new_secrets
    status, operation = management.hears()
    assert (status, operation["operationId"], operation["status"]) == (200, "1", "RUNNING")
    asked = management.asks("POST", "packages/_uninstall", {"name": "a", "version": "1"})
    assert asked.metrics["job.id"] == int64(2)


@pytest.mark.parametrize(
    "document",
    [{}, {"uri": "ftp://x", "name": "a", "version": "1"}, {"uri": "http://x", "name": "a"},
     {"uri": "http://x", "name": "a", "version": "1", "advancedOptions": {"blockSize": -1}},
     {"uri": "http://x", "name": "a", "version": "1", "advancedOptions": {"blockSize": 1 << 40}}],
)  # fmt: skip
def test_downloads_that_are_none(document: dict[str, Any]) -> None:
    management = Management()

    assert management.rig.refused("POST", f"{management.path}/packages/_download", document)[0] == 400
    assert management.rig.device.asked == []


class TestReplies:
    def test_configurations(self) -> None:
        management = Management()
        management.asks("GET", "configurations")
        status, document = management.hears(AS_XML)

        assert status == 200
        (component,) = document["configuration"]
        assert component["id"] == "p&1"
        assert component["properties"]["property"][1] == {
            "name": "s", "array": True, "encrypted": False, "type": "String", "value": ["<", ""],
        }  # fmt: skip

    def test_snapshots(self) -> None:
        management = Management()
        management.asks("GET", "snapshots")
        body = b'<esf:snapshot-ids xmlns:esf="http://eurotech.com/esf/2.0"><esf:snapshotIds>0</esf:snapshotIds><esf:snapshotIds>17</esf:snapshotIds></esf:snapshot-ids>'

        assert management.hears(body)[1]["snapshotId"] == [{"id": "0", "timestamp": 0}, {"id": "17", "timestamp": 17}]

    def test_keystores(self) -> None:
        management = Management()
        management.asks("GET", "keystore")
        assert management.hears(b'[{"keystoreServicePid":"SSLKeystore","type":"jks","size":3}]')[1][
            "deviceKeystore"
        ] == [{"id": "SSLKeystore", "keystoreType": "jks", "size": 3}]
        management.asks("GET", "keystore/items")
        entry = {**ENTRY, "type": "TRUSTED_CERTIFICATE", "startDate": 0, "subjectDN": "CN=a", "certificate": "PEM"}
        assert management.hears(json.dumps([entry]).encode())[1]["keystoreItem"] == [
            {"keystoreId": "SSLKeystore", "itemType": "TRUSTED_CERTIFICATE", "alias": "a", "subjectDN": "CN=a",
             "certificate": "PEM", "notBefore": "1970-01-01T00:00:00.000Z"}
        ]  # fmt: skip

    @pytest.mark.parametrize("body", [b'"PEM"', b'{"csr":"PEM"}', b'{"signingRequest":"PEM"}'])
    def test_a_signing_request(self, body: bytes) -> None:
        """S-42: a bare text and an object."""
        management = Management()
        management.asks("POST", "keystore/items/csr", SHORT[14][2])

        assert management.hears(body) == (200, {"type": "deviceKeystoreCSR", "signingRequest": "PEM"})

    def test_packages(self) -> None:
        management = Management()
        management.asks("GET", "packages")
        bundle = "<bundle><name>b</name><version>2</version></bundle>"
        package = f"<package><name>a</name><version>1</version><bundles>{bundle}</bundles></package>"
        body = f"<packages>{package}</packages>".encode()

        assert management.hears(body)[1]["devicePackage"] == [
            {"name": "a", "version": "1", "bundleInfos": {"bundleInfo": [{"name": "b", "version": "2"}]}}
        ]

    def test_nothing_to_say(self) -> None:
        management = Management()
        management.asks("PUT", "configurations", CONFIGURATION)

        assert management.hears() == (204, None)

    @pytest.mark.parametrize(
        ("code", "status", "error"),
        [
            (int32(400), 500, "RESPONSE_BAD_REQUEST"), (int32(404), 404, "RESPONSE_NOT_FOUND"),
            (int32(500), 500, "RESPONSE_INTERNAL_ERROR"), (int32(202), 500, "RESPONSE_UNKNOWN_CODE"),
            (string("200"), 500, "RESPONSE_UNKNOWN_CODE"), (int64(200), 500, "RESPONSE_UNKNOWN_CODE"),
        ],
    )  # fmt: skip
    def test_codes(self, code: Metric, status: int, error: str) -> None:
        """2.6; S-41: an unknown code is no success."""
        management = Management()
        management.asks("PUT", "configurations", CONFIGURATION)

        reply = KuraPayload(metrics={"response.code": code, "response.exception.message": string("why")})
        answer = management.rig.answer(reply)
        found, document = answer.response.status, json.loads(body_bytes(answer.response.body))
        assert (found, document["kapuaErrorCode"]) == (status, error)
        if error != "RESPONSE_UNKNOWN_CODE":
            assert document["errorMessage"] == "why"

    @pytest.mark.parametrize("body", [None, b"", b"x", b"<a/>", b"<!DOCTYPE a><a/>", b"[1]", b"{}", b"[" * 100_000])
    @pytest.mark.parametrize("path", ["configurations", "snapshots", "keystore", "keystore/items", "packages"])
    def test_bodies_that_are_none(self, path: str, body: bytes | None) -> None:
        management = Management()
        management.asks("GET", path)

        status, document = management.hears(body)
        if not (path == "packages" and body == b"<a/>"):
            assert (status, document["kapuaErrorCode"]) == (500, "RESPONSE_CONTENT")

    def test_none_in_time(self) -> None:
        management = Management()
        asked = management.asks("GET", "configurations?timeout=5")
        answer = management.rig.device.outcomes[-1].timed_out()

        assert asked.timeout_ms == 5
        document = json.loads(body_bytes(answer.response.body))
        assert (answer.response.status, document["kapuaErrorCode"], document["timeout"]) == (500, "TIMEOUT", 5)

    @pytest.mark.parametrize("timeout", ["0", "-1", "x", "99999999999"])
    def test_time_outs_that_are_none(self, timeout: str) -> None:
        management = Management()

        refused = management.rig.refused("GET", f"{management.path}/configurations?timeout={timeout}")
        assert refused == (400, "ILLEGAL_ARGUMENT")

    @pytest.mark.parametrize("status", [ConnectionStatus.DISCONNECTED, ConnectionStatus.MISSING])
    def test_a_device_that_is_not_there(self, status: ConnectionStatus) -> None:
        management = Management()
        rig = management.rig
        connection = connection_by_client(rig.registry, rig.scope(), "gw-1")
        assert connection is not None
        disconnected(rig.registry, connection, status, rig.now_us)

        assert rig.refused("GET", f"{management.path}/configurations") == (409, "DEVICE_NOT_CONNECTED")
        made = rig.done("POST", f"/v1/{rig.scope()}/devices", {"clientId": "never"})
        path = f"/v1/{rig.scope()}/devices/{made['id']}/packages"
        assert rig.refused("GET", path) == (409, "DEVICE_NOT_CONNECTED")
        assert rig.device.asked == []


class TestAnyRequest:
    CHANNEL: Final = {"appName": "CONF", "version": "V1", "method": "EXECUTE", "semanticParts": ["snapshot"]}

    def test_to_an_application(self) -> None:
        management = Management()
        metrics = [
            {"name": "s", "valueType": "string", "value": "a"}, {"name": "i", "valueType": "integer", "value": "-1"},
            {"name": "l", "valueType": "long", "value": 1}, {"name": "d", "valueType": "double", "value": 1.5},
            {"name": "b", "valueType": "boolean", "value": True}, {"name": "y", "valueType": "binary", "value": "AP8="},
        ]  # fmt: skip
        payload = {"metrics": metrics, "body": b64encode(b"x").decode()}
        asked = management.asks("POST", "requests", {"channel": self.CHANNEL, "payload": payload})

        assert (asked.app_id, asked.method, asked.resource, asked.body) == ("CONF-V1", "EXEC", "snapshot", b"x")
        assert dict(asked.metrics) == {
            "s": string("a"), "i": int32(-1), "l": int64(1), "d": Metric(ValueType.DOUBLE, 1.5), "b": boolean(True),
            "y": octets(b"\x00\xff"),
        }  # fmt: skip
        status, document = management.hears(b"y", code=int32(404), e=string("f"))
        assert (status, document["responseCode"], document["payload"]["body"]) == (200, "NOT_FOUND", "eQ==")
        assert {"valueType": "string", "value": "f", "name": "e"} in document["payload"]["metrics"]

    @pytest.mark.parametrize(
        ("channel", "payload"),
        [
            ({"method": "GET"}, {}), ({"method": None}, {}), ({"appName": None}, {}), ({"semanticParts": ["a/b"]}, {}),
            ({"semanticParts": ["+"]}, {}), ({"semanticParts": [""]}, {}), ({"appName": "#"}, {}),
            ({"resources": "x"}, {}),
            ({}, {"metrics": [{"name": "request.id", "valueType": "string", "value": "x"}]}),
            ({}, {"metrics": [{"name": "a", "valueType": "date", "value": "x"}]}),
            ({}, {"metrics": [{"name": "a", "valueType": "integer", "value": str(1 << 31)}]}),
            ({}, {"metrics": [{"name": "a", "valueType": "integer", "value": "9" * 5_000}]}),
            ({}, {"metrics": [{"name": "a", "valueType": "float", "value": "1e300"}]}),
            ({}, {"metrics": [{"name": "a", "valueType": "boolean", "value": "x"}]}),
            ({}, {"metrics": [{"name": "a", "valueType": "binary", "value": "!"}]}),
            ({}, {"metrics": [{"valueType": "string", "value": "x"}]}), ({}, {"body": "!"}),
        ],
    )  # fmt: skip
    def test_what_is_refused(self, channel: dict[str, Any], payload: dict[str, Any]) -> None:
        management = Management()
        document = {"channel": {**self.CHANNEL, **channel}, "payload": payload}

        assert management.rig.refused("POST", f"{management.path}/requests", document)[0] == 400
        assert management.rig.device.asked == []


def test_a_segment_that_would_change_the_topic() -> None:
    management = Management()

    for name in ("a%2Fb", "%23", "%2B", "%00"):
        refused = management.rig.refused("GET", f"{management.path}/configurations/{name}")
        assert refused == (400, "ILLEGAL_ARGUMENT")
    assert isinstance(management.rig.ask("GET", f"{management.path}/configurations/a%20b"), HeldRequest)
    assert not isinstance(management.rig.ask("GET", f"{management.path}/configurations/"), HttpAnswer)
