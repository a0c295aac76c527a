"""The broker over the MQTT front, judged by mosquitto's clients: QoS 2, wills, retained messages, kept sessions."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.mqtt import MqttSuback
from tests.brokering.broker_platform import PASSWORD, USER, BrokerPlatform
from tests.peers.programs import need_program
from tests.reference_server.echo import until
from tests.reference_server.fronts.mqtt.mqtt_bench import MqttBench, mqtt_served
from tests.reference_server.fronts.mqtt.test_judged_by_paho import PahoPeer, connected
from tests.reference_server.fronts.peer import LIMIT_S

pytestmark = pytest.mark.peer

VERSIONS = ("31", "311", "5")


@pytest.fixture
def broker() -> Iterator[MqttBench]:
    with mqtt_served(BrokerPlatform(MemoryStore())) as bench:
        yield bench


def command(name: str, broker: MqttBench, *arguments: str, password: str = PASSWORD) -> list[str]:
    program = need_program(name, "mosquitto-clients")
    return [program, "-h", "127.0.0.1", "-p", str(broker.port), "-u", USER, "-P", password, *arguments]


def run(name: str, broker: MqttBench, *arguments: str, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    words = command(name, broker, *arguments, password=password)
    return subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False)


def publish(broker: MqttBench, *arguments: str) -> None:
    done = run("mosquitto_pub", broker, *arguments)
    assert done.returncode == 0, done.stderr


@contextmanager
def subscriber(broker: MqttBench, topic_filter: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Has subscribed when it is given; is killed at the end if it still runs."""
    before = len(broker.events)

    def has_subscribed() -> bool:
        new = [event.envelope for event in broker.events[before:]]
        return any(isinstance(envelope, MqttSuback) for envelope in new)

    words = command("mosquitto_sub", broker, "-t", topic_filter, *arguments)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            until(has_subscribed)
            yield running
        finally:
            running.kill()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos", ["0", "1", "2"])
def test_from_one_to_another(broker: MqttBench, version: str, qos: str) -> None:
    with subscriber(broker, "a/+/c", "-V", version, "-q", qos, "-C", "1", "-F", "%t %q %p") as heard:
        publish(broker, "-V", version, "-q", qos, "-t", "a/b/c", "-m", "hello")
        assert heard.communicate(timeout=LIMIT_S)[0].split() == ["a/b/c", qos, "hello"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_will_of_a_client_that_is_killed(broker: MqttBench, version: str) -> None:
    will = ["--will-topic", "lwt/gw-1", "--will-payload", "gone", "--will-qos", "1"]
    with (
        subscriber(broker, "lwt/#", "-i", "watcher", "-C", "1", "-q", "1", "-v") as watcher,
        subscriber(broker, "commands", "-V", version, "-i", "gw-1", *will) as gateway,
    ):
        gateway.kill()
        assert watcher.communicate(timeout=LIMIT_S)[0].split() == ["lwt/gw-1", "gone"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_retained_message(broker: MqttBench, version: str) -> None:
    publish(broker, "-V", version, "-t", "state/gw-1", "-m", "on", "-r", "-q", "1")
    heard = run("mosquitto_sub", broker, "-V", version, "-t", "state/#", "-C", "1", "-F", "%r %p")
    assert heard.stdout.split() == ["1", "on"]
    publish(broker, "-V", version, "-t", "state/gw-1", "-n", "-r")
    with subscriber(broker, "state/#", "-V", version, "-C", "1", "-F", "%r %p") as later:
        publish(broker, "-t", "state/gw-1", "-m", "new")
        assert later.communicate(timeout=LIMIT_S)[0].split() == ["0", "new"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos", ["1", "2"])
def test_a_session_that_is_kept(broker: MqttBench, version: str, qos: str) -> None:
    session = ["-V", version, "-c", "-i", "gw-1", "-t", "jobs/#", "-q", qos]
    session += ["-x", "600"] if version == "5" else []
    assert run("mosquitto_sub", broker, *session, "-E").returncode == 0
    for number in range(3):
        publish(broker, "-q", qos, "-t", f"jobs/{number}", "-m", f"job {number}")
    heard = run("mosquitto_sub", broker, *session, "-C", "3", "-W", "10")
    assert heard.stdout.splitlines() == ["job 0", "job 1", "job 2"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_wrong_password_is_told(broker: MqttBench, version: str) -> None:
    done = run("mosquitto_pub", broker, "-V", version, "-t", "a", "-m", "x", password="wrong")
    assert done.returncode != 0
    assert "bad user" in done.stderr.lower(), done.stderr


@pytest.mark.parametrize("version", VERSIONS)
def test_a_filter_that_is_refused(broker: MqttBench, version: str) -> None:
    done = run("mosquitto_sub", broker, "-V", version, "-t", "private/#", "-W", "5")
    assert "all subscription requests were denied" in done.stderr.lower(), done.stderr


def test_a_request_and_its_response(broker: MqttBench) -> None:
    """MQTT 5 §4.10: topic and correlation data go to the responder and back, through the broker."""
    responder = PahoPeer(MQTTProtocolVersion.MQTTv5, "responder")
    responder.client.username_pw_set(USER, PASSWORD)

    def respond(client: Client, _: object, request: MQTTMessage) -> None:
        asked: Any = request.properties
        properties = Properties(PacketTypes.PUBLISH)
        properties.CorrelationData = asked.CorrelationData
        client.publish(asked.ResponseTopic, request.payload.upper(), properties=properties)

    responder.client.on_message = respond
    with connected(responder, broker.port):
        responder.expect("connect")
        responder.client.subscribe("ask/#")
        responder.expect("subscribe")
        words = [
            "-V",
            "5",
            "-t",
            "ask/gw-1",
            "-e",
            "answers/7",
            "-m",
            "hello",
            "-D",
            "PUBLISH",
            "correlation-data",
            "9",
        ]
        done = run("mosquitto_rr", broker, *words, "-F", "%D %p")
        assert done.stdout.split() == ["9", "HELLO"], done.stderr
