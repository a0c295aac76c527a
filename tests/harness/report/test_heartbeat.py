"""What is told where nothing can be drawn: seldom, on stderr, with what is done and how long it will take."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from fleetrig.harness.report.console import ConsoleReport
from fleetrig.harness.report.heartbeat import beat, heartbeat
from fleetrig.harness.report.progress import RunProgress
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US, to_us
from fleetrig.simulator.contract.trace import Lane, TraceEvent

SPANS_S = {"boot": 60.0, "steady": 3540.0}


class Waiting:
    """Somebody's time: it passes when it is waited for, until all is over."""

    def __init__(self, over_s: float) -> None:
        self.now_s = 100.0
        self._over_s = 100.0 + over_s

    def is_over_in(self, pause_s: float) -> bool:
        self.now_s += pause_s
        return self.now_s > self._over_s

    def clock_s(self) -> float:
        return self.now_s


def told(over_s: float, how_far: Callable[[float], str]) -> list[str]:
    said: list[str] = []
    waiting = Waiting(over_s)
    beat(how_far, said.append, waiting.is_over_in, waiting.clock_s)
    return said


@pytest.mark.parametrize(("over_s", "at"), [(14, []), (16, ["15"]), (200, ["15", "30", "60", "120", "180"])])
def test_it_is_told_ever_more_seldom_and_never_of_what_is_short(over_s: float, at: list[str]) -> None:
    assert told(over_s, lambda passed_s: f"{passed_s:g}") == at


def test_nothing_to_say_is_no_line() -> None:
    assert told(70, lambda passed_s: "" if passed_s < 40 else "x") == ["x"]


def test_a_block_that_ends_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    with heartbeat(lambda _: "still here"):
        pass
    assert capsys.readouterr() == ("", "")


def event(kind: str, at_s: float, lane: Lane = Lane.BENCH, **words: str) -> TraceEvent:
    return TraceEvent(VIRTUAL_EPOCH_US + to_us(at_s), 1, words.pop("device", ""), lane, kind, **words)  # type: ignore[arg-type]


def progress_of(*, is_virtual: bool = True) -> RunProgress:
    return RunProgress(Console(file=io.StringIO()), SPANS_S, is_virtual=is_virtual)


def test_a_run_in_virtual_time_says_how_much_is_simulated_and_what_is_left_at_this_pace() -> None:
    progress = progress_of()
    assert progress.how_far(3) == ""
    progress(event("phase", 0, name="boot"))
    progress(event("phase", 60, name="steady"))
    progress(event("entered", 1800, Lane.DEVICE, device="A", stage="online"))
    assert progress.how_far(30) == (
        "30 s: phase «steady» (2 of 2), 30 min of at most 1 h simulated, 1 online; at most about 30 s left"
    )


def test_a_run_in_real_time_is_left_what_its_phases_can_take() -> None:
    progress = progress_of(is_virtual=False)
    progress(event("phase", 0, name="boot"))
    progress(event("entered", 20, Lane.DEVICE, device="A", stage="online"))
    assert progress.how_far(20) == "20 s: phase «boot» (1 of 2), 1 online; at most about 59 min 40 s left"


def test_an_engine_whose_devices_leave_no_events_tells_it_otherwise() -> None:
    progress = progress_of()
    progress(event("phase", 0, name="boot"))
    progress.simulated(to_us(30), to_us(3600))
    assert (
        progress.how_far(1)
        == "1 s: phase «boot» (1 of 2), 30 s of at most 1 h simulated; at most about 1 min 59 s left"
    )


def test_many_runs_say_how_many_are_done() -> None:
    writer = ConsoleReport(Console(file=io.StringIO()))
    assert writer.how_far(40, 15) == "15 s: 0 of 40 done"
    for verdict in (Verdict.PASSED, Verdict.FAILED, Verdict.WARNED, Verdict.PASSED):
        writer.show(Report("a/b", "It works", verdict))
    assert writer.how_far(40, 30) == "30 s: 4 of 40 done, 1 of them not passed, about 4 min 30 s left"
