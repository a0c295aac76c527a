"""Which code a refused CONNECT gets (getMqtt3ConnackReturnCode, getMqtt5ConnackReasonCode; spec 4.2)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import Denied

OF_AUTHENTICATION: Final = {
    401: MqttReason.BAD_USER_NAME_OR_PASSWORD,
    404: MqttReason.BAD_USER_NAME_OR_PASSWORD,
    503: MqttReason.SERVER_UNAVAILABLE,
}


def code_of(denied: Denied) -> MqttReason:
    """A reason code of MQTT 5; `SessionRules.connack_codes_v3` makes a return code of MQTT 3 of it.

    What comes after the authentication is told as lacking authority, whatever it is.
    """
    if denied.during == "connecting":
        return MqttReason.NOT_AUTHORIZED
    return OF_AUTHENTICATION.get(denied.status, MqttReason.NOT_AUTHORIZED)
