"""How far a study is, and how long the rest will take; and what is tried beforehand to know it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console

from fleetrig.harness.studies.crew import Done, Order
from fleetrig.harness.studies.estimate import PILOTS, StudyEstimate, estimate, spread
from fleetrig.harness.studies.progress import StudyProgress
from fleetrig.harness.studies.study_run import orders_left
from tests.harness.studies.made import STUDY, plan_of


@dataclass(slots=True)
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


def progress(clock: Clock, *, runs: int = 20, done: int = 0, expected_s: float = 200.0) -> StudyProgress:
    return StudyProgress(Console(file=io.StringIO(), width=100), runs, done, expected_s, clock)


def test_the_estimate_counts_until_runs_tell_how_long_they_take() -> None:
    clock = Clock()
    running = progress(clock)

    assert running.left_s == 200.0
    clock.now_s = 30.0
    assert running.left_s == 170.0
    for at_s in (40.0, 60.0, 80.0, 100.0):
        clock.now_s = at_s
        running.advance()
    assert running.left_s == 100.0 / 4 * 16


def test_runs_of_before_tell_nothing_of_the_speed() -> None:
    clock = Clock()
    running = progress(clock, done=10, expected_s=100.0)
    for _ in range(5):
        clock.now_s += 4.0
        running.advance()

    assert running.left_s == 4.0 * 5


def test_elsewhere_than_in_a_terminal_each_tenth_is_a_line() -> None:
    clock = Clock()
    running = progress(clock)
    with running.on_screen():
        for _ in range(20):
            clock.now_s += 1.0
            running.advance()

    lines = running.console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 10
    assert lines[3] == "8 of 20 runs, about 12 s left"
    assert lines[-1] == "20 of 20 runs, done"


@dataclass(slots=True)
class Costs:
    """A crew that knows what each combination costs."""

    size: int = 2
    asked: list[int] = field(default_factory=list)

    def each(self, perform: Callable[[Order], Done], orders: Sequence[Order]) -> Iterator[Done]:
        for order in orders:
            number: int = order.number  # type: ignore[attr-defined]
            self.asked.append(number)
            yield (number, 10.0 if number < 6 else 100.0)  # type: ignore[misc]


def test_a_few_runs_stand_for_all(tmp_path: Path) -> None:
    orders = orders_left(plan_of(tmp_path), 1, ())
    crew = Costs()

    found = estimate(orders, crew)

    assert len(crew.asked) == PILOTS < len(orders)
    assert found.wall_s(range(12)) == pytest.approx((6 * 10 + 6 * 100) / 2, abs=5)


def test_what_is_tried_comes_from_all_over_and_differs_in_every_axis(tmp_path: Path) -> None:
    large = STUDY.replace("[0.1, 0.5]", "[0, 0.1, 0.2, 0.3, 0.4]").replace("[1.5x, 2x, 4x]", "[1x, 2x, 3x, 4x]")
    plan = plan_of(tmp_path, large)
    tried = [plan.combinations[order.number] for order in spread(orders_left(plan, 1, ()), PILOTS)]

    for axis in range(3):
        assert len({one.labels[axis] for one in tried}) > 1
    assert len({one.number for one in tried}) == PILOTS


def test_runs_that_were_not_tried_cost_as_much_as_their_neighbours() -> None:
    found = StudyEstimate({0: 1.0, 10: 5.0}, 20, 2)

    assert [found.cost_s(number) for number in (0, 4, 6, 19)] == [1.0, 1.0, 5.0, 5.0]
