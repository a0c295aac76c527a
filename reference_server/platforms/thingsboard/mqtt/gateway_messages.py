"""What a gateway may publish for the devices behind it (spec 3.2; GatewaySessionHandler of the real server).

A payload that is no JSON is told as such. One of another form ends the session, and a device that cannot be made is
not even told: no PUBACK, and the session goes on.
"""

from __future__ import annotations

from fleetrig.reference_server.mqtt_sessions.application import PublishAnswer
from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.mqtt_sessions.sessions import MqttSessions
from fleetrig.reference_server.platforms.thingsboard.device_api.documents import read_json
from fleetrig.reference_server.platforms.thingsboard.device_api.said import (
    offer_claim,
    post_attributes,
    post_telemetry,
)
from fleetrig.reference_server.platforms.thingsboard.device_api.values import BadValue
from fleetrig.reference_server.platforms.thingsboard.mqtt.live_sessions import json_bytes
from fleetrig.reference_server.platforms.thingsboard.mqtt.refusals import unknown_topic, unreadable
from fleetrig.reference_server.platforms.thingsboard.mqtt.topics import (
    GATEWAY_ATTRIBUTES,
    GATEWAY_ATTRIBUTES_REQUEST,
    GATEWAY_ATTRIBUTES_RESPONSE,
    GATEWAY_CLAIM,
    GATEWAY_CONNECT,
    GATEWAY_DISCONNECT,
    GATEWAY_RPC,
    GATEWAY_TELEMETRY,
    qos_of,
)
from fleetrig.reference_server.platforms.thingsboard.state import events
from fleetrig.reference_server.platforms.thingsboard.state.attributes import attributes_of
from fleetrig.reference_server.platforms.thingsboard.state.devices import NewDevice, create_device, device_named
from fleetrig.reference_server.platforms.thingsboard.state.errors import RuleBroken
from fleetrig.reference_server.platforms.thingsboard.state.events import EventType
from fleetrig.reference_server.platforms.thingsboard.state.profiles import find_or_create
from fleetrig.reference_server.platforms.thingsboard.state.records import Device, Scope
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttPublish

DEFAULT_TYPE = "default"
SWALLOWED = PublishAnswer(is_acknowledged=False, reason="the device is no gateway: add the flag, and log in again")
"""No PUBACK, and the session goes on (S103)."""


class BadForm(Exception):
    """JSON of another form than the topic's."""


class GatewayMessages:
    def __init__(self, registry: Registry, sessions: MqttSessions) -> None:
        self._registry = registry
        self._sessions = sessions

    def published(self, client: ClientState, gateway: Device, publish: MqttPublish, now_us: int) -> PublishAnswer:
        has_codes = self._registry.traits.has_reason_codes
        try:
            return self._take(client, gateway, publish, now_us)
        except BadValue as bad:
            return unreadable(client, publish, str(bad), has_codes=has_codes)
        except BadForm as bad:
            code = MqttReason.IMPLEMENTATION_SPECIFIC_ERROR
            return PublishAnswer(code, is_acknowledged=has_codes, ends=True, reason=str(bad))
        except RuleBroken as broken:
            return PublishAnswer(is_acknowledged=False, reason=f"no device for the gateway: {broken.message}")

    def _take(self, client: ClientState, gateway: Device, publish: MqttPublish, now_us: int) -> PublishAnswer:
        match publish.topic:
            case topic if topic in (GATEWAY_CONNECT, GATEWAY_DISCONNECT):
                return self._connect_or_not(gateway, publish, now_us)
            case topic if topic == GATEWAY_TELEMETRY:
                return self._take_telemetry(gateway, publish, now_us)
            case topic if topic in (GATEWAY_ATTRIBUTES, GATEWAY_CLAIM):
                return self._take_objects(gateway, publish, now_us)
            case topic if topic == GATEWAY_ATTRIBUTES_REQUEST:
                return self._answer_attributes(client, gateway, publish, now_us)
            case topic if topic == GATEWAY_RPC:
                document = _object(read_json(publish.payload))
                name, number, _ = _name(document), _number(document, "id"), _member(document, "data")
                self._child(gateway, name, DEFAULT_TYPE, now_us)
                return PublishAnswer(changed=f"RPC {number} of {name[:100]} answered")
            case topic:
                return unknown_topic(topic)

    def _connect_or_not(self, gateway: Device, publish: MqttPublish, now_us: int) -> PublishAnswer:
        document = _object(read_json(publish.payload))
        name, what = _name(document), publish.topic.removeprefix("v1/gateway/")
        if publish.topic == GATEWAY_CONNECT:
            kind = document.get("type")
            self._child(gateway, name, DEFAULT_TYPE if kind is None else str(_single(kind, "type")), now_us)
        return PublishAnswer(changed=f"{name[:100]} {what}ed by its gateway")

    def _take_telemetry(self, gateway: Device, publish: MqttPublish, now_us: int) -> PublishAnswer:
        """A list for each device; an empty one is never acknowledged."""
        entries = _entries(read_json(publish.payload))
        for name, measured in entries.items():
            if not isinstance(measured, list):
                raise BadForm(f"telemetry of {name[:100]}: expected an array")
            child = self._child(gateway, name, DEFAULT_TYPE, now_us)
            post_telemetry(self._registry, child, measured, now_us, gateway=gateway.id)
        return PublishAnswer(is_acknowledged=all(entries.values()), changed="telemetry")

    def _take_objects(self, gateway: Device, publish: MqttPublish, now_us: int) -> PublishAnswer:
        """Client attributes, or offers to be claimed: an object for each device."""
        for name, values in _entries(read_json(publish.payload)).items():
            if not isinstance(values, dict):
                raise BadForm(f"{publish.topic}, {name[:100]}: expected an object")
            child = self._child(gateway, name, DEFAULT_TYPE, now_us)
            if publish.topic == GATEWAY_CLAIM:
                offer_claim(self._registry, child, values, now_us)
            else:
                post_attributes(self._registry, child, values, now_us, gateway=gateway.id)
        return PublishAnswer(changed=publish.topic.removeprefix("v1/gateway/"))

    def _answer_attributes(
        self, client: ClientState, gateway: Device, publish: MqttPublish, now_us: int
    ) -> PublishAnswer:
        """`value` for `key`, `values` for `keys`; neither where there is nothing."""
        document = _object(read_json(publish.payload))
        number, name = _number(document, "id"), _name(document)
        scope = Scope.CLIENT if _member(document, "client") is True else Scope.SHARED
        keys = document.get("keys")
        asked = keys if isinstance(keys, list) else [_member(document, "key")]
        wanted = [str(_single(each, "key")) for each in asked]
        child = self._child(gateway, name, DEFAULT_TYPE, now_us)
        found = {one.key: one.value for one in attributes_of(self._registry, child.id, scope, wanted)}
        answer: dict[str, Json] = {"id": number, "device": name}
        if found:
            answer |= {"values": found} if isinstance(keys, list) else {"value": found[wanted[0]]}
        topic = GATEWAY_ATTRIBUTES_RESPONSE
        sent = MqttPublish(topic, json_bytes(answer), qos_of(client, topic))
        return PublishAnswer(outputs=self._sessions.send(client, sent, now_us))

    def _child(self, gateway: Device, name: str, type_name: str, now_us: int) -> Device:
        """The device of that name, made if there is none. Raises RuleBroken."""
        if not name.strip() or not type_name:
            raise RuleBroken("Device name and type should be specified!")
        known = device_named(self._registry, gateway.tenant_id, name)
        if known is not None:
            return known
        profile = find_or_create(self._registry, gateway.tenant_id, type_name, now_us)
        info = {"lastConnectedGateway": gateway.id}
        new = NewDevice(name, additional_info=info, customer_id=gateway.customer_id)
        child = create_device(self._registry, profile, new, now_us)
        events.note(self._registry, child.id, EventType.ENTITY_CREATED, {"name": name}, now_us)
        return child


def _object(document: Json) -> dict[str, Json]:
    if not isinstance(document, dict):
        raise BadForm(f"expected an object, got {document}"[:200])
    return document


def _entries(document: Json) -> dict[str, Json]:
    """By the names of devices; at least one."""
    if not _object(document):
        raise BadForm("expected a member for each device, got none")
    return _object(document)


def _member(document: dict[str, Json], name: str) -> Json:
    if document.get(name) is None:
        raise BadForm(f"{name} is missing or null")
    return document[name]


def _single(value: Json, name: str) -> Json:
    """A text, number or boolean, also inside of arrays of one."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, list | dict) or value is None:
        raise BadForm(f"{name}: expected one value")
    return value


def _number(document: dict[str, Json], name: str) -> int:
    try:
        return int(str(_single(_member(document, name), name)))
    except ValueError:
        raise BadForm(f"{name}: expected a whole number") from None


def _name(document: dict[str, Json]) -> str:
    name = str(_single(_member(document, "device"), "device"))
    if not name:
        raise BadForm("device is empty")
    return name
