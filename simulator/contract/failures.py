"""Which answers count as failures: one rule for checks, and for what a load run counts."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.coap import CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttPublishAck, MqttSuback

FIRST_FAILURE_STATUS: Final = 400
FIRST_MQTT_FAILURE: Final = 0x80
COAP_FAILURES: Final = ("4", "5")


def is_failure(envelope: Envelope | None) -> bool:
    """True for an answer that refuses a request or reports a server error."""
    match envelope:
        case HttpResponse(status=status):
            return status >= FIRST_FAILURE_STATUS
        case MqttConnack(code=code):
            return code != 0
        case MqttPublishAck(code=code):
            return code >= FIRST_MQTT_FAILURE
        case MqttSuback(codes=codes):
            return any(code >= FIRST_MQTT_FAILURE for code in codes)
        case CoapResponse(code=code):
            return code[:1] in COAP_FAILURES
        case _:
            return False
