"""CoAP of devices: paths, methods, who asks, what observers hear, and requests that are never answered."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platform import Reaction
from fleetrig.reference_server.platforms.thingsboard.coap.paths import Feature, Place, place_of, read_path
from fleetrig.reference_server.platforms.thingsboard.coap.transport import CoapTransport
from fleetrig.reference_server.platforms.thingsboard.state.attributes import attributes_of, put_attributes
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import (
    FormedCredentials,
    basic_value,
    sha3,
)
from fleetrig.reference_server.platforms.thingsboard.state.devices import (
    NewDevice,
    create_device,
    credentials_of,
    delete_device,
    device_named,
    save_credentials,
)
from fleetrig.reference_server.platforms.thingsboard.state.people import open_installation, user_by_email
from fleetrig.reference_server.platforms.thingsboard.state.profiles import create_profile, default_profile
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    CredentialsType,
    Device,
    DeviceProfile,
    ProvisionType,
    Scope,
)
from fleetrig.reference_server.platforms.thingsboard.state.registry import Notice, NoticeKind, Registry
from fleetrig.reference_server.platforms.thingsboard.state.settings import Account, Settings
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.clock import US_PER_S, VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.envelope import Send
from fleetrig.simulator.contract.session import Session

NOW_US = VIRTUAL_EPOCH_US
SESSION = Session("192.0.2.7", 5683, 1, "coap")
TOKEN = "a-token"
NOTHING_ELSE = ""
DEFAULTS = Settings()


class Bench:
    """A transport over a tenant with one device; `ask` gives code, content format and payload."""

    def __init__(self, settings: Settings = DEFAULTS) -> None:
        self.registry = Registry(MemoryStore(), SeededEntropy(1), settings)
        open_installation(self.registry, NOW_US)
        self.transport = CoapTransport(self.registry)
        user = user_by_email(self.registry, Account().email)
        assert user is not None
        self.tenant_id = user.tenant_id
        credentials = FormedCredentials(CredentialsType.ACCESS_TOKEN, TOKEN)
        profile = default_profile(self.registry, self.tenant_id)
        self.device = create_device(self.registry, profile, NewDevice("d1", credentials), NOW_US)
        self.last: Reaction = Reaction()

    def profile(self, strategy: ProvisionType) -> None:
        """With the key K and the secret S."""
        data = {"provisionConfiguration": {"type": strategy, "provisionDeviceSecret": "S"}}
        profile = DeviceProfile(
            self.registry.new_id(NOW_US),
            self.tenant_id,
            0,
            "P",
            provision_type=strategy,
            provision_device_key="K",
            profile_data=data,
        )
        create_profile(self.registry, profile)

    def holds(self, credentials: FormedCredentials) -> None:
        """The device has other credentials from now on."""
        stored = credentials_of(self.registry, self.device.id)
        assert stored is not None
        save_credentials(self.registry, stored, credentials)

    def ask(self, method: str, target: str, payload: Any = b"", **fields: Any) -> tuple[str, int | None, Any]:
        session = fields.pop("session", SESSION)
        sent = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        request = CoapRequest(method, "coap://x", target, sent, token=fields.pop("token", b"t"), **fields)
        self.last = self.transport.receive(session, request, NOW_US)
        return answered(self.last) if self.last.outputs else (NOTHING_ELSE, None, None)

    def named(self, name: str) -> Device | None:
        return device_named(self.registry, self.tenant_id, name)


def answered(reaction: Reaction) -> tuple[str, int | None, Any]:
    (send,) = reaction.outputs
    return said(send)


def said(output: Any) -> tuple[str, int | None, Any]:
    assert isinstance(output, Send)
    response = output.envelope
    assert isinstance(response, CoapResponse)
    formats = [int.from_bytes(value, "big") for number, value in response.options if number == 12]
    is_json = response.payload[:1] == b"{"
    payload = json.loads(response.payload) if is_json else response.payload or None
    return response.code, formats[0] if formats else None, payload


@pytest.fixture
def bench() -> Bench:
    return Bench()


def asked(path: str) -> CoapRequest:
    return CoapRequest("POST", "coap://x", path)


@pytest.mark.parametrize(
    ("path", "place"),
    [("/api/v1/x/telemetry", Place.DEVICE_API), ("/api/v1", Place.DEVICE_API), ("/api", Place.FOLDER),
     ("/api/v2/provision", Place.NOWHERE), ("/", Place.ROOT),
     ("/.well-known", Place.FOLDER), ("/.well-known/core", Place.DISCOVERY), ("/API/v1", Place.NOWHERE)],
)  # fmt: skip
def test_resources(path: str, place: Place) -> None:
    assert place_of(asked(path)) is place


@pytest.mark.parametrize(
    ("path", "feature", "token", "request_id"),
    [
        ("/api/v1/provision", Feature.PROVISION, None, None),
        ("/api/v1/abc/provision", Feature.PROVISION, "abc", None),
        ("/api/v1/abc/Telemetry", Feature.TELEMETRY, "abc", None),
        ("/api/v1/telemetry", Feature.TELEMETRY, None, None),
        ("/api/v1/provision/x", None, "provision", None),
        ("/api/v1/abc/rpc/7", Feature.RPC, "abc", 7),
        ("/api/v1/abc/rpc", Feature.RPC, "abc", None),
        ("/api/v1", None, None, None),
        ("/api/v1/abc", None, None, None),
        ("/api/v1/a%2Fb/claim", Feature.CLAIM, "a/b", None),
    ],
)
def test_paths(path: str, feature: Feature | None, token: str | None, request_id: int | None) -> None:
    found = read_path(asked(path))
    assert (found.feature, found.token, found.request_id) == (feature, token, request_id)


REQUEST = {"deviceName": "n1", "provisionDeviceKey": "K", "provisionDeviceSecret": "S"}


@pytest.mark.parametrize("path", ["/api/v1/provision", "/api/v1/whoever/provision"])
def test_provisioning_answers_in_text(bench: Bench, path: str) -> None:
    """S01, S71, S72."""
    bench.profile(ProvisionType.ALLOW_CREATE)
    code, content_format, document = bench.ask("POST", path, REQUEST)
    assert (code, content_format, document["status"]) == ("2.01", 0, "SUCCESS")
    assert bench.last.changed
    assert bench.named("n1") is not None
    refused = {"errorMsg": "Failed to provision device!", "status": "FAILURE"}
    assert bench.ask("POST", path, REQUEST) == ("4.00", 0, refused)
    assert bench.last.reason
    assert not bench.last.rollback, "what was noted of it stays"


@pytest.mark.parametrize("payload", [b"{", b"[]", b'{"provisionDeviceKey":"K"}', {**REQUEST, "token": None}])
def test_what_cannot_be_read_gets_a_bare_answer(bench: Bench, payload: Any) -> None:
    assert bench.ask("POST", "/api/v1/provision", payload) == ("4.00", None, None)
    assert bench.last.reason
    assert bench.last.rollback


def test_protobuf_gets_protobuf_without_a_content_format(bench: Bench) -> None:
    """S35, S37."""
    assert bench.ask("POST", "/api/v1/provision") == ("4.00", None, b"\x08\x02")


def test_a_request_without_a_decision_is_given_up(bench: Bench) -> None:
    """S81."""
    bench.profile(ProvisionType.CERTIFICATE_CHAIN)
    assert bench.ask("POST", "/api/v1/provision", REQUEST)[0] == NOTHING_ELSE
    due_us = bench.transport.next_due_us()
    assert due_us is not None
    assert 10 <= (due_us - NOW_US) / US_PER_S <= 16
    assert bench.transport.advance(due_us - 1) == []
    (reaction,) = bench.transport.advance(due_us)
    assert (answered(reaction), bool(reaction.reason)) == (("5.00", None, None), True)
    assert bench.transport.next_due_us() is None


def test_nobody_is_told_who_has_gone(bench: Bench) -> None:
    bench.profile(ProvisionType.CERTIFICATE_CHAIN)
    bench.ask("POST", "/api/v1/provision", REQUEST)
    bench.transport.closed(SESSION)
    assert bench.transport.next_due_us() is None


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/api/v1/provision", "4.00"),
        ("PUT", "/api/v1/provision", "4.05"),
        ("DELETE", "/api/v1/provision", "4.05"),
        ("POST", "/api/v2/provision", "4.04"),
        ("POST", "/api/v1/provision/x", "4.00"),
        ("POST", "/api", "4.05"),
        ("GET", f"/api/v1/{TOKEN}/telemetry", "4.00"),
        ("GET", f"/api/v1/{TOKEN}/rpc", "4.00"),
        ("GET", f"/api/v1/{TOKEN}/claim", "4.00"),
        ("POST", f"/api/v1/{TOKEN}/telemetry", "4.00"),
        ("POST", "/api/v1/nobody/telemetry", "4.01"),
        ("POST", "/api/v1/telemetry", "4.01"),
    ],
)
def test_refusals_are_bare_and_have_a_reason(bench: Bench, method: str, path: str, code: str) -> None:
    assert bench.ask(method, path, b"{bad") == (code, None, None)
    assert bench.last.reason


def test_a_device_posts_and_reads_its_attributes(bench: Bench) -> None:
    """S03, S102, K05."""
    assert bench.ask("POST", f"/api/v1/{TOKEN}/telemetry", {"a": 3}) == ("2.01", None, None)
    assert bench.ask("POST", f"/api/v1/{TOKEN}/attributes", {"fw": "2b", "serial": "007"}) == ("2.01", None, None)
    put_attributes(bench.registry, bench.device.id, Scope.SHARED, {"interval": 5}, NOW_US)
    path = f"/api/v1/{TOKEN}/attributes"
    assert bench.ask("GET", f"{path}?clientKeys=fw,serial") == ("2.05", 50, {"client": {"fw": "2b", "serial": 7}})
    assert bench.ask("GET", f"{path}?clientKeys=fw&sharedKeys=interval")[2]["shared"] == {"interval": 5}
    assert bench.ask("GET", path)[2].keys() == {"client", "shared"}
    assert bench.ask("GET", f"{path}?clientKeys=none") == ("4.04", 50, None)
    assert bench.ask("GET", f"{path}?clientKeys=fw", options=((12, b""),))[1] == 0


def test_who_posts_too_much_gets_an_error() -> None:
    """S105; provisioning is not counted."""
    bench = Bench(replace(DEFAULTS, tenant_configuration={"transportDeviceTelemetryMsgRateLimit": "5:60"}))
    bench.profile(ProvisionType.ALLOW_CREATE)
    codes = [bench.ask("POST", f"/api/v1/{TOKEN}/telemetry", {"a": 1})[0] for _ in range(6)]
    assert codes == ["2.01"] * 5 + ["5.00"]
    assert bench.last.reason
    assert bench.ask("POST", "/api/v1/provision", REQUEST)[0] == "2.01"


def test_only_an_access_token_is_a_token(bench: Bench) -> None:
    """A user name of MQTT_BASIC is found by logins over MQTT, and opens nothing here."""
    bench.holds(FormedCredentials(CredentialsType.MQTT_BASIC, "user", basic_value(None, "user", None)))
    assert bench.ask("POST", "/api/v1/user/telemetry", {"a": 1}) == ("4.01", None, None)


def test_a_certificate_needs_no_token(bench: Bench) -> None:
    """Its path has a segment less; who shows one that nobody knows may still have a token."""
    der = b"not looked into"
    text = b64encode(der).decode()
    certificate = FormedCredentials(CredentialsType.X509_CERTIFICATE, sha3(text), text)
    shown = replace(SESSION, listener="coaps", tls=True, certificates=(der,))
    assert bench.ask("POST", f"/api/v1/{TOKEN}/telemetry", {"a": 1}, session=shown)[0] == "2.01"
    assert bench.ask("POST", "/api/v1/telemetry", {"a": 1}, session=shown)[0] == "4.01"
    bench.holds(certificate)
    assert bench.ask("POST", "/api/v1/telemetry", {"a": 1}, session=shown)[0] == "2.01"
    assert bench.ask("POST", f"/api/v1/{sha3(text)}/telemetry", {"a": 1})[0] == "4.01"


def test_an_offer_to_be_claimed_may_be_empty(bench: Bench) -> None:
    for payload in (b"", {"secretKey": "k", "durationMs": 5}):
        assert bench.ask("POST", f"/api/v1/{TOKEN}/claim", payload) == ("2.01", None, None)
    assert bench.ask("POST", f"/api/v1/{TOKEN}/claim", b"[]")[0] == "4.00"


def test_observers_of_attributes_hear_of_them(bench: Bench) -> None:
    put_attributes(bench.registry, bench.device.id, Scope.SHARED, {"interval": 5}, NOW_US)
    assert bench.ask("GET", f"/api/v1/{TOKEN}/attributes", observe=0) == ("2.05", 50, {"interval": 5})
    updated = Notice(NoticeKind.ATTRIBUTES_UPDATED, bench.device.id, {"interval": 6})
    (sent,) = bench.transport.hear(updated)
    assert said(sent) == ("2.05", 50, {"interval": 6})
    assert isinstance(sent, Send)
    assert isinstance(sent.envelope, CoapResponse)
    assert (sent.envelope.observe, sent.envelope.token) == (1, b"t")
    assert bench.transport.hear(Notice(NoticeKind.ATTRIBUTES_UPDATED, "another", {})) == []
    assert bench.ask("GET", f"/api/v1/{TOKEN}/attributes", observe=1) == ("2.02", None, None)
    assert bench.transport.hear(updated) == []


def test_commands_are_numbered(bench: Bench) -> None:
    assert bench.ask("GET", f"/api/v1/{TOKEN}/rpc", observe=0) == ("2.03", None, None)
    command = Notice(NoticeKind.RPC_REQUESTED, bench.device.id, {"method": "ping", "params": {}})
    ids = [said(one)[2]["id"] for _ in range(2) for one in bench.transport.hear(command)]
    assert ids == [0, 1]
    assert bench.ask("POST", f"/api/v1/{TOKEN}/rpc/0", {"ok": True}) == ("2.01", None, None)
    assert bench.ask("POST", f"/api/v1/{TOKEN}/rpc", {"method": "m"})[0] == NOTHING_ELSE


@pytest.mark.parametrize("path", ["rpc", "rpc/7"])
@pytest.mark.parametrize("payload", [b"", b"{", b"[1]", b"hello"])
def test_a_command_that_cannot_be_read_is_an_error_of_the_server(bench: Bench, path: str, payload: bytes) -> None:
    assert bench.ask("POST", f"/api/v1/{TOKEN}/{path}", payload)[0] == "5.00"
    assert bench.ask("POST", f"/api/v1/{TOKEN}/rpc", {"a": 1})[0] == "5.00"


def test_observations_end(bench: Bench) -> None:
    updated = Notice(NoticeKind.ATTRIBUTES_UPDATED, bench.device.id, {"a": 1})
    path = f"/api/v1/{TOKEN}/attributes"
    bench.ask("GET", path, observe=0)
    bench.transport.receive(SESSION, CoapReset(b"t"), NOW_US)
    assert bench.transport.hear(updated) == []
    bench.ask("GET", path, observe=0)
    bench.transport.closed(SESSION)
    assert bench.transport.hear(updated) == []
    bench.ask("GET", path, observe=0)
    delete_device(bench.registry, bench.device)
    outputs = [output for notice in bench.registry.take_notices() for output in bench.transport.hear(notice)]
    assert [said(one)[0] for one in outputs] == ["5.03"]
    assert bench.transport.hear(updated) == []


def test_a_bad_payload_keeps_nothing(bench: Bench) -> None:
    assert bench.ask("POST", f"/api/v1/{TOKEN}/attributes", [1])[0] == "4.00"
    assert attributes_of(bench.registry, bench.device.id, Scope.CLIENT) == []


def test_what_californium_serves_by_itself(bench: Bench) -> None:
    code, content_format, _ = bench.ask("GET", "/.well-known/core", options=((17, b"("),))
    assert (code, content_format) == ("2.05", 40)
    assert bench.ask("GET", "/.well-known/core", options=((17, b"2"),))[0] == "4.06"
    assert bench.ask("GET", "/")[:2] == ("2.05", 0)
    for path in ("/", "/.well-known", "/.well-known/core"):
        assert bench.ask("POST", path, b"x")[0] == "4.05"
