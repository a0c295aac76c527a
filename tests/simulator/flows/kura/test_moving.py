"""A gateway is moved to another account, over the air (rows G-25 to G-30): in the safe order, and in others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from fleetrig.simulator.contract.mqtt import MqttConnect, MqttDisconnect
from fleetrig.simulator.flows.kura.components import PROVISIONING_PID, TRANSPORT_PID
from fleetrig.simulator.flows.kura.configuration_xml import write_configurations
from fleetrig.simulator.flows.kura.keystore import SIGNING_STORE, certificate_pem
from fleetrig.simulator.flows.kura.payload import KuraPayload
from tests.simulator.flows.kura.broker import (
    ACME,
    CLIENT_ID,
    OTHER,
    PROVISION_URL,
    Asked,
    Authority,
    Broker,
    Run,
    configured,
    given,
    request,
)

OLD_USER = "dev"
CONF = "$EDC/acct/gw-1/CONF-V1"
START = {"enabled": True, "provisioned": False}
PARAMETERS = {
    "broker-url": PROVISION_URL, "password": "bootstrap", "retry-interval": 5, "timeout": 10, "client-id": CLIENT_ID,
}  # fmt: skip


def body(pid: str, properties: Mapping[str, Any]) -> bytes:
    return write_configurations({pid: properties}, {})


class Move(Run):
    """A gateway that was provisioned by ACME and is connected to it; OTHER answers where it provisions itself."""

    def __init__(self, *, loaded: bool, broker: Broker | None = None, **settings: Any) -> None:
        anchors = {"acme": ACME.root_pem} | ({"other": OTHER.root_pem} if loaded else {})
        signers = {"dm-1": ACME.leaf_pem} | ({"dm-9": OTHER.leaf_pem} if loaded else {})
        service = replace(configured().provisioning, retry_max_attempts=2)
        super().__init__(
            replace(configured(trust_anchors=anchors, signing_certificates=signers, **settings), provisioning=service),
            broker=broker or moved_by(OTHER),
            remembered={"stage": "enrolled", "signed": True},
        )
        self.numbers = 0
        self.run(20.0)
        assert self.stage == "online"

    def control(self, resource: str, content: bytes | None = None, *, by: Authority | None = ACME) -> int:
        """A control message, signed by an authority; how many replies there are after it."""
        self.numbers += 1
        topic, payload = f"{CONF}/{resource}", request(self.numbers, body=content)
        self.push(topic, payload if by is None else by.signed(topic, payload, at_s=self.now_s))
        self.run(0.1)
        return sum("/REPLY/" in topic for topic in self.broker.topics())

    def users(self) -> list[str | None]:
        return [one.user_name for one in self.broker.of(MqttConnect)]


def moved_by(authority: Authority) -> Broker:
    """Its replies are signed."""
    broker = Broker()

    def answer(broker: Broker, asked: Asked) -> KuraPayload | None:
        topic = f"$EDC/ec-provisioning/{CLIENT_ID}/PROV-SIM1/REPLY/{asked.request_id}"
        made = given(asked, chain=authority.chain_pem)
        return authority.signed(topic, made, alias="dm-9", at_s=broker.now_s)

    broker.answers["request"] = answer
    return broker


def test_a_gateway_that_knows_the_new_instance_moves() -> None:
    """G-29."""
    run = Move(loaded=True)
    run.control("PUT/configurations", body(PROVISIONING_PID, PARAMETERS))
    run.run(5)
    assert run.users() == [OLD_USER]
    run.control("PUT/configurations", body(PROVISIONING_PID, START))
    run.run(120)

    assert run.users() == [OLD_USER, f"{CLIENT_ID}-SN1", "dev-user"]
    assert run.broker.lines(1)[-2:] == ["PUBLISH $EDC/acct/gw-1/MQTT/DC", "DISCONNECT"]
    assert run.flags == (False, True)
    assert run.stage == "online"
    assert "dm-1" in run.memory["keystores"][SIGNING_STORE]


def test_a_gateway_that_does_not_know_it_stays_where_it_was() -> None:
    """G-30: it gives up after its attempts, and is back at its old account, still obeying that alone."""
    run = Move(loaded=False)
    run.control("PUT/configurations", body(PROVISIONING_PID, {**PARAMETERS, **START, "retry-max-attempts": 2}))
    run.run(180)
    bootstraps = [user for user in run.users() if user != OLD_USER]
    before = run.control("GET/configurations", by=None)

    assert len(bootstraps) == 2
    assert run.users()[-1] == OLD_USER
    assert run.stage == "online"
    assert run.memory["fault"] == "gave_up"
    assert run.control("GET/configurations") == before + 1


def test_a_reply_that_is_not_signed_moves_nobody() -> None:
    run = Move(loaded=True, broker=Broker())
    run.broker.answers["request"] = lambda broker, asked: given(asked, chain=OTHER.chain_pem)
    run.control("PUT/configurations", body(PROVISIONING_PID, {**PARAMETERS, **START, "retry-max-attempts": 1}))
    run.run(120)

    assert run.users()[-1] == OLD_USER
    assert run.flags == (True, False)


def test_certificates_that_come_late_let_the_next_attempt_succeed() -> None:
    """Between two attempts it is connected to its old account, where the operator can still mend it."""
    run = Move(loaded=False)
    start = {**PARAMETERS, **START, "retry-max-attempts": -1, "retry-interval": 60}
    run.control("PUT/configurations", body(PROVISIONING_PID, start))
    run.run(40)
    assert run.stage == "online"
    for store, alias, pem in (("SSLKeystore", "other", OTHER.root_pem), ("DMKeystore", "dm-9", OTHER.leaf_pem)):
        load(run, store, alias, pem)
    run.run(120)

    assert run.users()[-1] == "dev-user"
    assert run.flags == (False, True)


def load(run: Move, store: str, alias: str, pem: str) -> None:
    run.numbers += 1
    topic = "$EDC/acct/gw-1/KEYS-V1/POST/keystores/entries/certificate"
    document = f'{{"keystoreServicePid":"{store}","alias":"{alias}","certificate":{pem!r}}}'.replace("'", '"')
    run.push(topic, ACME.signed(topic, request(run.numbers, body=document.encode()), at_s=run.now_s))
    run.run(0.1)
    assert run.broker.said(f"$EDC/acct/SRV-1/KEYS-V1/REPLY/r{run.numbers}")[0].int32("response.code") == 200


def test_a_changed_transport_moves_it_without_new_certificates() -> None:
    """A forbidden order: it goes, and obeys nobody there but who signed before."""
    run = Move(loaded=False)
    run.control("PUT/configurations", body(TRANSPORT_PID, {"username": "dev-2"}))
    run.run(30)

    assert run.users() == [OLD_USER, "dev-2"]
    assert run.broker.of(MqttDisconnect)
    before = run.control("GET/configurations", by=OTHER)
    assert run.control("GET/configurations") == before + 1


# Signed control messages


def test_a_provisioned_gateway_answers_what_is_signed_and_nothing_else() -> None:
    """G-25, G-26."""
    run = Move(loaded=False)

    assert run.control("GET/configurations", by=None) == 0
    assert run.memory["rejected_control"] == 1
    assert run.control("GET/configurations") == 1


def test_one_that_is_not_provisioned_answers_everybody() -> None:
    """G-28."""
    run = Run(configured()).run(20)
    run.push(f"{CONF}/GET/configurations", request())
    run.run(1)

    assert run.broker.said("$EDC/acct/SRV-1/CONF-V1/REPLY/r1")[0].int32("response.code") == 200


@pytest.mark.parametrize(
    "how", ["unknown signer", "unknown alias", "replayed", "an hour late", "an hour early", "body"]
)
def test_what_is_signed_otherwise_is_dropped(how: str) -> None:
    """G-27."""
    run = Move(loaded=False)
    topic, asked = f"{CONF}/GET/configurations", request(7, body=b"x")
    good = ACME.signed(topic, asked, at_s=run.now_s)
    sent = {
        "unknown signer": OTHER.signed(topic, asked, at_s=run.now_s),
        "unknown alias": ACME.signed(topic, asked, alias="dm-2", at_s=run.now_s),
        "replayed": good,
        "an hour late": ACME.signed(topic, asked, at_s=run.now_s + 3_600),
        "an hour early": ACME.signed(topic, asked, at_s=run.now_s - 3_600),
        "body": replace(good, body=b"y"),
    }
    if how == "replayed":
        run.push(topic, good)
        run.run(1)
    before = len(run.broker.said("$EDC/acct/SRV-1/CONF-V1/REPLY/r7"))
    run.push(topic, sent[how])
    run.run(1)

    assert len(run.broker.said("$EDC/acct/SRV-1/CONF-V1/REPLY/r7")) == before == (1 if how == "replayed" else 0)
    assert run.memory["rejected_control"] == 1


def test_a_replay_is_known_after_a_power_cut_too() -> None:
    run = Move(loaded=False)
    topic = f"{CONF}/GET/configurations"
    good = ACME.signed(topic, request(7), at_s=run.now_s)
    run.push(topic, good)
    run.run(1)
    run.bench.power_cut(run.agent)
    run.bench.power_on(run.agent)
    run.run(20)
    run.push(topic, good)
    run.run(1)

    assert len(run.broker.said("$EDC/acct/SRV-1/CONF-V1/REPLY/r7")) == 1


def test_the_certificate_in_the_keystore_is_the_leaf() -> None:
    assert ACME.leaf_pem == certificate_pem(ACME.chain[2])
