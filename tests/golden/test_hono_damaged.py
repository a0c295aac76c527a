"""Copies of each recording with a near miss in every row, played anew on our server: each is refused where it is."""

from __future__ import annotations

from functools import cache

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


@cache
def near_misses(name: str) -> dict[str, tuple[str, Step]]:
    """Row -> the kind of its near miss and the step as it is then. Each kind has a row before any has a second one:
    those that fit few rows choose first."""
    rows = {row: steps for row, steps in rows_of(STEPS[name]).items() if (name, row) not in NOT_YET}
    fitting = {
        kind: [row for row, steps in rows.items() if any(damaged(step, kind) for step in steps)] for kind in KINDS
    }
    kinds = sorted((kind for kind in KINDS if fitting[kind]), key=lambda kind: len(fitting[kind]))
    found: dict[str, tuple[str, Step]] = {}
    while len(found) < len(rows):
        for kind in kinds:
            row = next((row for row in fitting[kind] if row not in found), None)
            if row is not None:
                found[row] = kind, next(changed for step in reversed(rows[row]) if (changed := damaged(step, kind)))
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


@pytest.mark.parametrize("kind", ["topic", "code in a message", "outcome"])
def test_near_misses_that_share_a_row(kind: str) -> None:
    """Few rows have them: the recording is played to that row once for each."""
    steps = rows_of(STEPS["adapters"])["M01"]
    changed = next(one for step in reversed(steps) if (one := damaged(step, kind)))
    with served(RECORDED_FROM["adapters"]) as bench:
        player = Player(lambda: HonoWire(bench), Answers.RECORDED)
        player.play([changed if step.number == changed.number else step for step in steps])
    assert player.verdicts["M01"].startswith(changed.place)


def test_each_kind_is_tried_somewhere() -> None:
    tried = {kind for name in FILES for kind, _ in near_misses(name).values()}
    assert tried | {"topic", "code in a message"} == set(KINDS)
