"""hawkBit's devices for the array engine: they poll as often as the server names, and say what they are once."""

from __future__ import annotations

from typing import Final

from fleetrig.harness.fleets.cohort_traits import AskedFor, CohortTraits, check_server
from fleetrig.harness.fleets.not_a_cohort import NotACohort
from fleetrig.harness.fleets.retry_rule import retry_rule
from fleetrig.harness.platforms.hawkbit.own_server import FASTEST_POLLING, MIN_POLLING
from fleetrig.harness.platforms.hawkbit.settings import GATEWAY_MODE, POLLING_TIME
from fleetrig.harness.scenario_file.scenario import Devices, Scenario
from fleetrig.reference_server.platforms.hawkbit.state.config_keys import KEYS
from fleetrig.reference_server.platforms.hawkbit.state.polling import Interval, parse_duration, parse_polling_time

LET_IN: Final = frozenset({"gateway_token", "certificate"})
"""Credentials with which a device is let in without an operator having registered it."""
MS_PER_S: Final = 1_000
POLLING_BOUNDS: Final = {MIN_POLLING: FASTEST_POLLING, "hawkbit.controller.maxPollingTime": "23:59:59"}
"""Properties, and what they are when nobody says. What is drawn outside of them becomes the nearer one."""
ROUNDED_OFF_S: Final = 0.5
"""A drawn interval is told in whole seconds, rounded down: that is half a second in the mean."""


def cohort_traits(scenario: Scenario, devices: Devices) -> CohortTraits:
    """Raises NotACohort."""
    if devices.credential not in LET_IN:
        raise NotACohort(f"credential: {devices.credential}: the array engine lets in who holds a gateway token or a "
                         "certificate, and asks no registry")  # fmt: skip
    if getattr(devices, "confirmation", None) is not None:
        raise NotACohort("its devices are asked before an update (`confirmation`)")
    check_server(scenario, lambda name: _is_known(scenario, name))
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
    floor_s, ceiling_s = (_property_s(scenario, *each) for each in POLLING_BOUNDS.items())
    if not floor_s <= least_s <= most_s <= ceiling_s:
        bounds = f"{floor_s:g}s and {ceiling_s:g}s, the bounds of the server"
        raise NotACohort(f"{POLLING_TIME} ({text}) is not always between {bounds}")
    return least_s, most_s * (1 + devices.poll_jitter)


def _property_s(scenario: Scenario, name: str, default: str) -> float:
    return parse_duration(str(scenario.server.properties.get(name, default))) / MS_PER_S


def _is_known(scenario: Scenario, name: str) -> bool:
    """Whoever is let in is let in, and what else there is is about updates."""
    if name == GATEWAY_MODE:
        return scenario.server.settings.values[name] is True
    return name in POLLING_BOUNDS or not name.startswith(("authentication.", "hawkbit."))


def _named_s(interval: Interval) -> tuple[float, float]:
    if not interval.deviation_percent:
        whole_s = float(interval.milliseconds // MS_PER_S)
        return whole_s, whole_s
    off_s = interval.milliseconds * interval.deviation_percent / 100 / MS_PER_S
    mean_s = interval.milliseconds / MS_PER_S - ROUNDED_OFF_S
    return mean_s - off_s, mean_s + off_s
