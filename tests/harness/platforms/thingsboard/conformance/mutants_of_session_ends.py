"""Mistakes in other topics, packets and the end of MQTT sessions (S61, S62, S64, S66, S67, S68, S88 to S90, S103)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetrig.reference_server.mqtt_limits import MqttLimits
from fleetrig.reference_server.mqtt_sessions.application import PublishAnswer
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.platforms.thingsboard import platform
from fleetrig.reference_server.platforms.thingsboard.mqtt import (
    device_messages,
    gateway_messages,
    interface,
)
from fleetrig.reference_server.platforms.thingsboard.mqtt.interface import MqttInterface
from fleetrig.reference_server.platforms.thingsboard.mqtt.provision_sessions import ProvisionSessions
from fleetrig.reference_server.platforms.thingsboard.mqtt.topics import PROVISION_REQUEST
from fleetrig.reference_server.platforms.thingsboard.state.records import Device
from fleetrig.simulator.contract.envelope import Close, Output, Send
from fleetrig.simulator.contract.mqtt import (
    MqttDisconnect,
    MqttPingresp,
)
from tests.harness.conformance.code_changes import Change, always, being, giving, instead, then
from tests.harness.platforms.thingsboard.conformance.mutants import (
    mqtt_never_sends,
    mutant,
    rules,
    sessions_get,
    with_traits,
)

BAD_TOPIC = MqttReason.TOPIC_NAME_INVALID


def put_off(original: Any, self: Any, session: Any, *more: Any) -> Any:
    session.has_answered = False
    return original(self, session, *more)


def wrong_topic(**changes: Any) -> Change:
    def changed(answer: Any) -> Any:
        return replace(answer, **changes) if answer.code == BAD_TOPIC and answer.ends else answer

    return (ProvisionSessions, "published", then(changed))


def slash_may_be_missing(original: Any, self: Any, client: Any, publish: Any, now_us: int) -> Any:
    is_meant = publish.topic == PROVISION_REQUEST.removeprefix("/")
    return original(self, client, replace(publish, topic=PROVISION_REQUEST) if is_meant else publish, now_us)


def anybody_provisions(original: Any, self: Any, client: Any, publish: Any, now_us: int) -> Any:
    if publish.topic == PROVISION_REQUEST and self._live.get(client.session) is not None:
        self._provisioning.begin(client.session)
        answer = self._provisioning.published(client, publish, now_us)
        self._provisioning.end(client.session)
        return answer
    return original(self, client, publish, now_us)


def says_why(outputs: list[Output]) -> list[Output]:
    """A DISCONNECT before each close."""
    said: list[Output] = []
    for output in outputs:
        said += [Send(output.session, MqttDisconnect(0x98)), output] if isinstance(output, Close) else [output]
    return said


def early_packets_served(original: Any, self: Any, session: Any, connect: Any, now_us: int) -> Any:
    """What came before the CONNECT is taken for what came after it."""
    self._connecting = None
    return self._sessions.receive(session, replace(connect, properties=()), now_us)


MUTANTS = (
    # other topics
    mutant(
        "another topic does not end the session", "S61 S62 S92", wrong_topic(ends=False), spares="S52 S66", silence=True
    ),
    mutant("another topic is not acknowledged", "S61 S62 S92", wrong_topic(is_acknowledged=False), spares="S52 S66"),
    mutant(
        "another topic has another code",
        "S61 S62",
        wrong_topic(code=MqttReason.IMPLEMENTATION_SPECIFIC_ERROR),
        spares="S52 S66 S92",
    ),
    mutant(
        "the slash of the topic may be missing",
        "S62",
        (ProvisionSessions, "published", instead(slash_may_be_missing)),
        spares="S61",
    ),
    mutant(
        "sessions of devices provision",
        "S66",
        (MqttInterface, "published", instead(anybody_provisions)),
        spares="S61 S103",
    ),
    mutant(
        "an unknown topic ends the session of a device",
        "S66",
        (device_messages, "unknown_topic", then(lambda answer: replace(answer, ends=True))),
        spares="S61 S103",
    ),
    mutant(
        "an unknown topic has no code",
        "S66",
        (device_messages, "unknown_topic", then(lambda answer: replace(answer, code=0))),
        spares="S61 S62",
    ),
    mutant(
        "an unknown topic is not acknowledged",
        "S66",
        (device_messages, "unknown_topic", then(lambda answer: replace(answer, is_acknowledged=False))),
        spares="S61 S62",
        silence=True,
    ),
    mutant(
        "who is no gateway is acknowledged", "S103", (interface, "SWALLOWED", being(PublishAnswer())), spares="S29 S66"
    ),
    mutant(
        "who is no gateway is closed",
        "S103",
        (interface, "SWALLOWED", being(PublishAnswer(is_acknowledged=False, ends=True))),
        spares="S29 S66",
    ),
    mutant("everybody is a gateway", "S103", (Device, "is_gateway", always(True)), spares="S29 S66"),
    mutant(
        "gateways are not acknowledged",
        "S29",
        (gateway_messages.GatewayMessages, "published", giving(PublishAnswer(is_acknowledged=False))),
        spares="S103",
        silence=True,
    ),
    # packets and time
    mutant(
        "long packets are taken",
        "S67",
        (platform, "mqtt_limits", giving(MqttLimits(packet_bytes=200_000))),
        spares="S68",
    ),
    mutant(
        "pings are not answered", "S68 S59 S65 S89", *mqtt_never_sends(MqttPingresp), spares="S52 S60", silence=True
    ),
    mutant("a session ends early", "S64 S88", with_traits(closes_after_reply_s=50), spares="S63 S89"),
    mutant("a session ends late", "S64 S88", with_traits(closes_after_reply_s=70), spares="S63 S89", silence=True),
    mutant("a session does not end", "S64 S88", with_traits(closes_after_reply_s=None), spares="S63 S89", silence=True),
    mutant("a session is told of its end", "S64", *sessions_get(says_why, names="advance"), spares="S63 S89"),
    mutant(
        "a second request puts the end off",
        "S88",
        (ProvisionSessions, "_answer", instead(put_off)),
        spares="S63 S64",
        silence=True,
    ),
    mutant(
        "silence ends a session",
        "S89",
        rules(keep_alive_factor=1.5),
        (MqttInterface, "next_due_us", being(lambda self: self._sessions.next_due_us())),
        (MqttInterface, "advance", being(lambda self, now_us: list(self._sessions.advance(now_us)))),
        spares="S63 S68",
    ),
    mutant("a PUBLISH before CONNECT ends the connection", "S90", rules(holds_early_packets=False), spares="S52"),
    mutant(
        "a PUBLISH before CONNECT counts later",
        "S90",
        (MqttInterface, "_connect", instead(early_packets_served)),
        spares="S52",
    ),
)
