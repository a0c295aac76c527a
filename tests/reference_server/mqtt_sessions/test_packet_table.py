"""Every cell of the table, for every set of rules: the step, what the server then says, and that nothing raises."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.mqtt_sessions.packet_table import TABLE, ConnectionState, PacketKey, Step, step_of
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.envelope import Close, Envelope, Send
from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    MqttVersion,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.contract.undecodable import Flaw, Undecodable
from tests.brokering.broker_talk import BrokerTalk, connect
from tests.brokering.rule_sets import RULE_SETS

pytestmark = pytest.mark.slow

WAITING, CONNECTED, ENDED = ConnectionState.WAITING, ConnectionState.CONNECTED, ConnectionState.ENDED

PACKETS: dict[PacketKey, Envelope] = {
    MqttConnect: connect("gw-1"),
    MqttConnack: MqttConnack(),
    MqttPublish: MqttPublish("a/b", b"x", qos=1, packet_id=3),
    **{kind: MqttPublishAck(kind, 3) for kind in PublishAckKind},
    MqttSubscribe: MqttSubscribe((Subscription("a/b", 2),), packet_id=4),
    MqttSuback: MqttSuback(4, (0,)),
    MqttUnsubscribe: MqttUnsubscribe(("a/b",), packet_id=5),
    MqttUnsuback: MqttUnsuback(5),
    MqttPingreq: MqttPingreq(),
    MqttPingresp: MqttPingresp(),
    MqttDisconnect: MqttDisconnect(),
    MqttAuth: MqttAuth(),
    Undecodable: Undecodable(Flaw.MALFORMED, "QoS 3", b"\x36"),
}

END = ["1 closed"]

WHEN_WAITING: dict[PacketKey, list[str]] = {
    MqttConnect: ["1 CONNACK 0"],
    MqttConnack: END,
    MqttSuback: END,
    MqttUnsuback: END,
    MqttPingresp: END,
    MqttAuth: END,
    Undecodable: END,
}
"""All others end the connection too, or are held."""

WHEN_CONNECTED: dict[PacketKey, list[str]] = {
    MqttConnect: END,
    MqttConnack: END,
    MqttPublish: ["1 PUBACK"],
    PublishAckKind.PUBACK: [],
    PublishAckKind.PUBREC: ["1 PUBREL"],
    PublishAckKind.PUBREL: ["1 PUBCOMP"],
    PublishAckKind.PUBCOMP: [],
    MqttSubscribe: ["1 SUBACK 2"],
    MqttSuback: END,
    MqttUnsubscribe: ["1 UNSUBACK"],
    MqttUnsuback: END,
    MqttPingreq: ["1 PINGRESP"],
    MqttPingresp: END,
    MqttDisconnect: END,
    MqttAuth: END,
    Undecodable: END,
}

DIFFERENT: dict[tuple[str, PacketKey], list[str]] = {
    ("thingsboard", MqttConnect): ["1 CONNACK 0"],
    ("thingsboard", PublishAckKind.PUBREC): [],
    ("thingsboard", MqttSubscribe): ["1 SUBACK 1"],
    ("hono", PublishAckKind.PUBREC): [],
    ("hono", MqttSubscribe): ["1 SUBACK 1"],
}
"""Where a set of rules wants something else of a client that is connected."""

CODES_V5: dict[PacketKey, int] = {Undecodable: 0x81}
"""The codes of a DISCONNECT to an MQTT 5 client; all others are 0x82."""


def test_the_table_has_every_packet() -> None:
    assert set(TABLE) == set(PACKETS)


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("state", ConnectionState)
@pytest.mark.parametrize(
    "packet", [*PACKETS.values(), CoapRequest("GET", "coap://h", "/")], ids=lambda one: one.line[:12]
)
def test_no_cell_is_open(packet: Envelope, state: ConnectionState, rules: str) -> None:
    step = step_of(state, packet, RULE_SETS[rules])
    assert step is not Step.BY_RULE
    assert (step is Step.IGNORE) is (state is ENDED)


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("key", PACKETS, ids=str)
def test_what_comes_first(key: PacketKey, rules: str) -> None:
    talk = BrokerTalk(RULE_SETS[rules])
    talk.open(1)
    held = [] if RULE_SETS[rules].holds_early_packets else END
    assert talk.say(1, PACKETS[key]) == WHEN_WAITING.get(key, held)


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("key", PACKETS, ids=str)
def test_what_a_connected_client_says(key: PacketKey, rules: str) -> None:
    talk = BrokerTalk(RULE_SETS[rules])
    talk.join(1, "gw-1")
    assert talk.say(1, PACKETS[key]) == DIFFERENT.get((rules, key), WHEN_CONNECTED[key])


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("key", PACKETS, ids=str)
def test_what_an_mqtt_5_client_is_told(key: PacketKey, rules: str) -> None:
    """Whatever ends its connection is said in a DISCONNECT first, unless it has said DISCONNECT itself."""
    talk = BrokerTalk(RULE_SETS[rules])
    talk.join(1, "gw-1", version=MqttVersion.V5)
    said = talk.heard(1, PACKETS[key])
    if not any(isinstance(one, Close) for one in said):
        return
    codes = [one.envelope.code for one in said if isinstance(one, Send) and isinstance(one.envelope, MqttDisconnect)]
    assert codes == ([] if key is MqttDisconnect else [CODES_V5.get(key, 0x82)])


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("key", PACKETS, ids=str)
def test_nothing_is_said_to_who_has_left(key: PacketKey, rules: str) -> None:
    talk = BrokerTalk(RULE_SETS[rules])
    talk.join(1, "gw-1")
    talk.say(1, MqttDisconnect())
    assert talk.say(1, PACKETS[key]) == []


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("key", PACKETS, ids=str)
def test_every_end_by_the_server_has_a_reason(key: PacketKey, rules: str) -> None:
    talk = BrokerTalk(RULE_SETS[rules])
    talk.join(1, "gw-1")
    talk.told()
    if talk.say(1, PACKETS[key]) == END and key is not MqttDisconnect:
        (refused,) = [event for event in talk.events if event.kind == "refused"]
        assert refused.reason
        assert refused.device == "gw-1"
