"""What a gateway may publish for the devices behind it (spec 3.2), as far as gateways come into being here (S29)."""

from __future__ import annotations

from fleetrig.reference_server.mqtt_sessions.application import PublishAnswer
from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.platforms.thingsboard.device_api.documents import read_json
from fleetrig.reference_server.platforms.thingsboard.device_api.said import post_attributes, post_telemetry
from fleetrig.reference_server.platforms.thingsboard.device_api.values import BadValue
from fleetrig.reference_server.platforms.thingsboard.mqtt.refusals import unknown_topic, unreadable
from fleetrig.reference_server.platforms.thingsboard.mqtt.topics import (
    GATEWAY_ATTRIBUTES,
    GATEWAY_CONNECT,
    GATEWAY_DISCONNECT,
    GATEWAY_TELEMETRY,
)
from fleetrig.reference_server.platforms.thingsboard.state import events
from fleetrig.reference_server.platforms.thingsboard.state.devices import NewDevice, create_device, device_named
from fleetrig.reference_server.platforms.thingsboard.state.errors import RuleBroken
from fleetrig.reference_server.platforms.thingsboard.state.events import EventType
from fleetrig.reference_server.platforms.thingsboard.state.profiles import find_or_create
from fleetrig.reference_server.platforms.thingsboard.state.records import Device
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttPublish

DEFAULT_TYPE = "default"
SWALLOWED = PublishAnswer(is_acknowledged=False, reason="the device is no gateway: add the flag, and log in again")
"""No PUBACK, and the session goes on (S103)."""


class GatewayMessages:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def published(self, client: ClientState, gateway: Device, publish: MqttPublish, now_us: int) -> PublishAnswer:
        has_codes = self._registry.traits.has_reason_codes
        try:
            return self._take(gateway, publish, now_us)
        except BadValue as bad:
            return unreadable(client, publish, str(bad), has_codes=has_codes)
        except RuleBroken as broken:
            code = MqttReason.IMPLEMENTATION_SPECIFIC_ERROR
            return PublishAnswer(code, is_acknowledged=has_codes, ends=True, reason=broken.message)

    def _take(self, gateway: Device, publish: MqttPublish, now_us: int) -> PublishAnswer:
        match publish.topic:
            case topic if topic in (GATEWAY_CONNECT, GATEWAY_DISCONNECT):
                document = _object(read_json(publish.payload))
                name = _name(document)
                if topic == GATEWAY_CONNECT:
                    self._child(gateway, name, str(document.get("type") or DEFAULT_TYPE), now_us)
                return PublishAnswer(changed=f"{name[:100]} {topic.removeprefix('v1/gateway/')}ed by its gateway")
            case topic if topic in (GATEWAY_TELEMETRY, GATEWAY_ATTRIBUTES):
                write = post_telemetry if topic == GATEWAY_TELEMETRY else post_attributes
                for name, values in _object(read_json(publish.payload)).items():
                    child = self._child(gateway, name, DEFAULT_TYPE, now_us)
                    write(self._registry, child, values, now_us, gateway=gateway.id)
                return PublishAnswer(changed=topic.removeprefix("v1/gateway/"))
            case topic:
                return unknown_topic(topic)

    def _child(self, gateway: Device, name: str, type_name: str, now_us: int) -> Device:
        """The device of that name, made if there is none. Raises RuleBroken."""
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
        raise BadValue(f"Can't parse value: {document}")
    return document


def _name(document: dict[str, Json]) -> str:
    name = document.get("device")
    if not isinstance(name, str | int | float) or name == "":
        raise RuleBroken("Device name is empty!")
    return str(name)
