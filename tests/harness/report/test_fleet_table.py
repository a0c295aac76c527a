"""The live table: what a fold over a device's events makes of it, and that it fits the terminal."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from fleetrig.harness.report.fleet_readings import NOTHING, Reading, Readings
from fleetrig.harness.report.fleet_screen import PlainScreen
from fleetrig.harness.report.fleet_state import POWER_ON, FleetState
from fleetrig.harness.report.fleet_summary import summary
from fleetrig.harness.report.fleet_table import (
    TableHeading,
    format_clock,
    format_interval,
    plain_line,
    shorten_middle,
    table,
)
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.trace import Lane, Trace

ACTIVITIES = {
    "poll": "polling",
    "configData": "sending attributes",
    "deploymentBase": "reading its order",
    "download": "downloading {version}",
}


def is_good(_: str, answer: Envelope) -> bool:
    return isinstance(answer, HttpResponse) and answer.status < 400


def read(name: str, sent: Envelope | None, answer: Envelope) -> Reading:
    """Bodies hold the interval, the version, or the result, and nothing else."""
    assert isinstance(answer, HttpResponse)
    said = body_bytes(answer.body).decode()
    match name, sent:
        case "poll", _ if said:
            return Reading(interval_s=float(said))
        case "configData", _:
            return Reading(has_sent_attributes=True)
        case "deploymentBase", _:
            return Reading(version=said)
        case "feedback-closed", HttpRequest() if sent.body:
            return Reading(update=sent.path, update_passed=body_bytes(sent.body) == b"success")
        case _:
            return NOTHING


READINGS = Readings("poll", ACTIVITIES, "reporting", is_good, read)
HEADING = TableHeading("http://127.0.0.1:8080", seed=7)
T0_US = 1_000_000 * US_PER_S
URL = "http://127.0.0.1:8080"


class Story:
    """Tells a fleet's events, second by second."""

    def __init__(self, devices: int = 1) -> None:
        self.state = FleetState.of([f"SIM-{n:04d}" for n in range(1, devices + 1)], 30.0, READINGS)
        self.trace = Trace()
        self.trace.listen(self.state.take)
        self.s = 0.0
        self.trace.emit(self.now_us, Lane.BENCH, "phase", name=POWER_ON)

    @property
    def now_us(self) -> int:
        return T0_US + int(self.s * US_PER_S)

    def tell(self, kind: str, name: str = "", *, device: int = 1, **rest: Any) -> Story:
        self.trace.emit(self.now_us, Lane.DEVICE, kind, f"SIM-{device:04d}", name=name, **rest)
        return self

    def asks(
        self, name: str, status: int, body: bytes = b"", *, sends: bytes = b"", path: str = "/", **rest: Any
    ) -> Story:
        self.tell("sent", name, envelope=HttpRequest("POST", URL, path, (), sends), **rest)
        return self.tell("received", name, envelope=HttpResponse(status, (), body), **rest)

    def comes_online(self, device: int = 1) -> Story:
        self.tell("entered", stage="enrolling", device=device)
        self.asks("poll", 200, b"60", stage="enrolling", device=device)
        self.tell("entered", stage="enrolled", device=device)
        return self.tell("entered", stage="online", device=device)

    def doing(self, device: int = 1) -> str:
        return self.state.rows[f"SIM-{device:04d}"].doing_text(self.now_us)

    def drawn(self, columns: int, lines: int, note: str = "") -> list[str]:
        """The picture as the terminal shows it."""
        console = Console(
            file=(paper := StringIO()), width=columns, height=lines, force_terminal=True, color_system=None
        )
        console.print(table(self.state, HEADING, self.now_us, note, (columns, lines)))
        return paper.getvalue().splitlines()


def test_a_device_waits_as_long_as_the_server_named():
    story = Story().comes_online()
    assert story.doing() == "waiting 60 s"
    story.s = 12
    assert story.doing() == "waiting 48 s"
    assert (story.state.polls, story.state.failures, story.state.came_through) == (1, 0, 1)


def test_an_answer_without_an_interval_leaves_the_last_one():
    story = Story().comes_online().asks("poll", 304, stage="online")
    assert story.state.rows["SIM-0001"].interval_s == 60


@pytest.mark.parametrize(
    ("stage", "status", "words"),
    [("refused", 401, "refused: HTTP 401"), ("backing_off", 503, "backing off: HTTP 503")],
)
def test_a_failed_poll_is_told_with_its_stage(stage, status, words):
    story = Story().asks("poll", status, stage="enrolling").tell("entered", stage=stage)
    assert story.doing() == words
    assert [row.serial for row in story.state.in_trouble()] == ["SIM-0001"]


def test_a_second_refusal_that_moves_no_stage_is_told_too():
    story = Story().comes_online().asks("poll", 401, stage="online").tell("entered", stage="refused")
    assert story.asks("poll", 403, stage="refused").doing() == "refused: HTTP 403"


def test_no_answer_is_told_by_its_reason():
    story = Story().tell("sent", "poll").tell("no_reply", "poll", reason="timeout", stage="enrolling")
    assert story.tell("entered", stage="backing_off").doing() == "backing off: timeout"


def test_an_update_step_by_step():
    story = Story().comes_online()
    story.asks("deploymentBase", 200, b"2.0", stage="online")
    story.tell("entered", stage="updating")
    story.tell("sent", "download", stage="updating")
    assert story.doing() == "downloading 2.0"
    story.tell("downloaded", "download", reason="206: 5 bytes, cut", stage="updating")
    assert story.doing() == "trying again"
    story.tell("sent", "download", stage="updating").tell(
        "downloaded", "download", reason="200: 9 bytes", stage="updating"
    )
    assert story.doing() == "installing 2.0"
    story.asks("poll", 200, b"60", stage="updating")
    assert story.doing() == "installing 2.0"
    path = "/deploymentBase/1/feedback"
    story.asks("feedback-closed", 200, sends=b"success", path=path, stage="updating").tell("entered", stage="online")
    assert story.doing() == "waiting 60 s"
    assert (story.state.updates_finished, story.state.updates_failed, story.state.failures) == (1, 0, 1)


def test_a_repeated_report_is_no_second_update_and_a_failed_one_none_at_all():
    story = Story().comes_online()
    report: dict[str, Any] = {"path": "/deploymentBase/1/feedback", "sends": b"failure", "stage": "online"}
    story.asks("feedback-closed", 503, **report)
    assert story.state.updates_failed == 0
    story.asks("feedback-closed", 200, **report).asks("feedback-closed", 200, **report)
    assert story.state.updates_failed == 1


def test_a_first_answer_counts_for_all_only_when_all_had_one():
    story = Story(2).asks("poll", 401, device=1)
    assert story.state.all_first_answers() == ""
    story.asks("poll", 401, device=2)
    assert story.state.all_first_answers() == "401"
    story.asks("poll", 200, device=1)
    assert story.state.all_first_answers() == "401"


def test_different_first_answers_are_no_answer_of_all():
    assert Story(2).asks("poll", 401, device=1).asks("poll", 200, device=2).state.all_first_answers() == ""


def test_rates_look_ten_seconds_back():
    story = Story()
    for second in range(20):
        story.s = second
        story.asks("poll", 200).asks("poll", 200)
    story.s = 20
    assert story.state.poll_rate.per_s(story.now_us, story.state.began_us) == 2.0
    story.s = 25
    assert story.state.poll_rate.per_s(story.now_us, story.state.began_us) == 1.0


def test_events_of_others_change_nothing():
    story = Story()
    before = story.state.events
    story.trace.emit(0, Lane.SERVER, "answered", "SIM-0001")
    story.trace.emit(0, Lane.DEVICE, "entered", "somebody", stage="online")
    assert story.state.events == before


@pytest.mark.parametrize("columns", [80, 120])
def test_a_small_fleet_has_a_line_per_device_and_fits(columns):
    story = Story(20)
    for device in range(1, 19):
        story.comes_online(device)
    story.asks("poll", 503, device=19).tell("entered", stage="backing_off", device=19)
    lines = story.drawn(columns, 24, "Ctrl-C ends it")
    assert len(lines) <= 24
    assert all(cell_len(line) <= columns for line in lines)
    assert lines[0].split("   ")[:4] == [URL, "20 devices", "running 0:00", "seed 7"]
    assert "SIM-0001  online       200      1 min      1       0  waiting 60 s" in "\n".join(lines)
    assert next(line for line in lines if "SIM-0019" in line).rstrip().endswith("backing off: HTTP 503")
    assert lines[-1] == "Ctrl-C ends it"


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40), (40, 10)])
def test_a_crowd_is_counted_by_stage_and_its_worst_are_named(columns, rows):
    story = Story(1000)
    for device in range(1, 981):
        story.comes_online(device)
    for device in range(981, 1001):
        story.asks("poll", 401, device=device).tell("entered", stage="refused", device=device)
    story.s = 41
    lines = story.drawn(columns, rows)
    text = "\n".join(lines)
    assert len(lines) <= rows
    assert all(cell_len(line) <= columns for line in lines)
    assert "online           980" in text
    assert "refused           20" in text
    assert "oldest answer: 41 s ago (SIM-0001)" in text
    assert "in trouble: 20" in text
    assert "failed: poll 401 ×20" in text
    assert "SIM-0981" in text


def test_a_long_hint_is_shown_whole():
    note = "all devices were refused " * 8
    lines = Story(20).drawn(80, 24, note.strip())
    assert len(lines) <= 24
    assert " ".join(lines[-3:]).split() == note.split()


def test_a_long_address_loses_its_middle():
    assert shorten_middle("http://a-very-long-name.example:8080/path", 20) == "http://a-very…0/path"
    assert shorten_middle("http://short", 20) == "http://short"


def test_the_plain_line_says_the_same_in_ascii():
    story = Story(3).comes_online(1).comes_online(2)
    story.s = 65
    line = plain_line(story.state, TableHeading(URL, 7, for_s=600), story.now_us)
    assert line.startswith("running 1:05 of 10:00   2 online, 1 off   polls 2 (0.0/s)   failures 0")
    assert line.isascii()


def test_a_log_has_no_state_of_the_fleet_after_it_was_cleared_away(capsys: pytest.CaptureFixture[str]) -> None:
    """The report follows at once: `running 0:05 of 0:05` between `deleting 3 targets` and it only confuses."""
    story = Story(3)
    with PlainScreen(story.state, HEADING, lambda: story.now_us) as screen:
        screen.say("deleting 3 targets")
    assert capsys.readouterr().out.splitlines()[1:] == ["deleting 3 targets"]


def test_time_after_the_end_does_not_count():
    story = Story()
    story.s = 12
    line = plain_line(story.state, TableHeading(URL, 7, for_s=10), story.now_us)
    assert line.startswith("running 0:10 of 0:10")


def test_clearing_away_takes_no_time_of_the_fleet():
    story = Story().comes_online()
    story.s = 12
    story.state.ended_us = story.now_us
    story.s = 40
    assert summary(story.state, HEADING, story.now_us).startswith("0:12 on ")


def test_the_summary_says_who_came_through():
    story = Story(3).comes_online(1)
    assert summary(story.state, HEADING, story.now_us) == (
        "0:00 on http://127.0.0.1:8080: 1 of 3 devices came through; 1 poll, 0 failures, attributes sent 0 times, "
        "0 updates finished, 0 failed"
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(30, "30 s"), (90, "90 s"), (300, "5 min"), (86400, "24 h"), (0.5, "0.5 s")]
)
def test_intervals_stand_in_their_own_unit(seconds, text):
    assert format_interval(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(7.9, "0:07"), (754, "12:34"), (3723, "1:02:03")])
def test_running_time(seconds, text):
    assert format_clock(seconds) == text
