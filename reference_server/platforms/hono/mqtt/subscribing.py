"""SUBSCRIBE and UNSUBSCRIBE: commands and errors (onSubscribe, onUnsubscribe; spec 4.2).

Filters of one SUBSCRIBE that mean the same count once, by the last of them. Who begins or ends to take commands is
announced to applications by an empty notification with `ttd` -1 or 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.platform import Reaction
from fleetrig.reference_server.platforms.hono.commands.notifying import notify_taking
from fleetrig.reference_server.platforms.hono.commands.router import CommandConsumer, CommandRouter
from fleetrig.reference_server.platforms.hono.mqtt.live_connections import LiveConnection
from fleetrig.reference_server.platforms.hono.mqtt.subscriptions import (
    AdapterSubscription,
    SubscriptionKey,
    SubscriptionKind,
    read_filter,
)
from fleetrig.reference_server.platforms.hono.provisioning.assertion import assert_registration
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import MQTT, Denied
from fleetrig.reference_server.platforms.hono.provisioning.tenant_lookup import TENANT_DISABLED, tenant_named
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.simulator.contract.envelope import Send
from fleetrig.simulator.contract.mqtt import MqttSuback, MqttSubscribe, MqttUnsuback, MqttUnsubscribe, MqttVersion

REFUSED: Final = int(MqttReason.UNSPECIFIED_ERROR)
UNTIL_FURTHER_NOTICE_S: Final = -1
NO_LONGER_S: Final = 0
MOST_QOS: Final = {SubscriptionKind.COMMANDS: 1, SubscriptionKind.ERRORS: 0}


@dataclass(slots=True)
class Told:
    """What the trace gets to know of one packet."""

    reasons: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


class Subscribing:
    def __init__(self, registry: Registry, router: CommandRouter) -> None:
        self._registry = registry
        self._router = router

    def subscribe(self, live: LiveConnection, subscribe: MqttSubscribe, now_us: int) -> Reaction:
        read = [
            read_filter(wanted.topic_filter, wanted.qos, live.tenant_id, live.device_id)
            for wanted in subscribe.subscriptions
        ]
        told = Told()
        meant: dict[SubscriptionKey, AdapterSubscription] = {one.key: one for one in read if one is not None}
        granted = {key: self._register(live, one, told, now_us) for key, one in meant.items()}
        for wanted, one in zip(subscribe.subscriptions, read, strict=True):
            if one is None:
                told.reasons.append(f"no subscription to {wanted.topic_filter[:100]!r}: only commands and errors are")
        codes = tuple(REFUSED if one is None else granted[one.key] for one in read)
        return self._reaction(live, MqttSuback(subscribe.packet_id, codes), told)

    def unsubscribe(self, live: LiveConnection, client: ClientState, packet: MqttUnsubscribe, now_us: int) -> Reaction:
        told = Told()
        codes = []
        left = dict(live.subscriptions)
        for topic_filter in packet.topic_filters:
            asked = read_filter(topic_filter, 0, live.tenant_id, live.device_id)
            gone = None if asked is None else left.pop(asked.key, None)
            if gone is None:
                told.reasons.append(f"there is no subscription to {topic_filter[:100]!r}")
            elif gone.kind is SubscriptionKind.COMMANDS:
                ended = self._end(live, gone.device_id)
                self.notify_ended([] if ended is None else [ended], now_us)
            codes.append(REFUSED if gone is None else int(MqttReason.SUCCESS))
        live.subscriptions = left
        shows_codes = client.version is MqttVersion.V5 or self._registry.traits.shows_unsubscribe_codes
        shown = tuple(codes) if shows_codes else ()
        return self._reaction(live, MqttUnsuback(packet.packet_id, shown), told)

    def end_all(self, live: LiveConnection) -> list[CommandConsumer]:
        """The connection is gone. The consumers that applications have to be told of."""
        live.subscriptions.clear()
        ended = [self._end(live, device_id) for device_id in list(live.consumers)]
        return [consumer for consumer in ended if consumer is not None]

    def notify_ended(self, consumers: Iterable[CommandConsumer], now_us: int) -> None:
        for consumer in consumers:
            notify_taking(self._registry, consumer, NO_LONGER_S, now_us)

    def _register(self, live: LiveConnection, wanted: AdapterSubscription, told: Told, now_us: int) -> int:
        """The QoS that is granted, or REFUSED."""
        if wanted.kind is SubscriptionKind.ERRORS and not self._registry.traits.reports_errors:
            told.reasons.append("this generation has no topics for errors")
            return REFUSED
        if wanted.qos > MOST_QOS[wanted.kind]:
            told.reasons.append(f"a subscription to {wanted.kind} has at most QoS {MOST_QOS[wanted.kind]}")
            return REFUSED
        if wanted.kind is SubscriptionKind.COMMANDS or wanted.device_id != live.device_id:
            denied = self._denied(live, wanted, told, now_us)
            if denied is not None:
                told.reasons.append(f"no subscription to {wanted.kind} of {wanted.device_id}: {denied.reason}")
                return REFUSED
        if wanted.kind is SubscriptionKind.COMMANDS and (why := self._begin(live, wanted, now_us)):
            told.reasons.append(why)
            return REFUSED
        self._registry.store.when_settled(
            lambda committed: live.subscriptions.update({wanted.key: wanted}) if committed else None
        )
        return wanted.qos

    def _denied(self, live: LiveConnection, wanted: AdapterSubscription, told: Told, now_us: int) -> Denied | None:
        """The device must be registered, and a gateway must be allowed to act for it; it may be provisioned by this."""
        known = tenant_named(self._registry, MQTT, live.tenant_id, now_us)
        if known is None:
            return Denied(404, TENANT_DISABLED, "the tenant has been deleted")
        asserted = assert_registration(self._registry, known.tenant, wanted.device_id, live.device_id, now_us)
        told.steps += asserted.steps
        if asserted.changed:
            told.changes.append(asserted.changed)
        return asserted if isinstance(asserted, Denied) else None

    def _begin(self, live: LiveConnection, wanted: AdapterSubscription, now_us: int) -> str:
        """Why it cannot be; empty when it is."""
        gateway_id = live.device_id if wanted.device_id != live.device_id else ""
        consumer = CommandConsumer(MQTT, live.tenant_id, wanted.device_id, live.session, gateway_id)
        if why := notify_taking(self._registry, consumer, UNTIL_FURTHER_NOTICE_S, now_us):
            return why

        def settled(committed: bool) -> None:
            if committed:
                self._router.begin(consumer)
                live.consumers[wanted.device_id] = consumer

        self._registry.store.when_settled(settled)
        return ""

    def _end(self, live: LiveConnection, device_id: str) -> CommandConsumer | None:
        """None when nobody has to be told: there was none, or another has taken its place."""
        consumer = live.consumers.pop(device_id, None)
        return consumer if consumer is not None and self._router.end(consumer) else None

    @staticmethod
    def _reaction(live: LiveConnection, answer: MqttSuback | MqttUnsuback, told: Told) -> Reaction:
        outputs = [Send(live.session, answer)]
        reasons, changes = "; ".join(told.reasons), "; ".join(told.changes)
        return Reaction(outputs, reasons, live.called, changes, steps=told.steps)
