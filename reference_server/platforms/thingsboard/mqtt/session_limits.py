"""What `getSessionLimits` answers (spec 3.2, T04): the official SDKs ask it before anything else."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from fleetrig.simulator.contract.json_types import Json

MESSAGES_IN_FLIGHT: Final = 100


def session_limits(settings: Settings, *, is_gateway: bool) -> Json:
    """Gateways have limits of their own, and so have devices behind them: there are none of either here."""
    answer: dict[str, Json] = {
        "maxPayloadSize": settings.payload_bytes,
        "maxInflightMessages": MESSAGES_IN_FLIGHT,
        "rateLimits": _rates(None if is_gateway else settings.device_messages or None),
    }
    return {**answer, "gatewayRateLimits": _rates(None)} if is_gateway else answer


def _rates(messages: str | None) -> Json:
    return {"messages": messages, "telemetryMessages": None, "telemetryDataPoints": None}
