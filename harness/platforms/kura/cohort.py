"""Gateways of the Kura namespace for the array engine: they are connected, and come back when they are not.

As in `simulator/flows/kura/data_service.py`: also at power-on they wait as after a loss.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetrig.harness.fleets.cohort_traits import AskedFor, CohortTraits, check_server
from fleetrig.harness.fleets.not_a_cohort import NotACohort
from fleetrig.harness.fleets.retry_rule import retry_rule
from fleetrig.harness.platforms.kura.device_settings import words_of
from fleetrig.harness.platforms.kura.device_words import DataServiceWords, TransportWords
from fleetrig.harness.scenario_file.scenario import Devices, Scenario
from fleetrig.simulator.backoff import Policy
from fleetrig.simulator.cohort.model import ROUND_TRIP_US, RetryRule
from fleetrig.simulator.contract.clock import US_PER_S, to_us
from fleetrig.simulator.flows.kura.data_service import DELAY_SHARE, LEAST_DELAY_S, full_jitter
from fleetrig.simulator.flows.kura.transport import CONNECT_TIMEOUTS

BIRTH = AskedFor("birth", "PUBLISH $EDC/account/device/MQTT/BIRTH")
SUBSCRIBES = AskedFor("subscribe", "SUBSCRIBE $EDC/account/device/#")


def cohort_traits(scenario: Scenario, devices: Devices) -> CohortTraits:
    """Raises NotACohort."""
    given: Any = devices
    check_server(scenario, lambda name: False)
    words: DataServiceWords = words_of(devices, DataServiceWords)
    transport: TransportWords = words_of(devices, TransportWords)
    if devices.credential != "password":
        raise NotACohort(f"credential: {devices.credential}: on the array engine gateways are configured already "
                         "(credential: password)")  # fmt: skip
    if given.telemetry_messages != 0:
        raise NotACohort("its gateways send telemetry beside their logins: say telemetry_messages: 0")
    if words.recovery or given.quirks or given.clones:
        raise NotACohort("its gateways have a watchdog (`recovery`), `quirks`, or are `clones`")
    return CohortTraits(
        AskedFor("login", "CONNECT device"),
        (0.0, 0.0),
        reconnect_rule(words),
        CONNECT_TIMEOUTS * transport.timeout_s,
        is_connected=True,
        drops_at_once=True,
        waits_to_start=True,
        knows_retry_after=False,
        after_each_login=(BIRTH, SUBSCRIBES),
    )


def reconnect_rule(words: DataServiceWords) -> RetryRule:
    """The law of the DataService. Its fixed rate counts from start to start, and a refusal takes the round trip."""
    interval_s = words.retry_interval_s
    if words.reconnect == "full-jitter":
        return replace(retry_rule(full_jitter(interval_s)), honours_retry_after=False)
    steps = max(1, int(interval_s) // DELAY_SHARE)
    return RetryRule(
        Policy.FIXED,
        base_us=to_us(interval_s) - ROUND_TRIP_US,
        floor_us=to_us(LEAST_DELAY_S),
        honours_retry_after=False,
        first_us=(0, steps * US_PER_S),
        first_step_us=US_PER_S,
    )
