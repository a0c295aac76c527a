"""Of several times, some of which never come, the first."""

from __future__ import annotations

import pytest

from fleetrig.simulator.contract.clock import earliest_us


@pytest.mark.parametrize(
    ("dues_us", "first_us"),
    [((), None), ((None, None), None), ((None, 7), 7), ((7, None, 3, 5), 3), ((0, None), 0)],
)
def test_the_first_of_several_times(dues_us: tuple[int | None, ...], first_us: int | None) -> None:
    assert earliest_us(*dues_us) == first_us
