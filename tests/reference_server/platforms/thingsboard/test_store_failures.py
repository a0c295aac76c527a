"""A store that fails in the middle of a session: the platform's own answer, nothing kept, nothing acknowledged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from fleetrig.reference_server.platforms.thingsboard.state.attributes import latest_of, put_attributes
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.records import ProvisionType, Scope
from fleetrig.reference_server.platforms.thingsboard.state.registry import Notice, NoticeKind
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from fleetrig.reference_server.stores.interface import StoreFailed
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.envelope import Output, Send
from fleetrig.simulator.contract.faults import FaultKind
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttDisconnect, MqttPingreq, MqttPublish, MqttVersion
from fleetrig.simulator.contract.session import Session
from tests.conversation.talk import lines
from tests.reference_server.platforms.thingsboard.mqtt_rig import TELEMETRY, MqttRig
from tests.reference_server.stores.failing import FailingStore

ATTRIBUTES = "v1/devices/me/attributes"
V311, V5 = MqttVersion.V311, MqttVersion.V5
COAP = Session(id=9, listener="coap")
BODY = b'{"deviceName":"dev","provisionDeviceKey":"K","provisionDeviceSecret":"S"}'


def well() -> FailingStore:
    store = FailingStore()
    store.fails = False
    return store


@dataclass
class Failing(MqttRig):
    """A profile with key K and secret S, and a device with the token T."""

    store: MemoryStore = field(default_factory=well)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.profile("A", ProvisionType.ALLOW_CREATE)
        self.token("d", "T")

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        assert isinstance(self.store, FailingStore)
        self.store.fails = True
        yield
        self.store.fails = False

    def coap(self, path: str, payload: bytes, *, confirmable: bool = True) -> list[Output]:
        request = CoapRequest("POST", "coap://h", path, payload, token=b"t", confirmable=confirmable)
        return list(self.server.receive(COAP, request, self.now_us))


@pytest.mark.parametrize(
    ("version", "qos", "heard"),
    [
        (V311, 1, ["1 PUBACK", "1 closed"]),
        (V311, 0, ["1 closed"]),
        (V5, 1, ["1 PUBACK 131", "1 DISCONNECT 131", "1 closed"]),
        (V5, 0, ["1 DISCONNECT 131", "1 closed"]),
    ],
)
def test_a_request_that_cannot_be_kept_makes_no_device(version: MqttVersion, qos: int, heard: list[str]) -> None:
    """As when the server runs out of time (1.6): afterwards the same request succeeds."""
    rig = Failing()
    rig.provision(version=version)
    with rig.full_disk():
        assert rig.request(deviceName="dev", qos=qos) == heard
    assert rig.reasons() == ["the disk is full"]
    rig.close(1)
    assert rig.named("dev") is None
    rig.provision(2, version=version)
    assert "SUCCESS" in rig.request(2, deviceName="dev")[-1]


@pytest.mark.parametrize(
    ("version", "heard"),
    [(V311, ["1 CONNACK 3", "1 closed"]), (V5, ["1 CONNACK 136", "1 DISCONNECT 136", "1 closed"])],
)
@pytest.mark.parametrize("user", ["T", "provision"])
def test_nobody_logs_in(version: MqttVersion, heard: list[str], user: str) -> None:
    rig = Failing()
    rig.open(1)
    with rig.full_disk():
        assert rig.connects(1, user_name=user, version=version) == heard
    rig.close(1)
    assert rig.join(2, user_name=user, version=version) == ["2 CONNACK 0"]


@pytest.mark.parametrize(("version", "heard"), [(V311, ["1 closed"]), (V5, ["1 DISCONNECT 131", "1 closed"])])
def test_telemetry_that_cannot_be_kept_is_not_acknowledged(version: MqttVersion, heard: list[str]) -> None:
    rig = Failing()
    rig.join(user_name="T", version=version)
    with rig.full_disk():
        assert rig.publish(TELEMETRY, {"a": 1}) == heard
    device = rig.named("d")
    assert device is not None
    assert latest_of(rig.registry, device.id) == []


def test_what_needs_no_store_goes_on() -> None:
    rig = Failing()
    rig.join(user_name="T", version=V5)
    with rig.full_disk():
        assert rig.say(1, MqttPingreq()) == ["1 PINGRESP"]
    assert rig.publish(TELEMETRY, {"a": 1}) == ["1 PUBACK"]
    with rig.full_disk():
        assert rig.say(1, MqttDisconnect()) == ["1 DISCONNECT", "1 closed"]


def test_sessions_hear_of_what_was_done_though_the_store_fails_then() -> None:
    rig = Failing()
    rig.join(user_name="T")
    rig.subscribe(1, ATTRIBUTES)
    device = rig.named("d")
    assert device is not None
    put_attributes(rig.registry, device.id, Scope.SHARED, {"a": 1}, rig.now_us)
    with rig.full_disk():
        assert lines(rig.server.advance(rig.now_us)) == [f"1 PUBLISH {ATTRIBUTES}"]
    assert rig.after(0) == []


def test_a_notice_that_was_taken_in_a_transaction_that_fails_is_there_again() -> None:
    rig = Failing()
    rig.registry.notify(Notice(NoticeKind.DEVICE_DELETED, "id"))
    with rig.full_disk(), suppress(StoreFailed), rig.store.transaction():
        assert len(rig.registry.take_notices()) == 1
    assert len(rig.registry.take_notices()) == 1
    assert rig.registry.take_notices() == []


def test_a_session_that_is_silent_for_too_long_ends_though_the_store_fails() -> None:
    rig = Failing()
    rig.join(user_name="T")
    due_us = rig.server.next_due_us()
    assert due_us is not None
    with rig.full_disk():
        assert lines(rig.server.advance(due_us)) == ["1 closed"]


def test_an_older_server_tells_no_reasons() -> None:
    rig = Failing(settings=replace(Settings(), profile=Profile.OLD))
    rig.provision(version=V5)
    with rig.full_disk():
        assert rig.request(deviceName="dev") == ["1 closed"]


@pytest.mark.parametrize("path", ["/api/v1/provision", "/api/v1/T/telemetry"])
@pytest.mark.parametrize("confirmable", [True, False], ids=["CON", "NON"])
def test_over_coap_it_is_an_internal_error(path: str, confirmable: bool) -> None:
    rig = Failing()
    rig.server.opened(COAP, rig.now_us)
    with rig.full_disk():
        (heard,) = rig.coap(path, BODY, confirmable=confirmable)
    expected = CoapResponse("5.00", token=b"t", confirmable=confirmable)
    assert heard == Send(COAP.id, expected)
    assert rig.named("dev") is None
    assert rig.coap("/api/v1/provision", BODY) != []
    assert rig.named("dev") is not None


def test_over_http_a_device_hears_nothing_more_and_an_operator_does() -> None:
    rig = Failing()
    with rig.full_disk():
        device = _http(rig, "/api/v1/provision", BODY)
        operator = _http(rig, "/api/auth/login", b'{"username":"tenant@thingsboard.org","password":"tenant"}')
    assert device == (500, b"")
    assert operator[0] == 500
    assert b'"errorCode":46' in operator[1]


def _http(rig: Failing, path: str, body: bytes) -> tuple[int, Any]:
    headers = (("Content-Type", "application/json"),)
    response = rig.server.exchange(HttpRequest("POST", "http://h", path, headers, body), Session(), rig.now_us).response
    assert response is not None
    return response.status, response.body


# A store that is slow (S98): the device may be there all the same


@pytest.mark.parametrize(
    ("version", "qos", "heard"),
    [
        (V311, 1, ["1 PUBACK +10000ms", "1 closed +10000ms"]),
        (V5, 0, ["1 DISCONNECT 131 +10000ms", "1 closed +10000ms"]),
    ],
)
def test_a_server_gives_up_on_a_slow_store_and_the_device_is_there(
    version: MqttVersion, qos: int, heard: list[str]
) -> None:
    rig = Failing()
    rig.provision(version=version)
    rig.fault(FaultKind.SLOW_STORE, hits="PUBLISH /provision/*", parameters={"delay_s": 14}, times=1)
    body = MqttPublish("/provision/request", BODY, qos, packet_id=7 if qos else 0)
    assert rig.say(1, body) == heard
    assert "gave up" in rig.reasons()[-1]
    assert rig.named("dev") is not None
    rig.close(1)
    rig.provision(2, version=version)
    assert "FAILURE" in rig.request(2, deviceName="dev")[-1]


def test_what_the_server_waits_for_comes_late() -> None:
    rig = Failing()
    rig.provision()
    rig.fault(FaultKind.SLOW_STORE, hits="PUBLISH /provision/*", parameters={"delay_s": 2})
    answer = rig.say(1, MqttPublish("/provision/request", BODY, 1, packet_id=7))
    assert answer == ["1 PUBACK +2000ms", "1 PUBLISH /provision/response +2000ms"]


def test_a_login_and_telemetry_over_a_slow_store() -> None:
    """Nobody knows the device in time; what is measured goes into a queue that nobody waits for."""
    rig = Failing()
    rig.open(1)
    rig.fault(FaultKind.SLOW_STORE, parameters={"delay_s": 14}, times=1)
    connect = MqttConnect("x", user_name="T", version=V5)
    assert rig.say(1, connect) == [
        "1 CONNACK 136 +10000ms",
        "1 DISCONNECT 136 +10000ms",
        "1 closed +10000ms",
    ]
    rig.join(2, user_name="T")
    rig.fault(FaultKind.SLOW_STORE, parameters={"delay_s": 14})
    assert rig.say(2, MqttPublish(TELEMETRY, b'{"a":1}', 1, packet_id=7)) == ["2 PUBACK +14000ms"]


@pytest.mark.parametrize(("delay_s", "code", "late_us"), [(2, "2.01", 2_000_000), (14, "5.00", 10_000_000)])
def test_coap_over_a_slow_store(delay_s: int, code: str, late_us: int) -> None:
    """S74, S98."""
    rig = Failing()
    rig.server.opened(COAP, rig.now_us)
    rig.fault(FaultKind.SLOW_STORE, hits="POST *", parameters={"delay_s": delay_s})
    (heard,) = rig.coap("/api/v1/provision", BODY)
    assert isinstance(heard, Send)
    assert isinstance(heard.envelope, CoapResponse)
    assert (heard.envelope.code, heard.delay_us) == (code, late_us)
    assert rig.named("dev") is not None


@pytest.mark.parametrize(
    ("path", "status", "late_us"),
    [("/api/v1/provision", 500, 10_000_000), ("/api/auth/login", 401, 14_000_000)],
    ids=["a device", "an operator"],
)
def test_http_over_a_slow_store(path: str, status: int, late_us: int) -> None:
    rig = Failing()
    rig.fault(FaultKind.SLOW_STORE, parameters={"delay_s": 14})
    request = HttpRequest("POST", "http://h", path, (("Content-Type", "application/json"),), BODY)
    delivery = rig.server.exchange(request, Session(), rig.now_us)
    assert delivery.response is not None
    assert (delivery.response.status, delivery.delay_us) == (status, late_us)
    assert (rig.named("dev") is not None) == (path == "/api/v1/provision")
