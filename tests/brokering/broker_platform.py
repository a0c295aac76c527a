"""A broker: users with passwords, messages between clients, and whatever its rules say of their sessions.

CONNECT user, password    0x86 for a wrong password; device and client id are one
SUBSCRIBE                 every filter but `private/#` and below, which is 0x87
PUBLISH                   to all who have subscribed; `private/…` is 0x87; `private/close` ends the connection too
"""

from __future__ import annotations

from collections.abc import Sequence

from fleetrig.reference_server.mqtt_sessions.application import LogIn, PublishAnswer, SessionEnd
from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.mqtt_sessions.session_rules import SessionRules
from fleetrig.reference_server.mqtt_sessions.sessions import MqttSessions
from fleetrig.reference_server.platform import Reaction
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.envelope import Envelope, Output
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPublish, Subscription
from fleetrig.simulator.contract.session import Session
from tests.brokering.rule_sets import BROKER

USER = "user"
PASSWORD = "open sesame"
PRIVATE = "private"


class BrokerPlatform:
    """A `SessionPlatform`, and the `MqttApplication` of its own sessions."""

    name = "broker"

    def __init__(
        self, store: Store, blobs: Blobs | None = None, entropy: Entropy | None = None, rules: SessionRules = BROKER
    ) -> None:
        self._named = 0
        self.sessions = MqttSessions(rules, self, self._new_client_id)
        self.ends: list[tuple[str, SessionEnd]] = []

    def _new_client_id(self) -> str:
        self._named += 1
        return f"auto-{self._named}"

    # SessionPlatform

    def opened(self, session: Session, now_us: int) -> Reaction:
        return self.sessions.opened(session, now_us)

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        return self.sessions.receive(session, envelope, now_us)

    def closed(self, session: Session, now_us: int) -> Reaction:
        return self.sessions.closed(session, now_us)

    def next_due_us(self) -> int | None:
        return self.sessions.next_due_us()

    def advance(self, now_us: int) -> Sequence[Reaction]:
        return self.sessions.advance(now_us)

    def secrets(self) -> list[tuple[str, str]]:
        return [("password", PASSWORD)]

    # MqttApplication

    def log_in(self, connect: MqttConnect, session: Session, now_us: int) -> LogIn:
        if (connect.user_name, connect.password) != (USER, PASSWORD.encode()):
            code = MqttReason.BAD_USER_NAME_OR_PASSWORD
            return LogIn(code, connect.client_id, reason="user name or password differ")
        return LogIn(device=connect.client_id)

    def grant(self, client: ClientState, wanted: Subscription, now_us: int) -> int:
        return MqttReason.NOT_AUTHORIZED if wanted.topic_filter.startswith(PRIVATE) else wanted.qos

    def subscribed(self, client: ClientState, topic_filters: Sequence[str], now_us: int) -> Sequence[Output]:
        return ()

    def unsubscribed(self, client: ClientState, topic_filters: Sequence[str], now_us: int) -> Sequence[Output]:
        return ()

    def published(self, client: ClientState, publish: MqttPublish, now_us: int) -> PublishAnswer:
        if publish.topic.startswith(PRIVATE):
            ends = publish.topic == f"{PRIVATE}/close"
            return PublishAnswer(MqttReason.NOT_AUTHORIZED, ends=ends, reason="nobody may publish to it")
        return self.sessions.route(publish, now_us, client)

    def ended(self, client: ClientState, end: SessionEnd, now_us: int) -> Sequence[Output]:
        self.ends.append((client.client_id, end))
        return ()
