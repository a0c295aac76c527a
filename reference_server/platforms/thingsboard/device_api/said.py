"""What devices say, written into the state.

All of it raises BadValue for a document of another form; what is counted (S105) raises TooManyMessages.
"""

from __future__ import annotations

from collections.abc import Iterable

from fleetrig.reference_server.platforms.thingsboard.device_api.values import (
    BadValue,
    read_telemetry,
    read_values,
    whole_number,
)
from fleetrig.reference_server.platforms.thingsboard.provisioning.lenient_json import as_text
from fleetrig.reference_server.platforms.thingsboard.state import claims
from fleetrig.reference_server.platforms.thingsboard.state.attributes import (
    attributes_of,
    put_attributes,
    put_telemetry,
)
from fleetrig.reference_server.platforms.thingsboard.state.records import Device, Scope
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry, ms
from fleetrig.simulator.contract.json_types import Json


def post_telemetry(registry: Registry, device: Device, document: Json, now_us: int, *, gateway: str = "") -> None:
    """`gateway`: the id of the one that says it for the device."""
    measurements = read_telemetry(document)
    count(registry, device, now_us, sum(len(measured.values) for measured in measurements), gateway)
    for measured in measurements:
        at_ms = ms(now_us) if measured.at_ms is None else measured.at_ms
        put_telemetry(registry, device.id, measured.values, at_ms)


def post_attributes(registry: Registry, device: Device, document: Json, now_us: int, *, gateway: str = "") -> None:
    """Of the device's own scope."""
    values = read_values(document)
    count(registry, device, now_us, len(values), gateway)
    put_attributes(registry, device.id, Scope.CLIENT, values, now_us)


def attributes_for(
    registry: Registry, device: Device, now_us: int, client_keys: Iterable[str], shared_keys: Iterable[str]
) -> dict[str, Json]:
    """`{"client":{},"shared":{}}`, a scope without any left out. Without keys at all: everything there is."""
    count(registry, device, now_us)
    wanted = {Scope.CLIENT: list(client_keys), Scope.SHARED: list(shared_keys)}
    is_all = not any(wanted.values())
    answer: dict[str, Json] = {}
    for scope, name in ((Scope.CLIENT, "client"), (Scope.SHARED, "shared")):
        found = attributes_of(registry, device.id, scope, None if is_all else wanted[scope])
        if found:
            answer[name] = {one.key: one.value for one in found}
    return answer


def asked_keys(document: Json, name: str) -> list[str]:
    """`clientKeys` or `sharedKeys` of a request: names separated by commas."""
    if not isinstance(document, dict):
        raise BadValue("a request for attributes is an object")
    value = document.get(name, "")
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str | int | float):
        raise BadValue(f"{name} is no text")
    return list(dict.fromkeys(str(value).split(","))) if name in document else []


def offer_claim(registry: Registry, device: Device, document: Json, now_us: int) -> bool:
    """`secretKey` and `durationMs`, both optional; False where claiming is off (spec 3.5)."""
    if not isinstance(document, dict):
        raise BadValue(f"Can't parse value: {as_text(document)}")
    secret, duration = document.get("secretKey", ""), document.get("durationMs", 0)
    if not isinstance(secret, str | int | float) or not isinstance(duration, int | float | str):
        raise BadValue("secretKey is text, durationMs a number")
    duration_ms = whole_number(duration)
    count(registry, device, now_us)
    return claims.offer(registry, device, str(secret), duration_ms, now_us)


def count(registry: Registry, device: Device, now_us: int, data_points: int = 0, gateway: str = "") -> None:
    """One message with so many values, against the limits of the tenant's profile. Raises TooManyMessages."""
    limits = registry.limits_of(device.tenant_id)
    if limits.counts_messages:
        registry.message_limits.take(limits, device, now_us, data_points, gateway)
