"""What boards say, judged: lines of consoles, in a phase, of one board."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.harness.checks.evaluators import FleetSnapshot, fold_of
from fleetrig.harness.checks.fold import Fold, Status
from fleetrig.harness.scenario_file.platform_models import models_for
from fleetrig.simulator.contract.trace import Lane, TraceEvent

CHECK = models_for("hawkbit").check
FLEET = FleetSnapshot("", {}, None, boards={"gateway": "left", "other": "right"}, run="r7")


def fold(**words: Any) -> Fold:
    return fold_of(FLEET, CHECK.model_validate({"prints": words}).arguments)


def line(said: str, board: str = "left", kind: str = "line") -> TraceEvent:
    return TraceEvent(1, 1, board, Lane.BOARD, kind, reason=said)


def after(watching: Fold, *events: TraceEvent) -> Status:
    for event in events:
        watching.step(event)
    return watching.status()


def test_a_line_is_found_anywhere_in_it() -> None:
    watching = fold(board="gateway", line="build=[0-9]+")
    assert after(watching, line("READY"), line("READY build=7 up")) is Status.MET
    assert watching.measured() == "once in 2 lines of left"


def test_the_word_of_the_run_is_text_and_no_pattern() -> None:
    watching = fold(board="gateway", line="^build={run}$")
    assert watching.expected == "left prints a line with '^build=r7$', at least once"
    assert after(watching, line("build=r8")) is Status.OPEN
    assert after(watching, line("build=r7")) is Status.MET


@pytest.mark.parametrize(
    "event", [line("x", "right"), line("x", kind="ran"), TraceEvent(1, 1, "left", Lane.DEVICE, "line")]
)
def test_what_another_board_says_or_does_is_no_line(event: TraceEvent) -> None:
    watching = fold(board="gateway", line="x")
    assert after(watching, event) is Status.OPEN
    assert watching.finding().got == "it said nothing at all, so it could not have"


def test_too_often_ends_it_at_once() -> None:
    watching = fold(board="other", line="restart", times={"at_most": 1})
    assert after(watching, line("restart", "right")) is Status.MET
    assert after(watching, line("restart", "right")) is Status.VIOLATED
    assert watching.finding().got == "2 times, in 2 lines"


def test_never_is_true_only_of_a_board_that_speaks() -> None:
    watching = fold(board="gateway", line="panic", times=0)
    assert after(watching) is Status.OPEN
    assert after(watching, line("all is well")) is Status.MET
    assert after(watching, line("Kernel panic")) is Status.VIOLATED
    assert [one.line for one in watching.finding().evidence] == ["left line Kernel panic"]
