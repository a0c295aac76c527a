"""ThingsBoard's devices for the array engine: they provision themselves once, then send telemetry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from fleetrig.harness.fleets.cohort_traits import AskedFor, CohortTraits, check_server, sending_traits
from fleetrig.harness.fleets.not_a_cohort import NotACohort
from fleetrig.harness.platforms.thingsboard.settings import CREATE, STRATEGY
from fleetrig.harness.scenario_file.scenario import Devices, Scenario

WITH_KEY: Final = frozenset({"server_token", "own_token", "mqtt_basic"})
PROVISION_HTTP: Final = AskedFor("provision", "POST /api/v1/provision", is_once=True)
TELEMETRY_HTTP: Final = AskedFor("telemetry", "POST /api/v1/token/telemetry")
PROVISION_MQTT: Final = (
    AskedFor("provision-connect", "CONNECT provision"),
    AskedFor("provision-subscribe", "SUBSCRIBE /provision/response/+", is_told=True),
    AskedFor("provision", "PUBLISH /provision/request", is_once=True),
)
LOGIN: Final = AskedFor("login", "CONNECT device")
TELEMETRY_MQTT: Final = AskedFor("telemetry", "PUBLISH v1/devices/me/telemetry")


def cohort_traits(scenario: Scenario, devices: Devices) -> CohortTraits:
    """Raises NotACohort."""
    given: Any = devices
    check_server(scenario, lambda name: name == STRATEGY)
    if devices.credential not in WITH_KEY:
        raise NotACohort(f"credential: {devices.credential}: the array engine knows devices with a provision key")
    if scenario.server.settings.values.get(STRATEGY) != CREATE:
        raise NotACohort("the server would let in who is registered: say provisionType: ALLOW_CREATE_NEW_DEVICES")
    if given.gateway or given.telemetry_messages is not None or given.telemetry_over not in (None, devices.over):
        raise NotACohort("its devices are gateways, leave after some messages, or send elsewhere")
    match devices.over:
        case "http":
            first: tuple[AskedFor, ...] = (PROVISION_HTTP, TELEMETRY_HTTP)
            if given.names_itself is False and devices.credential == "server_token":
                # Who asks again is a new device with a new name, and is let in.
                first = (replace(PROVISION_HTTP, is_once=False), TELEMETRY_HTTP)
            return sending_traits(devices, TELEMETRY_HTTP, first, online_after=1)
        case "mqtt":
            first = (*PROVISION_MQTT, LOGIN, TELEMETRY_MQTT)
            return sending_traits(devices, TELEMETRY_MQTT, first, online_after=first.index(LOGIN), drops_at_once=True)
        case _:
            raise NotACohort(f"over: {devices.over}: the array engine has no lost datagrams")
