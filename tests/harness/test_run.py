"""One run: its verdict, what it leaves behind, what it hides."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.contract.trace_json import from_line
from tests.harness.runs import BREAKS, FAILS, HEAD, PASSES, expanded, run_once

PROJECT = Path(__file__).parents[2]


def test_a_passing_run_leaves_nothing_behind(tmp_path: Path) -> None:
    report = run_once(tmp_path, PASSES)
    assert report.verdict is Verdict.PASSED
    assert (report.name, report.title, report.devices, report.time, report.seed) == (
        "hawkbit/x",
        "It works",
        2,
        "virtual",
        1,
    )
    assert report.trace_file == ""
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("body", [FAILS, BREAKS], ids=["failed", "broken"])
def test_the_trace_of_a_bad_run_is_kept(tmp_path: Path, body: str) -> None:
    report = run_once(tmp_path, body)
    assert report.trace_file == str(tmp_path / "results" / "hawkbit" / "x.trace.jsonl")
    first, *lines = Path(report.trace_file).read_text().splitlines()
    about = json.loads(first)
    assert (about["run"], about["seed"], about["time"], about["values"]) == ("hawkbit/x", 1, "virtual", {})
    events = {(event.lane.value, event.seq): event for event in map(from_line, lines)}
    assert len(events) == len(lines)
    for phase in report.phases:
        for check in phase.checks:
            for evidence in check.finding.evidence if check.finding is not None else ():
                event = events[evidence.lane, evidence.seq]
                assert evidence.line.startswith(f"{event.device} {event.kind}"), "evidence really is in the trace"


def test_the_trace_goes_where_it_is_wanted_whatever_the_verdict(tmp_path: Path) -> None:
    report = run_once(tmp_path, PASSES, trace=tmp_path / "deep" / "t.jsonl")
    assert report.trace_file == str(tmp_path / "deep" / "t.jsonl")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["t.jsonl"]


def test_traces_of_other_seeds_have_names_of_their_own(tmp_path: Path) -> None:
    files = {run_once(tmp_path, FAILS, seed=seed).trace_file for seed in (1, 2, 3)}
    assert {Path(file).name for file in files} == {
        "x.trace.jsonl",
        "x-seed-2.trace.jsonl",
        "x-seed-3.trace.jsonl",
    }


def test_a_trace_that_cannot_be_written_takes_nothing_away_from_the_verdict(tmp_path: Path) -> None:
    (tmp_path / "results").touch()
    report = run_once(tmp_path, FAILS)
    assert (report.verdict, report.trace_file) == (Verdict.FAILED, "")
    assert "cannot write the trace" in report.reason


def test_what_the_server_lacks_skips_the_run(tmp_path: Path) -> None:
    report = run_once(tmp_path, PASSES, head=HEAD + "    needs: [hawkbit, hawkbit.trusted_ips, https]\n")
    assert report.verdict is Verdict.SKIPPED
    assert report.reason.endswith(
        "lacks hawkbit.trusted_ips, https; run it --against a server that has, and say so in its SERVER.yaml: "
        "`https: HOST:PORT`, `can: [hawkbit.trusted_ips]`"
    )
    assert report.phases == ()


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (
            HEAD.replace("server: {", "server: {properties: {hawkbit.controller.minPolingTime: x}, "),
            "server.properties: ",
        ),
    ],
)
def test_what_cannot_be_set_up_is_one_sentence(tmp_path: Path, head: str, sentence: str) -> None:
    report = run_once(tmp_path, PASSES, head=head)
    assert report.verdict is Verdict.BROKEN
    assert sentence in report.reason


@pytest.mark.parametrize("real_time", [False, True])
def test_a_server_below_a_context_path(tmp_path: Path, real_time: bool) -> None:
    """Devices and operators go by the server's URL, which has the path in it."""
    head = HEAD.replace("server: {", "server: {properties: {server.servlet.context-path: /hb}, ")
    report = run_once(tmp_path, PASSES, head=head, real_time=real_time, trace=tmp_path / "t.jsonl")
    assert report.verdict is Verdict.PASSED
    paths = {
        envelope.path
        for line in (tmp_path / "t.jsonl").read_text().splitlines()[1:]
        if isinstance(envelope := from_line(line).envelope, HttpRequest)
    }
    assert any("/controller/v1/" in path for path in paths)
    assert all(path.startswith("/hb/") for path in paths)


def test_secrets_of_the_environment_are_masked_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "very-secret-gateway-key")
    events: list[TraceEvent] = []
    head = HEAD.replace("settings: {", "settings: {authentication.gatewaytoken.key: '${env:KEY}', ").replace(
        "flow: hawkbit", "flow: hawkbit, credential: gateway_token"
    )
    body = """
    phases:
      - name: it holds the key
        do: [{configure: {authentication.gatewaytoken.key: "${env:KEY}"}}, power_on]
        within: 3s
        expect:
          - sends: {name: poll, header: {Authorization: "GatewayToken ${env:KEY}"}}
          - sends: {name: download, header: {Authorization: "*${env:KEY}"}}
          - registry: {attributes: {key: "${env:KEY}"}}
    """
    report = run_once(tmp_path, body, head=head, listener=events.append)

    assert [check.verdict.value for check in report.phases[0].checks] == ["passed", "failed", "failed"]
    assert "secret:" in str(report)
    assert "very-secret" not in str(report)
    assert "very-secret" not in Path(report.trace_file).read_text()
    told = [event.name + event.reason for event in events if event.lane.value == "bench"]
    assert "very-secret" not in str(told), "what goes to the console is masked too"


def test_the_password_of_the_account_stands_in_no_trace(tmp_path: Path) -> None:
    text = Path(run_once(tmp_path, FAILS).trace_file).read_text()
    assert "YWRtaW46YWRtaW4=" not in text
    assert "Basic password:" in text


def test_tokens_stand_in_no_trace(tmp_path: Path) -> None:
    text = Path(run_once(tmp_path, FAILS).trace_file).read_text()
    assert '"Authorization","TargetToken target-token:' in text


@pytest.mark.slow
def test_in_real_time_a_bug_of_our_own_server_breaks_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fleetrig.reference_server.platforms.hawkbit.platform import HawkbitPlatform

    handle = HawkbitPlatform.handle

    def fails_on_config_data(self: HawkbitPlatform, request: object, *rest: object) -> object:
        if getattr(request, "target", "").endswith("configData"):
            raise RuntimeError("a bug")
        return handle(self, request, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(HawkbitPlatform, "handle", fails_on_config_data)
    body = PASSES.replace("reaches: {stage: online}", "receives: {name: configData, status: 200}").replace("10s", "3s")
    head = HEAD.replace("flow: hawkbit", "flow: hawkbit, attributes: {hw: '2'}")
    report = run_once(tmp_path, body, head=head, real_time=True)
    assert report.verdict is Verdict.BROKEN
    assert report.reason == "a bug in fleetrig's own server spoiled this run: RuntimeError: a bug"


def test_how_far_an_interrupted_run_had_come_is_told(tmp_path: Path) -> None:
    told: list[Report] = []
    body = PASSES + "      - name: long\n        for: 1h\n"
    one = expanded(tmp_path, body)

    async def interrupted() -> None:
        began = asyncio.Event()

        def listener(event: TraceEvent) -> None:
            if event.kind == "phase" and event.name == "long":
                began.set()

        options = RunOptions(real_time=True, results=tmp_path, listener=listener, broken_off=told.append)
        task = asyncio.create_task(run(one, options))
        await asyncio.wait_for(began.wait(), 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    (report,) = told
    assert (report.verdict, report.reason) == (Verdict.BROKEN, "interrupted")
    assert [(phase.name, phase.verdict.value) for phase in report.phases] == [
        ("first contact", "passed"),
        ("long", "broken"),
    ]
    assert '"kind":"ended"' in Path(report.trace_file).read_text().splitlines()[-1]


SEEDED = """
import asyncio, sys
from pathlib import Path
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.run.power_points import power_cut_points
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
for name in ("hawkbit/cut_download", "hawkbit/attributes", "hawkbit/outage_backoff[shows_as=reset]"):
    (one,) = plan([name], Path("scenarios"), (), power_cut_points)
    goal = Path(sys.argv[1]) / name.replace("/", "-")
    asyncio.run(run(one, RunOptions(seed=int(sys.argv[2]), trace=goal)))
"""


@pytest.mark.slow
def test_the_same_seed_gives_the_same_trace_byte_for_byte(tmp_path: Path) -> None:
    for folder, hash_seed, seed in (("a", "1", "7"), ("b", "2", "7"), ("c", "1", "8")):
        command = [sys.executable, "-c", SEEDED, str(tmp_path / folder), seed]
        environ = {**os.environ, "PYTHONHASHSEED": hash_seed}
        subprocess.run(command, cwd=PROJECT, env=environ, check=True, timeout=120)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) == 3
    for name in files:
        first, second, other = ((tmp_path / folder / name).read_bytes() for folder in "abc")
        assert first == second
        assert first != other, "another seed is another run"
        assert first.count(b"\n") > 50


def test_what_had_not_begun_when_it_was_interrupted_tells_nothing(tmp_path: Path) -> None:
    told: list[Report] = []
    one = expanded(tmp_path, PASSES)

    async def interrupted() -> None:
        options = RunOptions(real_time=True, results=tmp_path, broken_off=told.append)
        task = asyncio.create_task(run(one, options))
        await asyncio.sleep(0)  # it has taken its first step: its server is being started
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    assert told == []
    assert list(tmp_path.glob("**/*.trace.jsonl")) == []
