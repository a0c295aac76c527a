"""hawkBit's devices for the array engine: they poll as often as the server names, and say what they are once."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.fleets.cohort_traits import AskedFor, CohortTraits
from fleetrig.harness.fleets.not_a_cohort import NotACohort
from fleetrig.harness.fleets.retry_rule import retry_rule
from fleetrig.harness.platforms.hawkbit.own_server import FASTEST_POLLING, MIN_POLLING
from fleetrig.harness.platforms.hawkbit.settings import POLLING_TIME
from fleetrig.harness.scenario_file.scenario import Devices, Scenario
from fleetrig.reference_server.platforms.hawkbit.state.config_keys import KEYS
from fleetrig.reference_server.platforms.hawkbit.state.polling import Interval, parse_duration, parse_polling_time

LET_IN: Final = frozenset({"gateway_token", "certificate"})
"""Credentials with which a device is let in without an operator having registered it."""
MS_PER_S: Final = 1_000
ROUNDED_OFF_S: Final = 0.5
"""A drawn interval is told in whole seconds, rounded down: that is half a second in the mean."""


def cohort_traits(scenario: Scenario, devices: Devices) -> CohortTraits:
    """Raises NotACohort."""
    if devices.credential not in LET_IN:
        raise NotACohort(f"credential: {devices.credential}: the array engine lets in who holds a gateway token or a "
                         "certificate, and asks no registry")  # fmt: skip
    if getattr(devices, "confirmation", None) is not None:
        raise NotACohort("its devices are asked before an update (`confirmation`)")
    place = "/DEFAULT/controller/v1/" + next(devices.units()).serial
    poll = AskedFor("poll", f"GET {place}")
    return CohortTraits(
        poll,
        interval_s(scenario, devices),
        retry_rule(devices.backoff.to_backoff()),
        devices.timeout_s,
        handshake="HANDSHAKE https" if devices.credential in devices.certificates else "",
        first_contact=(poll, AskedFor("configData", f"PUT {place}/configData")) if devices.attributes else (),
    )


def interval_s(scenario: Scenario, devices: Devices) -> tuple[float, float]:
    """What the server names, spread by the server (`~10%`) or by the devices (`poll_jitter`)."""
    text = str(scenario.server.settings.values.get(POLLING_TIME, KEYS[POLLING_TIME].default))
    polling = parse_polling_time(text)
    if polling.overrides:
        raise NotACohort(f"{POLLING_TIME} has overrides, for which the server looks at each device")
    if polling.default.deviation_percent and devices.poll_jitter:
        raise NotACohort(f"both {POLLING_TIME} ({text}) and poll_jitter spread the intervals: two draws")
    least_s, most_s = _named_s(polling.default)
    if polling.default.deviation_percent and least_s < (floor_s := _fastest_s(scenario)):
        raise NotACohort(f"{POLLING_TIME} ({text}) draws intervals below {floor_s:g}s, the server's least")
    return least_s, most_s * (1 + devices.poll_jitter)


def _fastest_s(scenario: Scenario) -> float:
    """What is drawn below that becomes that: more devices than others have the same interval then."""
    given = scenario.server.properties.get(MIN_POLLING, FASTEST_POLLING)
    return parse_duration(str(given)) / MS_PER_S


def _named_s(interval: Interval) -> tuple[float, float]:
    if not interval.deviation_percent:
        whole_s = float(interval.milliseconds // MS_PER_S)
        return whole_s, whole_s
    off_s = interval.milliseconds * interval.deviation_percent / 100 / MS_PER_S
    mean_s = interval.milliseconds / MS_PER_S - ROUNDED_OFF_S
    return mean_s - off_s, mean_s + off_s
