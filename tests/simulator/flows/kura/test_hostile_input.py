"""What nobody should send to a gateway: it goes on, and nothing is obeyed or stored by mistake."""

from __future__ import annotations

import gzip
import json

import pytest

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.mqtt import MqttConnect
from fleetrig.simulator.flows.kura import codec, json_payload
from fleetrig.simulator.flows.kura.components import (
    DATA_PID,
    PROVISIONING_PID,
    TRANSPORT_PID,
    MqttDataTransport,
)
from fleetrig.simulator.flows.kura.naming import is_publishable
from fleetrig.simulator.flows.kura.payload import KuraPayload, Metric, string
from tests.simulator.flows.kura.broker import ACME, CLIENT_ID, Broker, Run, configured, given, provisioned_by, request
from tests.simulator.flows.kura.test_moving import Move, body

CONF = "$EDC/acct/gw-1/CONF-V1"
KEYS = "$EDC/acct/gw-1/KEYS-V1"
NO_ADDRESSES = ("mqtt://host:port", "mqtt://host:99999", "mqtt://[::1", "mqtt://host:0", "mqtt://us er@:1883")
ROOT = json.dumps(ACME.root_pem)


def answers(run: Run) -> bool:
    """It still does, to a requester that there can be."""
    run.push(f"{CONF}/GET/snapshots", request(77))
    run.run(1)
    return bool(run.broker.said("$EDC/acct/SRV-1/CONF-V1/REPLY/r77"))


@pytest.mark.parametrize("requester", ["a\0b", "x" * 70_000])
def test_a_requester_that_no_topic_can_name_is_not_answered(requester: str) -> None:
    """A driver could not write the packet, and the run would end."""
    run = Run(configured()).run(20)
    run.push(f"{CONF}/GET/snapshots", request(1, requester=requester))
    run.run(5)

    assert not is_publishable(f"$EDC/acct/{requester}/CONF-V1/REPLY/r1")
    assert not [topic for topic in run.broker.topics() if "REPLY" in topic]
    assert answers(run)


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_an_address_that_is_none_is_rejected(url: str) -> None:
    run = Run(configured()).run(20)
    for number, pid in enumerate((TRANSPORT_PID, PROVISIONING_PID)):
        content = body(pid, {"broker-url": url, "enabled": True})
        run.push(f"{CONF}/PUT/configurations", request(number, body=content))
    run.run(60)

    assert run.broker.said("$EDC/acct/SRV-1/CONF-V1/REPLY/r1")
    assert "components" not in run.memory
    assert len(run.broker.of(MqttConnect)) == 1
    assert answers(run)


NAMES = ("prov.username", "prov.client-id", "prov.account-name")
MATERIAL = [
    *(("prov.broker-url", url) for url in NO_ADDRESSES),
    *((name, text) for name in NAMES for text in ("a\0b", "x" * 5_000)),
    ("prov.password", "x" * 70_000),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), MATERIAL, ids=[f"{name} {value[:16]!r}" for name, value in MATERIAL])
def test_material_that_no_packet_can_carry_is_refused(name: str, value: str) -> None:
    broker = Broker()

    def answer(broker: Broker, asked: object) -> KuraPayload:
        made = given(broker.asked[-1])
        metrics: dict[str, Metric] = {**made.metrics, name: string(value)}
        return KuraPayload(metrics=metrics)

    broker.answers["request"] = answer
    run = Run(provisioned_by(), broker=broker).run(20)

    assert len(broker.asked) > 1
    assert run.flags == (None, None)
    assert {one.user_name for one in broker.of(MqttConnect)} == {f"{CLIENT_ID}-SN1"}


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e12])
def test_a_rate_without_bound_is_rejected(value: float) -> None:
    run = Run(configured(telemetry_interval_s=1.0)).run(20)
    run.push(f"{CONF}/PUT/configurations", request(1, body=body(DATA_PID, {"rate.limit.average": value})))
    run.run(10)

    assert "components" not in run.memory
    assert answers(run)


def test_a_will_whose_topic_is_none_fails_the_attempt() -> None:
    run = Run(configured(transport={"lwt_topic": "$EDC/#unknown/x"})).run(100)

    assert not run.broker.of(MqttConnect)
    assert run.stage == "backing_off"


def test_names_that_no_packet_can_carry_are_a_mistake() -> None:
    for name in ("account_name", "username", "client_id", "lwt_topic", "lwt_payload"):
        with pytest.raises(UsageError, match=f"{name} must have at most 4096 bytes"):
            MqttDataTransport(**{name: "x" * 5_000})  # type: ignore[arg-type]


def test_a_number_without_end_is_no_payload() -> None:
    """Python refuses to read so many digits."""
    data = b'{"sentOn":' + b"9" * 5_000 + b"}"

    assert json_payload.decode(data) == KuraPayload(body=data)


def test_gzip_in_ever_so_many_members_is_not_unpacked() -> None:
    """A few are (2.4); of many each would cost a copy of all that follow."""
    two, many = gzip.compress(b"", mtime=0) * 2, gzip.compress(b"", mtime=0) * 20_000

    assert codec.from_wire(two, encoding="kura-protobuf") == KuraPayload()
    assert codec.from_wire(many, encoding="kura-protobuf") == KuraPayload(body=many)


def test_an_alias_that_is_no_text_is_listed_all_the_same() -> None:
    run = Run(configured()).run(20)
    document = f'{{"keystoreServicePid":"SSLKeystore","alias":"\\ud800","certificate":{ROOT}}}'
    run.push(f"{KEYS}/POST/keystores/entries/certificate", request(1, body=document.encode()))
    run.push(f"{KEYS}/GET/keystores/entries", request(2))
    run.run(5)

    assert [one.int32("response.code") for one in run.broker.said("$EDC/acct/SRV-1/KEYS-V1/REPLY/r2")] == [200]


def test_a_message_that_is_signed_for_another_gateway_is_not_obeyed() -> None:
    """SIG-SIM1: the signature names the gateway, so a broker cannot hand it to another one."""
    run = Move(loaded=False)
    topic = "$EDC/acct/gw-2/CONF-V1/GET/configurations"
    run.push(topic, ACME.signed(topic, request(1), at_s=run.now_s))
    run.run(2)

    assert not run.broker.said("$EDC/acct/SRV-1/CONF-V1/REPLY/r1")
    assert run.memory["rejected_control"] == 1
