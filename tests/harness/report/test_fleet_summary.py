"""The end report of a fleet: what failed, at whom, how often and since when."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.harness.report.fleet_failures import OWN_TIMEOUT, last_heard
from fleetrig.harness.report.fleet_readings import NOTHING, Readings
from fleetrig.harness.report.fleet_state import POWER_ON, FleetState
from fleetrig.harness.report.fleet_summary import summary
from fleetrig.harness.report.fleet_table import TableHeading, plain_line
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.trace import Lane, Trace

T0_S = 1_000_000.0
READINGS = Readings("poll", {}, "reporting", lambda _, answer: answer.line.startswith("200"), lambda *_: NOTHING)


class Story:
    """What devices hear, second by second."""

    def __init__(self, *serials: str) -> None:
        self.state = FleetState.of(serials, 30.0, READINGS)
        self.trace = Trace()
        self.trace.listen(self.state.take)
        self.trace.emit(to_us(T0_S), Lane.BENCH, "phase", name=POWER_ON)
        for serial in serials:
            self.tell(0.0, serial, "power_on", stage="blank")

    def tell(self, at_s: float, serial: str, kind: str, name: str = "", **rest: Any) -> Story:
        self.trace.emit(to_us(T0_S + at_s), Lane.DEVICE, kind, serial, name=name, **rest)
        return self

    def hears(self, at_s: float, serial: str, status: int, name: str = "poll") -> Story:
        return self.tell(at_s, serial, "received", name, envelope=HttpResponse(status))

    def comes_online(self, at_s: float, serial: str) -> Story:
        self.hears(at_s, serial, 200).tell(at_s, serial, "entered", stage="enrolled")
        return self.tell(at_s, serial, "entered", stage="online")

    def lines(self) -> list[str]:
        heading = TableHeading("http://127.0.0.1:8080", 1)
        return summary(self.state, heading, to_us(T0_S + 60)).splitlines()[1:]


def test_a_device_that_fails_is_named_with_its_answer_how_often_and_since_when():
    story = Story("good-1", "good-2").comes_online(0.5, "good-2")
    for n in range(7):
        story.hears(12.3 + n, "good-1", 401)
    assert story.lines() == [
        "never let in: 1 device (good-1), the last answer was HTTP 401",
        "failed: poll, HTTP 401, 7 times: good-1 ×7 since 12.3 s",
    ]


def test_one_that_has_recovered_is_told_with_the_end():
    story = Story("A", "B").hears(1.0, "A", 503).hears(4.0, "A", 503).comes_online(6.0, "A")
    story.hears(2.0, "B", 503).comes_online(7.0, "B")
    assert story.lines()[-1] == "failed: poll, HTTP 503, 3 times: A ×2 from 1.0 s to 4.0 s, B ×1 at 2.0 s"


def test_of_many_the_worst_are_named_and_the_others_counted():
    serials = [f"SIM-{n:04d}" for n in range(434)]
    story = Story(*serials)
    for n, serial in enumerate(serials):
        story.hears(1.0 + n / 1000, serial, 401)
    story.hears(2.0, "SIM-0400", 401)
    never, failed = story.lines()
    assert never.startswith("never let in: 434 devices (SIM-0000, SIM-0001, SIM-0002 …), ")
    assert failed == (
        "failed: poll, HTTP 401, 435 times: SIM-0400 ×2 since 1.4 s, SIM-0000 ×1 since 1.0 s, SIM-0001 ×1 since 1.0 s, "
        "and 431 others"
    )


def test_causes_are_grouped_the_most_frequent_first_and_bounded():
    story = Story("A").comes_online(0.1, "A")
    for status in range(500, 508):
        for _ in range(status - 499):
            story.hears(1.0, "A", status)
    lines = story.lines()
    assert [line.split(", ")[1] for line in lines[:-1]] == [f"HTTP {status}" for status in range(507, 502, -1)]
    assert lines[-1] == "failed: 6 times more, for 3 other reasons"


def test_a_device_that_is_let_in_and_gets_no_further_is_no_success():
    story = Story("A").hears(1.0, "A", 200).tell(1.0, "A", "entered", stage="enrolled").hears(2.0, "A", 500, "login")
    assert story.lines()[0] == "let in, but never online: 1 device (A), the last answer was HTTP 500"


@pytest.mark.parametrize(
    ("why", "said"), [("refused", "connection refused"), ("timeout", "timeout"), ("reset", "connection reset")]
)
def test_a_connection_that_is_refused_is_no_refused_device(why: str, said: str) -> None:
    story = Story("A")
    story.tell(1.0, "A", "no_reply", "poll", reason=why, took_us=1)
    assert story.lines()[-1] == f"failed: poll, {said}, 1 time: A ×1 since 1.0 s"
    assert story.state.by_cause.in_short() == f"poll {said} ×1"


def test_what_was_heard_last_is_no_answer_where_there_was_none() -> None:
    assert last_heard("refused") == "the last try had no answer: connection refused"
    assert last_heard("401") == "the last answer was HTTP 401"


def test_who_has_not_been_answered_yet_is_told():
    story = Story("A", "B").comes_online(1.0, "A")
    assert story.lines() == ["under way, neither let in nor refused so far: 1 device (B)"]


@pytest.mark.parametrize(("was_late", "word"), [(True, OWN_TIMEOUT), (False, "timeout")])
def test_a_time_out_of_a_late_spell_is_told_apart(was_late: bool, word: str) -> None:
    story = Story("A")
    asked: list[tuple[int, int]] = []

    def look(from_us: int, until_us: int) -> bool:
        asked.append((from_us, until_us))
        return was_late

    story.state.was_late = look
    story.tell(12.0, "A", "no_reply", "poll", reason="timeout", took_us=to_us(10))
    assert asked == [(to_us(T0_S + 2), to_us(T0_S + 12))]
    assert story.state.own_timeouts == int(was_late)
    assert story.lines()[-1] == f"failed: poll, {word}, 1 time: A ×1 since 12.0 s"


def test_other_failures_are_the_servers_however_late_this_machine_is():
    story = Story("A")
    story.state.was_late = lambda *_: True
    story.tell(12.0, "A", "no_reply", "poll", reason="reset", took_us=to_us(10))
    assert story.state.own_timeouts == 0


def test_a_plain_line_names_the_most_frequent_causes():
    story = Story("A")
    for status in (401, 401, 401, 500, 500, 503):
        story.hears(1.0, "A", status)
    line = plain_line(story.state, TableHeading("http://127.0.0.1:8080", 1), to_us(T0_S + 5))
    assert "failures 6 (poll 401 ×3, poll 500 ×2, …)" in line
