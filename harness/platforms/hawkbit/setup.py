"""Before the first phase: the tenant as the scenario wants it, then the fleet."""

from __future__ import annotations

from typing import Any

from fleetrig.harness.platforms.hawkbit.settings import GATEWAY_KEY, GATEWAY_MODE, wanted_settings
from fleetrig.harness.run.actions import configure
from fleetrig.harness.run.context import Rig, build_devices
from fleetrig.simulator.drivers.director import AdminCall, Director


def set_up(rig: Rig) -> Director[None]:
    """Settings, then devices that hold what the settings let in."""
    settings = wanted_settings(rig.scenario)
    if rig.scenario.devices.credential == "gateway_token":
        rig.gateway_key = str(settings.get(GATEWAY_KEY) or (yield from gateway_key_in_use(rig)))
        rig.gateway_key = rig.gateway_key or rig.new_token("gateway key")
        settings[GATEWAY_KEY] = rig.gateway_key
        rig.secrets.learn("gateway-token", rig.gateway_key)
    if settings:
        yield from configure(rig, settings)
    build_devices(rig)


def gateway_key_in_use(rig: Rig) -> AdminCall[str]:
    """The key that other people's devices hold: it is taken as it is rather than replaced. Empty when there is none."""
    if rig.server.is_own:
        return ""
    config: dict[str, Any] = yield from rig.server.admin.read_config()
    if config.get(GATEWAY_MODE, {}).get("value") is not True:
        return ""
    return str(config.get(GATEWAY_KEY, {}).get("value") or "")
