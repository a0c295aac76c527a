"""Changes and losses at the moment at which they fit worst (spec 3.7, 4.3 to 4.6)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPublish
from fleetrig.simulator.flows.kura.components import (
    CLOUD_PID,
    DATA_PID,
    PROVISIONING_PID,
    TRANSPORT_PID,
    DataService,
    ProvisioningService,
)
from fleetrig.simulator.flows.kura.settings import DISCONNECT, LocalChange
from tests.simulator.flows.kura.broker import (
    ACME,
    CLIENT_ID,
    PROVISION_URL,
    Broker,
    Run,
    configured,
    given,
    provisioned_by,
    request,
    silence,
)
from tests.simulator.flows.kura.test_moving import PARAMETERS, START, Move, body

EVERY_5 = DataService(retry_interval_s=5)
VENDOR = "mqtts://broker-sandbox.everyware-cloud.com:8883"


def with_old(broker: Broker, **settings: object) -> Run:
    """A gateway that has a target and provisions itself at once."""
    made = configured(data=EVERY_5, trust_anchors={"acme": ACME.root_pem}, **settings)
    return Run(replace(made, provisioning=provisioned_by().provisioning), broker=broker)


def refused(user: str, code: int | None = 3) -> Broker:
    broker = Broker()
    broker.codes[user] = code
    return broker


# The way there


def test_work_that_is_due_does_not_bring_the_next_attempt_forward() -> None:
    """G-39: what was changed during an attempt is done after it; the next follows at the fixed rate."""
    change = LocalChange(5.0, PROVISIONING_PID, {"username": "other"})
    of = configured(data=DataService(retry_interval_s=60), local_changes=(change,), transport={"timeout_s": 5})
    times = Run(of, broker=refused("dev", None)).run(130).broker.times(MqttConnect)

    assert [round(b - a, 3) for a, b in pairwise(times)] == [60.0, 60.0]


def test_who_is_switched_off_by_hand_does_not_go_on_trying() -> None:
    """Spec 4.6, also while there is no connection."""
    off = configured(data=EVERY_5, local_changes=(LocalChange(12.0, DISCONNECT),))
    broker = Run(off, broker=refused("dev")).run(100).broker

    assert len(broker.of(MqttConnect)) == 3


def test_a_transport_that_is_changed_without_a_connection_is_used_once() -> None:
    """Spec 4.3: with a cycle of its own, and without leaving again after BIRTH."""
    change = LocalChange(12.0, TRANSPORT_PID, {"username": "new"})
    broker = Run(configured(data=EVERY_5, local_changes=(change,)), broker=refused("dev")).run(200).broker

    assert [one.user_name for one in broker.of(MqttConnect)] == ["dev", "dev", "dev", "new"]
    assert broker.times(MqttConnect)[3] == 13.0


def test_provisioning_that_is_called_off_before_it_began_leaves_all_as_it_was() -> None:
    """G-32: during the random wait before the first attempt."""
    on = LocalChange(20.0, PROVISIONING_PID, {"enabled": True})
    off = LocalChange(20.5, PROVISIONING_PID, {"enabled": False})
    service = ProvisioningService(broker_url=PROVISION_URL, password="bootstrap", retry_interval_s=60)
    run = Run(replace(configured(data=EVERY_5, local_changes=(on, off)), provisioning=service)).run(100)

    assert [one.user_name for one in run.broker.of(MqttConnect)] == ["dev", "dev"]
    assert run.stage == "online"


def test_a_broker_of_the_vendor_is_a_value_and_the_gateway_says_why_it_is_not_called() -> None:
    run = Run(configured(transport={"broker_url": VENDOR})).run(100)
    said = [event for event in run.events if VENDOR in str(event)]

    assert not run.broker.packets
    assert run.stage == "refused"
    assert said


# During an attempt


def test_replies_go_out_though_a_birth_waits_for_the_target() -> None:
    """What was configured asks for a BIRTH 30 s later; on the provision broker it has no place."""
    broker = Broker()
    broker.answers["request"] = silence
    run = Run(provisioned_by(provisioning={"timeout_s": 100}), broker=broker).run(10)
    conf = f"$EDC/ec-provisioning/{CLIENT_ID}/CONF-V1"
    run.push(f"{conf}/PUT/configurations", request(1, body=body(CLOUD_PID, {"device.custom-name": "n"})))
    run.run(40)
    run.push(f"{conf}/GET/configurations", request(2))
    run.run(5)

    assert broker.said("$EDC/ec-provisioning/SRV-1/CONF-V1/REPLY/r2")
    assert not [topic for topic in broker.topics() if topic.endswith("BIRTH")]


@pytest.mark.parametrize("quirks", [frozenset(), frozenset({"poisoned-queue"})])
def test_a_reply_that_can_never_be_sent_does_not_leave_for_the_provision_broker(quirks: frozenset[str]) -> None:
    broker = Broker()
    broker.answers["request"] = silence
    run = Run(provisioned_by(provisioning={"timeout_s": 100}, quirks=quirks), broker=broker).run(10)
    conf = f"$EDC/ec-provisioning/{CLIENT_ID}/CONF-V1"
    run.push(f"{conf}/GET/configurations", request(1, requester="a+b"))
    run.push(f"{conf}/GET/configurations", request(2))
    run.run(5)

    assert not [one for one in broker.of(MqttPublish) if "+" in one.topic]
    assert bool(broker.said("$EDC/ec-provisioning/SRV-1/CONF-V1/REPLY/r2")) is not bool(quirks)


# The way back


def test_a_target_that_lets_in_and_drops_is_left_as_well() -> None:
    """G-31: it never acknowledged a BIRTH, so the gateway is not known there."""
    run = Move(loaded=True, data=EVERY_5, most_target_failures=3)
    run.broker.acknowledges = False
    run.control("PUT/configurations", body(PROVISIONING_PID, {**PARAMETERS, **START}))
    run.run(20)
    for _ in range(3):
        run.drop()
        run.run(8)

    assert run.users() == ["dev", f"{CLIENT_ID}-SN1", "dev-user", "dev-user", "dev-user", "dev"]
    assert run.memory["fault"] == "rolled_back"


def test_a_target_that_has_known_it_may_drop_it_as_often_as_it_likes() -> None:
    run = Move(loaded=True, data=EVERY_5, most_target_failures=3)
    run.control("PUT/configurations", body(PROVISIONING_PID, {**PARAMETERS, **START}))
    run.run(20)
    for _ in range(5):
        run.drop()
        run.run(8)

    assert run.users()[-6:] == ["dev-user"] * 6


def test_the_way_back_restores_all_that_the_material_has_configured() -> None:
    """Not the transport alone."""
    broker, wanted = refused("dev-user", 5), body(DATA_PID, {"connect.retry-interval": 7})
    broker.answers["request"] = lambda broker, asked: given(asked, body=wanted)
    run = with_old(broker, most_target_failures=2).run(60)

    assert [one.user_name for one in broker.of(MqttConnect)][1:] == ["dev-user", "dev-user", "dev"]
    assert DATA_PID not in run.memory["components"]


def test_a_second_move_before_the_first_is_confirmed_leads_back_to_where_it_was_known() -> None:
    run = with_old(refused("dev-user", 5), local_changes=(LocalChange(20.0, PROVISIONING_PID, {"enabled": True}),),
                   most_target_failures=6)  # fmt: skip
    run.run(120)
    users = [one.user_name for one in run.broker.of(MqttConnect)]

    assert users.count(f"{CLIENT_ID}-SN1") > 1
    assert users[-1] == "dev"
    assert run.memory["fault"] == "rolled_back"
