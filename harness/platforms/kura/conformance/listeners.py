"""How a broker of the Kura namespace is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.conformance.foreign_listeners import Look, Place, why_no_mqtt

USUAL_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
WITHIN_S: Final = 20.0
"""As in rows: who accepts a connection may be busy."""
NOBODY: Final = {"client_id": "fleetrig-look", "user_name": "fleetrig-nobody", "password": "x"}
"""Who is refused everywhere."""


def _mqtt(place: Place) -> str:
    return why_no_mqtt(place, WITHIN_S, is_tls=False, **NOBODY)


def _mqtts(place: Place) -> str:
    return why_no_mqtt(place, WITHIN_S, is_tls=True, **NOBODY)


LOOKS: Final[Mapping[str, Look]] = {"mqtt": _mqtt, "mqtts": _mqtts}
