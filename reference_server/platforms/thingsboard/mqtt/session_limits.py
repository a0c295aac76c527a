"""What `getSessionLimits` answers (spec 3.2, T04): the official SDKs ask it before anything else."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.thingsboard.state.tenant_configuration import RateLimits, TenantLimits
from fleetrig.simulator.contract.json_types import Json

MESSAGES_IN_FLIGHT: Final = 100


def session_limits(limits: TenantLimits, payload_bytes: int, *, is_gateway: bool) -> Json:
    """A gateway is told its own limits, and those of all that it says for the devices behind it."""
    answer: dict[str, Json] = {
        "maxPayloadSize": payload_bytes,
        "maxInflightMessages": MESSAGES_IN_FLIGHT,
        "rateLimits": _rates(limits.gateway_device if is_gateway else limits.device),
    }
    return {**answer, "gatewayRateLimits": _rates(limits.gateway)} if is_gateway else answer


def _rates(rates: RateLimits) -> Json:
    return {
        "messages": rates.messages or None,
        "telemetryMessages": rates.telemetry_messages or None,
        "telemetryDataPoints": rates.data_points or None,
    }
