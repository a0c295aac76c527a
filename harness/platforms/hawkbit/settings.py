"""The tenant's settings that a scenario wants: its own, and the mode that its devices' credential needs."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.scenario_file.scenario import Scenario

GATEWAY_MODE: Final = "authentication.gatewaytoken.enabled"
GATEWAY_KEY: Final = "authentication.gatewaytoken.key"
TARGET_MODE: Final = "authentication.targettoken.enabled"

NEEDED_MODES: Final = {
    "target_token": TARGET_MODE,
    "wrong_target_token": TARGET_MODE,
    "gateway_token": GATEWAY_MODE,
}


def wanted_settings(scenario: Scenario) -> dict[str, Any]:
    """Keys and values as the platform's management interface names them. What the scenario says itself wins.

    The key of the gateway token is not among them unless the scenario names one: it is made for the run.
    """
    settings: dict[str, Any] = dict(scenario.server.settings)
    if (mode := NEEDED_MODES.get(scenario.devices.credential)) is not None:
        settings.setdefault(mode, True)
    return settings
