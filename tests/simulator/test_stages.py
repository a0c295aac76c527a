"""The table of moves: connected and closed."""

from __future__ import annotations

import pytest

from fleetrig.simulator.stages import MOVES, Stage, may_move


def test_every_stage_has_a_row() -> None:
    assert set(MOVES) == set(Stage)
    assert all(ends <= set(Stage) for ends in MOVES.values())


@pytest.mark.parametrize("here", Stage)
@pytest.mark.parametrize("there", Stage)
def test_what_is_not_in_the_table_does_not_happen(here: Stage, there: Stage) -> None:
    assert may_move(here, there) is (here is there or there in MOVES[here])


def test_every_stage_can_be_reached_from_the_factory_and_none_is_a_trap() -> None:
    def reach(start: Stage) -> set[Stage]:
        seen, todo = {start}, [start]
        while todo:
            new = MOVES[todo.pop()] - seen
            seen |= new
            todo += new
        return seen

    assert reach(Stage.BLANK) == set(Stage)
    for stage in Stage:
        assert Stage.ONLINE in reach(stage), f"{stage} never comes online again"
    assert Stage.BLANK not in set().union(*MOVES.values())
