"""The reference server gives the answers that were recorded from a real ThingsBoard, row by row, over real sockets."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.golden.thingsboard_player.player import Player
from tests.golden.thingsboard_player.recording import read_steps
from tests.golden.thingsboard_player.served import served

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent / "thingsboard"
FILES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))
STEPS = {name: read_steps(FOLDER / f"{name}.jsonl") for name in FILES}
ROWS = [(name, row) for name in FILES for row in dict.fromkeys(step.row for step in STEPS[name])]
STORES = {"memory": "memory:", "sqlite": "sqlite:///{folder}/fleet.db"}

NOT_YET: dict[tuple[str, str], str] = {}
"""(recording, row) -> why it is not answered alike yet. A row that has come to agree must be taken off this list."""


@cache
def played(name: str, store: str = "memory") -> Player:
    """A recording on a fresh server of its own: later rows use what earlier ones have bound."""
    with TemporaryDirectory() as folder, served(STORES[store].format(folder=folder)) as bench:
        player = Player(bench)
        player.play(STEPS[name])
        return player


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(("name", "row"), ROWS)
def test_a_recorded_row_is_answered_alike(name: str, row: str, store: str) -> None:
    difference = played(name, store).verdicts[row]
    if (name, row) in NOT_YET:
        assert difference, "it agrees: take it off NOT_YET"
    else:
        assert not difference


def test_nothing_is_excused_that_was_not_recorded() -> None:
    assert NOT_YET.keys() <= set(ROWS)
