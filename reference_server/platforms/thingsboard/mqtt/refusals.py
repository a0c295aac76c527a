"""How MQTT tells that a message is refused (spec 1.6, 3.2)."""

from __future__ import annotations

from fleetrig.reference_server.mqtt_sessions.application import PublishAnswer
from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.simulator.contract.mqtt import MqttPublish, MqttVersion


def unreadable(client: ClientState, publish: MqttPublish, reason: str, *, has_codes: bool) -> PublishAnswer:
    """The payload has another form: MQTT 5 with QoS 1 is told so and stays, all others are closed without PUBACK.

    `has_codes`: whether this generation speaks to MQTT 5 otherwise than to MQTT 3 at all.
    """
    stays = has_codes and client.version is MqttVersion.V5 and publish.qos > 0
    return PublishAnswer(MqttReason.PAYLOAD_FORMAT_INVALID, is_acknowledged=stays, ends=not stays, reason=reason)


def failed(reason: str) -> PublishAnswer:
    """The server came upon an error that it did not expect: no PUBACK, and the end (`exceptionCaught`)."""
    return PublishAnswer(MqttReason.SERVER_SHUTTING_DOWN, is_acknowledged=False, ends=True, reason=reason)


def too_many(reason: str) -> PublishAnswer:
    """No PUBACK, and the end (S105)."""
    return PublishAnswer(MqttReason.IMPLEMENTATION_SPECIFIC_ERROR, is_acknowledged=False, ends=True, reason=reason)


def unknown_topic(topic: str) -> PublishAnswer:
    """Of a session of a device, which goes on (T01, S66)."""
    return PublishAnswer(MqttReason.TOPIC_NAME_INVALID, reason=f"there is no topic {topic[:200]!r}")
