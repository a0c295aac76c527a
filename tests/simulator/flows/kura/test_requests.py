"""What a gateway answers, and what not (rows G-37, G-42 to G-46, G-48, G-50, G-51)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPublish
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.flows.kura.components import CLOUD_PID, DATA_PID, DataService
from fleetrig.simulator.flows.kura.configuration_xml import read_configurations, write_configurations
from fleetrig.simulator.flows.kura.payload import KuraPayload, Metric, MetricType, int64, string
from tests.simulator.flows.kura.broker import ACME, Run, configured, request

OWN = "$EDC/acct/gw-1"


class Asked(Run):
    """A gateway that is connected; `ask` gives its reply."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(configured(data=DataService(retry_interval_s=5), **settings))
        self.numbers = 0
        self.run(5)

    def ask(
        self, topic: str, content: bytes | None = None, metrics: Mapping[str, Metric] | None = None
    ) -> KuraPayload | None:
        self.numbers += 1
        self.push(f"{OWN}/{topic}", request(self.numbers, body=content, metrics=metrics))
        self.run(0.1)
        app = topic.partition("/")[0]
        found = self.broker.said(f"$EDC/acct/SRV-1/{app}/REPLY/r{self.numbers}")
        assert len(found) < 2
        return found[0] if found else None

    def code(self, topic: str, content: bytes | None = None, metrics: Mapping[str, Metric] | None = None) -> int | None:
        reply = self.ask(topic, content, metrics)
        return None if reply is None else reply.int32("response.code")


def asked(**settings: Any) -> Asked:
    return Asked(applications=("TEST-V1",), **settings)


@pytest.mark.parametrize(
    ("topic", "code"),
    [
        ("NONE-V1/GET/x", None), ("TEST-V1", None), ("TEST-V1/NO/x", 400), ("CONF-V1/GET/nothing", 404),
        ("MQTT/GET/x", None), ("CONF-V1/POST/x", 500), ("DEPLOY-V2/GET/nothing", 404), ("DEPLOY-V2/PUT/x", 500),
        ("KEYS-V1/PUT/x", 500), ("TEST-V1/REPLY/x", None),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly(topic: str, code: int | None) -> None:
    """G-42."""
    assert asked().code(topic) == code


def test_without_ids_there_is_no_reply() -> None:
    """G-42."""
    run = asked()
    for metrics in ({"request.id": string("r")}, {"requester.client.id": string("S")},
                    {"request.id": int64(1), "requester.client.id": string("S")}):  # fmt: skip
        run.push(f"{OWN}/TEST-V1/GET/a", KuraPayload(metrics=metrics))
    run.push(f"{OWN}/TEST-V1/GET/a", KuraPayload(body=b"\xff\xff"))
    run.run(1)

    assert not [topic for topic in run.broker.topics() if "REPLY" in topic]


def test_its_own_words_are_not_answered() -> None:
    """G-37: what it published comes back, since it subscribes to its own subtree."""
    run = asked()
    before = len(run.broker.packets)
    for publish in run.broker.of(MqttPublish):
        run.push(publish.topic, KuraPayload(metrics=run.broker.said(publish.topic)[0].metrics), qos=1)
    run.run(1)

    assert {one.line for _, _, one in run.broker.packets[before:]} == {"PUBACK"}


def test_what_comes_under_reply_is_answered_by_the_quirk_alone() -> None:
    assert asked(quirks=frozenset({"reply-answered"})).code("TEST-V1/REPLY/x") == 400


def test_a_reply_that_cannot_be_published_is_dropped() -> None:
    run = asked()
    run.push(f"{OWN}/TEST-V1/GET/a", request(99, requester="x+y"))
    run.run(1)

    assert run.code("TEST-V1/GET/a") == 200


def test_the_poisoned_queue_lets_nothing_but_lifecycle_pass() -> None:
    run = asked(quirks=frozenset({"poisoned-queue"}))
    run.push(f"{OWN}/TEST-V1/GET/a", request(99, requester="#unknown"))
    run.run(1)

    assert run.code("TEST-V1/GET/a") is None
    run.drop()
    run.run(10)
    assert run.broker.lines(2)[:2] == ["CONNECT gw-1 dev", f"PUBLISH {OWN}/MQTT/BIRTH"]
    assert run.code("TEST-V1/GET/a") is None


def test_three_slow_requests_share_two_threads() -> None:
    """G-46."""
    run = asked()
    for number in (1, 2, 3):
        run.push(f"{OWN}/TEST-V1/GET/slow", request(number))
    began_s = run.now_s
    run.run(10)
    times = [at_s - began_s for at_s, _, one in run.broker.packets if "/REPLY/" in one.line]

    assert times == pytest.approx([2.0, 2.0, 4.0], abs=0.05)


def test_replies_pass_what_the_rate_limit_holds_up() -> None:
    """G-51."""
    run = asked(telemetry_interval_s=0.1, telemetry_messages=100)
    began_s = run.now_s
    run.ask("TEST-V1/GET/a")
    replied = [at_s for at_s, _, one in run.broker.packets if "/REPLY/" in one.line]

    assert replied[0] - began_s < 0.05


# CONF-V1


def written(pid: str, **properties: Any) -> bytes:
    return write_configurations({pid: {name.replace("_", "."): value for name, value in properties.items()}}, {})


def test_a_configuration_takes_effect_a_second_later() -> None:
    """G-43."""
    run = asked()
    assert run.code("CONF-V1/PUT/configurations", written(CLOUD_PID, encode_gzip=False)) == 200
    assert "components" not in run.memory
    run.run(1.0)

    assert run.memory["components"][CLOUD_PID] == {"encode.gzip": False}
    reply = run.ask(f"CONF-V1/GET/configurations/{CLOUD_PID}")
    assert reply is not None
    assert read_configurations(reply.body or b"")[CLOUD_PID]["encode.gzip"] is False


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<x", 400), (None, 400), (b"<x/>", 200), (written("no.such.pid", a=1), 200),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 400), (written(DATA_PID, connect_x=1), 200),
        (b"<a>" * 100 + b"</a>" * 100, 400),
    ],
)  # fmt: skip
def test_a_configuration_that_changes_nothing(content: bytes | None, code: int) -> None:
    """G-44."""
    run = asked()
    assert run.code("CONF-V1/PUT/configurations", content) == code
    run.run(5)

    assert not {key for key in run.memory.get("components", {}) if key == "no.such.pid"}


def test_values_that_a_component_rejects_change_nothing() -> None:
    run = asked()
    wrong = write_configurations({DATA_PID: {"connect.retry-interval": 0}}, {})
    assert run.code("CONF-V1/PUT/configurations", wrong) == 200
    run.run(5)

    assert DATA_PID not in run.memory.get("components", {})


def test_a_rollback_goes_to_the_last_snapshot_but_one() -> None:
    """G-45."""
    run = asked()
    for name in ("one", "two"):
        properties = {"device.display-name": "custom", "device.custom-name": name}
        run.code("CONF-V1/PUT/configurations", write_configurations({CLOUD_PID: properties}, {}))
        run.run(5)
    assert run.code("CONF-V1/EXEC/rollback") == 200
    run.run(5)

    assert run.memory["components"][CLOUD_PID]["device.custom-name"] == "one"
    assert run.code("CONF-V1/EXEC/rollback/0") == 200
    run.run(5)
    assert CLOUD_PID not in run.memory["components"]


def test_a_changed_name_is_said_in_one_birth() -> None:
    """G-50: several changes within 30 s are one message; real gateways send an APPS after it once there was one."""
    run = asked()
    for number in range(3):
        properties = {"device.display-name": "custom", "device.custom-name": f"name {number}"}
        run.code("CONF-V1/PUT/configurations", write_configurations({CLOUD_PID: properties}, {}))
        run.run(5)
    run.run(60)
    births = run.broker.said(f"{OWN}/MQTT/BIRTH")

    assert [one.text("display_name") for one in births] == ["Simulated gateway", "name 2"]


# KEYS


def test_a_certificate_is_loaded_read_back_and_deleted() -> None:
    """G-48."""
    run = asked()
    where = {"keystoreServicePid": "DMKeystore", "alias": "dm-1"}
    load = json.dumps({**where, "certificate": ACME.leaf_pem}).encode()
    assert run.code("KEYS-V1/POST/keystores/entries/certificate", load) == 200
    reply = run.ask("KEYS-V1/GET/keystores/entries/entry", json.dumps(where).encode())
    assert reply is not None
    assert json.loads(reply.body or b"")["certificate"].split() == ACME.leaf_pem.split()
    assert run.code("KEYS-V1/DEL/keystores/entries", json.dumps(where).encode()) == 200
    assert run.code("KEYS-V1/GET/keystores/entries/entry", json.dumps(where).encode()) == 500


@pytest.mark.parametrize("algorithm", ["EC", "RSA"])
def test_a_key_pair_is_made_and_asks_for_a_certificate(algorithm: str) -> None:
    """S-42: the request is a bare JSON string; the same seed gives the same key."""
    made = []
    for _ in range(2 if algorithm == "EC" else 1):
        run = asked()
        where = {"keystoreServicePid": "DMKeystore", "alias": "k", "attributes": "CN=gw-1, O=fleet"}
        kind = "SHA256withECDSA" if algorithm == "EC" else "SHA256withRSA"
        size = 256 if algorithm == "EC" else 1024
        pair = {**where, "algorithm": algorithm, "size": size, "signatureAlgorithm": kind}
        assert run.code("KEYS-V1/POST/keystores/entries/keypair", json.dumps(pair).encode()) == 200
        reply = run.ask(
            "KEYS-V1/POST/keystores/entries/csr", json.dumps({**where, "signatureAlgorithm": kind}).encode()
        )
        assert reply is not None
        made.append(json.loads(reply.body or b""))
    assert made[0].startswith("-----BEGIN CERTIFICATE REQUEST")
    assert len(set(made)) == 1


# DEPLOY-V2


class Packages(Asked):
    """Its packages are there, over HTTP, unless `status` says otherwise."""

    def __init__(self, status: int = 200, **settings: Any) -> None:
        super().__init__(**settings)
        self.fetched: list[HttpRequest] = []

        def exchange(asked_for: HttpRequest, session: Session, now_us: int) -> Delivery:
            del session, now_us
            self.fetched.append(asked_for)
            return Delivery(HttpResponse(status, (), b"package" if status == 200 else b""))

        self.broker.server.exchange = exchange  # type: ignore[method-assign,assignment]

    def told(self, what: str) -> list[str | None]:
        found = self.broker.said(f"$EDC/acct/SRV-1/DEPLOY-V2/NOTIFY/gw-1/{what}")
        return [one.text(f"dp.{what}.status") for one in found]

    def download(self, **more: Metric) -> int | None:
        wanted = {
            "job.id": int64(7), "dp.uri": string("http://files.test/a.dp"), "dp.name": string("a"),
            "dp.version": string("1.0"), "dp.download.protocol": string("HTTP"), **more,
        }  # fmt: skip
        return self.code("DEPLOY-V2/EXEC/download", None, wanted)


def test_a_package_is_fetched_installed_and_listed() -> None:
    run = Packages()
    assert run.download() == 200
    run.run(5)

    assert (run.told("download"), run.told("install")) == (["COMPLETED"], ["COMPLETED"])
    assert run.memory["packages"] == {"a": "1.0"}
    listed = run.ask("DEPLOY-V2/GET/packages")
    assert listed is not None
    assert b"<name>a</name><version>1.0</version>" in (listed.body or b"")
    run.run(40)
    assert len(run.broker.said(f"{OWN}/MQTT/BIRTH")) == 2


@pytest.mark.parametrize(
    ("status", "more"),
    [(404, {}), (200, {"dp.download.hash": string("SHA-256:00")}), (200, {"dp.uri": string("ftp://x/y")}),
     (200, {"dp.uri": string("http://files.everyware.io/a")})],
)  # fmt: skip
def test_a_package_that_does_not_come_is_told(status: int, more: dict[str, Metric]) -> None:
    run = Packages(status)
    assert run.download(**more) == 200
    run.run(5)

    assert (run.told("download"), run.told("install")) == (["FAILED"], [])
    assert "packages" not in run.memory
    assert run.stage == "online"


def test_an_incomplete_request_is_refused() -> None:
    run = Packages()

    assert run.code("DEPLOY-V2/EXEC/download") == 400
    assert run.download(**{"request.type": string("a type")}) == 400
    assert run.code("DEPLOY-V2/EXEC/install", None, {"job.id": int64(1), "dp.name": string("a")}) == 400
    idle = run.ask("DEPLOY-V2/GET/download")
    assert idle is not None
    assert idle.text("dp.download.status") == "ALREADY DONE"


def test_an_update_may_have_it_reboot() -> None:
    run = Packages()
    run.download(**{"dp.reboot": Metric(MetricType.BOOL, value=True)})
    run.run(120)

    assert len(run.broker.of(MqttConnect)) == 2
    assert run.memory["packages"] == {"a": "1.0"}
