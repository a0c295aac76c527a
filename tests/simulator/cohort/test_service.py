"""The finite server for many arrivals: what it does to each is what a queue does to one after the other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.simulator.cohort.model import ServerModel
from fleetrig.simulator.cohort.service import admit, longest_wait_us

LIMITS = st.none() | st.integers(0, 60)


@given(
    st.builds(ServerModel, st.integers(1, 20), LIMITS, st.none(), LIMITS),
    st.integers(0, 100),
    st.lists(st.integers(0, 300), min_size=1, max_size=60).map(sorted),
)
def test_each_waits_as_in_a_queue(server: ServerModel, busy_until_us: int, arrivals: list[int]) -> None:
    admission = admit(server, busy_until_us, np.array(arrivals, np.int64))
    limit_us = longest_wait_us(server)
    waits, served, busy = [], [], []
    for at_us in arrivals:
        wait_us = max(0, busy_until_us - at_us)
        is_served = limit_us is None or wait_us <= limit_us
        if is_served:
            busy_until_us = at_us + wait_us + (server.service_us or 0)
        waits.append(wait_us)
        served.append(is_served)
        busy.append(busy_until_us)
    assert admission.wait_us.tolist() == waits
    assert admission.busy_until_us.tolist() == busy
    if admission.accepted is None:
        assert all(served)
    else:
        assert admission.accepted.tolist() == served


def test_a_queue_as_long_as_the_waiting_room_is_still_let_in() -> None:
    """Three arrivals at once, ten microseconds each: the third waits twenty, exactly what there is room for."""
    at_once = np.zeros(4, np.int64)
    admission = admit(ServerModel(service_us=10, waiting_us=20), 0, at_once)
    assert admission.accepted is not None
    assert admission.accepted.tolist() == [True, True, True, False]
