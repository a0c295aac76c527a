"""What the report says: how a herd comes back and fades, who is online and since when, and what the server lacks."""

from __future__ import annotations

import numpy as np
import pytest

from fleetrig.harness.fleets.figures_text import figures_text
from fleetrig.harness.fleets.fleet_run import FleetOutcome, PhaseSpan
from fleetrig.simulator.backoff import Backoff, Policy
from fleetrig.simulator.cohort.figures import CohortFigures, FleetFigures
from fleetrig.simulator.cohort.model import Cohort, Disruption, FleetModel, ServerModel
from fleetrig.simulator.drivers.load.histogram import bucket_of
from tests.simulator.cohort.expected_rates import PollingFleet
from tests.simulator.cohort.herds import BEGINS_S, S, herd, retry_rule

OUTAGE_S, UNTIL_S = 400, 1_400
IN_LOCKSTEP = Backoff(Policy.EXPONENTIAL, 40.0, 80.0)


def told(jitter: float, backoff: Backoff) -> dict[str, str]:
    fleet = PollingFleet(20_000, 100.0, 100.0 * (1 + jitter), backoff)
    figures = herd(fleet, OUTAGE_S, UNTIL_S)
    interval_us = (100 * S, round(100 * (1 + jitter) * S))
    model = FleetModel((Cohort("herd", fleet.count, interval_us, retry_rule(backoff)),))
    end_us = (BEGINS_S + UNTIL_S) * S
    outage = Disruption(BEGINS_S * S, (BEGINS_S + OUTAGE_S) * S)
    return dict(figures_text(FleetOutcome(model, figures, (PhaseSpan("all", 0, end_us),), (outage,), (), "cohort")))


@pytest.mark.parametrize(
    ("jitter", "begins", "ends"),
    [
        (0.5, "the herd comes back every 2.1m: the rate swings by ", "m until it is below 10%"),
        (0.0, "the herd comes back every 100s: the rate swings by ", "only more jitter of the interval ends that"),
    ],
)
def test_a_herd_that_comes_back(jitter: float, begins: str, ends: str) -> None:
    echo = told(jitter, IN_LOCKSTEP)["echo"]
    assert echo.startswith(begins)
    assert echo.endswith(ends)


def test_a_fleet_that_never_was_a_herd_has_no_echo() -> None:
    assert "echo" not in told(0.2, Backoff(Policy.NONE))


def test_who_was_cut_off_is_counted_from_the_end_of_the_fault() -> None:
    """Who asks at its next poll is back within an interval, however long the outage was."""
    said = told(0.0, Backoff(Policy.NONE))["online"]
    assert said == (
        "20,000 were cut off when the fault ended; "
        "back for good were half of them after 49s, 90 of 100 after 89s, 99 of 100 after 98s"
    )


@pytest.mark.parametrize(
    ("capacity_per_s", "online", "capacity"),
    [
        (None, "half were online after ", "a second would turn nobody away"),
        (100, "10,000 of 20,000 at the end; of those that came online half were online after ",
         "; the server can do 100, less than is asked when nothing is wrong"),
    ],
)  # fmt: skip
def test_who_never_came_online_is_counted_first(capacity_per_s: int | None, online: str, capacity: str) -> None:
    """With a server that has too little for half of the fleet."""
    came = 20_000 if capacity_per_s is None else 10_000
    model = FleetModel(
        (Cohort("fleet", 20_000, (100 * S, 100 * S), retry_rule(Backoff(Policy.NONE))),),
        ServerModel(service_us=None if capacity_per_s is None else S // capacity_per_s),
    )
    a_second = np.full(200, came // 200, np.int64)
    figures = FleetFigures(
        [CohortFigures(requests=a_second, answered=a_second, came_online=a_second)],
        time_to_online={bucket_of(20 * S): came},
    )
    said = dict(figures_text(FleetOutcome(model, figures, (PhaseSpan("all", 0, 200 * S),), (), (), "cohort")))
    assert said["online"].startswith(online)
    assert said["capacity"].endswith(capacity)
