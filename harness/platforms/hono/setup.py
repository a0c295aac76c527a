"""Before the fleet is built: the tenant of the run, with an authority of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from fleetrig.harness.platforms.hono.hono_run import HonoRun
from fleetrig.harness.platforms.hono.settings import (
    ADAPTERS,
    MAX_BYTES,
    MAX_CONNECTIONS,
    MAX_CREDENTIALS,
    MAX_DEVICES,
    MESSAGING,
    MINIMUM_SIZE,
    OF_AUTHORITIES,
    SHOWN,
    TRUSTED,
    chosen,
)
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.drivers.director import Director

PERIOD_DAYS: Final = 30
LONG_BEFORE_S: Final = 86_400


def setup(run: HonoRun) -> Director[None]:
    """Makes the tenant in one step: its authority and the flag stand in the request that creates it (spec 2.1)."""
    take_settings(run, settings_in_force(run.context.scenario))
    run.began_us, run.asked_for_tenant = run.context.driver.now_us(), True
    yield from run.admin.create_tenant(tenant_document(run))


def settings_in_force(scenario: Scenario) -> dict[str, Any]:
    """The tenant's members as the scenario wants them."""
    return chosen(scenario.server.settings.values, scenario.devices.credential)


def configure(run: HonoRun, settings: Mapping[str, Any]) -> Director[None]:
    """Replaces the tenant; what is not named stays."""
    take_settings(run, settings)
    yield from replace_tenant(run)


def take_settings(run: HonoRun, settings: Mapping[str, Any]) -> None:
    """`trusted-ca: run` is about the newest authority of the run; without that word whoever is trusted stays."""
    run.settings |= settings
    if TRUSTED in settings:
        run.trusted = [run.newest_authority] if settings[TRUSTED] == "run" else []


def replace_tenant(run: HonoRun) -> Director[None]:
    """After something about the run's tenant has changed."""
    yield from run.admin.replace_tenant(tenant_document(run))


def tenant_document(run: HonoRun) -> dict[str, Any]:
    """The whole tenant, as POST and PUT take it.

    Adapters keep what they know of a tenant for minutes unless it says otherwise (spec 0, "cache max-age").
    """
    settings = run.settings
    messaging = {MESSAGING: settings[MESSAGING]} if MESSAGING in settings else {}
    parts: dict[str, Any] = {
        "ext": {"invalidate-cache-on-update": True, **messaging},
        "adapters": [{"type": one, "enabled": True} for one in settings.get(ADAPTERS, ())],
        "registration-limits": {name: settings[name] for name in (MAX_DEVICES, MAX_CREDENTIALS) if name in settings},
        "resource-limits": resource_limits(run),
        TRUSTED: trusted_entries(run),
    }
    document = {name: value for name, value in parts.items() if value}
    if MINIMUM_SIZE in settings:
        document[MINIMUM_SIZE] = settings[MINIMUM_SIZE]
    return document if run.is_enabled else {"enabled": False, **document}


def resource_limits(run: HonoRun) -> dict[str, Any]:
    settings = run.settings
    limits = {MAX_CONNECTIONS: settings[MAX_CONNECTIONS]} if MAX_CONNECTIONS in settings else {}
    if MAX_BYTES not in settings:
        return limits
    since = datetime.fromtimestamp(run.began_us / US_PER_S - LONG_BEFORE_S, UTC)
    period = {"mode": "days", "no-of-days": PERIOD_DAYS}
    volume = {"effective-since": f"{since:%Y-%m-%dT%H:%M:%SZ}", MAX_BYTES: settings[MAX_BYTES], "period": period}
    return {**limits, "data-volume": volume}


def trusted_entries(run: HonoRun) -> list[dict[str, Any]]:
    if not run.trusted or run.kind not in SHOWN:
        return []
    from fleetrig.harness.platforms.hono.certificates import trusted_entry

    flags = {name: run.settings[name] for name in OF_AUTHORITIES if name in run.settings}
    is_short = len(run.trusted) > 1
    authorities = {at: run.certificates.authorities[at].certificate for at in run.trusted}
    return [
        {"id": f"authority-{at + 1}", **trusted_entry(own, is_short=is_short), **flags}
        for at, own in authorities.items()
    ]
