"""Firmware and software: uploaded and assigned by an operator, told and handed out to devices (spec 3.4, 3.6)."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

import pytest

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platforms.thingsboard.platform import ThingsBoardPlatform
from fleetrig.reference_server.platforms.thingsboard.state.attributes import attributes_of, latest_of
from fleetrig.reference_server.platforms.thingsboard.state.murmur3 import murmur3_32, murmur3_128
from fleetrig.reference_server.platforms.thingsboard.state.ota_packages import CHECKSUMS, ChecksumAlgorithm
from fleetrig.reference_server.platforms.thingsboard.state.records import Scope
from fleetrig.reference_server.stores.blobs import MemoryBlobs
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.envelope import Send
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import MqttPublish, MqttVersion
from fleetrig.simulator.contract.session import Session
from tests.reference_server.platforms.thingsboard.mqtt_rig import TELEMETRY, MqttRig

DATA = bytes(range(250))
COAP = Session(id=900, listener="coap")
TOKEN = "a-token-of-the-device"
ALGORITHMS = "org.thingsboard.server.common.data.ota.ChecksumAlgorithm"
SHA = hashlib.sha256(DATA).hexdigest()


@dataclass
class Depot(MqttRig):
    """A device `d` of the profile `default`, and an operator."""

    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.platform = ThingsBoardPlatform(self.store, self.blobs, SeededEntropy(2), self.settings)
        self.registry = self.platform.registry
        self.serve(self.platform)
        self.server.opened(COAP, self.now_us)
        account = {"username": "tenant@thingsboard.org", "password": "tenant"}
        self.bearer = self.ask("POST", "/api/auth/login", account)[1]["token"]
        self.found = self.token("d", TOKEN)
        self.profile_id = self.found.profile_id

    def send(self, method: str, target: str, body: bytes, content_type: str) -> HttpResponse:
        headers = [("Content-Type", content_type)]
        if hasattr(self, "bearer"):
            headers.append(("X-Authorization", f"Bearer {self.bearer}"))
        request = HttpRequest(method, "http://h", target, tuple(headers), body)
        response = self.server.exchange(request, Session(), self.now_us).response
        assert response is not None
        return response

    def ask(self, method: str, target: str, body: object = None) -> tuple[int, Any]:
        data = b"" if body is None else json.dumps(body).encode()
        response = self.send(method, target, data, "application/json")
        text = body_bytes(response.body)
        return response.status, json.loads(text) if text else None

    def package(self, kind: str = "FIRMWARE", title: str = "app", data: bytes = DATA, **members: Any) -> dict[str, Any]:
        profile = {"entityType": "DEVICE_PROFILE", "id": self.profile_id}
        body = {"deviceProfileId": profile, "type": kind, "title": title, "version": "1.0"} | members
        status, made = self.ask("POST", "/api/otaPackage", body)
        assert status == 200, made
        filled: dict[str, Any] = self.fill(made["id"]["id"], data)[1] if data else made
        return filled

    def fill(self, package: str, data: bytes, query: str = "checksumAlgorithm=sha256") -> tuple[int, Any]:
        part = b'Content-Disposition: form-data; name="file"; filename="app.bin"\r\nContent-Type: image/x\r\n\r\n'
        form = b"--B\r\n" + part + data + b"\r\n--B--\r\n"
        response = self.send("POST", f"/api/otaPackage/{package}?{query}", form, "multipart/form-data; boundary=B")
        return response.status, json.loads(body_bytes(response.body))

    def assign(self, package: dict[str, Any] | None, member: str = "firmwareId") -> tuple[int, Any]:
        """To the device."""
        device = self.ask("GET", f"/api/device/{self.found.id}")[1]
        return self.ask("POST", "/api/device", device | {member: None if package is None else package["id"]})

    def shared(self) -> dict[str, Any]:
        return {one.key: one.value for one in attributes_of(self.registry, self.found.id, Scope.SHARED)}

    def latest(self) -> dict[str, Any]:
        return {one.key: one.value for one in latest_of(self.registry, self.found.id)}

    def chunk(self, topic: str, payload: bytes = b"") -> tuple[list[str], bytes]:
        outputs = self.heard(1, MqttPublish(topic, payload, 1, packet_id=7))
        published = [one.envelope for one in outputs if isinstance(one, Send) and isinstance(one.envelope, MqttPublish)]
        lines = [one.envelope.line if isinstance(one, Send) else "closed" for one in outputs]
        return lines, published[0].payload if published else b""

    def coap(self, target: str, method: str = "GET") -> CoapResponse:
        (sent,) = self.server.receive(COAP, CoapRequest(method, "coap://h", target, token=b"t"), self.now_us)
        assert isinstance(sent, Send)
        assert isinstance(sent.envelope, CoapResponse)
        return sent.envelope


@pytest.fixture
def depot() -> Depot:
    return Depot()


def test_a_package_is_what_was_uploaded(depot: Depot) -> None:
    package = depot.package(tag="app-1.0")
    told = {name: package[name] for name in ("hasData", "fileName", "contentType", "checksum", "dataSize", "tag")}
    assert told == {
        "hasData": True,
        "fileName": "app.bin",
        "contentType": "image/x",
        "checksum": SHA,
        "dataSize": 250,
        "tag": "app-1.0",
    }
    path = f"/api/otaPackage/info/{package['id']['id']}"
    assert depot.ask("GET", path) == (200, package)
    assert depot.ask("GET", "/api/otaPackages?pageSize=9&page=0")[1]["data"] == [package]
    usable = f"/api/otaPackages/{depot.profile_id}/FIRMWARE?pageSize=9&page=0"
    assert depot.ask("GET", usable)[1]["totalElements"] == 1
    file = depot.send("GET", f"/api/otaPackage/{package['id']['id']}/download", b"", "x/y")
    assert (body_bytes(file.body), file.header("Content-Type")) == (DATA, "image/x")


def test_a_device_is_told_what_it_should_have(depot: Depot) -> None:
    package = depot.package()
    assert depot.assign(package)[0] == 200
    assert depot.shared() == {
        "fw_title": "app",
        "fw_version": "1.0",
        "fw_size": 250,
        "fw_checksum": SHA,
        "fw_checksum_algorithm": "SHA256",
    }
    latest = depot.latest()
    assert (latest["target_fw_title"], latest["target_fw_version"]) == ("app", "1.0")
    assert latest["fw_state"] == "INITIATED"
    assert depot.assign(None)[0] == 200
    assert depot.shared() == {}


def test_a_profile_gives_its_package_to_devices_without_one(depot: Depot) -> None:
    software = depot.package("SOFTWARE")
    profile = depot.ask("GET", f"/api/deviceProfile/{depot.profile_id}")[1]
    status, saved = depot.ask("POST", "/api/deviceProfile", profile | {"softwareId": software["id"]})
    assert status == 200
    assert depot.shared()["sw_title"] == "app"
    own = depot.package("SOFTWARE", "own")
    depot.assign(own, "softwareId")
    assert depot.shared()["sw_title"] == "own"
    depot.ask("POST", "/api/deviceProfile", saved | {"softwareId": None})
    assert depot.shared()["sw_title"] == "own", "it has one of its own"
    depot.assign(None, "softwareId")
    assert depot.shared() == {}


def test_a_new_device_of_such_a_profile_hears_of_it(depot: Depot) -> None:
    package = depot.package(url="http://files.test/app", data=b"")
    profile = depot.ask("GET", f"/api/deviceProfile/{depot.profile_id}")[1]
    depot.ask("POST", "/api/deviceProfile", profile | {"firmwareId": package["id"]})
    depot.found = depot.token("new", "another-token")
    assert depot.shared() == {"fw_title": "app", "fw_version": "1.0", "fw_url": "http://files.test/app"}


@pytest.mark.parametrize(
    ("query", "data", "said"),
    [
        ("checksumAlgorithm=SHA256&checksum=00", DATA, (400, "Wrong otaPackage file!")),
        ("checksumAlgorithm=SHA256", b"", (400, "OtaPackage data should be specified!")),
        (
            "checksumAlgorithm=SHA1",
            DATA,
            (400, f"No enum constant {ALGORITHMS}.SHA1"),
        ),
    ],
    ids=["wrong checksum", "no data", "no algorithm"],
)
def test_an_upload_is_refused(depot: Depot, query: str, data: bytes, said: tuple[int, str]) -> None:
    package = depot.package(data=b"")["id"]["id"]
    status, answer = depot.fill(package, data, query)
    assert (status, answer["message"]) == said
    assert depot.blobs.total_bytes() == 0


def test_data_is_uploaded_once(depot: Depot) -> None:
    package = depot.package()
    assert depot.fill(package["id"]["id"], DATA) == (200, package), "the same again is no change"
    for data, query in ((b"other", "checksumAlgorithm=SHA256"), (DATA, "checksumAlgorithm=MD5")):
        status, answer = depot.fill(package["id"]["id"], data, query)
        assert (status, answer["message"]) == (400, "Updating otaPackage content type is prohibited!")


def test_a_package_is_assigned_and_deleted_by_rules(depot: Depot) -> None:
    firmware, empty = depot.package(), depot.package(title="empty", data=b"")
    assert depot.assign(empty)[1]["message"] == "Can't assign firmware with empty data!"
    assert depot.assign(firmware, "softwareId")[1]["message"] == "Can't assign software with type: FIRMWARE"
    other = depot.package(title="stranger", deviceProfileId=None)
    assert depot.assign(other)[1]["message"] == "Can't assign firmware with different deviceProfile!"
    depot.assign(firmware)
    path = f"/api/otaPackage/{firmware['id']['id']}"
    assert depot.ask("DELETE", path)[1]["message"] == "The otaPackage referenced by the devices cannot be deleted!"
    depot.assign(None)
    assert depot.ask("DELETE", path) == (200, None)
    assert depot.ask("DELETE", path)[0] == 404
    body = {"type": "FIRMWARE", "title": "stranger", "version": "1.0"}
    twice = depot.ask("POST", "/api/otaPackage", body)[1]
    assert twice["message"] == "OtaPackage with such title and version already exists!"


def test_chunks_over_http(depot: Depot) -> None:
    path = f"/api/v1/{TOKEN}/firmware?title=app&version=1.0"
    assert depot.ask("GET", path) == (404, None)
    depot.assign(depot.package())
    pieces = [depot.send("GET", f"{path}&size=100&chunk={number}", b"", "x/y") for number in range(4)]
    assert [len(body_bytes(piece.body)) for piece in pieces] == [100, 100, 50, 0]
    assert b"".join(body_bytes(piece.body) for piece in pieces) == DATA
    assert pieces[0].header("Content-Disposition") == "attachment;filename=app.bin"
    assert body_bytes(depot.send("GET", path, b"", "x/y").body) == DATA
    assert depot.ask("GET", f"/api/v1/{TOKEN}/firmware?title=app&version=2.0") == (400, None)
    assert depot.ask("GET", f"/api/v1/{TOKEN}/software?title=app&version=1.0") == (404, None)
    assert depot.ask("GET", f"/api/v1/{TOKEN}/firmware?title=app")[0] == 400


def test_chunks_over_mqtt(depot: Depot) -> None:
    """The size is said once; a request keeps its package though another is assigned meanwhile."""
    depot.join(1, user_name=TOKEN)
    depot.subscribe(1, "v2/fw/response/+/chunk/+", qos=0)
    depot.assign(depot.package())
    lines, data = depot.chunk("v2/fw/request/5/chunk/0", b"100")
    assert lines == ["PUBACK", "PUBLISH v2/fw/response/5/chunk/0"]
    depot.assign(depot.package(title="next", data=b"x" * 9))
    rest = [depot.chunk(f"v2/fw/request/5/chunk/{number}")[1] for number in (1, 2)]
    assert data + b"".join(rest) == DATA
    assert depot.chunk("v2/fw/request/6/chunk/0")[1] == b"x" * 9


@pytest.mark.parametrize(
    ("topic", "size", "said"),
    [
        ("v2/sw/request/1/chunk/0", b"10", b"NOT_FOUND"),
        ("v2/fw/request/1/chunk/0", b"65537", b"PAYLOAD_TOO_LARGE"),
    ],
)
def test_a_chunk_that_cannot_be_is_told_and_the_session_ends(
    depot: Depot, topic: str, size: bytes, said: bytes
) -> None:
    depot.join(1, user_name=TOKEN, version=MqttVersion.V5)
    depot.assign(depot.package())
    lines, data = depot.chunk(topic, size)
    assert (lines, data) == (["PUBLISH v2/fw/error", "DISCONNECT 131", "closed"], said)


def test_what_is_no_request_for_a_chunk(depot: Depot) -> None:
    depot.join(1, user_name=TOKEN)
    assert depot.chunk("v2/fw/request/x/chunk/0")[0] == ["PUBACK"], "a topic that there is not"
    assert depot.publish(TELEMETRY, {"a": 1}) == ["1 PUBACK"]
    assert depot.chunk("v2/fw/request/1/chunk/0", b"many")[0] == ["closed"]


def test_chunks_over_coap(depot: Depot) -> None:
    path = f"/fw/{TOKEN}"
    assert depot.coap(path).code == "4.04"
    depot.assign(depot.package())
    pieces = [depot.coap(f"{path}?title=app&version=1.0&size=100&chunk={number}") for number in range(3)]
    assert [piece.code for piece in pieces] == ["2.05"] * 3
    assert b"".join(piece.payload for piece in pieces) == DATA
    assert pieces[0].options == ()
    assert depot.coap(path).payload == DATA
    assert depot.coap(f"{path}?version=2.0").code == "4.00"
    assert depot.coap(f"/sw/{TOKEN}").code == "4.04"
    assert depot.coap("/fw/a-token-of-nobody").code == "4.01"
    assert depot.coap("/fw").code == "4.01"
    assert depot.coap(path, "POST").code == "4.05"


def test_checksums_are_written_as_guava_writes_them() -> None:
    """Of numbers the lowest byte first; the vectors are those of MurmurHash3's author and Guava."""
    assert CHECKSUMS[ChecksumAlgorithm.CRC32](b"123456789") == zlib.crc32(b"123456789").to_bytes(4, "little").hex()
    assert CHECKSUMS[ChecksumAlgorithm.CRC32](b"123456789") == "2639f4cb"
    assert (murmur3_32(b""), murmur3_32(b"hello")) == ("00000000", "47fa8b24")
    assert murmur3_128(b"") == "0" * 32
    assert murmur3_128(b"hello") == "029bbd41b3a7d8cb191dae486a901e5b"
    assert murmur3_128(b"The quick brown fox jumps over the lazy dog") == "6c1b07bc7bbc4be347939ac4a93c437a"
    assert murmur3_32(b"The quick brown fox jumps over the lazy dog") == "23f74f2e"
