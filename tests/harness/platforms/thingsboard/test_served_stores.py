"""A full disk, a file that others want, and `kill -9`: what ThingsBoard has acknowledged is kept, and nothing else."""

from __future__ import annotations

import json
import resource
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.conformance.exact_client import ExactClient
from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.reference_server.platforms.thingsboard.state.attributes import PROVISION_STATE, PROVISIONED
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    ATTRIBUTE,
    CREDENTIALS,
    DEVICE,
    INSTALLATION,
    Scope,
    joined,
)
from fleetrig.reference_server.stores.opening import open_store
from fleetrig.simulator.contract.errors import BrokenBench
from tests.harness.platforms.thingsboard.provisioned import LISTENERS, Devices, devices_at, request, thingsboard
from tests.harness.served import LIMIT_S, Served, failing

pytestmark = pytest.mark.slow

ROUNDS = 2
ACKNOWLEDGED_PER_ROUND = 60
LISTED = [f"listed-{number}" for number in range(400)]
BIG = "x" * 30_000
"""A certificate that a device brings, so that a disk is full soon."""


def limit_files(served: Served, size_bytes: int) -> None:
    """As a full disk, for the server."""
    resource.prlimit(served.pid, resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


def tokens_in(folder: Path) -> dict[str, str]:
    """Device -> its token, once nobody serves. Each device is whole: it has credentials, and is provisioned or new."""
    store, _ = open_store(f"sqlite:///{folder / 'fleet.db'}")
    with closing(store):
        found: dict[str, str] = {}
        for device in store.scan(DEVICE, INSTALLATION):
            credentials = store.get(CREDENTIALS, INSTALLATION, device.id)
            assert credentials is not None, f"{device.name}: half a device"
            state = store.get(ATTRIBUTE, INSTALLATION, joined(device.id, Scope.SERVER, PROVISION_STATE))
            assert state is None or state.value == PROVISIONED
            assert state is not None or device.name in LISTED, f"{device.name}: half a device"
            found[device.name] = credentials.credentials_id
    return found


def fill_disk(devices: Devices, served: Served) -> list[str]:
    """Until nothing is kept any more: the names that were acknowledged."""
    limit_files(served, 400_000)
    kept: list[str] = []
    for number in range(100):
        name = f"filling-{number}"
        body = request(name, credentialsType="X509_CERTIFICATE", hash=f"{BIG}{number}")
        status, _ = devices.over_http(body)
        if status != 200:
            return kept
        kept.append(name)
    raise AssertionError("the disk was never full")


def test_a_full_disk_refuses_on_every_transport_and_loses_nothing(tmp_path: Path) -> None:
    with thingsboard(tmp_path) as served, devices_at(served) as devices:
        devices.make_profiles()
        status, answer = devices.over_http(request("before"))
        assert status == 200
        kept = fill_disk(devices, served)
        big = {"credentialsType": "X509_CERTIFICATE", "hash": f"{BIG}more"}
        assert devices.over_http(request("http", **big)) == (500, b"")
        assert devices.over_coap(request("coap", **big)) == ("5.00", b"")
        assert devices.over_mqtt(request("mqtt", **big)) == ["PUBACK", "closed"]
        assert devices.over_mqtt(request("mqtt5", **big), 5) == ["PUBACK 0x83", "DISCONNECT 0x83", "closed"]
        assert devices.operator().asked("GET", "/tenant/devices?pageSize=1&page=0")["totalElements"] == 1 + len(kept)
        limit_files(served, resource.RLIM_INFINITY)
        for ask in (devices.over_http, devices.over_coap):
            assert b'"SUCCESS"' in ask(request(ask.__name__))[1]
        assert devices.over_mqtt(request("mqtt"))[-1] == "PUBLISH /provision/response q1"
        assert devices.token_works(json.loads(answer)["credentialsValue"])
        assert served.said().count("Traceback") == 0
        assert served.stop() == 0
    assert tokens_in(tmp_path).keys() == {"before", *kept, "over_http", "over_coap", "mqtt"}


def test_nobody_else_gets_a_lock_on_the_file_while_it_is_served(tmp_path: Path) -> None:
    """So that no device ever meets a locked database; a second server says why it does not start."""
    with thingsboard(tmp_path) as served, devices_at(served) as devices:
        devices.make_profiles()
        with closing(sqlite3.connect(tmp_path / "fleet.db", timeout=0)) as other:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN EXCLUSIVE")
            assert b'"SUCCESS"' in devices.over_http(request("d"))[1]
        store = f"sqlite:///{tmp_path / 'fleet.db'}"
        code, said = failing("--platform", "thingsboard", "--http", "127.0.0.1:0", *LISTENERS, "--store", store)
        assert (code, "fleet.db" in said) == (3, True), said
        assert b'"SUCCESS"' in devices.over_coap(request("e"))[1]


@dataclass
class Asking:
    """One who asks and asks until the server is gone: over one transport, each time under another name."""

    devices: Devices
    prefix: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    """Name -> token, as it was told."""

    def names(self) -> Iterator[str]:
        number = 0
        while True:
            yield f"{self.prefix}-{number}"
            number += 1

    def heard(self, name: str, payload: bytes) -> None:
        document = json.loads(payload)
        assert document["status"] == "SUCCESS", document
        self.acknowledged[name] = document["credentialsValue"]


class OverHttp(Asking):
    def run(self) -> None:
        with closing(ExactClient(self.devices.http.url)) as http:
            for name in self.names():
                try:
                    answer = http.call("POST", "/api/v1/provision", {"Content-Type": "application/json"}, request(name))
                except BrokenBench:
                    return
                self.heard(name, answer.body)


class OverMqtt(Asking):
    def run(self) -> None:
        with closing(ExactMqtt(*self.devices.place("mqtt"))) as connection:
            connection.connect(user_name="provision")
            for name in self.names():
                connection.publish("/provision/request", request(name))
                heard = [connection.hear(), connection.hear()]
                if heard[-1].line == "closed":
                    return
                self.heard(name, heard[-1].payload)


class Listed(Asking):
    """Over MQTT too, by the list; their tokens are their names."""

    def names(self) -> Iterator[str]:
        return (name for name in LISTED if name.endswith(self.prefix))

    def run(self) -> None:
        with closing(ExactMqtt(*self.devices.place("mqtt"), 5)) as connection:
            connection.connect(user_name="provision")
            for name in self.names():
                connection.publish("/provision/request", request(name, "C"))
                heard = [connection.hear(), connection.hear()]
                if heard[-1].line == "closed":
                    return
                self.heard(name, heard[-1].payload)


def until(is_so: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(LIMIT_S / 0.005)):
        if is_so():
            return
        pause.wait(0.005)
    raise AssertionError("it never came to be")


def killed_while_asking(served: Served, devices: Devices, number: int) -> tuple[dict[str, str], dict[str, str]]:
    """What was acknowledged to new devices, and to listed ones, before the server was killed."""
    asking: list[Any] = [OverHttp(devices, f"h{number}"), OverMqtt(devices, f"m{number}"), Listed(devices, str(number))]
    with ThreadPoolExecutor(len(asking)) as pool:
        runs = [pool.submit(one.run) for one in asking]
        until(lambda: all(len(one.acknowledged) >= ACKNOWLEDGED_PER_ROUND / 6 for one in asking)
              and sum(len(one.acknowledged) for one in asking) >= ACKNOWLEDGED_PER_ROUND)  # fmt: skip
        served.kill()
        for run in runs:
            with suppress(Mismatch):  # it was killed within a packet
                run.result(LIMIT_S)
    return asking[0].acknowledged | asking[1].acknowledged, asking[2].acknowledged


def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path) -> None:
    new: dict[str, str] = {}
    listed: dict[str, str] = {}
    for number in range(ROUNDS):
        with thingsboard(tmp_path) as served, devices_at(served) as devices:
            if number == 0:
                devices.make_profiles()
                devices.import_listed(LISTED)
            made, answered = killed_while_asking(served, devices, number)
        new |= made
        listed |= answered
    with thingsboard(tmp_path) as served, devices_at(served) as devices:
        assert not [name for name, token in new.items() if not devices.token_works(token)]
        assert not [name for name in listed if b'"FAILURE"' not in devices.over_http(request(name, "C"))[1]]
        assert not [name for name in new if b'"FAILURE"' not in devices.over_http(request(name))[1]]
        assert served.stop() == 0
    assert listed == {name: name for name in listed}
    kept = tokens_in(tmp_path)
    assert {name: kept.get(name) for name in new | listed} == new | listed
    assert len(kept.keys() - new.keys() - set(LISTED)) <= 2 * ROUNDS, "one of each who asked was on its way"
