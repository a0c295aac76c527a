"""The properties of a message as applications get them: defaults of tenant and device, the limit of its life.

As the real server puts them into the headers of a Kafka record: texts as they are, all else as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from fleetrig.simulator.contract.clock import US_PER_MS

OCTET_STREAM: Final = "application/octet-stream"
MS_PER_S: Final = 1_000
UNLIMITED: Final = -1
EVENT: Final = "event"
TELEMETRY: Final = "telemetry"
COMMAND_RESPONSE: Final = "command_response"

TTL: Final = "ttl"
TTL_LIMITS: Final[Mapping[str, str]] = {
    EVENT: "max-ttl",
    TELEMETRY + "0": "max-ttl-telemetry-qos0",
    TELEMETRY + "1": "max-ttl-telemetry-qos1",
    COMMAND_RESPONSE: "max-ttl-command-response",
}
"""Members of `resource-limits`, by endpoint and, of telemetry, quality of service."""
TTL_DEFAULTS: Final = ("ttl-telemetry-qos0", "ttl-telemetry-qos1", "ttl-command-response")
"""Default properties that say a time to live, and are not handed on themselves."""
SAY_A_LIFE: Final = frozenset({TTL, *TTL_DEFAULTS})
ENCODER: Final = json.JSONEncoder(separators=(",", ":"))


def downstream_properties(
    endpoint: str,
    tenant_document: Mapping[str, Any],
    device_defaults: Mapping[str, Any],
    own: Mapping[str, Any],
    *,
    has_payload: bool,
    now_us: int,
) -> dict[str, str]:
    """`own`: what the message says itself; `qos` is one of them."""
    tenant_defaults = tenant_document.get("defaults")
    properties = {**(tenant_defaults or {}), **device_defaults, **own}
    limits = tenant_document.get("resource-limits")
    if limits or not SAY_A_LIFE.isdisjoint(properties):
        _limit_life(endpoint, properties, limits if isinstance(limits, Mapping) else {})
    if not properties.get("content-type") and has_payload:
        properties["content-type"] = OCTET_STREAM
    properties.setdefault("creation-time", now_us // US_PER_MS)
    return {name: _header(value) for name, value in sorted(properties.items()) if value is not None}


def _limit_life(endpoint: str, properties: dict[str, Any], limits: Mapping[str, Any]) -> None:
    """`ttl` in seconds becomes milliseconds, at most what the tenant allows."""
    own_s = _seconds(properties.pop(TTL, None))
    kind = f"{endpoint}{properties.get('qos', 0)}" if endpoint == TELEMETRY else endpoint
    defaults = {name: _seconds(properties.pop(name, None)) for name in TTL_DEFAULTS}
    if own_s == UNLIMITED:
        own_s = defaults.get(f"ttl-{kind.replace('telemetry', 'telemetry-qos').replace('_', '-')}", UNLIMITED)
    most_s = _seconds(limits.get(TTL_LIMITS.get(kind, "")))
    life_s = own_s if most_s == UNLIMITED or UNLIMITED < own_s < most_s else most_s
    if life_s > UNLIMITED:
        properties[TTL] = life_s * MS_PER_S


def _seconds(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= UNLIMITED:
        return UNLIMITED
    return int(value)


def _header(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if type(value) is int else ENCODER.encode(value)  # nearly all are one or the other
