"""Fleets so small that their figures are written down by hand; every engine tells them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from fleetrig.simulator.backoff import Policy
from fleetrig.simulator.cohort.arrays import ArrayFleet, can_be_compiled
from fleetrig.simulator.cohort.chance import Ints
from fleetrig.simulator.cohort.engine import FleetEngine
from fleetrig.simulator.cohort.model import (
    Budget,
    Cohort,
    Disruption,
    FleetModel,
    RetryRule,
    ServerModel,
    Starts,
    Unanswered,
)
from fleetrig.simulator.cohort.outcomes import Codes
from fleetrig.simulator.cohort.processes import ProcessFleet
from fleetrig.simulator.drivers.load.histogram import bucket_of
from tests.simulator.cohort.fleets import DEVICES, END_US, Case, S, lead

Engine = Callable[[FleetModel], FleetEngine]
ENGINES: dict[str, Engine] = {"arrays": ArrayFleet, "processes": ProcessFleet} | (
    {"compiled": lambda model: ArrayFleet(model, compiled=True)} if can_be_compiled() else {}
)
FIXED = RetryRule(Policy.FIXED, base_us=4 * S, retry_after_spread_us=0)
POLLER = Cohort("pollers", 1, (10 * S, 10 * S), FIXED, timeout_us=3 * S)
CONNECTED = Cohort("gateways", 1, (0, 0), FIXED, timeout_us=3 * S, is_connected=True)
AT_ONCE = Starts()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]


def seconds(counts: np.ndarray) -> list[int]:
    """Those in which something happened, once for each time."""
    return np.repeat(np.arange(counts.size), counts).tolist()


def test_a_poll_follows_an_answer_after_the_interval(engine: Engine) -> None:
    fleet = engine(FleetModel((POLLER,)))
    fleet.start(range(1), AT_ONCE)
    fleet.run_until(35 * S)
    (figures,) = fleet.figures.cohorts
    assert seconds(figures.requests) == seconds(figures.answered) == [0, 10, 20, 30]
    assert seconds(figures.came_online) == [0]
    assert fleet.figures.took == {bucket_of(2_000): 4}
    assert fleet.figures.time_to_online == {bucket_of(2_000): 1}
    assert seconds(fleet.figures.slowest_us // 2_000) == [0, 10, 20, 30]


def test_who_is_refused_tries_again_and_is_offline_from_then_on(engine: Engine) -> None:
    fleet = engine(FleetModel((POLLER,)))
    fleet.start(range(1), AT_ONCE)
    fleet.disrupt(Disruption(9 * S, 16 * S))
    fleet.run_until(30 * S)
    (figures,) = fleet.figures.cohorts
    assert seconds(figures.requests) == [0, 10, 14, 18, 28]
    assert seconds(figures.refused) == [10, 14]
    assert seconds(figures.retries) == [14, 18]
    assert seconds(figures.went_offline) == [10]
    assert seconds(figures.came_online) == [0, 18]
    # Three round trips, of which the last is the answer; two delays of four seconds.
    assert bucket_of(8 * S + 3 * 2_000) in fleet.figures.time_to_online


def test_who_hears_nothing_notices_by_its_time_out(engine: Engine) -> None:
    fleet = engine(FleetModel((POLLER,)))
    fleet.start(range(1), AT_ONCE)
    fleet.disrupt(Disruption(0, 5 * S, Unanswered.SILENT))
    fleet.run_until(10 * S)
    assert seconds(fleet.figures.cohorts[0].silent) == [0]
    assert seconds(fleet.figures.cohorts[0].requests) == [0, 7]


@pytest.mark.parametrize(("honours", "tries"), [(True, [0, 12]), (False, [0, 4, 8, 12])])
def test_a_server_says_when_to_come_again(engine: Engine, honours: bool, tries: list[int]) -> None:
    rule = RetryRule(Policy.FIXED, base_us=4 * S, retry_after_spread_us=0, honours_retry_after=honours)
    fleet = engine(FleetModel((Cohort("pollers", 1, (90 * S, 90 * S), rule),)))
    fleet.start(range(1), AT_ONCE)
    fleet.disrupt(Disruption(0, 10 * S, Unanswered.TURNED_AWAY, retry_after_us=12 * S))
    fleet.run_until(20 * S)
    assert seconds(fleet.figures.cohorts[0].requests) == tries


def test_who_comes_too_late_in_a_queue_is_worked_for_in_vain(engine: Engine) -> None:
    """A second each, and five at once: the third answer comes when its client has just given up, so do all after it."""
    fleet = engine(FleetModel((Cohort("pollers", 5, (90 * S, 90 * S), FIXED, timeout_us=3 * S),), ServerModel(S)))
    fleet.start(range(5), AT_ONCE)
    fleet.run_until(3 * S)
    assert int(fleet.figures.cohorts[0].answered.sum()) == 2
    assert int(fleet.figures.cohorts[0].late.sum()) == 3
    assert fleet.figures.slowest_us[0] == 2 * S + 2_000


@pytest.mark.parametrize(("timeout_us", "answered"), [(2 * S + 2_000, 2), (2 * S + 1_999, 1)])
def test_a_time_out_is_the_longest_that_a_client_waits(engine: Engine, timeout_us: int, answered: int) -> None:
    """The second of two takes two seconds of work and a round trip."""
    cohort = Cohort("pollers", 2, (90 * S, 90 * S), FIXED, timeout_us=timeout_us)
    fleet = engine(FleetModel((cohort,), ServerModel(S)))
    fleet.start(range(2), AT_ONCE)
    fleet.run_until(S)
    assert int(fleet.figures.cohorts[0].answered.sum()) == answered


def test_what_is_shed_costs_the_server_nothing(engine: Engine) -> None:
    """Dropped after a second in the queue: the last three of five at once. When they retry, the server is idle."""
    server = ServerModel(S, sheds_after_us=S)
    fleet = engine(FleetModel((Cohort("pollers", 5, (90 * S, 90 * S), FIXED, timeout_us=3 * S),), server))
    fleet.start(range(5), AT_ONCE)
    fleet.run_until(20 * S)
    (figures,) = fleet.figures.cohorts
    assert seconds(figures.late) == [0, 0, 0, 7]
    assert seconds(figures.answered) == [0, 0, 7, 7, 14]


def test_connected_devices_ask_when_their_connection_is_gone(engine: Engine) -> None:
    fleet = engine(FleetModel((CONNECTED, POLLER)))
    fleet.start(range(2), AT_ONCE)
    fleet.disrupt(Disruption(5 * S, 7 * S, drops_connections=True))
    fleet.run_until(30 * S)
    connected, poller = fleet.figures.cohorts
    assert seconds(connected.requests) == [0, 9]
    assert seconds(connected.went_offline) == [5]
    assert seconds(connected.retries) == seconds(connected.came_online)[1:] == [9]
    assert seconds(poller.requests) == [0, 10, 20]


def test_further_work_follows_the_next_answer_at_once(engine: Engine) -> None:
    fleet = engine(FleetModel((CONNECTED, POLLER)))
    fleet.start(range(2), AT_ONCE)
    fleet.run_until(5 * S)
    fleet.give_work(range(2), 3)
    fleet.run_until(30 * S)
    connected, poller = fleet.figures.cohorts
    assert seconds(connected.requests) == [0, 5, 5, 5], "it has a connection: it begins at once"
    assert seconds(poller.requests) == [0, 10, 10, 10, 10, 20]


def test_work_given_again_before_it_was_begun_is_not_twice_the_work(engine: Engine) -> None:
    fleet = engine(FleetModel((POLLER,)))
    for requests in (3, 1, 2):
        fleet.give_work(range(1), requests)
    fleet.start(range(1), AT_ONCE)
    fleet.run_until(15 * S)
    assert seconds(fleet.figures.cohorts[0].requests) == [0, 0, 0, 0, 10]


def test_without_power_nothing_happens_and_nothing_is_remembered(engine: Engine) -> None:
    rule = RetryRule(Policy.EXPONENTIAL, base_us=S, cap_us=60 * S)
    fleet = engine(FleetModel((Cohort("pollers", 1, (10 * S, 10 * S), rule),)))
    fleet.start(range(1), AT_ONCE)
    fleet.disrupt(Disruption(5 * S, 100 * S))
    fleet.run_until(24 * S)  # it failed at 10, 11, 13, 17; next would be 25
    fleet.stop(range(1))
    fleet.run_until(50 * S)
    fleet.start(range(1), AT_ONCE)
    fleet.run_until(54 * S)
    (figures,) = fleet.figures.cohorts
    assert seconds(figures.requests) == [0, 10, 11, 13, 17, 50, 51, 53]
    assert seconds(figures.retries) == [11, 13, 17, 51, 53], "the first after power-on is none"


def test_who_is_off_is_not_switched_off_again(engine: Engine) -> None:
    """Or the engine would lose count of those that are offline, and overlook one that is."""
    fleet = engine(FleetModel((Cohort("pollers", 2, (10 * S, 10 * S), FIXED),)))
    fleet.start(range(2), AT_ONCE)
    fleet.disrupt(Disruption(9 * S, 11 * S))
    for at_us in (5 * S, 6 * S):
        fleet.run_until(at_us)
        fleet.stop(range(1))
    fleet.run_until(20 * S)
    (figures,) = fleet.figures.cohorts
    assert seconds(figures.retries) == [14]
    assert seconds(figures.came_online) == [0, 0, 14]
    assert seconds(figures.went_offline) == [5, 10]


def test_who_is_on_is_not_switched_on_again(engine: Engine) -> None:
    fleet = engine(FleetModel((Cohort("pollers", 2, (10 * S, 10 * S), FIXED),)))
    fleet.start(range(1), AT_ONCE)
    fleet.run_until(5 * S)
    fleet.start(range(2), AT_ONCE)
    fleet.run_until(12 * S)
    assert seconds(fleet.figures.cohorts[0].requests) == [0, 5, 10]


def test_a_device_without_a_token_waits_for_its_interval(engine: Engine) -> None:
    rule = RetryRule(Policy.FIXED, base_us=4 * S, budget=Budget(most_milli=2_000, gain_milli=500))
    fleet = engine(FleetModel((Cohort("pollers", 1, (30 * S, 30 * S), rule),)))
    fleet.start(range(1), AT_ONCE)
    fleet.disrupt(Disruption(0, 100 * S))
    fleet.run_until(75 * S)
    assert seconds(fleet.figures.cohorts[0].requests) == [0, 4, 8, 38, 68]


def test_a_fleet_in_equilibrium_is_steady_from_the_first_second_on(engine: Engine) -> None:
    """Even phases would give half as many again after one interval (about 150 a second here)."""
    fleet = engine(FleetModel((Cohort("pollers", 4_000, (36 * S, 44 * S), FIXED),)))
    fleet.start(range(4_000), Starts(in_equilibrium=True))
    fleet.run_until(90 * S)
    (figures,) = fleet.figures.cohorts
    assert seconds(figures.came_online) == [0] * 4_000
    in_fives = figures.requests.reshape(-1, 5).sum(axis=1)
    assert np.all(np.abs(in_fives - 500) < 5 * 500**0.5)


def test_of_overlapping_disruptions_the_earliest_added_counts(engine: Engine) -> None:
    fleet = engine(FleetModel((POLLER,)))
    fleet.disrupt(Disruption(0, 2 * S, Unanswered.TURNED_AWAY))
    fleet.disrupt(Disruption(0, 9 * S))
    fleet.start(range(1), AT_ONCE)
    fleet.run_until(9 * S)
    (figures,) = fleet.figures.cohorts
    assert seconds(figures.turned_away) == [0]
    assert seconds(figures.refused) == [4, 8]


def test_what_begins_in_the_past_is_no_disruption() -> None:
    fleet = ArrayFleet(FleetModel((POLLER,)))
    fleet.run_until(5 * S)
    with pytest.raises(ValueError, match="begins at 1000000 µs: it is 5000000 µs already"):
        fleet.disrupt(Disruption(S, 9 * S))


def test_a_time_that_keys_cannot_hold_is_said_before_anything_runs() -> None:
    fleet = ArrayFleet(FleetModel((Cohort("pollers", 1 << 20, (S, S), FIXED),)))
    with pytest.raises(OverflowError, match=r"1,048,576 devices can be simulated for 100\.\d days, not for 200\.0"):
        fleet.run_until(200 * 86_400 * S)


def told_by(fleet: ArrayFleet) -> list[tuple[Ints, Ints, Ints, Codes | None]]:
    told: list[tuple[Ints, Ints, Ints, Codes | None]] = []
    fleet.tell(lambda at_us, device, seen_us, codes: told.append((at_us, device, seen_us, codes)))
    return told


def test_all_that_happens_is_told_whole_whoever_performs_it() -> None:
    case = Case("full_jitter", "retry_after", 1)
    heard = []
    for compiled in (False, True) if can_be_compiled() else (False,):
        fleet = ArrayFleet(case.model(), compiled=compiled)
        told = told_by(fleet)
        figures = lead(fleet, case.story(), END_US)
        columns = [np.concatenate([part[column] for part in told]) for column in range(3)]
        codes = np.concatenate([np.zeros(part[0].size, np.uint8) if part[3] is None else part[3] for part in told])
        assert np.array_equal(np.bincount(columns[0] // S, minlength=END_US // S), figures.cohorts[0].requests)
        assert set(columns[1].tolist()) == set(range(DEVICES))
        heard.append((*(each.tolist() for each in columns), codes.tolist()))
    assert heard[0] == heard[-1]


def test_machine_code_is_imported_only_when_it_is_wanted() -> None:
    code = "import sys, fleetrig.simulator.cohort.arrays; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
