"""Copies of each recording with a near miss in every row, played anew on our server: each is refused where it is."""

from __future__ import annotations

from itertools import cycle

import pytest

from tests.golden.hono_player.damage import KINDS, damaged
from tests.golden.hono_player.judging import Answers
from tests.golden.hono_player.player import Player
from tests.golden.hono_player.recording import Step, rows_of
from tests.golden.hono_player.served import served
from tests.golden.hono_player.wire import HonoWire
from tests.golden.test_hono_player import FILES, STEPS
from tests.golden.test_hono_recordings import NOT_YET, RECORDED_FROM

pytestmark = pytest.mark.slow


def near_misses(name: str) -> dict[str, tuple[str, Step]]:
    """Row -> the kind of its near miss and the step as it is then. Kinds take turns: the rarest first."""
    rows = {row: steps for row, steps in rows_of(STEPS[name]).items() if (name, row) not in NOT_YET}
    fitting = {
        kind: [row for row, steps in rows.items() if any(damaged(step, kind) for step in steps)] for kind in KINDS
    }
    kinds = sorted((kind for kind in KINDS if fitting[kind]), key=lambda kind: len(fitting[kind]))
    found: dict[str, tuple[str, Step]] = {}
    turns = cycle(kinds)
    for _ in range(len(kinds) * len(rows)):
        kind = next(turns)
        row = next((row for row in fitting[kind] if row not in found), None)
        if row is not None:
            last = [changed for step in rows[row] if (changed := damaged(step, kind))][-1]
            found[row] = kind, last
    return found


def copy_of(name: str) -> list[Step]:
    changed = {(step.row, step.number): step for _, step in near_misses(name).values()}
    return [changed.get((step.row, step.number), step) for step in STEPS[name]]


@pytest.mark.parametrize("name", FILES)
def test_near_misses_are_refused_where_they_are(name: str) -> None:
    with served(RECORDED_FROM[name]) as bench:
        player = Player(lambda: HonoWire(bench), Answers.RECORDED)
        player.play(copy_of(name))
    missed = {
        row: (kind, step.place, player.verdicts[row])
        for row, (kind, step) in near_misses(name).items()
        if not player.verdicts[row].startswith(step.place)
    }
    assert missed == {}


@pytest.mark.parametrize("name", FILES)
def test_every_row_has_a_near_miss(name: str) -> None:
    assert near_misses(name).keys() == {row for row in rows_of(STEPS[name]) if (name, row) not in NOT_YET}


def test_each_kind_is_tried_somewhere() -> None:
    assert {kind for name in FILES for kind, _ in near_misses(name).values()} == set(KINDS)
