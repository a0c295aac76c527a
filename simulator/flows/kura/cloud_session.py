"""A gateway that is connected: it publishes what waits in its store, answers requests, measures, and stays alive.

    gateway                                         broker
      | -- PUBLISH $EDC/…/MQTT/BIRTH, QoS 1 ---------> |
      | -- SUBSCRIBE $EDC/account/client-id/# -------> |   only then: a request in between is lost
      | -- PUBLISH account/client-id/app/… ----------> |   at most nine without PUBACK
      | <- PUBLISH $EDC/account/client-id/app/GET/… -- |
      | -- PUBLISH $EDC/account/requester/app/REPLY/…  |

One loop does it all: send what may be sent, do what is due, wait for what comes first.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.mqtt import (
    MqttDisconnect,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.effects import Disconnect, Effect, NoReply, Outcome, Reply, acknowledge, ask
from fleetrig.simulator.flows.kura import codec
from fleetrig.simulator.flows.kura.birth import say_birth
from fleetrig.simulator.flows.kura.dispatcher import dispatch
from fleetrig.simulator.flows.kura.life import GatewayLife
from fleetrig.simulator.flows.kura.naming import can_be_sent, is_publishable, substituted
from fleetrig.simulator.flows.kura.payload import KuraPayload, measured
from fleetrig.simulator.flows.kura.store import LIFECYCLE, StoredMessage
from fleetrig.simulator.flows.kura.transport import leave

ANYTHING: Final = ("*",)
BIRTH_ACKNOWLEDGED: Final = "birth"
LOST, LEFT = "lost", "left"


@dataclass(slots=True)
class CloudSession:
    """One connection to the target."""

    life: GatewayLife
    said_s: float
    """When anything was sent last: a gateway that says nothing pings."""
    pong_due_s: float | None = None
    permit_s: float | None = None
    """When the rate limit lets the first message go; None when it does not hold it up."""
    congested_s: float | None = None
    """Since when the first message waits for acknowledgements."""
    lost: str = ""
    """Why there is no connection any more."""
    is_born: bool = False
    """BIRTH is acknowledged: the target has this gateway."""

    # Publishing

    def say(self, name: str, envelope: Envelope) -> Generator[Effect, Outcome, bool]:
        is_out = yield from self.life.say(name, envelope)
        self.said_s = self.life.now_s
        if not is_out:
            self.lost = "closed"
        return is_out

    def publish_what_may_go(self, *, only_lifecycle: bool = False) -> Generator[Effect, Outcome, None]:
        """The first of the store, again and again, until one has to wait."""
        store, self.permit_s = self.life.store, None
        while not self.lost and (message := store.first()) is not None:
            if only_lifecycle and message.priority > LIFECYCLE:
                return
            topic = substituted(message.topic, self.life.tokens)
            if not is_publishable(topic):
                if self.life.has_quirk("poisoned-queue"):
                    return
                store.drop(message)
                continue
            if not store.takes_permit(message, self.life.now_s):
                self.permit_s = store.permit_at_s()
                return
            yield from self._publish(message, topic)

    def _publish(self, message: StoredMessage, topic: str) -> Generator[Effect, Outcome, None]:
        packet_id = self.life.store.published(message)
        publish = MqttPublish(topic, message.payload, message.qos, packet_id=packet_id)
        if message.qos == 0 or not self.life.settings.asks_for_acknowledgement:
            yield from self.say(message.name, publish)
            return
        answer = yield from ask(message.name, publish, self.life.transport.timeout_s)
        self.life.now_s += answer.after_s
        self.said_s = self.life.now_s
        if isinstance(answer, Reply):
            self._acknowledged(answer.envelope)
        elif answer.why != "timeout":
            self.lost = answer.why

    def _acknowledged(self, ack: MqttPublishAck) -> None:
        if ack.kind is PublishAckKind.PUBACK:
            message = self.life.store.acknowledged(ack.packet_id)
            self.is_born = self.is_born or (message is not None and message.name == BIRTH_ACKNOWLEDGED)

    def subscribe(self) -> Generator[Effect, Outcome, None]:
        """Without an answer, or refused, it goes on: it hears nothing then."""
        life = self.life
        if not life.cloud.default_subscriptions:
            return
        topic = substituted(f"{life.cloud.control_prefix}/#account-name/#client-id", life.tokens)
        if not can_be_sent(f"{topic}/#"):
            return
        wanted = MqttSubscribe((Subscription(f"{topic}/#", 1),), life.store.next_packet_id())
        answer = yield from ask("subscribe", wanted, life.transport.timeout_s)
        life.now_s += answer.after_s
        self.said_s = life.now_s
        if isinstance(answer, NoReply) and answer.why != "timeout":
            self.lost = answer.why

    # What comes

    def heard(self, envelope: Envelope) -> Generator[Effect, Outcome, None]:
        match envelope:
            case MqttPublish():
                yield from acknowledge(envelope)
                if envelope.qos:
                    self.said_s = self.life.now_s
                yield from dispatch(self.life, envelope, must_be_signed=self.life.must_be_signed)
            case MqttPublishAck():
                self._acknowledged(envelope)
            case MqttPingresp():
                self.pong_due_s = None
            case MqttDisconnect():
                self.lost = envelope.line
            case _:
                pass

    # What is due

    def next_due_s(self) -> float:
        life = self.life
        dues = [life.next_due_s(), next_telemetry_s(life)]
        if life.transport.keep_alive_s:
            dues.append(self.said_s + life.transport.keep_alive_s if self.pong_due_s is None else self.pong_due_s)
        if self.permit_s is not None:
            dues.append(self.permit_s)
        if self.congested_s is not None and life.data.congestion_timeout_s:
            dues.append(self.congested_s + life.data.congestion_timeout_s)
        return min(dues)

    def do_what_is_due(self) -> Generator[Effect, Outcome, None]:
        life = self.life
        yield from life.do_what_is_due()
        if life.is_due(next_telemetry_s(life)):
            yield from self.measure()
        self._watch_congestion()
        keep_alive_s = life.transport.keep_alive_s
        if self.pong_due_s is not None and life.is_due(self.pong_due_s):
            self.lost = "no answer to a ping"
        elif keep_alive_s and self.pong_due_s is None and life.is_due(self.said_s + keep_alive_s):
            self.pong_due_s = life.now_s + keep_alive_s
            yield from self.say("ping", MqttPingreq())

    def _watch_congestion(self) -> None:
        """If that is wanted, a gateway whose messages are not acknowledged for long leaves, and comes back."""
        life = self.life
        if not life.store.is_congested:
            self.congested_s = None
        elif self.congested_s is None:
            self.congested_s = life.now_s
        elif life.data.congestion_timeout_s and life.is_due(self.congested_s + life.data.congestion_timeout_s):
            life.reloads = True

    def measure(self) -> Generator[Effect, Outcome, None]:
        """One message of an application, and when the next is due: the rhythm is kept whatever else is done."""
        life, settings = self.life, self.life.settings
        assert settings.telemetry_interval_s is not None
        at_ms = yield from life.clock_ms()
        payload = KuraPayload(at_ms, metrics=measured(settings.telemetry))
        data = codec.to_wire(payload, encoding=life.cloud.payload_encoding, gzips=life.cloud.encode_gzip)
        topic = f"#account-name/#client-id/{settings.telemetry_app}/{settings.telemetry_topic}"
        life.store.put("telemetry", topic, data, qos=settings.telemetry_qos, priority=settings.telemetry_priority)
        life.messages += 1
        due_s = life.next_telemetry_s + settings.telemetry_interval_s
        life.next_telemetry_s = due_s if due_s > life.now_s else life.now_s + settings.telemetry_interval_s

    @property
    def is_at_rest(self) -> bool:
        """Nothing is expected: it only waits for its next measurement."""
        return not self.life.store.in_flight and self.pong_due_s is None

    @property
    def has_nothing_more_to_do(self) -> bool:
        life = self.life
        is_empty = not life.store.waiting and not life.store.in_flight
        return life.is_done and is_empty and not life.agenda and not life.changes and self.is_born


def cloud_session(life: GatewayLife) -> Generator[Effect, Outcome, CloudSession]:
    """From its CONNACK to its subscription."""
    session = CloudSession(life, life.now_s)
    life.store.begin_session()
    yield from say_birth(life)
    yield from session.publish_what_may_go(only_lifecycle=True)
    yield from session.subscribe()
    return session


def next_telemetry_s(life: GatewayLife) -> float:
    return math.inf if life.settings.telemetry_interval_s is None or life.is_done else life.next_telemetry_s


def go_on(session: CloudSession) -> Generator[Effect, Outcome, None]:
    """One turn of the loop: what may go, what is due, what comes."""
    life = session.life
    yield from session.publish_what_may_go()
    yield from session.do_what_is_due()
    yield from session.publish_what_may_go()
    if session.lost or is_to_leave(life) or session.has_nothing_more_to_do:
        return
    name = "idle" if session.is_at_rest else "listen"
    due_s = session.next_due_s()
    came = yield from life.listen(name, ANYTHING, due_s - life.now_s, next_telemetry_s(life) - due_s)
    match came:
        case Reply(envelope):
            yield from session.heard(envelope)
        case NoReply(why) if why != "timeout":
            session.lost = why


def is_to_leave(life: GatewayLife) -> bool:
    """Something is wanted for which this connection has to go."""
    return life.reloads or life.is_to_reboot or life.is_to_provision or life.is_switched_off


def end(session: CloudSession) -> Generator[Effect, Outcome, None]:
    if session.lost:
        yield Disconnect()
    else:
        yield from leave(session.life)
