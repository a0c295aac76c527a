"""Hono's devices for the array engine: whom their certificate lets in, and who then says something at an interval."""

from __future__ import annotations

from typing import Any

from fleetrig.harness.fleets.cohort_traits import AskedFor, CohortTraits, check_server
from fleetrig.harness.fleets.not_a_cohort import NotACohort
from fleetrig.harness.fleets.retry_rule import retry_rule
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
            return _traits(devices, AskedFor(endpoint, f"POST /{endpoint}"))
        case "mqtt" if given.at_least_once is not False:
            publish = AskedFor(endpoint, f"PUBLISH {endpoint}")
            return _traits(devices, publish, (AskedFor("login", "CONNECT device"), publish), drops_at_once=True)
        case "mqtt":
            raise NotACohort("at_least_once: false: nobody hears whether such a message came")
        case _:
            raise NotACohort(f"over: {devices.over}: the array engine has no lost datagrams")


def _traits(
    devices: Devices, asks: AskedFor, first: tuple[AskedFor, ...] = (), *, drops_at_once: bool = False
) -> CohortTraits:
    """Of its own wait and `Retry-After` such a device takes the longer one, which the array engine does not know."""
    return CohortTraits(
        asks,
        (devices.interval_s, devices.interval_s),
        retry_rule(devices.backoff.to_backoff(), knows_retry_after=False),
        devices.timeout_s,
        drops_at_once=drops_at_once,
        knows_retry_after=False,
        first_contact=first,
        comes_back_at=0 if first else None,
    )
