"""What clients hear when the store has failed or is too slow: nothing is acknowledged that is not kept (S-36)."""

from __future__ import annotations

from fleetrig.reference_server.mqtt_sessions.reason_codes import CONNACK_CODES_V3, MqttReason
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPacket,
    MqttPingreq,
    MqttPingresp,
    MqttVersion,
)


def failure_of(envelope: Envelope) -> tuple[list[MqttPacket], bool]:
    """The packets, and whether the connection ends: then the client says again what was not acknowledged."""
    match envelope:
        case MqttPingreq():
            return [MqttPingresp()], False
        case MqttConnect(version=version):
            code = MqttReason.SERVER_UNAVAILABLE
            return [MqttConnack(code if version is MqttVersion.V5 else CONNACK_CODES_V3[code])], True
        case _:
            return [], True
