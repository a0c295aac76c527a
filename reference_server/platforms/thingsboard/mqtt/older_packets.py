"""What servers before 3.7 say to clients of MQTT 5: nothing that MQTT 3 has no word for (spec 1.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.mqtt_sessions.reason_codes import (
    NOT_AUTHORIZED_V3,
    REFUSED,
    MqttReason,
)
from fleetrig.simulator.contract.envelope import Envelope, Output, Send
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttDisconnect, MqttPublishAck, MqttSuback, MqttUnsuback

SERVER_UNAVAILABLE_V3: Final = 3


def without_codes(outputs: Sequence[Output]) -> list[Output]:
    """The same, as such a server sends it."""
    kept: list[Output] = []
    for output in outputs:
        if not isinstance(output, Send):
            kept.append(output)
        elif (envelope := _without_code(output.envelope)) is not None:
            kept.append(replace(output, envelope=envelope))
    return kept


def _without_code(envelope: Envelope) -> Envelope | None:
    """None: it is not sent at all."""
    match envelope:
        case MqttDisconnect():
            return None
        case MqttConnack(code) if code >= REFUSED:
            is_late = code in (MqttReason.SERVER_UNAVAILABLE, MqttReason.CONNECTION_RATE_EXCEEDED)
            return replace(envelope, code=SERVER_UNAVAILABLE_V3 if is_late else NOT_AUTHORIZED_V3)
        case MqttSuback(_, codes):
            return replace(envelope, codes=tuple(min(code, REFUSED) for code in codes))
        case MqttUnsuback(_, codes):
            return replace(envelope, codes=())
        case MqttPublishAck():
            return replace(envelope, code=0)
        case _:
            return envelope
