"""Connected devices that wait at power-on, in whole seconds, and have a rhythm: both engines give the same figures."""

from __future__ import annotations

import pytest

from fleetrig.simulator.backoff import Policy
from fleetrig.simulator.cohort.arrays import ArrayFleet
from fleetrig.simulator.cohort.engine import FleetEngine
from fleetrig.simulator.cohort.figures import FleetFigures
from fleetrig.simulator.cohort.model import Cohort, Disruption, FleetModel, RetryRule, ServerModel, Starts
from fleetrig.simulator.cohort.processes import ProcessFleet
from tests.simulator.cohort.fleets import assert_same, total

S = 1_000_000
DATA_SERVICE = RetryRule(
    Policy.FIXED, base_us=20 * S, floor_us=S, honours_retry_after=False, first_us=(0, 4 * S), first_step_us=S
)
FULL_JITTER = RetryRule(Policy.FULL_JITTER, base_us=10 * S, cap_us=50 * S, floor_us=0)
COHORTS = (
    Cohort("gateways", 150, (0, 0), DATA_SERVICE, is_connected=True, waits_to_start=True),
    Cohort("talkers", 100, (7 * S, 9 * S), FULL_JITTER, is_connected=True),
    Cohort("pollers", 50, (10 * S, 12 * S), FULL_JITTER),
)


def led(fleet: FleetEngine) -> FleetFigures:
    fleet.start(range(300), Starts(((0, 0), (1000, 5 * S))))
    fleet.run_until(30 * S)
    fleet.disrupt(Disruption(30 * S, 38 * S, drops_connections=True))
    fleet.run_until(200 * S)
    return fleet.figures


@pytest.mark.parametrize("seed", range(5))
def test_both_engines_give_the_same_figures(seed: int) -> None:
    model = FleetModel(COHORTS, ServerModel(service_us=S // 15, waiting_us=2 * S), seed)
    expected = led(ProcessFleet(model))

    assert total(expected, "turned_away")
    assert total(expected, "refused")
    for window_us in (200_000, 500_000, 1_000_000):
        assert_same(led(ArrayFleet(model, window_us=window_us)), expected)


def test_the_first_wait_of_a_gateway_is_a_whole_second() -> None:
    """Of 0, 1, 2 and 3 seconds, evenly, 0 is made 1 (`simulator/flows/kura/data_service.py`)."""
    fleet = ArrayFleet(FleetModel((Cohort("g", 4_000, (0, 0), DATA_SERVICE, is_connected=True, waits_to_start=True),)))
    fleet.start(range(4_000), Starts())
    fleet.run_until(10 * S)

    [figures] = fleet.figures.cohorts
    assert [int(count) // 100 for count in figures.requests[:5]] == pytest.approx([0, 20, 10, 10, 0], abs=1)
