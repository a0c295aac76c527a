"""A million requests leave a trace of at most 50 MB, and a run of many devices one that says how little it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleetrig.harness.report.open_command import open_command, open_phase_command
from fleetrig.harness.run import scenario_run
from fleetrig.harness.run.replay import replay
from fleetrig.harness.run.sampled_trace import one_of_many
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent
from fleetrig.simulator.contract.trace_json import to_line
from tests.harness.runs import FAILS, HEAD, VIOLATES, run_once

HEADERS = tuple((f"X-Header-{number}", "value of a header") for number in range(9))
BYTES_PER_REQUEST = 50


def written(devices: int, requests: int) -> tuple[list[TraceEvent], int]:
    """The events that are kept of so many, and their length in a file."""
    kept: list[TraceEvent] = []
    trace = Trace()
    trace.listen(kept.append, chooses=one_of_many())
    trace.emit(0, Lane.BENCH, "begun")
    request = HttpRequest("GET", "http://host:8080", "/DEFAULT/controller/v1/HB-00001", (("Authorization", "T x" * 9),))
    answer = HttpResponse(200, HEADERS, b"x" * 150)
    for number in range(requests):
        device = f"HB-{number % devices:05d}"
        trace.emit(number, Lane.DEVICE, "sent", device, envelope=request, name="poll")
        trace.emit(number, Lane.DEVICE, "received", device, envelope=answer, name="poll", took_us=1)
        trace.emit(number, Lane.DEVICE, "paused", device, reason="poll interval", took_us=1)
    return kept, sum(len(to_line(event, Secrets())) + 1 for event in kept)


def test_what_is_kept_is_small_and_whole_lives() -> None:
    kept, length_bytes = written(devices=640, requests=6_400)

    assert length_bytes <= BYTES_PER_REQUEST * 6_400
    by_device = {device: sum(event.device == device for event in kept) for device in {event.device for event in kept}}
    assert by_device.pop("") == 1
    assert set(by_device.values()) == {30}
    assert "HB-00000" in by_device


def test_the_only_device_is_kept() -> None:
    kept, _ = written(devices=1, requests=5)

    assert len(kept) == 16


@pytest.mark.parametrize(("devices", "kept"), [(3, 3), (70, 2)])
def test_a_run_of_many_devices_keeps_a_few_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, devices: int, kept: int
) -> None:
    monkeypatch.setattr(scenario_run, "WRITTEN_WHOLE", 10)
    report = run_once(tmp_path, FAILS, head=HEAD.replace("count: 2", f"count: {devices}"))
    events = [json.loads(line) for line in Path(report.trace_file).read_text(encoding="utf-8").splitlines()[1:]]
    assert len({event.get("device") for event in events if event.get("kind") == "power_on"}) == kept
    if devices == kept:
        assert replay(Path(report.trace_file), tmp_path / "scenarios")[0].verdict is Verdict.FAILED
    else:
        with pytest.raises(UsageError, match=r"one device in 64.*--trace F"):
            replay(Path(report.trace_file), tmp_path / "scenarios")


@pytest.mark.parametrize(("device", "is_kept"), [("HB-1", True), ("HB-5", False)])
def test_findings_open_what_is_kept_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, is_kept: bool
) -> None:
    """Of a device that is not among the few that were written, the phase is opened."""
    monkeypatch.setattr(scenario_run, "WRITTEN_WHOLE", 10)
    body = VIOLATES.replace("{name: poll}", f"{{name: poll, only: {device}}}")
    report = run_once(tmp_path, body, head=HEAD.replace("count: 2", "count: 70"))
    lines = Path(report.trace_file).read_text(encoding="utf-8").splitlines()[1:]
    in_file = {(event["lane"], event["seq"]) for event in map(json.loads, lines)}
    [check] = [check for phase in report.phases for check in phase.checks if check.finding is not None]
    assert check.finding is not None
    [seen] = check.finding.evidence
    assert seen.device == device
    assert seen.is_in_trace == is_kept == ((seen.lane, seen.seq) in in_file)
    assert bool(open_command(check, report.trace_file)) == is_kept
    assert open_phase_command(report).endswith("--phase bad") != is_kept


def test_who_asks_for_the_trace_gets_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenario_run, "WRITTEN_WHOLE", 1)
    run_once(tmp_path, FAILS, trace=tmp_path / "t.jsonl")
    assert replay(tmp_path / "t.jsonl", tmp_path / "scenarios")[0].verdict is Verdict.FAILED
