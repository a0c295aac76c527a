"""Before the fleet is built: the tenant as the scenario wants it, with the mode that the devices' credential needs."""

from __future__ import annotations

from typing import Any

from fleetrig.harness.platforms.hawkbit.actions import configure
from fleetrig.harness.platforms.hawkbit.hawkbit_run import HawkbitRun
from fleetrig.harness.platforms.hawkbit.settings import (
    CERTIFICATES,
    GATEWAY_KEY,
    GATEWAY_MODE,
    HEADER_AUTHORITY,
    NEEDED_MODES,
)
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.header_text import why_no_header_text
from fleetrig.simulator.drivers.director import AdminCall, Director


def setup(run: HawkbitRun) -> Director[None]:
    """The tenant's settings, so that devices will hold what the settings let in."""
    context = run.context
    settings = wanted_settings(context.scenario)
    if context.scenario.devices.credential == "gateway_token":
        run.gateway_key = str(settings.get(GATEWAY_KEY) or (yield from gateway_key_in_use(run)))
        run.gateway_key = run.gateway_key or context.new_token("gateway key")
        settings[GATEWAY_KEY] = run.gateway_key
        context.secrets.learn("gateway-token", run.gateway_key)
    if context.scenario.devices.credential in CERTIFICATES:
        run.certificates.take_listed(context.scenario.devices.units())
        if HEADER_AUTHORITY not in settings:
            settings[HEADER_AUTHORITY] = yield from authorities_to_trust(run)
    if settings:
        yield from configure(run, settings)


def authorities_to_trust(run: HawkbitRun) -> AdminCall[str]:
    """The authorities of the run, on a shared server behind those that it trusts already."""
    before = ""
    if not run.context.server.is_own:
        config: dict[str, Any] = yield from run.admin.read_config()
        before = str(config.get(HEADER_AUTHORITY, {}).get("value") or "")
    listed = list(filter(None, before.split(",")))
    return ",".join(dict.fromkeys([*listed, *run.certificates.told_as()]))


def wanted_settings(scenario: Scenario) -> dict[str, Any]:
    """Keys and values as the platform's management interface names them. What the scenario says itself wins.

    The key of the gateway token is not among them unless the scenario names one: it is made for the run.
    """
    settings: dict[str, Any] = dict(scenario.server.settings.values)
    if (mode := NEEDED_MODES.get(scenario.devices.credential)) is not None:
        settings.setdefault(mode, True)
    return settings


def settings_in_force(scenario: Scenario) -> dict[str, object]:
    """The same for people to read."""
    settings: dict[str, object] = wanted_settings(scenario)
    if scenario.devices.credential == "gateway_token":
        settings.setdefault(GATEWAY_KEY, "(generated; the existing key on a shared server)")
    if scenario.devices.credential in CERTIFICATES:
        settings.setdefault(HEADER_AUTHORITY, "(the authority of the run; beside the existing ones on a shared server)")
    return settings


def gateway_key_in_use(run: HawkbitRun) -> AdminCall[str]:
    """The gateway key that a shared server already uses: it is kept, not replaced. Empty if there is none."""
    if run.context.server.is_own:
        return ""
    config: dict[str, Any] = yield from run.admin.read_config()
    if config.get(GATEWAY_MODE, {}).get("value") is not True:
        return ""
    key = str(config.get(GATEWAY_KEY, {}).get("value") or "")
    if why := why_no_header_text(key):
        raise BrokenBench(f"the gateway key of {run.context.server.name} {why}, so no device can send it: "
                          "change it, or use credential: target_token")  # fmt: skip
    return key
