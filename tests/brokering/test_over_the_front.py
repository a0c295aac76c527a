"""The rules over the real front, byte for byte: topic aliases, and what was recorded of ThingsBoard in bytes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from fleetrig.reference_server.mqtt_sessions.session_rules import SessionRules
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttPublish, MqttSubscribe, Subscription
from tests.brokering.broker_platform import BrokerPlatform
from tests.brokering.broker_talk import V5, V31, connect
from tests.brokering.rule_sets import BROKER, THINGSBOARD_LIKE
from tests.reference_server.fronts.mqtt.mqtt_bench import MqttBench, mqtt_served
from tests.reference_server.mqtt_codec.client_wire import to_server

PUBLISH_A = bytes.fromhex("3006000161313233")
"""As recorded (S90/noconnect): topic `a`, before any CONNECT."""


@contextmanager
def served(rules: SessionRules) -> Iterator[MqttBench]:
    with mqtt_served(BrokerPlatform(MemoryStore(), rules=rules)) as bench:
        yield bench


def heard(bench: MqttBench, sent: bytes, count: int | None = None) -> bytes:
    """The first `count` bytes that come back, and without it all until the end."""
    with socket.create_connection(("127.0.0.1", bench.port), timeout=20) as sock:
        sock.sendall(sent)
        data = b""
        while count is None or len(data) < count:
            if not (more := sock.recv(4_096)):
                break
            data += more
        return data


def test_a_topic_is_named_once() -> None:
    with served(replace(BROKER, topic_aliases=2)) as bench, bench.peer(V5) as peer:
        peer.say(connect("gw-1", version=V5), MqttSubscribe((Subscription("a/#"),), 1))
        connack = peer.hear()
        assert isinstance(connack, MqttConnack)
        assert dict(connack.properties)["topic_alias_maximum"] == 2
        assert peer.hear().line == "SUBACK 0"
        peer.say(MqttPublish("a/b", b"1", properties=(("topic_alias", 2),)))
        peer.say(MqttPublish("", b"2", properties=(("topic_alias", 2),)))
        assert [peer.hear(), peer.hear()] == [MqttPublish("a/b", b"1"), MqttPublish("a/b", b"2")]
        peer.say(MqttPublish("a/b", b"3", properties=(("topic_alias", 3),)))
        assert peer.hear().line == "DISCONNECT 148"


@pytest.mark.parametrize(
    ("sent", "comes"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b""),  # M05/garbage
        (to_server(connect("", version=V31)), b""),  # 1.4: closed without a CONNACK
        (to_server(connect("gw-1", password=b"wrong")), b"\x20\x02\x00\x05"),  # 3.1
    ],
)
def test_what_thingsboard_closes_upon(sent: bytes, comes: bytes) -> None:
    with served(THINGSBOARD_LIKE) as bench:
        assert heard(bench, sent) == comes


@pytest.mark.parametrize("clean", [True, False])
def test_what_thingsboard_keeps_waiting_and_how_it_welcomes(clean: bool) -> None:
    """S90: nothing answers the PUBLISH, and the CONNACK comes first; S91: its flag is the inverse of clean session."""
    with served(THINGSBOARD_LIKE) as bench:
        welcome = bytes([0x20, 2, not clean, 0])
        assert heard(bench, PUBLISH_A + to_server(connect("gw-1", clean_start=clean)), 4) == welcome
