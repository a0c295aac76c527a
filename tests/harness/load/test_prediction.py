"""Curves from a trace, the open model in virtual time, and predictions of load runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.load.curves import CURVES_FILE, CurveRow, LoadCurves, read_curves
from fleetrig.harness.load.trace_curves import TraceCurves
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import MqttPingreq, MqttPingresp
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from tests.harness.runs import expanded, run_once

S = 1_000_000
HEAD = """
    scenario: Devices are answered by a server that can do so much
    devices: {flow: hawkbit, count: 20, serial: "HB-{n}", credential: gateway_token}
    server: {settings: {pollingTime: "00:00:01"}, capacity: {requests_per_s: 10, hits: "* */controller/*"}}
"""
FREE = HEAD.replace(', capacity: {requests_per_s: 10, hits: "* */controller/*"}', "")
PHASES = """
    phases:
      - name: all at once
        do: power_on
        for: 20s
        expect: [{sends: {name: poll}}]
"""


def event(at_s: float, kind: str, device: str = "HB-1", **more: Any) -> TraceEvent:
    return TraceEvent(int(at_s * S), 1, device, Lane.DEVICE, kind, **more)


def curves_of(*events: TraceEvent, is_open: bool = True) -> LoadCurves:
    curves = TraceCurves(is_open=is_open)
    for one in events:
        curves.take(one)
    return curves.ended()


def poll(at_s: float, took_s: float, status: int = 200) -> list[TraceEvent]:
    return [
        event(at_s, "sent", name="poll", envelope=HttpRequest("GET", "http://h", "/")),
        event(at_s + took_s, "received", name="poll", envelope=HttpResponse(status), took_us=int(took_s * S)),
    ]


def wait(at_s: float, interval_s: float) -> TraceEvent:
    return event(at_s, "paused", reason="poll interval", took_us=int(interval_s * S))


def test_a_second_says_what_was_begun_and_failed_and_who_is_online_at_its_end() -> None:
    rows = curves_of(
        event(5.0, "power_on"), *poll(5.1, 0.2), event(5.4, "entered", stage="online"),
        *poll(6.5, 0.1, status=503), event(6.7, "entered", stage="backing_off"),
        event(8.2, "power_cut"),
    ).rows  # fmt: skip
    assert [(row.at_s, row.rate, row.online, row.errors) for row in rows] == [
        (0, 1, 1, 0), (1, 1, 0, 1), (2, 0, 0, 0), (3, 0, 0, 0),
    ]  # fmt: skip
    assert rows[0].p99_s == pytest.approx(0.2, rel=0.03)


def test_what_ends_in_the_next_second_changes_nothing_about_who_was_online_before() -> None:
    rows = curves_of(event(0, "power_on"), *poll(0.9, 0.3), event(1.3, "entered", stage="online"), event(2.5, "x")).rows
    assert [(row.rate, row.online) for row in rows] == [(1, 0), (0, 1), (0, 1)]


def test_a_start_that_is_late_counts_from_when_it_was_intended() -> None:
    rows = curves_of(event(0, "power_on"), *poll(0, 1.5), wait(1.5, 1.0), *poll(1.5, 0.1)).rows
    assert rows[1].lateness_p99_s == pytest.approx(0.5, rel=0.03)
    assert rows[1].p50_s == pytest.approx(0.1, rel=0.03)
    assert rows[1].corrected_p50_s == pytest.approx(0.6, rel=0.03)


def test_a_start_that_never_came_is_dropped_and_only_where_there_is_a_schedule() -> None:
    events = event(0, "power_on"), *poll(0, 3.5), wait(3.5, 1.0), *poll(3.5, 0.1)
    assert curves_of(*events).totals.dropped == 2
    closed = event(0, "power_on"), *poll(0, 3.5), wait(4.5, 1.0), *poll(4.5, 0.1)
    found = curves_of(*closed, is_open=False)
    assert (found.totals.dropped, found.totals.lateness.percentile_s(1.0)) == (0, 0.0)


def idle(at_s: float, slice_s: float) -> TraceEvent:
    return event(at_s, "waited", name="idle", took_us=int(slice_s * S))


def ping(at_s: float, took_s: float) -> list[TraceEvent]:
    return [
        event(at_s, "sent", name="ping", envelope=MqttPingreq()),
        event(at_s + took_s, "received", name="ping", envelope=MqttPingresp(), took_us=int(took_s * S)),
    ]


def test_parts_of_a_round_are_no_starts_that_could_be_dropped() -> None:
    """The server hangs in a ping: two rounds of 6 s never came, not seven parts of 2 s."""
    events = (
        event(0, "power_on"), *poll(0, 0.1), idle(2, 2), *ping(2, 16.5), idle(18.5, 2), *ping(18.5, 0.1),
        idle(18.6, 2), *poll(18.6, 0.1),
    )  # fmt: skip
    assert curves_of(*events).totals.dropped == 2
    in_time = event(0, "power_on"), *poll(0, 0.1), idle(2, 2), *ping(2, 4.5), idle(6.5, 4), *poll(6.5, 0.1)
    assert curves_of(*in_time).totals.dropped == 0


def test_a_device_that_is_told_something_while_it_idles_is_not_late_for_that() -> None:
    told = event(2.0, "received", name="idle", took_us=2 * S)
    totals = curves_of(event(0, "power_on"), *poll(0, 0.1), told, idle(6, 4), *poll(6, 0.1)).totals
    assert (totals.dropped, totals.lateness.percentile_s(1.0)) == (0, 0.0)


COMMANDED = """
    scenario: A device is told something between its messages
    devices: {flow: hono, over: mqtt, serial: HN-1, interval: 20s, credential: password, waits_for_commands: 2s}
    phases:
      - name: told
        do: [preregister, power_on, {wait: 35s}, {command: {name: noop}}, {wait: 1s}, {command: {name: noop}}]
        for: 149s
        expect: [{sends: {name: telemetry, times: 10}}]
"""


@pytest.mark.parametrize("is_open", [True, False])
def test_commands_do_not_put_off_telemetry(is_open: bool, tmp_path: Path) -> None:
    options = RunOptions(results=tmp_path, is_open=is_open)
    report = asyncio.run(run(expanded(tmp_path, "", "hono/x", COMMANDED), options))
    assert report.verdict is Verdict.PASSED, report


def test_a_backoff_begins_when_it_begins() -> None:
    backoff = event(12.0, "paused", reason="backoff", took_us=2 * S)
    totals = curves_of(event(0, "power_on"), *poll(0, 10, status=503), backoff, *poll(12.0, 0.1)).totals
    assert (totals.dropped, totals.lateness.percentile_s(1.0)) == (0, 0.0)


def run_with(folder: Path, head: str, *, is_open: bool) -> tuple[Report, LoadCurves]:
    curves = TraceCurves(is_open=is_open)
    options = RunOptions(results=folder, is_open=is_open, listener=curves.take)
    report = asyncio.run(run(expanded(folder, PHASES, head=head), options))
    return report, curves.ended()


def test_in_the_open_model_a_busy_server_makes_devices_late_and_drops_their_starts(tmp_path: Path) -> None:
    """20 polls a second meet 10 answers: a closed model asks less, an open one keeps asking."""
    report, late = run_with(tmp_path, HEAD, is_open=True)
    assert report.verdict is Verdict.PASSED
    assert late.totals.dropped > 50
    _, patient = run_with(tmp_path, HEAD, is_open=False)
    assert patient.totals.dropped == 0
    assert max(row.corrected_p99_s or 0 for row in late.rows) > max(row.p99_s or 0 for row in patient.rows)


def test_in_the_open_model_an_answer_does_not_put_off_the_next_start(tmp_path: Path) -> None:
    _, on_schedule = run_with(tmp_path, FREE, is_open=True)
    assert [row.rate for row in on_schedule.rows[:-1]] == [20] * 20


BURST = """
    phases:
      - name: a burst
        do: power_on
        within: 60s
        expect:
          - answered_within: {of: poll, p99: %s}
          - receives: {name: poll}
"""


@pytest.mark.slow
def test_a_capacity_is_the_same_in_both_times(tmp_path: Path) -> None:
    """The last of twenty waits for the others: it cannot come before two seconds at ten a second are over."""
    head = HEAD.replace("00:00:01", "00:01:00")
    virtual, real = (run_once(tmp_path, BURST % "30s", head=head, real_time=real) for real in (False, True))
    assert (virtual.verdict, real.verdict) == (Verdict.PASSED, Verdict.PASSED)
    assert virtual.phases[0].took_s == pytest.approx(2.0, abs=0.01)
    assert real.phases[0].took_s > 1.9, "however slow this machine is, it cannot be faster"
    assert run_once(tmp_path, BURST % "1800ms", head=head).verdict is Verdict.FAILED


def rates(folder: Path) -> list[CurveRow]:
    return read_curves(folder / CURVES_FILE)


def test_the_command_leaves_curves_and_the_same_seed_gives_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expanded(tmp_path, PHASES, head=HEAD)
    words = ["predict", "hawkbit/x", "--scenarios", str(tmp_path / "scenarios"), "--users", "10"]
    for results in ("one", "two"):
        assert main([*words, "--results", str(tmp_path / results)]) == 0
    said = capsys.readouterr().out
    assert "starts dropped" in said
    assert "server.capacity" not in said
    first, second = (rates(tmp_path / results / "hawkbit" / "x.predicted") for results in ("one", "two"))
    assert first == second
    assert max(row.online for row in first) == 10


def test_a_prediction_without_a_capacity_says_what_it_does_not_know(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expanded(tmp_path, PHASES, head=FREE)
    words = ["predict", "hawkbit/x", "--scenarios", str(tmp_path / "scenarios"), "--results", str(tmp_path)]
    assert main(words) == 0
    assert "names no server.capacity" in capsys.readouterr().out


STOPS = """
    phases:
      - name: steady
        do: power_on
        for: 1h
        faults: [{fault: overload, at: 30s}]
        expect: [{errors: {of: poll, at_most: 5%%, stop: %s}}]
      - name: not reached
        for: 1s
"""


@pytest.mark.parametrize(("stop", "at_most_s"), [("true", 60), ("false", 3601)])
def test_a_threshold_ends_the_run_early_where_it_is_to(tmp_path: Path, stop: str, at_most_s: float) -> None:
    report = run_once(tmp_path, STOPS % stop, head=FREE.replace("count: 20", "count: 5"))
    assert report.verdict is Verdict.FAILED
    assert [phase.name for phase in report.phases] == ["steady"]
    assert at_most_s / 2 < report.simulated_s <= at_most_s
