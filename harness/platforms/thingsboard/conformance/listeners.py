"""How ThingsBoard's listeners are known."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Final

from fleetrig.harness.conformance.exact_coap import GET, ExactCoap
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.conformance.foreign_listeners import NOBODY, Look, Place, why_no_mqtt
from fleetrig.harness.platforms.thingsboard.conformance.asking import PATH, PROVISION
from fleetrig.simulator.contract.errors import BrokenBench

USUAL_PORTS: Final = {"mqtt": 1883, "mqtts": 8883, "coap": 5683}
MQTT_WITHIN_S: Final = 20.0
"""As in rows: who accepts a connection may be busy."""
COAP_WITHIN_S: Final = 6.0
"""Time for one repetition of a datagram."""


def _mqtt(place: Place) -> str:
    return why_no_mqtt(place, MQTT_WITHIN_S, is_tls=False, user_name=PROVISION)


def _mqtts(place: Place) -> str:
    return why_no_mqtt(place, MQTT_WITHIN_S, is_tls=True, user_name=PROVISION)


def _coap(place: Place) -> str:
    """Any message of CoAP will do, a reset too: what it should be is for rows."""
    try:
        with contextlib.closing(ExactCoap(*place, COAP_WITHIN_S)) as endpoint:
            endpoint.ask(GET, PATH)
    except BrokenBench:
        return NOBODY
    except Mismatch as mismatch:
        return NOBODY if mismatch.finding.got == "nothing" else ""
    return ""


LOOKS: Final[Mapping[str, Look]] = {"mqtt": _mqtt, "mqtts": _mqtts, "coap": _coap}
