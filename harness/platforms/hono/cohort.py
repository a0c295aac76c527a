"""Hono's devices for the array engine: whom their certificate lets in, and who then says something at an interval."""

from __future__ import annotations

from typing import Any

from fleetrig.harness.fleets.cohort_traits import AskedFor, CohortTraits, check_server, sending_traits
from fleetrig.harness.fleets.not_a_cohort import NotACohort
from fleetrig.harness.scenario_file.scenario import Devices, Scenario


def cohort_traits(scenario: Scenario, devices: Devices) -> CohortTraits:
    """Raises NotACohort."""
    given: Any = devices
    check_server(scenario, lambda name: False)
    if devices.credential != "certificate":
        raise NotACohort(f"credential: {devices.credential}: the array engine lets in whom a certificate lets in")
    if given.gateway or given.clones or given.telemetry_messages is not None or given.waits_for_commands is not None:
        raise NotACohort("its devices are gateways or clones, leave after some messages, or wait for commands")
    endpoint = given.endpoint or "telemetry"
    match devices.over:
        case "http":
            return sending_traits(devices, AskedFor(endpoint, f"POST /{endpoint}"))
        case "mqtt" if given.at_least_once is not False:
            publish = AskedFor(endpoint, f"PUBLISH {endpoint}")
            return sending_traits(devices, publish, (AskedFor("login", "CONNECT device"), publish), drops_at_once=True)
        case "mqtt":
            raise NotACohort("at_least_once: false: nobody hears whether such a message came")
        case _:
            raise NotACohort(f"over: {devices.over}: the array engine has no lost datagrams")
