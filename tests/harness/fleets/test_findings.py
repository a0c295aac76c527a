"""What findings tell of fleets that the array engine ran, and of curves that were written by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from fleetrig.harness.fleets.findings import Findings, Return, Situation, findings_of
from fleetrig.simulator.backoff import Backoff, Policy
from fleetrig.simulator.cohort.figures import CohortFigures, FleetFigures
from fleetrig.simulator.cohort.formulas import echo_factor
from fleetrig.simulator.cohort.model import ServerModel
from tests.simulator.cohort.expected_rates import PollingFleet
from tests.simulator.cohort.herds import BEGINS_S, S, herd

T = 300


def situation(fleet: PollingFleet, outage_s: float, capacity_per_s: float | None = None) -> Situation:
    begins_us = BEGINS_S * S
    interval_us = round((fleet.least_s + fleet.most_s) / 2 * S)
    return Situation(
        fleet.steady_per_s, interval_us, (begins_us, begins_us + round(outage_s * S)), capacity_per_s, fleet.count
    )


def by_hand(requests: np.ndarray, **more: np.ndarray) -> FleetFigures:
    nothing = np.zeros(len(requests), np.int64)
    names = ("answered", "turned_away", "refused", "silent", "late", "retries", "came_online", "went_offline")
    given = {name: np.asarray(more.get(name, nothing), np.int64) for name in names}
    return FleetFigures([CohortFigures(requests=np.asarray(requests, np.int64), **given)])


def level(per_s: int, seconds: int) -> np.ndarray:
    return np.full(seconds, per_s, np.int64)


STILL = Situation(10.0, T * S, (100 * S, 200 * S), None, 3000)


def test_peaks_and_plateau_are_counted_where_they_belong() -> None:
    requests = level(10, 1000)
    requests[100:200], requests[150], requests[200], requests[230] = 25, 90, 40, 60
    found = findings_of(by_hand(requests, retries=level(5, 1000)), STILL)
    assert (found.peak.at_s, found.peak.per_s, found.peak.times_steady) == (150, 90, 9.0)
    assert (found.peak_after.at_s, found.peak_after.per_s) == (230, 60)
    assert (found.first_second.at_s, found.first_second.per_s) == (200, 40)
    assert found.plateau_per_s == 25.65
    assert found.retry_ratio == pytest.approx(5000 / (requests.sum() - 5000))


@pytest.mark.parametrize(
    ("rest", "after_s"),
    [
        (level(10, 900), 0),
        (np.concatenate((level(30, 120), level(10, 780))), 117),
        (np.concatenate((level(10, 250), level(30, 60), level(10, 590))), 307),
        (np.concatenate((level(10, 600), level(30, 300))), 0),
        (np.tile(np.concatenate((level(30, 30), level(8, 270))), 3), None),
        (level(10, 200), None),
    ],
    ids=["at once", "after two minutes", "after a lull", "long enough", "an echo", "too short a run"],
)
def test_steady_is_near_the_mean_for_a_whole_interval(rest: np.ndarray, after_s: int | None) -> None:
    """Three seconds of the peak in a minute are within what chance does to 10 a second."""
    found = findings_of(by_hand(np.concatenate((level(10, 200), rest))), STILL)
    assert found.steady_after_s == after_s


def test_a_small_fleet_is_steady_as_far_as_chance_lets_it() -> None:
    requests = np.random.default_rng(1).poisson(1.0, 3000)
    assert findings_of(by_hand(requests), replace(STILL, steady_per_s=1.0)).steady_after_s is not None
    assert findings_of(by_hand(2 * requests), replace(STILL, steady_per_s=1.0)).steady_after_s is None


def test_quiet_is_the_end_of_the_failures() -> None:
    failing = level(0, 1000)
    failing[150:260] = 3
    assert findings_of(by_hand(level(10, 1000), turned_away=failing), STILL).quiet_after_s == 60
    failing[900] = 1
    again = findings_of(by_hand(level(10, 1000), late=failing), STILL)
    assert (again.quiet_after_s, again.survives) == (None, False)


def test_connected_fleets_have_no_steady_rate() -> None:
    requests = np.concatenate((level(0, 200), level(50, 20), level(0, 400)))
    found = findings_of(by_hand(requests), Situation(0.0, 0, (100 * S, 200 * S), None, 1000))
    assert found.peak_after.times_steady is None
    assert found.steady_after_s == 20
    assert (found.echo.swings, found.likeness) == ((), None)


def test_devices_that_did_not_come_back_are_counted() -> None:
    came, went = level(0, 300), level(0, 300)
    came[0], went[100], came[200] = 100, 40, 25
    found = findings_of(by_hand(level(10, 300), came_online=came, went_offline=went), STILL)
    assert found.offline_at_end == 15
    assert findings_of(by_hand(level(10, 300)), STILL).offline_at_end is None


@pytest.mark.parametrize("jitter", [0.05, 0.1, 0.25])
def test_the_echo_of_a_herd_shrinks_as_its_formula_says(jitter: float) -> None:
    """60,000 devices in lockstep by their backoff come together, and again one interval later.

    A cycle is cut off at its ends, where a wide echo goes on: that is what the tolerance is for.
    """
    fleet = PollingFleet(60_000, 100 * (1 - jitter), 100 * (1 + jitter), Backoff(Policy.EXPONENTIAL, 40.0, 80.0))
    found = findings_of(herd(fleet, 400, 1400), situation(fleet, 400))
    assert found.echo.factor == pytest.approx(echo_factor(fleet.least_s, fleet.most_s), rel=0.1)
    assert len(found.echo.clear) >= 3


def test_a_fleet_in_lockstep_is_like_itself_one_interval_later() -> None:
    lockstep = np.tile(np.concatenate((level(100, 30), level(0, 270))), 6)
    found = findings_of(by_hand(lockstep), replace(STILL, outage_us=None))
    assert found.likeness == pytest.approx(1.0)
    assert found.echo.factor == pytest.approx(1.0)
    chance = np.random.default_rng(2).poisson(10.0, 6000)
    assert abs(findings_of(by_hand(chance), STILL).likeness or 0.0) < 0.1


def test_the_capacity_for_a_curve_is_that_of_a_queue() -> None:
    requests = level(10, 600)
    requests[100:200], requests[300:310] = 500, 50
    found = findings_of(by_hand(requests), STILL, waiting_s=0.0)
    assert found.capacity_needed_per_s == pytest.approx(50, rel=0.002), "nobody asks the server during an outage"
    # A queue of 2 s takes 2·C; ten seconds of 50 leave 10·(50 − C) behind: C = 500/12.
    queued = findings_of(by_hand(requests), STILL)
    assert queued.capacity_needed_per_s == pytest.approx(500 / 12, rel=0.01)


@cache
def collapsing(waiting_s: float, timeout_s: float, policy: Policy = Policy.FIXED, outage_s: int = 1200) -> Findings:
    """3,000 devices, λ = 10/s, C = 2.5 λ, a fixed retry of 30 s: the known example of a metastable failure."""
    fleet = PollingFleet(3_000, 270.0, 330.0, Backoff(policy, base_s=30.0, cap_s=600.0, honours_retry_after=False))
    server = ServerModel(service_us=S // 25, waiting_us=round(waiting_s * S))
    figures = herd(fleet, outage_s, 4 * 3600, server=server, timeout_s=timeout_s)
    return findings_of(figures, situation(fleet, outage_s, 25.0))


def test_metastable_collapse_is_recognised_and_named() -> None:
    found = collapsing(20.0, 5.0)
    assert found.collapse is not None
    assert found.collapse.utilisation == pytest.approx(1.0, abs=0.02)
    assert found.collapse.goodput_per_s < 0.5
    assert found.collapse.since_s < BEGINS_S + 1200 + 60
    assert found.requests > 1_000_000, "and not 140,000"
    assert found.late > 200_000
    assert not found.survives
    assert found.collapse.say().startswith("metastable collapse: the cause is over, the server is busy to ")


@pytest.mark.parametrize(
    ("waiting_s", "timeout_s", "policy"), [(2.0, 10.0, Policy.FIXED), (20.0, 5.0, Policy.FULL_JITTER)]
)
def test_a_fleet_that_recovers_has_not_collapsed(waiting_s: float, timeout_s: float, policy: Policy) -> None:
    found = collapsing(waiting_s, timeout_s, policy)
    assert found.collapse is None
    assert found.survives
    assert found.offline_at_end == 0


def test_an_overload_is_no_collapse_while_its_cause_lasts() -> None:
    """Nor where the server could not carry the steady load: that is simply too little."""
    busy = by_hand(level(100, 2000), late=level(25, 2000))
    collapsed = replace(STILL, capacity_per_s=25.0)
    assert findings_of(busy, collapsed).collapse is not None
    assert findings_of(busy, replace(collapsed, outage_us=(100 * S, 1900 * S))).collapse is None
    assert findings_of(busy, replace(collapsed, steady_per_s=30.0)).collapse is None
    assert findings_of(busy, replace(collapsed, capacity_per_s=None)).collapse is None


def test_time_to_online_is_told_in_percentiles() -> None:
    fleet = PollingFleet(5_000, 108.0, 132.0, Backoff(Policy.FULL_JITTER, 5.0, 60.0))
    found = findings_of(herd(fleet, 300, 700), situation(fleet, 300))
    assert found.time_to_online is not None
    assert 150 < found.time_to_online.p50_s < found.time_to_online.p90_s < found.time_to_online.p99_s < 400
    assert findings_of(by_hand(level(1, 400)), STILL).time_to_online is None


def test_how_long_after_the_fault_those_who_were_cut_off_were_back_for_good() -> None:
    came, went = level(0, 400), level(0, 400)
    came[10], went[150] = 1000, 800
    came[220], went[230], came[260], came[300] = 450, 80, 350, 80
    found = findings_of(by_hand(level(10, 400), came_online=came, went_offline=went), STILL)
    assert found.comes_back == Return(cut_off=800, half_s=60, most_s=60, nearly_all_s=100)


def test_who_is_not_back_within_the_run_has_no_time() -> None:
    came, went = level(0, 400), level(0, 400)
    came[10], went[150], came[220] = 1000, 800, 700
    figures = by_hand(level(10, 400), came_online=came, went_offline=went)
    assert findings_of(figures, STILL).comes_back == Return(cut_off=800, half_s=20, most_s=None, nearly_all_s=None)
    assert findings_of(figures, replace(STILL, outage_us=None)).comes_back is None
    assert findings_of(figures, replace(STILL, outage_us=(20 * S, 30 * S))).comes_back is None, "nobody was cut off"
