"""The table of moves: connected, closed, and drawn as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fleetrig.simulator.stages import MOVES, Stage, diagram, may_move

ARCHITECTURE = Path(__file__).parents[2] / "ARCHITECTURE.md"


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


def drawn(text: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^\s+(\S+) --> (\S+)$", text, re.MULTILINE))


def test_the_picture_is_the_table() -> None:
    moves = {(here.value, there.value) for here, ends in MOVES.items() for there in ends}
    assert drawn(diagram()) == moves | {("[*]", "blank")}
    assert diagram().startswith("stateDiagram-v2\n")


def test_the_picture_in_the_documentation_is_this_one() -> None:
    """Whoever draws the stages in ARCHITECTURE.md pastes `diagram()`."""
    text = ARCHITECTURE.read_text() if ARCHITECTURE.exists() else ""
    for picture in re.findall(r"stateDiagram-v2.*?(?=```)", text, re.DOTALL):
        assert drawn(picture) == drawn(diagram())
