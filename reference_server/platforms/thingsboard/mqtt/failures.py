"""What clients hear when the database has failed (spec 1.6, 3.1): nothing is acknowledged that is not kept."""

from __future__ import annotations

from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.platforms.thingsboard.mqtt.older_packets import SERVER_UNAVAILABLE_V3
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPacket,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    PublishAckKind,
)


def failure_of(envelope: Envelope, *, is_v5: bool, provisions: bool) -> tuple[list[MqttPacket], bool]:
    """The packets, and whether the connection ends.

    `provisions`: it is a session to provision, of a generation that acknowledges before it ends (3.7).
    """
    code = MqttReason.IMPLEMENTATION_SPECIFIC_ERROR
    said: list[MqttPacket] = []
    match envelope:
        case MqttPingreq():
            return [MqttPingresp()], False
        case MqttDisconnect():
            code = MqttReason.SUCCESS
        case MqttConnect():
            code = MqttReason.SERVER_UNAVAILABLE
            said = [MqttConnack(code if is_v5 else SERVER_UNAVAILABLE_V3)]
        case MqttPublish(packet_id=packet_id) if packet_id and provisions:
            said = [MqttPublishAck(PublishAckKind.PUBACK, packet_id, code if is_v5 else 0)]
    return [*said, MqttDisconnect(code)] if is_v5 else said, True
