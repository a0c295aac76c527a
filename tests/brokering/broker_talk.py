"""A server over the broker without sockets: what is said to it, and what it says, in lines."""

from __future__ import annotations

from typing import Any

from fleetrig.reference_server.mqtt_sessions.session_rules import SessionRules
from fleetrig.simulator.contract.envelope import Envelope, Output, Send
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    MqttVersion,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.contract.session import Session
from tests.brokering.broker_platform import PASSWORD, USER, BrokerPlatform
from tests.brokering.rule_sets import BROKER
from tests.conversation.talk import Talk

V5 = MqttVersion.V5
V31 = MqttVersion.V31


def connect(client_id: str, **fields: Any) -> MqttConnect:
    return MqttConnect(client_id, **{"user_name": USER, "password": PASSWORD.encode(), "keep_alive_s": 0, **fields})


class BrokerTalk(Talk):
    """`join` opens a session and logs in; lines as `Talk` gives them: `1 CONNACK 0`, `1 closed`."""

    def __init__(self, rules: SessionRules = BROKER) -> None:
        super().__init__()
        self.broker = BrokerPlatform(self.store, rules=rules)
        self.serve(self.broker)

    def join(self, session: int, client_id: str, **fields: Any) -> list[str]:
        return self.open(session) + self.say(session, connect(client_id, **fields))

    def rejoined(self, session: int, client_id: str, **fields: Any) -> list[Output]:
        """As `join`, in envelopes."""
        self.open(session)
        return self.heard(session, connect(client_id, **fields))

    def connack(self, session: int, client_id: str, **fields: Any) -> MqttConnack:
        """The first packet that answers a CONNECT."""
        first = sent(self.rejoined(session, client_id, **fields), session)[0]
        assert isinstance(first, MqttConnack)
        return first

    def wants(self, session: int, topic_filter: str, qos: int = 0, **fields: Any) -> list[str]:
        return self.say(session, MqttSubscribe((Subscription(topic_filter, qos, **fields),), packet_id=1))

    def publish(self, session: int, topic: str, payload: bytes = b"x", qos: int = 0, **fields: Any) -> list[Output]:
        number = 7 if qos else 0
        return self.heard(session, MqttPublish(topic, payload, qos, **{"packet_id": number, **fields}))

    def ack(self, session: int, kind: PublishAckKind, packet_id: int, code: int = 0) -> list[str]:
        return self.say(session, MqttPublishAck(kind, packet_id, code))

    def gone(self, session: int) -> list[Output]:
        return list(self.server.closed(Session(id=session, listener="toy"), self.now_us))


def sent(outputs: list[Output], session: int | None = None) -> list[Envelope]:
    """What goes out, to one session or to all."""
    return [one.envelope for one in outputs if isinstance(one, Send) and session in (None, one.session)]


def published(outputs: list[Output], session: int | None = None) -> list[MqttPublish]:
    return [envelope for envelope in sent(outputs, session) if isinstance(envelope, MqttPublish)]
