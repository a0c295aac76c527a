"""Messages, acknowledgements and subscriptions of clients that are connected, by the rules and the platform's word."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fleetrig.reference_server.mqtt_codec.encoder import encode
from fleetrig.reference_server.mqtt_sessions.application import MqttApplication, PublishAnswer
from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.message_expiry import TimedMessage, timed
from fleetrig.reference_server.mqtt_sessions.reaction_draft import ReactionDraft
from fleetrig.reference_server.mqtt_sessions.reason_codes import REFUSED, MqttReason
from fleetrig.reference_server.mqtt_sessions.retained import RetainedMessages
from fleetrig.reference_server.mqtt_sessions.session_rules import SessionRules
from fleetrig.reference_server.mqtt_sessions.subscription_tree import SubscriptionTree
from fleetrig.reference_server.mqtt_sessions.topic_filters import filter_flaw, is_shared, levels_of, topic_flaw
from fleetrig.reference_server.mqtt_sessions.violation import Violation
from fleetrig.simulator.contract.envelope import Output, Send
from fleetrig.simulator.contract.mqtt import (
    MqttPacket,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    MqttVersion,
    Properties,
    PublishAckKind,
    Subscription,
)

LEVEL_BYTES: Final = 300
"""What a level of a topic filter takes in the tree, about."""

OF_ONE_HOP: Final = frozenset({"topic_alias", "subscription_identifier"})
"""Properties of a PUBLISH that mean something to its sender's connection only."""


class MessageFlow:
    def __init__(self, rules: SessionRules, application: MqttApplication) -> None:
        self._rules = rules
        self._application = application
        self._subscriptions = SubscriptionTree[ClientState, Subscription]()
        self._retained = RetainedMessages(rules.limits)

    # From clients

    def receive(self, client: ClientState, publish: MqttPublish, draft: ReactionDraft, now_us: int) -> Violation | None:
        """A PUBLISH of a client (§3.3, §4.3)."""
        is_exactly_once = publish.qos == 2 and not self._rules.takes_qos_2_as_1
        if is_exactly_once and publish.packet_id in client.unreleased:
            _acknowledge(client, PublishAckKind.PUBREC, publish.packet_id, 0, draft)
            return None  # it has come again, and once was enough
        if (violation := self._violation_of(client, publish, is_exactly_once)) is not None:
            return violation
        answer = self._application.published(client, publish, now_us)
        if publish.qos and answer.is_acknowledged:
            kind = PublishAckKind.PUBREC if is_exactly_once else PublishAckKind.PUBACK
            if is_exactly_once and answer.code < REFUSED:
                client.unreleased.add(publish.packet_id)
            _acknowledge(client, kind, publish.packet_id, answer.code, draft)
        draft.outputs += answer.outputs
        draft.note(answer.reason, answer.changed)
        draft.tell(answer.steps, answer.rollback)
        draft.device = answer.device or draft.device
        return Violation(answer.code, answer.reason) if answer.ends else None

    def _violation_of(self, client: ClientState, publish: MqttPublish, is_exactly_once: bool) -> Violation | None:
        is_judged = bool(publish.topic) or not self._rules.takes_empty_topics
        if is_judged and (flaw := topic_flaw(publish.topic)):
            return Violation(MqttReason.TOPIC_NAME_INVALID, f"no topic to publish to: {flaw}")
        if publish.retain and client.version is MqttVersion.V5 and self._rules.tells_limits and not self._rules.retains:
            return Violation(MqttReason.RETAIN_NOT_SUPPORTED, "nothing is retained here, as its CONNACK has said")
        bound = self._rules.limits.receive_maximum
        if is_exactly_once and len(client.unreleased) >= bound.most:
            return Violation(MqttReason.RECEIVE_MAXIMUM_EXCEEDED, f"too many unreleased messages, expected {bound}")
        return None

    def acknowledged(
        self, client: ClientState, ack: MqttPublishAck, draft: ReactionDraft, now_us: int
    ) -> Violation | None:
        """PUBREL of a message that has come, or the answer to one that was sent."""
        if ack.kind is PublishAckKind.PUBREL:
            is_known = ack.packet_id in client.unreleased
            client.unreleased.discard(ack.packet_id)
            code = MqttReason.SUCCESS if is_known else MqttReason.PACKET_IDENTIFIER_NOT_FOUND
            _acknowledge(client, PublishAckKind.PUBCOMP, ack.packet_id, code, draft)
            return None
        outcome = client.outgoing.acknowledge(ack, now_us)
        if client.session is not None:
            draft.send(client.session, [_of_version(packet, client.version) for packet in outcome.packets])
        return Violation(MqttReason.PROTOCOL_ERROR, outcome.flaw) if outcome.flaw else None

    def subscribe(
        self, client: ClientState, subscribe: MqttSubscribe, draft: ReactionDraft, now_us: int
    ) -> Violation | None:
        if any(name == "subscription_identifier" for name, _ in subscribe.properties) and self._rules.tells_limits:
            why = "there are no subscription identifiers here, as its CONNACK has said"
            return Violation(MqttReason.SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED, why)
        before = set(client.subscriptions)
        answers = [(wanted, *self._granted(client, wanted, now_us)) for wanted in subscribe.subscriptions]
        codes = tuple(_shown_code(code, client.version) for _, code, _ in answers)
        if client.session is not None:
            draft.send(client.session, [MqttSuback(subscribe.packet_id, codes)])
        draft.note(_refusals([(wanted, why) for wanted, _, why in answers if why]))
        granted = [wanted for wanted, _, why in answers if not why]
        if granted:
            got = tuple(dict.fromkeys(one.topic_filter for one in granted))
            draft.outputs += self._application.subscribed(client, got, now_us)
        self._send_retained(client, granted, before, draft, now_us)
        return None

    def _send_retained(
        self, client: ClientState, wanted: list[Subscription], before: set[str], draft: ReactionDraft, now_us: int
    ) -> None:
        """What fits several filters of a packet comes once, or one packet could ask for any amount."""
        if not self._rules.retains:
            return
        found: dict[str, tuple[TimedMessage, Subscription]] = {}
        asked = {one.topic_filter for one in wanted if _wants_retained(one, before)}
        for topic_filter in sorted(asked):
            granted = client.subscriptions[topic_filter]
            for message in self._retained.matching(levels_of(topic_filter), now_us):
                topic = message.publish.topic
                if topic not in found or found[topic][1].qos < granted.qos:
                    found[topic] = (message, granted)
        for message, granted in found.values():
            publish = _as_wanted(message.publish, replace(granted, retain_as_published=True), client)
            self._deliver(client, message.with_publish(publish), draft, now_us)

    def _granted(self, client: ClientState, wanted: Subscription, now_us: int) -> tuple[int, str]:
        """The QoS, or a reason code and why."""
        limits, topic_filter = self._rules.limits, wanted.topic_filter
        if flaw := filter_flaw(topic_filter):
            return MqttReason.TOPIC_FILTER_INVALID, flaw
        if is_shared(topic_filter):
            return self._rules.shared_subscription_code, "there are no shared subscriptions here"
        is_new = topic_filter not in client.subscriptions
        if is_new and len(client.subscriptions) >= limits.subscriptions.most:
            return MqttReason.QUOTA_EXCEEDED, f"expected {limits.subscriptions}"
        code = self._application.grant(client, wanted, now_us)
        if code >= REFUSED:
            return code, "the platform does not allow it"
        if is_new and (bound := client.budget.take(_subscription_bytes(topic_filter))) is not None:
            return MqttReason.QUOTA_EXCEEDED, f"expected {bound}"
        qos = min(code, self._rules.granted_qos)
        granted = wanted if wanted.qos == qos else replace(wanted, qos=qos)
        client.subscriptions[topic_filter] = granted
        self._subscriptions.put(levels_of(topic_filter), client, granted)
        return granted.qos, ""

    def unsubscribe(self, client: ClientState, unsubscribe: MqttUnsubscribe, draft: ReactionDraft, now_us: int) -> None:
        given_up = [self._drop(client, one) for one in unsubscribe.topic_filters]
        codes = [MqttReason.SUCCESS if has_had else MqttReason.NO_SUBSCRIPTION_EXISTED for has_had in given_up]
        if client.session is not None:
            shown = tuple(map(int, codes)) if client.version is MqttVersion.V5 else ()
            draft.send(client.session, [MqttUnsuback(unsubscribe.packet_id, shown)])
        if any(given_up):
            gone = tuple(one for one, has_had in zip(unsubscribe.topic_filters, given_up, strict=True) if has_had)
            draft.outputs += self._application.unsubscribed(client, gone, now_us)

    def _drop(self, client: ClientState, topic_filter: str) -> bool:
        if client.subscriptions.pop(topic_filter, None) is None:
            return False
        client.budget.give_back(_subscription_bytes(topic_filter))
        self._subscriptions.remove(levels_of(topic_filter), client)
        return True

    def forget(self, client: ClientState) -> None:
        """The session has ended: nothing of it is left."""
        for topic_filter in list(client.subscriptions):
            self._drop(client, topic_filter)
        client.is_over = True
        client.outgoing.clear()
        client.unreleased.clear()
        client.budget.give_back(client.budget.used_bytes)

    # To clients

    def route(self, publish: MqttPublish, now_us: int, publisher: ClientState | None) -> PublishAnswer:
        """A message to everybody who has subscribed to its topic, once each, and kept if it is to be retained."""
        draft, message = ReactionDraft(), timed(publish, now_us)
        found: dict[ClientState, Subscription] = {}
        for client, wanted in self._subscriptions.matching(levels_of(publish.topic)):
            if not (wanted.no_local and client is publisher) and (
                client not in found or found[client].qos < wanted.qos
            ):
                found[client] = wanted
        for client, wanted in found.items():
            self._deliver(client, message.with_publish(_as_wanted(publish, wanted, client)), draft, now_us)
        if publish.retain and self._rules.retains and (bound := self._retained.keep(message)) is not None:
            draft.note(changed=f"not retained, expected {bound}")
        return PublishAnswer(outputs=draft.outputs, changed=draft.reaction().changed)

    def send(self, client: ClientState, publish: MqttPublish, now_us: int) -> list[Output]:
        """A message of the platform to one client, whatever it has subscribed to."""
        draft = ReactionDraft()
        self._deliver(client, timed(publish, now_us), draft, now_us)
        return draft.outputs

    def _deliver(self, client: ClientState, message: TimedMessage, draft: ReactionDraft, now_us: int) -> None:
        publish = message.publish
        if client.is_over:
            return
        if client.most_packet_bytes is not None and _packet_bytes(publish, client) > client.most_packet_bytes:
            draft.note(changed=f"a message is larger than {client.client_id[:100]} takes")
            return
        packets, bound = client.outgoing.put(message, now_us, is_connected=client.session is not None)
        if client.session is not None:
            draft.outputs += [Send(client.session, packet) for packet in packets]
        if bound is not None:
            draft.note(changed=f"a message for {client.client_id[:100]} went lost, expected {bound}")


def _shown_code(code: int, version: MqttVersion) -> int:
    """Of a SUBACK: MQTT 3 knows one refusal only."""
    return REFUSED if code >= REFUSED and version is not MqttVersion.V5 else int(code)


def _refusals(refused: list[tuple[Subscription, str]]) -> str:
    """For the trace: the first of them, and how many there are."""
    if not refused:
        return ""
    wanted, why = refused[0]
    more = f", and {len(refused) - 1} more" if len(refused) > 1 else ""
    return f"no subscription to {wanted.topic_filter[:100]!r}: {why}{more}"


def _wants_retained(wanted: Subscription, before: set[str]) -> bool:
    """`before`: the filters that the client has had (MQTT 5 §3.8.3.1)."""
    return wanted.retain_handling == 0 or (wanted.retain_handling == 1 and wanted.topic_filter not in before)


def _acknowledge(client: ClientState, kind: PublishAckKind, packet_id: int, code: int, draft: ReactionDraft) -> None:
    if client.session is not None:
        draft.send(client.session, [_of_version(MqttPublishAck(kind, packet_id, code), client.version)])


def _of_version(packet: MqttPacket, version: MqttVersion) -> MqttPacket:
    """Acknowledgements of MQTT 3 have no code."""
    if version is MqttVersion.V5 or not isinstance(packet, MqttPublishAck) or not packet.code:
        return packet
    return replace(packet, code=0)


def _as_wanted(publish: MqttPublish, wanted: Subscription, client: ClientState) -> MqttPublish:
    return MqttPublish(
        publish.topic,
        publish.payload,
        min(publish.qos, wanted.qos),
        publish.retain and wanted.retain_as_published,
        properties=_of_every_hop(publish.properties) if client.version is MqttVersion.V5 else (),
    )


def _packet_bytes(publish: MqttPublish, client: ClientState) -> int:
    """Of the packet that carries it; the packet id is chosen later, but as long."""
    return len(encode(replace(publish, packet_id=1 if publish.qos else 0), client.version))


def _of_every_hop(properties: Properties) -> Properties:
    return tuple(pair for pair in properties if pair[0] not in OF_ONE_HOP)


def _subscription_bytes(topic_filter: str) -> int:
    return len(topic_filter) + LEVEL_BYTES * (topic_filter.count("/") + 2)
