"""The figures of a fleet: raw and corrected times, each kind of exchange, and this machine's own lateness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.load.curves import read_curves
from fleetrig.harness.simulation.exchange_times import ExchangeTimes
from fleetrig.harness.simulation.fleet_figures import SimulationFigures
from fleetrig.harness.simulation.live_curves import LiveCurves
from fleetrig.harness.simulation.measured_text import exchange_lines, figure_lines, machine_was_limit, measured_now
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.trace import Lane, TraceEvent

T0_US = to_us(1_000_000)


def at(seconds: float) -> int:
    return T0_US + to_us(seconds)


class Story:
    """Tells what devices and driver do."""

    def __init__(self) -> None:
        self.figures = SimulationFigures(T0_US, {"provision"})

    def event(self, at_s: float, kind: str, device: str = "A", **rest: Any) -> TraceEvent:
        return TraceEvent(at(at_s), 0, device, Lane.DEVICE, kind, **rest)

    def asks(self, sent_s: float, answered_s: float, *, due_s: float | None = None, good: bool = True,
             name: str = "poll", device: str = "A") -> Story:  # fmt: skip
        if due_s is not None:
            self.figures.woke(device, at(due_s), at(sent_s))
        self.figures.sent(self.event(sent_s, "sent", device, name=name))
        took_us = to_us(answered_s - sent_s)
        self.figures.ended(self.event(answered_s, "received", device, name=name, took_us=took_us), good)
        return self


def test_raw_times_count_from_sending_and_corrected_ones_from_when_it_was_meant_to():
    story = Story().asks(2.0, 2.1, due_s=1.5)
    rows = story.figures.end(at(0.0), online=1)
    assert [(row.at_s, row.rate) for row in rows] == [(0, 0), (1, 0), (2, 1)]
    assert rows[2].p50_s == pytest.approx(0.1, rel=0.03)
    assert rows[2].corrected_p50_s == pytest.approx(0.6, rel=0.03)
    assert rows[2].lateness_p99_s == pytest.approx(0.5, rel=0.03)


def test_a_failure_is_an_error_and_counts_with_its_time():
    story = Story().asks(0.0, 0.5).asks(0.6, 10.6, good=False)
    story.figures.end(at(0.0), online=1)
    times = story.figures.exchanges["poll"]
    assert (times.took.count, times.failed, times.most_us) == (2, 1, to_us(10.0))
    assert (story.figures.curves.totals.answered, story.figures.curves.totals.errors) == (1, 1)


def test_an_answer_that_was_awaited_counts_from_the_wait():
    """A request by MQTT is answered by another message, under another name."""
    figures = Story().figures
    event = TraceEvent(at(3), 0, "A", Lane.DEVICE, "received", name="provision", took_us=to_us(0.2))
    figures.ended(event, True)
    assert figures.exchanges["provision"].took.percentile_s(1.0) == pytest.approx(0.2, rel=0.03)


def test_what_comes_while_a_device_idles_is_no_answer():
    story = Story()
    story.figures.ended(story.event(3, "received", name="idle", took_us=to_us(30)), True)
    assert story.figures.exchanges == {}


def test_a_session_that_ends_while_its_device_idles_is_no_slow_answer():
    """It is a failure, and named as one; as under `load`, the figures are those of requests."""
    story = Story()
    story.figures.ended(story.event(3, "no_reply", name="idle", took_us=to_us(30), reason="reset"), False)
    story.figures.end(at(4.0), online=0)
    assert (story.figures.exchanges, story.figures.curves.totals.errors) == ({}, 0)


def test_a_request_that_is_answered_under_another_name_was_not_merely_told():
    """ThingsBoard over MQTT: the answer to `provision-request` is a message of its own; a PUBACK has none."""
    story = Story()
    story.figures.sent(story.event(1.0, "sent", name="provision-request"))
    story.figures.ended(story.event(1.2, "received", name="provision", took_us=to_us(0.2)), True)
    story.figures.sent(story.event(1.2, "sent", name="puback"))
    story.asks(1.3, 1.4, name="login")
    story.figures.end(at(2.0), online=1)
    totals = story.figures.curves.totals
    assert (totals.started, totals.answered, story.figures.told) == (3, 2, 1)


def test_the_mean_rate_is_over_all_of_the_time_and_each_second_has_a_row():
    story = Story()
    for n in range(10):
        story.asks(0.1 * n, 0.1 * n + 0.05)
    rows = story.figures.end(at(4.003), online=1)
    assert [row.rate for row in rows] == [10, 0, 0, 0]
    assert next(figure_lines(story.figures)).startswith("requests   10 sent, 10 answered, 0 errors; 2.5/s in the mean")


def test_no_percentile_is_longer_than_the_longest():
    times = ExchangeTimes()
    for _ in range(100):
        times.add(9_988, is_good=True)
    assert times.percentile_s(0.99) == 0.009988
    assert ExchangeTimes().percentile_s(0.5) is None


def test_seconds_become_rows_once_they_are_over(tmp_path):
    story = Story().asks(0.1, 0.2)
    assert [row.at_s for row in story.figures.tick(at(1.0), online=1)] == [0]
    story.asks(1.5, 1.6)
    with LiveCurves(tmp_path / "curves.csv") as curves:
        curves.add(story.figures.curves.rows)
        curves.add(story.figures.tick(at(3.0), online=1))
    assert [(row.at_s, row.rate, row.online) for row in read_curves(tmp_path / "curves.csv")] == [
        (0, 1, 1), (1, 1, 1), (2, 0, 1),
    ]  # fmt: skip


def test_a_curve_without_room_is_told_once_and_ends(capsys):
    with LiveCurves(Path("/dev/full")) as curves:
        curves.add(Story().asks(0.1, 0.2).figures.end(at(0.0), online=1))
    assert "No space left" in curves.complaint
    assert capsys.readouterr().err.count("is not whole") == 1


def test_late_devices_make_this_machine_the_limit():
    story = Story()
    for n in range(100):
        story.asks(10 + n / 100, 10.001 + n / 100, due_s=9.0, device=f"D{n}")
    story.figures.end(at(11.0), online=100)
    story.figures.cpu.shares = [0.1, 0.7, 0.2]
    said = machine_was_limit(story.figures.use())
    assert said.startswith("this machine, not the server, was the limit: one start in a hundred came 1,")
    assert said.endswith("use fewer devices, a longer --spread, or more processes (`fleetrig load --workers N`)")


def test_a_fleet_that_takes_little_and_is_late_has_somebody_beside_it():
    story = Story().asks(1.0, 1.1, due_s=0.2)
    story.figures.end(at(2.0), online=1)
    story.figures.cpu.shares = [0.1, 0.18]
    said = machine_was_limit(story.figures.use())
    assert said.endswith("fleetrig itself never used more than 18% of a core, so see what else keeps this machine busy")


def test_the_live_warning_looks_at_the_last_seconds_only():
    story = Story().asks(1.0, 1.1, due_s=0.2)
    for second in range(4):
        story.figures.tick(at(second + 1), online=1)
    assert "is the limit" in measured_now(story.figures, at(4), "").warning
    for second in range(4, 30):
        story.figures.tick(at(second + 1), online=1)
    measured = measured_now(story.figures, at(30), "")
    assert "ms late" not in measured.warning
    assert measured.line.startswith("answers p50 - p99 -")


def test_starts_that_are_held_up_are_part_of_the_warning():
    assert "it starts devices" in measured_now(Story().figures, at(1), "it starts devices slowly").warning


def test_the_report_has_the_lines_of_a_load_run_and_a_table():
    lines = list(figure_lines(Story().asks(0.0, 0.1).figures))
    assert [line.split()[0] for line in lines] == [
        "requests", "latency", "corrected", "starts", "answers", "poll", "machine",
    ]  # fmt: skip


def test_the_table_of_exchanges_is_aligned_and_fits():
    exchanges = {name: ExchangeTimes() for name in ("provision-subscribe", "poll")}
    for number in range(12_345):
        exchanges["poll"].add(number * 10, is_good=number % 3 != 0)
    exchanges["provision-subscribe"].add(30_000_000, is_good=False)
    lines = list(exchange_lines(exchanges))
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0]) <= 80
    assert lines[0].split() == ["answers", "exchange", "count", "failed", "p50", "p95", "p99", "max"]
    assert lines[1].split()[:3] == ["poll", "12,345", "4,115"]
