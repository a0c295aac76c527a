"""The echo platform over the MQTT front, judged by paho-mqtt: MQTT 3.1, 3.1.1 and 5, in clear and over TLS."""

from __future__ import annotations

import queue
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.envelope import Close, Send
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttConnect, MqttPublish
from tests.conversation.echo_platform import PASSWORD, EchoPlatform
from tests.reference_server.fronts.mqtt.mqtt_bench import MqttBench, Scripted, mqtt_served
from tests.reference_server.fronts.peer import LIMIT_S

VERSIONS = list(MQTTProtocolVersion)
MQTT5 = MQTTProtocolVersion.MQTTv5


class PahoPeer:
    """paho in a thread of its own; what it is told lies in `told`: (name, what)."""

    def __init__(self, version: MQTTProtocolVersion, client_id: str = "gw-1", password: str = PASSWORD) -> None:
        self.told: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id, protocol=version, reconnect_on_failure=False)
        self.client.username_pw_set("user", password)
        self.client.on_connect = lambda c, u, flags, code, p: self.told.put(("connect", str(code)))
        self.client.on_disconnect = lambda c, u, flags, code, p: self.told.put(("disconnect", str(code)))
        self.client.on_subscribe = lambda c, u, mid, codes, p: self.told.put(
            ("subscribe", [one.value for one in codes])
        )
        self.client.on_publish = lambda c, u, mid, code, p: self.told.put(("publish", mid))
        self.client.on_message = lambda c, u, message: self.told.put(("message", message))

    def expect(self, name: str) -> Any:
        said = self.told.get(timeout=LIMIT_S)
        assert said[0] == name, said
        return said[1]


@contextmanager
def connected(peer: PahoPeer, port: int, ca: str | None = None) -> Iterator[PahoPeer]:
    if ca is not None:
        peer.client.tls_set(ca, tls_version=ssl.PROTOCOL_TLS_CLIENT)
    peer.client.connect("127.0.0.1", port)
    peer.client.loop_start()
    try:
        yield peer
    finally:
        peer.client.disconnect()
        peer.client.loop_stop()


@pytest.fixture(scope="module")
def echo() -> Iterator[MqttBench]:
    with mqtt_served(EchoPlatform(MemoryStore()), ("mqtt", "mqtts")) as bench:
        yield bench


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("listener", ["mqtt", "mqtts"])
def test_connect_subscribe_publish_and_an_echo(echo: MqttBench, version: MQTTProtocolVersion, listener: str) -> None:
    port = echo.server.addresses["echo"][listener].port
    with connected(PahoPeer(version), port, str(echo.server.ca) if listener == "mqtts" else None) as peer:
        assert peer.expect("connect") == "Success"
        peer.client.subscribe([("echo/#", SubscribeOptions(1)), ("b", SubscribeOptions(0))] if version is MQTT5
                              else [("echo/#", 1), ("b", 0)])  # fmt: skip
        assert peer.expect("subscribe") == [1, 0]
        mid = peer.client.publish("up", b"x" * 300, qos=1).mid
        assert peer.expect("publish") == mid
        message = peer.expect("message")
        assert (message.topic, message.payload, message.qos) == ("echo/up", b"x" * 300, 0)
        peer.client.disconnect()
        assert peer.expect("disconnect") in ("Success", "Normal disconnection")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_connack_that_refuses(version: MQTTProtocolVersion) -> None:
    refusal = MqttConnack(0x87 if version is MQTT5 else 5)
    with (
        mqtt_served(Scripted(lambda session, _: (Send(session.id, refusal), Close(session.id)))) as bench,
        connected(PahoPeer(version), bench.port) as peer,
    ):
        assert peer.expect("connect") == "Not authorized"


def test_properties_both_ways() -> None:
    def answers(session: Any, envelope: Any) -> Any:
        match envelope:
            case MqttConnect():
                granted = (("topic_alias_maximum", 3), ("server_keep_alive", 77), ("user_property", ("a", "b")))
                return (Send(session.id, MqttConnack(properties=granted)),)
            case MqttPublish():
                return (Send(session.id, envelope),)
            case _:
                return None

    def said() -> Properties:
        properties = Properties(PacketTypes.PUBLISH)
        properties.ContentType = "text/plain"
        properties.ResponseTopic = "answer/to"
        properties.CorrelationData = b"\x00\x01"
        properties.MessageExpiryInterval = 60
        properties.UserProperty = [("k", "1"), ("k", "2")]
        return properties

    with mqtt_served(Scripted(answers)) as bench:
        peer = PahoPeer(MQTT5)
        peer.client.on_connect = lambda c, u, flags, code, p: peer.told.put(("connect", p))
        with connected(peer, bench.port):
            granted = peer.expect("connect")
            assert (granted.TopicAliasMaximum, granted.ServerKeepAlive, granted.UserProperty) == (3, 77, [("a", "b")])
            peer.client.publish("t", b"x", properties=said())
            assert peer.expect("publish")
            message = peer.expect("message")
            assert message.properties.json() == said().json()
            aliased = Properties(PacketTypes.PUBLISH)
            aliased.TopicAlias = 2
            peer.client.publish("long/topic", b"1", properties=aliased)
            assert peer.expect("publish")
            assert (peer.expect("message")).topic == "long/topic"
            assert bench.platform.came[-1][1] == MqttPublish("long/topic", b"1")


def test_a_will_as_paho_writes_it() -> None:
    with mqtt_served(Scripted()) as bench:
        peer = PahoPeer(MQTT5)
        properties = Properties(PacketTypes.WILLMESSAGE)
        properties.WillDelayInterval = 5
        peer.client.will_set("gone", b"bye", 2, retain=True, properties=properties)
        with connected(peer, bench.port):
            peer.expect("connect")
        will = bench.platform.came[0][1].will
    assert (will.topic, will.payload, will.qos, will.retain) == ("gone", b"bye", 2, True)
    assert will.properties == (("will_delay_interval", 5),)
