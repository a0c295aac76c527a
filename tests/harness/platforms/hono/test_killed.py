"""`kill -9` while devices provision themselves: a device, its credentials and its notification are all there or not at
all, and whatever was acknowledged is there."""

from __future__ import annotations

import base64
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fleetrig.reference_server.platforms.hono.northbound.messages import FORWARDED, PLACE
from fleetrig.reference_server.platforms.hono.state.records import CREDENTIALS, DEVICE
from fleetrig.reference_server.stores.opening import open_store
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.transports.client_tls import ClientTls
from tests.golden.hono_player.asking import HttpPeer
from tests.golden.mqtt_client import MqttClient
from tests.peers.hono.serving import Operator, ServedHono

pytestmark = pytest.mark.slow

TENANT = "plant"
ROUNDS = 2
ACKNOWLEDGED_PER_ROUND = 30
LIMIT_S = 60.0
HASHED = {"hash-function": "sha-256", "pwd-hash": "K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols="}
"""Of `secret`, without salt."""
TELEMETRY = {"headers": {"Content-Type": "application/json"}, "body": '{"temp":5}'}


class Fleet:
    """Devices of one authority, each with a certificate of its own."""

    def __init__(self) -> None:
        self.authority = CertificateAuthority("plant devices", time.time_ns() // 1000)
        self._tls = ClientTls(False)

    def shown(self, name: str) -> ssl.SSLContext:
        return self._tls.of(self.authority.issue_client(name)).context

    @property
    def anchor(self) -> dict[str, object]:
        certificate = ssl.PEM_cert_to_DER_cert(self.authority.certificate_pem.decode())
        return {"cert": base64.b64encode(certificate).decode(), "auto-provisioning-enabled": True,
                "auto-provisioning-device-id-template": "{{subject-cn}}"}  # fmt: skip


def status_of(peer: HttpPeer, request: dict[str, Any]) -> int:
    with closing(peer):
        peer.say(request)
        return int(peer.hear()["status"])


@dataclass
class Arriving:
    """Makes first contacts, one after another, until the server is gone."""

    served: ServedHono
    fleet: Fleet
    prefix: str
    acknowledged: list[str] = field(default_factory=list)

    def run(self) -> None:
        with suppress(OSError, HTTPException):
            for number in count():
                name = f"{self.prefix}-{number}"
                if not self.arrives(name):
                    return
                self.acknowledged.append(name)

    def arrives(self, name: str) -> bool:
        raise NotImplementedError


class OverHttp(Arriving):
    def arrives(self, name: str) -> bool:
        request = {"method": "POST", "path": "/telemetry", **TELEMETRY}
        return status_of(HttpPeer(int(self.served.port("https")), self.fleet.shown(name)), request) == 202


class OverMqtt(Arriving):
    def arrives(self, name: str) -> bool:
        client = MqttClient(int(self.served.port("mqtts")), "3.1.1", self.fleet.shown(name), None)
        with closing(client):
            client.connect({"client_id": name})
            return bool(client.hear_one().get("connack") == 0)


class ByGateway(Arriving):
    """Edge devices: they have no credentials."""

    def arrives(self, name: str) -> bool:
        request = {"method": "PUT", "path": f"/telemetry//{name}", "basic": f"gw@{TENANT}:secret", **TELEMETRY}
        return status_of(HttpPeer(int(self.served.port("http"))), request) == 202


WAYS: tuple[type[Arriving], ...] = (OverHttp, OverMqtt, ByGateway)


def until(is_so: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(LIMIT_S / 0.005)):
        if is_so():
            return
        pause.wait(0.005)
    raise AssertionError("it never came to be")


def killed_while_arriving(served: ServedHono, fleet: Fleet, number: int) -> list[str]:
    """Who was acknowledged before the server was killed."""
    arriving = [way(served, fleet, f"{way.__name__.lower()}-{number}") for way in WAYS]
    with ThreadPoolExecutor(len(arriving)) as pool:
        runs = [pool.submit(one.run) for one in arriving]
        until(lambda: all(len(one.acknowledged) >= ACKNOWLEDGED_PER_ROUND / len(WAYS) for one in arriving))
        served.kill()
        for run in runs:
            run.result(LIMIT_S)
    return [name for one in arriving for name in one.acknowledged]


def kept_in(folder: Path) -> set[str]:
    """Who is there, once nobody serves; all are whole."""
    store, _ = open_store(f"sqlite:///{folder / 'fleet.db'}")
    with closing(store):
        devices = [device for device in store.scan(DEVICE, TENANT) if device.device_id != "gw"]
        entries = Counter(entry.device_id for entry in store.scan(CREDENTIALS, TENANT))
        announced = Counter(
            message.key for message in store.scan(FORWARDED, PLACE) if message.topic == f"hono.event.{TENANT}"
        )
    for device in devices:
        assert device.is_auto_provisioned
        assert device.is_notification_sent, f"{device.device_id}: half a device"
        assert announced[device.device_id] == 1
        assert entries[device.device_id] == (0 if device.via else 1), f"{device.device_id}: half a device"
    assert entries.keys() - {"gw"} <= {device.device_id for device in devices}
    assert len(announced) == len(devices)
    return {device.device_id for device in devices}


def test_kill_9_leaves_whole_devices_or_none(tmp_path: Path) -> None:
    fleet, acknowledged = Fleet(), set[str]()
    options = ("--store", f"sqlite:///{tmp_path / 'fleet.db'}")
    for number in range(ROUNDS):
        with ServedHono(tmp_path, *options) as served:
            if number == 0:
                operator = Operator(served)
                operator.create_tenant(TENANT, **{"trusted-ca": [fleet.anchor]})
                gateway = {"type": "hashed-password", "auth-id": "gw", "secrets": [HASHED]}
                operator.create_device(TENANT, "gw", [gateway], authorities=["auto-provisioning-enabled"])
            acknowledged |= set(killed_while_arriving(served, fleet, number))
    kept = kept_in(tmp_path)
    assert acknowledged <= kept
    assert len(kept - acknowledged) <= ROUNDS * len(WAYS), "one of each way was on its way"


def test_a_server_that_was_killed_knows_its_devices(tmp_path: Path) -> None:
    """They come again, and are not made again."""
    fleet = Fleet()
    options = ("--store", f"sqlite:///{tmp_path / 'fleet.db'}")
    contexts = {name: fleet.shown(name) for name in ("a", "b")}
    for number in range(2):
        with ServedHono(tmp_path, *options) as served:
            operator = Operator(served)
            if number == 0:
                operator.create_tenant(TENANT, **{"trusted-ca": [fleet.anchor]})
            for context in contexts.values():
                request = {"method": "POST", "path": "/telemetry", **TELEMETRY}
                assert status_of(HttpPeer(int(served.port("https")), context), request) == 202
            assert set(operator.devices(TENANT)) == {"a", "b"}
            assert len([one for one in operator.northbound(TENANT) if one["topic"] == f"hono.event.{TENANT}"]) == 2
            served.kill()
