"""What a device may publish once it is logged in (spec 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fleetrig.reference_server.mqtt_sessions.application import PublishAnswer
from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.sessions import MqttSessions
from fleetrig.reference_server.platforms.thingsboard.device_api.documents import read_json
from fleetrig.reference_server.platforms.thingsboard.device_api.said import (
    asked_keys,
    attributes_for,
    count,
    offer_claim,
    post_attributes,
    post_telemetry,
)
from fleetrig.reference_server.platforms.thingsboard.device_api.values import BadTime, BadValue
from fleetrig.reference_server.platforms.thingsboard.mqtt.live_sessions import json_bytes
from fleetrig.reference_server.platforms.thingsboard.mqtt.refusals import (
    failed,
    too_many,
    unknown_topic,
    unreadable,
)
from fleetrig.reference_server.platforms.thingsboard.mqtt.session_limits import session_limits
from fleetrig.reference_server.platforms.thingsboard.mqtt.topics import (
    ATTRIBUTES_TOPICS,
    CLAIM,
    NUMBERED,
    PROTOBUF_TOPICS,
    TELEMETRY_TOPICS,
    Exchange,
    qos_of,
)
from fleetrig.reference_server.platforms.thingsboard.state.message_limits import TooManyMessages
from fleetrig.reference_server.platforms.thingsboard.state.records import Device
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttPublish


@dataclass(frozen=True, slots=True)
class NumberedMessage:
    """A request or an answer whose topic ends with its number."""

    publish: MqttPublish
    exchange: Exchange
    answer_topic: str
    """How the topic of its answer begins."""
    number: str

    @property
    def has_number(self) -> bool:
        return self.number.isascii() and self.number.removeprefix("-").isdigit()


Writer = Callable[[Registry, Device, Json, int], object]


class DeviceMessages:
    def __init__(self, registry: Registry, sessions: MqttSessions) -> None:
        self._registry = registry
        self._sessions = sessions

    def published(
        self, client: ClientState, device: Device, publish: MqttPublish, now_us: int, *, is_gateway: bool
    ) -> PublishAnswer:
        try:
            return self._take(client, device, publish, now_us, is_gateway=is_gateway)
        except BadTime as bad:
            return failed(f"ts is no number: {bad}")
        except BadValue as bad:
            return unreadable(client, publish, str(bad), has_codes=self._registry.traits.has_reason_codes)
        except TooManyMessages as many:
            return too_many(str(many))

    def _take(
        self, client: ClientState, device: Device, publish: MqttPublish, now_us: int, *, is_gateway: bool
    ) -> PublishAnswer:
        topic = publish.topic
        if topic in ATTRIBUTES_TOPICS:
            return self._write(post_attributes, device, publish, now_us, "attributes")
        if topic in TELEMETRY_TOPICS:
            return self._write(post_telemetry, device, publish, now_us, "telemetry")
        if topic == CLAIM:
            return self._offer(device, publish, now_us)
        if topic in PROTOBUF_TOPICS:
            raise BadValue("this server reads no protobuf but requests to be provisioned")
        for beginning, exchange, answer_topic in NUMBERED:
            if topic.startswith(beginning):
                number = topic.removeprefix(beginning)
                asked = NumberedMessage(publish, exchange, answer_topic, number)
                return self._exchange(client, device, asked, now_us, is_gateway=is_gateway)
        return unknown_topic(topic)

    def _write(self, write: Writer, device: Device, publish: MqttPublish, now_us: int, what: str) -> PublishAnswer:
        """An empty array is taken, and never acknowledged."""
        document = read_json(publish.payload)
        write(self._registry, device, document, now_us)
        return PublishAnswer(is_acknowledged=document != [], changed=what)

    def _offer(self, device: Device, publish: MqttPublish, now_us: int) -> PublishAnswer:
        """Without a payload too: with the defaults."""
        document = read_json(publish.payload) if publish.payload else {}
        is_offered = offer_claim(self._registry, device, document, now_us)
        return PublishAnswer(changed="offered to be claimed" if is_offered else "not offered: claiming is off")

    def _exchange(
        self, client: ClientState, device: Device, asked: NumberedMessage, now_us: int, *, is_gateway: bool
    ) -> PublishAnswer:
        if not asked.has_number:
            why = f"the topic of an exchange ends with its number, got {asked.number[:100]!r}"
            if asked.exchange is Exchange.RPC_REQUEST:
                return failed(why)
            raise BadValue(why)
        match asked.exchange:
            case Exchange.RPC_REQUEST:
                return self._rpc(client, device, asked, now_us, is_gateway=is_gateway)
            case Exchange.RPC_RESPONSE:
                count(self._registry, device, now_us)
                return PublishAnswer(changed=f"RPC {asked.number} answered")
            case Exchange.ATTRIBUTES_REQUEST:
                document = read_json(asked.publish.payload)
                keys = [asked_keys(document, name) for name in ("clientKeys", "sharedKeys")]
                if "" in (*keys[0], *keys[1]):
                    return PublishAnswer(reason="one of the keys is empty: the request is not answered")
                return self._answered(client, asked, attributes_for(self._registry, device, now_us, *keys), now_us)

    def _rpc(
        self, client: ClientState, device: Device, asked: NumberedMessage, now_us: int, *, is_gateway: bool
    ) -> PublishAnswer:
        """All but one, which is not counted, go to the rule engine, whose chains answer none by default."""
        document = read_json(asked.publish.payload)
        if not isinstance(document, dict):
            raise BadValue("an RPC is an object")
        method = document.get("method")
        if not isinstance(method, str):
            return failed("an RPC names its method")
        if method != "getSessionLimits":
            count(self._registry, device, now_us)
            return PublishAnswer(changed=f"RPC {method[:100]} for the rule engine")
        limits = self._registry.limits_of(device.tenant_id)
        answer = session_limits(limits, self._registry.settings.payload_bytes, is_gateway=is_gateway)
        return self._answered(client, asked, answer, now_us)

    def _answered(self, client: ClientState, asked: NumberedMessage, answer: Json, now_us: int) -> PublishAnswer:
        """The answer comes after the PUBACK (T04)."""
        topic = f"{asked.answer_topic}{int(asked.number)}"
        publish = MqttPublish(topic, json_bytes(answer), qos_of(client, topic))
        return PublishAnswer(outputs=self._sessions.send(client, publish, now_us))
