"""What BIRTH and APPS tell of a device, as the members of the REST API that keep it (spec 2.2, 5.5)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, KuraPosition

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


def birth_document(payload: KuraPayload) -> dict[str, Any]:
    """Texts only; a metric of another type is left out, as there is no member for it."""
    said = ((member, payload.text(metric)) for metric, member in MEMBERS.items())
    return {member: text[:MOST_CHARS] for member, text in said if text is not None}


def event_position(position: KuraPosition | None) -> dict[str, Any] | None:
    """A position as events keep it."""
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
    return {name: value for name, value in known.items() if value is not None}
