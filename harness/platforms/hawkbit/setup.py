"""Before the first phase: the tenant as the scenario wants it, then the fleet."""

from __future__ import annotations

from typing import Any

from fleetrig.harness.platforms.hawkbit.settings import GATEWAY_KEY, GATEWAY_MODE, wanted_settings
from fleetrig.harness.run.actions import configure
from fleetrig.harness.run.context import RunContext, build_devices
from fleetrig.simulator.drivers.director import AdminCall, Director


def set_up(context: RunContext) -> Director[None]:
    """Settings, then devices that hold what the settings let in."""
    settings = wanted_settings(context.scenario)
    if context.scenario.devices.credential == "gateway_token":
        context.gateway_key = str(settings.get(GATEWAY_KEY) or (yield from gateway_key_in_use(context)))
        context.gateway_key = context.gateway_key or context.new_token("gateway key")
        settings[GATEWAY_KEY] = context.gateway_key
        context.secrets.learn("gateway-token", context.gateway_key)
    if settings:
        yield from configure(context, settings)
    build_devices(context)


def gateway_key_in_use(context: RunContext) -> AdminCall[str]:
    """The key that other people's devices hold: it is taken as it is rather than replaced. Empty when there is none."""
    if context.server.is_own:
        return ""
    config: dict[str, Any] = yield from context.server.admin.read_config()
    if config.get(GATEWAY_MODE, {}).get("value") is not True:
        return ""
    return str(config.get(GATEWAY_KEY, {}).get("value") or "")
