"""What BIRTH and APPS tell of a device, as the members of the REST API that keep it (spec 2.2, 5.5)."""

from __future__ import annotations

import math
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, KuraPosition
from fleetrig.simulator.contract.clock import US_PER_MS

MEMBERS: Final = {
    "display_name": "displayName",
    "serial_number": "serialNumber",
    "model_id": "modelId",
    "model_name": "modelName",
    "modem_imei": "imei",
    "modem_imsi": "imsi",
    "modem_iccid": "iccid",
    "bios_version": "biosVersion",
    "firmware_version": "firmwareVersion",
    "os_version": "osVersion",
    "jvm_version": "jvmVersion",
    "osgi_framework_version": "osgiFrameworkVersion",
    "application_framework_version": "applicationFrameworkVersion",
    "connection_interface": "connectionInterface",
    "connection_ip": "connectionIp",
    "accept_encoding": "acceptEncoding",
    "application_ids": "applicationIdentifiers",
    "tamper_status": "tamperStatus",
}
"""Metric -> member."""
MOST_CHARS: Final = 10_000
"""Of one member: no gateway says more."""
LAST_MS: Final = 253_402_300_799_999
"""The end of the year 9999: documents have no later date."""


def birth_document(payload: KuraPayload) -> dict[str, Any]:
    """Texts only; a metric of another type is left out, as there is no member for it."""
    said = ((member, payload.text(metric)) for metric, member in MEMBERS.items())
    return {member: text[:MOST_CHARS] for member, text in said if text is not None}


def event_position(position: KuraPosition | None) -> dict[str, Any] | None:
    """A position as events keep it; numbers that are none are left out, as JSON has no word for them."""
    if position is None:
        return None
    known = {
        "longitude": position.longitude,
        "latitude": position.latitude,
        "altitude": position.altitude,
        "precision": position.precision,
        "heading": position.heading,
        "speed": position.speed,
        "satellites": position.satellites,
        "status": position.status,
    }
    return {name: value for name, value in known.items() if value is not None and math.isfinite(value)}


def event_time_us(sent_ms: int | None) -> int | None:
    """When a device says that it has sent a message; None for what no date can say, which is no time."""
    return sent_ms * US_PER_MS if sent_ms is not None and 0 <= sent_ms <= LAST_MS else None
