"""Commands on their way to MQTT clients (onCommandReceived): published, and acknowledged in time or given back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fleetrig.reference_server.mqtt_sessions.deadlines import Deadlines
from fleetrig.reference_server.mqtt_sessions.sessions import MqttSessions
from fleetrig.reference_server.platform import Reaction
from fleetrig.reference_server.platforms.hono.commands.device_command import DeviceCommand
from fleetrig.reference_server.platforms.hono.commands.router import RoutedCommand
from fleetrig.reference_server.platforms.hono.commands.undelivered import NO_CONSUMER, Undelivered, UndeliveredCommands
from fleetrig.reference_server.platforms.hono.mqtt.live_connections import LiveConnection, LiveConnections
from fleetrig.reference_server.platforms.hono.mqtt.subscriptions import AdapterSubscription, SubscriptionKind
from fleetrig.reference_server.platforms.hono.provisioning.assertion import assert_registration
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import MQTT, Denied
from fleetrig.reference_server.platforms.hono.provisioning.tenant_lookup import TENANT_DISABLED, tenant_named
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.envelope import Send
from fleetrig.simulator.contract.mqtt import MqttPublish

ACKNOWLEDGED_WITHIN_US: Final = US_PER_S
"""`sendMessageToDeviceTimeout`."""
NOT_ACKNOWLEDGED: Final = Undelivered(503, "Temporarily unavailable", "the device has not acknowledged it in time")
ENDED: Final = Undelivered(503, NO_CONSUMER, "its connection has ended meanwhile")
UNSENT: Final = Undelivered(503, NO_CONSUMER, "it cannot be sent: too much waits for the client, or it is too large")
NOT_SUBSCRIBED: Final = Undelivered(
    503, NO_CONSUMER, "the gateway has subscribed for itself only: command//+/req/# is for the devices behind it"
)

PendingKey = tuple[int, int]
"""Session and packet id."""


class CommandDelivery:
    def __init__(
        self,
        registry: Registry,
        undelivered: UndeliveredCommands,
        sessions: MqttSessions,
        connections: LiveConnections,
    ) -> None:
        self._registry = registry
        self._undelivered = undelivered
        self._sessions = sessions
        self._connections = connections
        self._pending: dict[PendingKey, DeviceCommand] = {}
        self._deadlines = Deadlines[PendingKey]()

    def deliver(self, routed: RoutedCommand, now_us: int) -> Reaction:
        """In a transaction."""
        command, consumer = routed.command, routed.consumer
        live = self._connections.get(consumer.key)
        subscription = None if live is None else live.subscriptions.get((SubscriptionKind.COMMANDS, consumer.device_id))
        if live is None or live.client is None or subscription is None:
            return self._failed(command, ENDED)
        if (undelivered := self._forbidden(live, subscription, command, now_us)) is not None:
            return self._failed(command, undelivered)
        publish = MqttPublish(subscription.command_topic(command), command.payload, subscription.qos)
        outputs = self._sessions.send(live.client, publish, now_us)
        if not outputs:
            return self._failed(command, UNSENT)
        for output in outputs:
            if isinstance(output, Send) and isinstance(output.envelope, MqttPublish) and output.envelope.packet_id:
                self._await((live.session, output.envelope.packet_id), command, now_us)
        return Reaction(outputs, device=live.called, changed=f"command {command.name} published")

    def acknowledged(self, session: int, packet_id: int) -> None:
        """What is never acknowledged comes to nothing when its time is up, though its connection may have ended."""
        if self._pending.pop((session, packet_id), None) is not None:
            self._deadlines.cancel((session, packet_id))

    def next_due_us(self) -> int | None:
        return self._deadlines.next_due_us()

    def advance(self, now_us: int) -> Iterator[Reaction]:
        while (key := self._deadlines.pop_due(now_us)) is not None:
            yield self._failed(self._pending.pop(key), NOT_ACKNOWLEDGED)

    def _await(self, key: PendingKey, command: DeviceCommand, now_us: int) -> None:
        """An acknowledgement, unless the message does not go out: then the command is delivered once more."""

        def settled(committed: bool) -> None:
            if committed:
                self._pending[key] = command
                self._deadlines.put(key, now_us + ACKNOWLEDGED_WITHIN_US)

        self._registry.store.when_settled(settled)

    def _forbidden(
        self, live: LiveConnection, subscription: AdapterSubscription, command: DeviceCommand, now_us: int
    ) -> Undelivered | None:
        """Who subscribed for one device must still be allowed to act for it; who did for itself gets no other's."""
        if subscription.device_id != live.device_id:
            known = tenant_named(self._registry, MQTT, live.tenant_id, now_us)
            if known is None:
                return Undelivered(404, TENANT_DISABLED, "the tenant has been deleted")
            asserted = assert_registration(self._registry, known.tenant, subscription.device_id, live.device_id, now_us)
            if isinstance(asserted, Denied):
                return Undelivered(asserted.status, asserted.error, asserted.reason)
            return None
        return NOT_SUBSCRIBED if command.gateway_id and not subscription.is_for_all else None

    def _failed(self, command: DeviceCommand, undelivered: Undelivered) -> Reaction:
        self._undelivered.add(command, undelivered)
        why = f"command {command.name} undelivered: {undelivered.reason}"
        return Reaction(reason=why, device=command.device_id)
