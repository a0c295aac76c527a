"""The platform as a server runs it: what one interface does is heard on the others, and outlives a restart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.platform import CoapPlatform, HandshakePlatform, HttpPlatform, SessionPlatform
from fleetrig.reference_server.platforms.thingsboard.platform import ThingsBoardPlatform
from fleetrig.reference_server.platforms.thingsboard.state import profiles
from fleetrig.reference_server.platforms.thingsboard.state.records import INSTALLATION, TENANT, USER, ProvisionType
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.interface import Store, StoreFailed
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.reference_server.stores.opening import open_store
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import US_PER_S, VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.envelope import Envelope, Send
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import MqttConnect
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace

MQTT, COAP = Session(id=1, listener="mqtt"), Session(id=2, listener="coaps")
PROFILE = {
    "name": "A",
    "type": "DEFAULT",
    "transportType": "DEFAULT",
    "provisionType": "ALLOW_CREATE_NEW_DEVICES",
    "provisionDeviceKey": "the-key-of-profile-a",
    "profileData": {
        "configuration": {"type": "DEFAULT"},
        "transportConfiguration": {"type": "DEFAULT"},
        "provisionConfiguration": {
            "type": "ALLOW_CREATE_NEW_DEVICES",
            "provisionDeviceSecret": "the-secret-of-profile-a",
        },
    },
}
REQUEST = {
    "deviceName": "dev",
    "provisionDeviceKey": "the-key-of-profile-a",
    "provisionDeviceSecret": "the-secret-of-profile-a",
}


class Running:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.now_us = VIRTUAL_EPOCH_US
        self.secrets = Secrets()
        self.platform = ThingsBoardPlatform(store, open_store("memory:")[1], SeededEntropy(1))
        self.server = Server(self.platform, store, FaultPlan(Random(1).random), Trace(), self.secrets)
        self.login = ""

    def http(self, method: str, target: str, document: Any = None) -> tuple[int, Any]:
        headers = [("Content-Type", "application/json")]
        if self.login:
            headers.append(("X-Authorization", f"Bearer {self.login}"))
        body = b"" if document is None else json.dumps(document).encode()
        request = HttpRequest(method, "http://tb.test", target, tuple(headers), body)
        response = self.server.exchange(request, Session(), self.now_us).response
        assert response is not None
        text = body_bytes(response.body)
        return response.status, json.loads(text) if text else None

    def log_in(self) -> None:
        status, answer = self.http(
            "POST", "/api/auth/login", {"username": "tenant@thingsboard.org", "password": "tenant"}
        )
        assert status == 200
        self.login = answer["token"]

    def provision(self) -> str:
        """A profile and a device of it; gives the device's token."""
        self.log_in()
        assert self.http("POST", "/api/deviceProfile", PROFILE)[0] == 200
        token = self.http("POST", "/api/v1/provision", REQUEST)[1]["credentialsValue"]
        assert isinstance(token, str)
        return token

    def device_id(self) -> str:
        found = self.http("GET", "/api/tenant/devices?deviceName=dev")[1]["id"]["id"]
        assert isinstance(found, str)
        return found

    def say(self, session: Session, envelope: Envelope) -> list[str]:
        return lines(self.server.receive(session, envelope, self.now_us))

    def advance(self) -> list[str]:
        return lines(self.server.advance(self.now_us))


def lines(outputs: Any) -> list[str]:
    return [output.envelope.line if isinstance(output, Send) else type(output).__name__ for output in outputs]


def asked(document: Any) -> CoapRequest:
    return CoapRequest("POST", "coap://tb.test", "/api/v1/provision", payload=json.dumps(document).encode())


@pytest.fixture
def running() -> Running:
    return Running(MemoryStore())


def test_it_is_all_that_it_should_be(running: Running) -> None:
    for kind in (HttpPlatform, SessionPlatform, CoapPlatform, HandshakePlatform):
        assert isinstance(running.platform, kind)


def test_the_demo_tenant_is_there_before_anything_is_asked(running: Running) -> None:
    running.server.opened(COAP, running.now_us)
    running.log_in()

    assert running.store.count(TENANT, INSTALLATION) == 1


def test_an_installation_that_could_not_be_made_is_made_later() -> None:
    class Failing(MemoryStore):
        fails = True

        @contextmanager
        def transaction(self) -> Iterator[None]:
            with super().transaction():
                yield
                if self.fails:
                    raise StoreFailed("the disk is full")

    store = Failing()
    running = Running(store)
    assert running.http("POST", "/api/v1/provision", REQUEST)[0] == 500
    assert store.count(USER, INSTALLATION) == 0

    store.fails = False
    running.log_in()


def test_a_deleted_device_is_disconnected_at_once(running: Running) -> None:
    token = running.provision()
    running.server.opened(MQTT, running.now_us)
    assert running.say(MQTT, MqttConnect("d", user_name=token)) == ["CONNACK 0"]
    due_us = running.server.next_due_us()
    assert due_us is not None
    assert due_us > running.now_us

    running.http("DELETE", f"/api/device/{running.device_id()}")

    due_us = running.server.next_due_us()
    assert due_us is not None
    assert due_us <= running.now_us
    assert running.advance() == ["Close"]
    running.server.closed(MQTT, running.now_us)
    assert running.server.next_due_us() is None


def test_a_refused_change_is_heard_of_by_nobody(running: Running) -> None:
    running.provision()
    device_id = running.device_id()
    credentials = running.http("GET", f"/api/device/{device_id}/credentials")[1]

    status, _ = running.http("POST", "/api/device/credentials", {**credentials, "credentialsId": ""})

    assert status == 400
    assert running.server.next_due_us() is None


def test_sessions_go_to_the_transport_of_their_listener(running: Running) -> None:
    running.provision()
    for session in (MQTT, COAP):
        running.server.opened(session, running.now_us)

    assert running.say(COAP, asked({**REQUEST, "deviceName": "two"})) == ["2.01"]
    assert running.say(MQTT, MqttConnect("provision")) == ["CONNACK 0"]
    for session in (MQTT, COAP):
        assert not running.server.closed(session, running.now_us)


def test_what_waits_too_long_is_told_so_in_time(running: Running) -> None:
    """S81 over CoAP."""
    running.provision()
    stored = profiles.profile_by_key(running.platform.registry, REQUEST["provisionDeviceKey"])
    assert stored is not None
    profiles.save_profile(running.platform.registry, replace(stored, provision_type=ProvisionType.CERTIFICATE_CHAIN))
    running.server.opened(COAP, running.now_us)

    assert running.say(COAP, asked(REQUEST)) == []
    assert running.server.next_due_us() == running.now_us + 10 * US_PER_S
    running.now_us += 10 * US_PER_S
    assert running.advance() == ["5.00"]


def test_what_comes_up_of_secrets_is_masked(running: Running) -> None:
    token = running.provision()

    hidden = running.secrets.hide(f"{token} the-secret-of-profile-a tenant")

    assert token not in hidden
    assert "the-secret" not in hidden
    assert hidden.endswith(" tenant"), "the demo tenant's password is a word of many paths"


def test_a_restart_keeps_devices_logins_and_sessions_to_come(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/tb.db"
    store, _ = open_store(url)
    first = Running(store)
    token, login = first.provision(), first.login
    store.close()

    store, _ = open_store(url)
    second = Running(store)
    second.login = login
    second.server.opened(MQTT, second.now_us)

    assert second.say(MQTT, MqttConnect("d", user_name=token)) == ["CONNACK 0"]
    assert second.http("POST", "/api/v1/provision", REQUEST)[1]["status"] == "FAILURE"
    assert second.device_id()
    assert second.store.count(TENANT, INSTALLATION) == 1
    store.close()
