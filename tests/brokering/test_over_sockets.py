"""The broker over real sockets, on the toy front: messages, wills and take-over as connections really end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from fleetrig.reference_server.mqtt_sessions.session_rules import SessionRules
from fleetrig.reference_server.reference import ReferenceServer
from fleetrig.reference_server.server_options import ANY_LOOPBACK_PORT, PlatformOptions, ServerOptions
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttDisconnect,
    MqttPublish,
    MqttSubscribe,
    MqttVersion,
    MqttWill,
    Subscription,
)
from tests.brokering.broker_platform import BrokerPlatform
from tests.brokering.broker_talk import connect
from tests.brokering.rule_sets import BROKER
from tests.conversation.peer import ToyPeer
from tests.conversation.toy_front import TOY_LISTENER_KINDS
from tests.reference_server.echo import port_of, running, traced


@contextmanager
def served(rules: SessionRules) -> Iterator[int]:
    def build(store: Store, blobs: Blobs, entropy: Entropy) -> BrokerPlatform:
        return BrokerPlatform(store, blobs, entropy, rules)

    with running() as bench:
        trace, _ = traced()
        options = ServerOptions((PlatformOptions("broker", build, {"toy": ANY_LOOPBACK_PORT}),))
        server = bench.run(ReferenceServer(options, trace, listener_kinds=TOY_LISTENER_KINDS))
        yield port_of(server, "toy", "broker")
        assert server.bugs == []


@pytest.fixture
def port() -> Iterator[int]:
    with served(BROKER) as port:
        yield port


def joined(port: int, client_id: str, **fields: object) -> ToyPeer:
    peer = ToyPeer(port)
    peer.say(connect(client_id, **fields))
    assert isinstance(peer.hear(), MqttConnack)
    return peer


def watcher(port: int) -> ToyPeer:
    peer = joined(port, "watcher")
    peer.say(MqttSubscribe((Subscription("#"),), packet_id=1))
    assert peer.hear().line == "SUBACK 0"
    return peer


def test_a_message_from_one_to_another(port: int) -> None:
    with watcher(port) as reader, joined(port, "writer") as writer:
        writer.say(MqttPublish("a/b", b"hello", qos=1, packet_id=4))
        assert writer.hear().line == "PUBACK"
        assert reader.hear() == MqttPublish("a/b", b"hello")


def test_the_will_of_who_is_gone(port: int) -> None:
    with watcher(port) as reader:
        with joined(port, "gw-1", will=MqttWill("lwt/gw-1", b"gone")):
            pass
        assert reader.hear() == MqttPublish("lwt/gw-1", b"gone")


def test_a_take_over(port: int) -> None:
    with joined(port, "gw-1", version=MqttVersion.V5) as first, joined(port, "gw-1"):
        assert first.hear() == MqttDisconnect(0x8E)
        with pytest.raises(EOFError):
            first.hear()


def test_who_says_nothing_and_who_falls_silent() -> None:
    """What is due happens without anybody's having asked."""
    with served(replace(BROKER, first_packet_s=0.05, keep_alive_factor=0.05)) as port:
        with ToyPeer(port) as silent, pytest.raises(EOFError):
            silent.hear()
        with joined(port, "gw-1", keep_alive_s=1) as fell_silent, pytest.raises(EOFError):
            fell_silent.hear()
