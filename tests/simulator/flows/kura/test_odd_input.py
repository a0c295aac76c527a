"""Whatever comes, a gateway goes on: it answers, refuses or ignores it, and never stops working."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from fleetrig.simulator.contract.envelope import Send
from fleetrig.simulator.contract.mqtt import MqttPublish
from fleetrig.simulator.flows.kura import protobuf
from fleetrig.simulator.flows.kura.components import PIDS, PROPERTIES
from fleetrig.simulator.flows.kura.configuration_xml import write_configurations
from fleetrig.simulator.flows.kura.payload import KuraPayload, Metric, MetricType, int32, int64, string
from tests.simulator.flows.kura.broker import ACME, Asked, Broker, Run, configured, given, provisioned_by, request

OWN = "$EDC/acct/gw-1"
TEXTS = ("", "x", "-1", "a/b", "#client-id", "é\u0000", "9" * 40, "DMKeystore", "dm-1", "EC", "RSA", "CN=a,,", "=#00")
METHODS = ("GET", "PUT", "POST", "DEL", "EXEC", "get", "", "REPLY")
RESOURCES = (
    "configurations", "snapshots", "snapshot", "rollback", "keystores", "entries", "entry", "csr", "certificate",
    "keypair", "privatekey", "download", "install", "uninstall", "packages", "bundles", "start", "stop", "command",
)  # fmt: skip
METRICS = (
    "job.id", "dp.name", "dp.version", "dp.uri", "dp.download.protocol", "dp.download.hash", "dp.reboot.delay",
    "dp.download.timeout", "command.command", "sig.alias", "sig.time", "sig.value", "response.code",
)  # fmt: skip


def some_metric(chance: random.Random) -> Metric:
    kind = chance.choice(list(MetricType))
    match kind:
        case MetricType.STRING:
            return string(chance.choice(TEXTS))
        case MetricType.BYTES:
            return Metric(kind, chance.randbytes(5))
        case MetricType.BOOL:
            return Metric(kind, chance.random() < 0.5)
        case MetricType.DOUBLE | MetricType.FLOAT:
            return Metric(kind, chance.choice([0.0, -1.5, float("nan"), float("inf")]))
        case MetricType.INT32:
            return int32(chance.choice([0, -1, 1 << 30, -(1 << 31)]))
        case _:
            return int64(chance.choice([0, -1, 1 << 62, -(1 << 63)]))


def some_body(chance: random.Random) -> bytes | None:
    names = ("keystoreServicePid", "alias", "certificate", "algorithm", "signatureAlgorithm", "attributes", "size",
             "certificateChain", "privateKey")  # fmt: skip
    values: list[Any] = [
        *TEXTS,
        0,
        -1,
        256,
        None,
        [],
        ["x"],
        {},
        1e400,
        ACME.leaf_pem,
        [ACME.leaf_pem],
        "SHA256withRSA",
    ]
    match chance.randrange(5):
        case 0:
            return None
        case 1:
            return chance.randbytes(chance.randrange(30))
        case 2:
            kind = chance.choice(list(PIDS))
            properties = {name: chance.choice([*TEXTS, 0, -1, True, 1.5, [1]]) for name in PROPERTIES[PIDS[kind]]}
            properties = {name: value for name, value in properties.items() if chance.random() < 0.3}
            properties.pop("enabled", None)
            return write_configurations({kind: properties, chance.choice(TEXTS): {"a": 1}}, {})
        case 3:
            return json.dumps(chance.choice(values)).encode()
        case _:
            return json.dumps({name: chance.choice(values) for name in names if chance.random() < 0.8}).encode()


@pytest.mark.parametrize("seed", range(4))
def test_no_request_stops_it(seed: int) -> None:
    chance = random.Random(seed)
    run = Run(configured(applications=("TEST-V1",))).run(15)
    for number in range(250):
        app = chance.choice(["CONF-V1", "CMD-V1", "DEPLOY-V2", "KEYS-V1", "KEYS-V2", "TEST-V1", "X"])
        parts = [
            app,
            chance.choice(METHODS),
            *(chance.choice([*RESOURCES, *TEXTS[:3]]) for _ in range(chance.randrange(4))),
        ]
        metrics = {name: some_metric(chance) for name in METRICS if chance.random() < 0.4}
        payload = request(number, requester=chance.choice(["SRV-1", *TEXTS]), body=some_body(chance), metrics=metrics)
        data = protobuf.encode(payload)
        if chance.random() < 0.1:
            data = bytes(byte ^ (chance.random() < 0.02) for byte in data)
        publish = MqttPublish(f"{OWN}/{'/'.join(parts)}", data, chance.randrange(2), packet_id=9)
        run.server_sends(Send(run.session, publish))
        run.run(0.05)
    run.run(200)

    codes = {one.int32("response.code") for topic in set(run.broker.topics()) if "/REPLY/" in topic
             for one in run.broker.said(topic)}  # fmt: skip
    assert run.agent.is_on
    assert run.stage in ("online", "backing_off", "refused")
    assert sum("/REPLY/" in topic for topic in run.broker.topics()) > 60
    assert codes >= {200, 400, 404, 500}


@pytest.mark.parametrize("seed", range(30))
def test_no_reply_stops_it(seed: int) -> None:
    chance = random.Random(seed)
    broker = Broker()

    def odd(broker: Broker, asked: Asked) -> KuraPayload | None:
        right = given(asked)
        metrics = {name: value for name, value in right.metrics.items() if chance.random() < 0.9}
        for name in list(metrics):
            if chance.random() < 0.2:
                metrics[name] = some_metric(chance)
        return KuraPayload(metrics=metrics, body=some_body(chance))

    broker.answers["request"] = odd
    broker.answers["confirm"] = lambda broker, asked: KuraPayload(metrics={"response.code": some_metric(chance)})
    run = Run(provisioned_by(), broker=broker).run(60)

    assert run.agent.is_on
    assert broker.asked
