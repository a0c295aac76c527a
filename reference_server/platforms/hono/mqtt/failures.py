"""What clients hear when the registry has failed or is too slow: what 503 of a service is told as (spec 4.2)."""

from __future__ import annotations

from fleetrig.reference_server.mqtt_sessions.reason_codes import CONNACK_CODES_V3, REFUSED, MqttReason
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPacket,
    MqttPingreq,
    MqttPingresp,
    MqttSuback,
    MqttSubscribe,
    MqttVersion,
)


def failure_of(envelope: Envelope) -> tuple[list[MqttPacket], bool]:
    """The packets, and whether the connection ends. Nothing of what was asked for is kept or acknowledged."""
    match envelope:
        case MqttPingreq():
            return [MqttPingresp()], False
        case MqttSubscribe(subscriptions, packet_id):
            return [MqttSuback(packet_id, (REFUSED,) * len(subscriptions))], False
        case MqttConnect(version=version):
            code = MqttReason.SERVER_UNAVAILABLE
            return [MqttConnack(code if version is MqttVersion.V5 else CONNACK_CODES_V3[code])], True
        case _:
            return [], True
