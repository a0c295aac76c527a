"""The broker over the MQTT front, judged by paho-mqtt: what a client library makes of what the rules say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fleetrig.reference_server.stores.memory import MemoryStore
from tests.brokering.broker_platform import PASSWORD, USER, BrokerPlatform
from tests.brokering.rule_sets import BROKER
from tests.reference_server.fronts.mqtt.mqtt_bench import MqttBench, mqtt_served
from tests.reference_server.fronts.mqtt.test_judged_by_paho import PahoPeer, connected

MQTT5, MQTT311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
VERSIONS = list(MQTTProtocolVersion)


@pytest.fixture
def broker() -> Iterator[MqttBench]:
    rules = replace(BROKER, server_keep_alive_s=30)
    with mqtt_served(BrokerPlatform(MemoryStore(), rules=rules)) as bench:
        yield bench


def paho(version: MQTTProtocolVersion, client_id: str, password: str = PASSWORD) -> PahoPeer:
    """Its CONNACK lies in `told` with its flags and properties."""
    peer = PahoPeer(version, client_id, password)
    peer.client.username_pw_set(USER, password)
    peer.client.on_connect = lambda c, u, flags, code, properties: peer.told.put(
        ("connect", (str(code), flags.session_present, properties))
    )
    return peer


def collected(peer: PahoPeer, count: int) -> list[Any]:
    """The next messages; what else it is told meanwhile is left out."""
    found: list[Any] = []
    while len(found) < count:
        name, what = peer.told.get(timeout=20)
        found += [what] if name == "message" else []
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_thirty_messages_exactly_once(broker: MqttBench, version: MQTTProtocolVersion) -> None:
    """More than are on the way at a time."""
    with (
        connected(paho(version, "reader"), broker.port) as reader,
        connected(paho(version, "writer"), broker.port) as writer,
    ):
        reader.expect("connect")
        reader.client.subscribe("a/#", 2)
        assert reader.expect("subscribe") == [2]
        for number in range(30):
            writer.client.publish("a/b", f"{number}", qos=2)
        messages = collected(reader, 30)
        assert [int(one.payload) for one in messages] == list(range(30))
        assert {one.qos for one in messages} == {2}


def test_an_mqtt_5_client_reads_what_it_is_told(broker: MqttBench) -> None:
    with connected(paho(MQTT5, ""), broker.port) as peer:
        code, present, told = peer.expect("connect")
        assert (code, present) == ("Success", False)
        assert (told.AssignedClientIdentifier, told.ServerKeepAlive, told.ReceiveMaximum) == ("auto-1", 30, 100)
        assert (told.SharedSubscriptionAvailable, told.SubscriptionIdentifierAvailable) == (0, 0)
    with connected(paho(MQTT5, "gw-1", "wrong"), broker.port) as peer:
        code, _, told = peer.expect("connect")
        assert (code, told.ReasonString) == ("Bad user name or password", "user name or password differ")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_earlier_of_two_is_told(broker: MqttBench, version: MQTTProtocolVersion) -> None:
    with connected(paho(version, "gw-1"), broker.port) as first:
        first.expect("connect")
        with connected(paho(version, "gw-1"), broker.port) as second:
            assert second.expect("connect")[0] == "Success"
            assert first.expect("disconnect") == ("Session taken over" if version is MQTT5 else "Unspecified error")


def test_a_session_goes_on(broker: MqttBench) -> None:
    def joined(session_expiry_s: int) -> Properties:
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = session_expiry_s
        return properties

    def present() -> bool:
        peer = paho(MQTT5, "gw-1")
        peer.client.connect("127.0.0.1", broker.port, clean_start=False, properties=joined(600))
        peer.client.loop_start()
        found = peer.expect("connect")[1]
        peer.client.disconnect()
        peer.client.loop_stop()
        return bool(found)

    assert [present(), present()] == [False, True]
    with connected(paho(MQTT5, "gw-1"), broker.port) as clean:
        assert clean.expect("connect")[1] is False


def test_the_will_of_who_is_taken_over(broker: MqttBench) -> None:
    with connected(paho(MQTT311, "watcher"), broker.port) as watcher:
        watcher.expect("connect")
        watcher.client.subscribe("lwt/#")
        watcher.expect("subscribe")
        gateway = paho(MQTT5, "gw-1")
        gateway.client.will_set("lwt/gw-1", b"gone", 1)
        with connected(gateway, broker.port):
            gateway.expect("connect")
            with connected(paho(MQTT5, "gw-1"), broker.port):
                (will,) = collected(watcher, 1)
                assert (will.topic, will.payload, will.retain) == ("lwt/gw-1", b"gone", False)
