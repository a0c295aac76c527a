"""`fleetrig report`: a stored trace gives the same verdict again, and nothing is run for it."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from fleetrig.harness.run.power_points import power_cut_points
from fleetrig.harness.run.replay import replay
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.verdict import Finding, Report, Verdict
from fleetrig.simulator.contract.errors import UsageError
from tests.harness import broken_devices
from tests.harness.broken_devices import Change
from tests.harness.command import cases_of, fleetrig
from tests.harness.runs import BREAKS, FAILS, HEAD, PASSES, VIOLATES, WARNS, run_once, write_scenario
from tests.harness.test_both_times import SCENARIOS

AGAIN = ("hawkbit/auto_registration", "hawkbit/outage_backoff", "hawkbit/token_rotation", "hawkbit/steady_polling",
         "hawkbit/power_cuts[cut=poll#2:sent]", "hawkbit/preregistration", "hawkbit/lost_reply")  # fmt: skip


@pytest.mark.slow
def test_passed_runs_pass_again(tmp_path: Path) -> None:
    for expanded in plan(AGAIN, SCENARIOS, (), power_cut_points):
        trace = tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl"
        first = asyncio.run(run(expanded, RunOptions(trace=trace, seed=3)))
        again, remark = replay(trace, SCENARIOS)
        assert first.verdict is again.verdict is Verdict.PASSED
        assert remark == ""
        assert titles(again) == titles(first)
        assert (again.name, again.seed, again.title) == (first.name, 3, first.title)


CURVED = """
    phases:
      - name: polls
        do: [preregister, power_on]
        for: 20s
        expect: [rate: {of: poll, at_most: 20, per: 5s, curve: true}]
"""


def test_curves_are_drawn_again(tmp_path: Path) -> None:
    first = run_once(tmp_path, CURVED, trace=tmp_path / "t.jsonl")
    again, _ = replay(tmp_path / "t.jsonl", tmp_path / "scenarios")
    [curve] = first.phases[0].curves
    assert first.verdict is Verdict.PASSED
    assert [window for window, _ in curve.counts] == [0, 1, 2, 3]
    assert f"{sum(count for _, count in curve.counts)} in all" in first.phases[0].checks[0].measured
    assert again.phases[0].curves == (curve,)


def test_both_commands_draw_them_into_a_page(tmp_path: Path) -> None:
    matrix = (
        HEAD.replace("flow: hawkbit", 'flow: hawkbit, poll_jitter: "${jitter}"') + "    matrix: {jitter: [0, 0.1]}\n"
    )
    write_scenario(tmp_path, CURVED, "x/curved", matrix)
    ran = fleetrig("run", "x/curved", "--html", "run.html", "--trace", "traces", cwd=tmp_path)
    told = fleetrig("report", "traces", "--html", "report.html", cwd=tmp_path)
    assert (ran.returncode, told.returncode) == (0, 0)
    for done in (ran, told):
        assert "x/curved: polls in each 5 s of phase «polls»" in done.stdout
        assert "jitter=0.1: " in done.stdout
    run, report = ((tmp_path / name).read_text(encoding="utf-8") for name in ("run.html", "report.html"))
    curves, again = (re.search('<section class="light".*</section>', page, re.DOTALL) for page in (run, report))
    assert curves is not None
    assert again is not None
    assert curves[0] == again[0]
    assert curves[0].count('<th scope="row">') == 2
    assert '"events":{' in run, "both passed, and their traces are there for the page"


def test_a_page_without_a_folder_is_said_before_anything_is_run(tmp_path: Path) -> None:
    write_scenario(tmp_path, CURVED, "x/curved")
    done = fleetrig("run", "x/curved", "--html", "nowhere/run.html", cwd=tmp_path)
    assert done.returncode == 4
    assert "--html" in done.stderr


STOPPED = """
    phases:
      - name: bad
        do: [preregister, power_on]
        for: 3s
        expect: [sends: {name: download}]
      - name: never run
        for: 1s
        expect: [sends: {name: poll}]
"""

BODIES = {"failed": FAILS, "violated": VIOLATES, "warned": WARNS, "broken": BREAKS, "passed": PASSES}


def titles(report: Report) -> list[tuple[str, str, Verdict]]:
    return [(phase.name, check.title, check.verdict) for phase in report.phases for check in phase.checks]


def findings(report: Report) -> list[Finding | None]:
    return [check.finding for phase in report.phases for check in phase.checks]


@pytest.mark.parametrize(
    "real_time", [pytest.param(False, id="virtual"), pytest.param(True, id="real", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("verdict", BODIES)
def test_every_verdict_comes_again(tmp_path: Path, verdict: str, real_time: bool) -> None:
    first = run_once(tmp_path, BODIES[verdict], real_time=real_time, trace=tmp_path / "t.jsonl")
    again, _ = replay(tmp_path / "t.jsonl", tmp_path / "scenarios")
    assert again.verdict is first.verdict
    assert titles(again) == titles(first)
    assert [phase.verdict for phase in again.phases] == [phase.verdict for phase in first.phases]
    assert again.time == first.time


def test_what_events_show_is_found_again_and_what_the_server_said_is_marked(tmp_path: Path) -> None:
    first = run_once(tmp_path, FAILS)
    again, _ = replay(Path(first.trace_file), tmp_path / "scenarios")
    _, download, registry, gap = findings(first)
    _, download_again, registry_again, gap_again = findings(again)
    assert (download_again, gap_again) == (download, gap)
    assert registry is not None
    assert registry_again == Finding(
        "what the server said then", f"as recorded: expected {registry.expected}, got {registry.got}"
    )


CAUGHT = [
    ("hawkbit/steady_polling", broken_devices.ignores_sleep),
    ("hawkbit/outage_backoff[shows_as=reset]", broken_devices.hot_retry),
    ("hawkbit/lost_reply", broken_devices.installs_anyway),
]


@pytest.mark.parametrize(("name", "change"), CAUGHT, ids=[row[0] for row in CAUGHT])
def test_a_broken_device_is_caught_again(tmp_path: Path, name: str, change: Change) -> None:
    (expanded,) = plan([name], SCENARIOS)
    options = RunOptions(results=tmp_path, behaviour=change)
    first = asyncio.run(run(expanded, options))
    again, _ = replay(Path(first.trace_file), SCENARIOS)
    assert again.verdict is first.verdict is Verdict.FAILED
    assert titles(again) == titles(first)


def test_secrets_of_the_environment_fit_their_masks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "very-secret-gateway-key")
    head = HEAD.replace("settings: {", "settings: {authentication.gatewaytoken.key: '${env:KEY}', ").replace(
        "flow: hawkbit", "flow: hawkbit, credential: gateway_token"
    )
    body = """
    phases:
      - name: keys
        do: power_on
        for: 3s
        expect:
          - sends: {name: poll, header: {Authorization: "GatewayToken ${env:KEY}"}}
      - name: never
        for: 3s
        expect:
          - never: {sends: {header: {Authorization: "*${env:KEY}"}}}
    """
    first = run_once(tmp_path, body, head=head)
    again, _ = replay(Path(first.trace_file), tmp_path / "scenarios")
    assert titles(again) == titles(first)
    assert [verdict for *_, verdict in titles(again)] == [Verdict.PASSED, Verdict.FAILED]
    assert "very-secret" not in str(again)


def test_a_scenario_that_changed_is_judged_as_it_is_now_and_that_is_said(tmp_path: Path) -> None:
    run_once(tmp_path, FAILS, trace=tmp_path / "t.jsonl")
    path = tmp_path / "scenarios" / "hawkbit" / "x.yaml"
    path.write_text(path.read_text().replace("sends: {name: download}", "sends: {name: poll}"))
    done = fleetrig("report", "t.jsonl", cwd=tmp_path)
    assert "scenarios/hawkbit/x.yaml has changed since t.jsonl was written; it is judged as it is now" in done.stdout
    assert "ok sends {name: poll}" in done.stdout
    assert "FAIL registry {in_state: in_sync}" in done.stdout


def test_a_phase_that_was_never_run_does_not_pass(tmp_path: Path) -> None:
    run_once(tmp_path, STOPPED, trace=tmp_path / "t.jsonl")
    path = tmp_path / "scenarios" / "hawkbit" / "x.yaml"
    path.write_text(path.read_text().replace("sends: {name: download}", "sends: {name: poll}"))
    done = fleetrig("report", "t.jsonl", cwd=tmp_path)
    assert done.returncode == 3
    assert "the trace has nothing of phase 'never run', as the scenario is now: run it again" in done.stdout


def test_a_phase_that_the_scenario_got_later_does_not_pass(tmp_path: Path) -> None:
    run_once(tmp_path, PASSES, trace=tmp_path / "t.jsonl")
    path = tmp_path / "scenarios" / "hawkbit" / "x.yaml"
    path.write_text(path.read_text() + "  - name: later\n    for: 1s\n")
    again, _ = replay(tmp_path / "t.jsonl", tmp_path / "scenarios")
    assert again.verdict is Verdict.BROKEN
    assert "nothing of phase 'later'" in again.reason


@pytest.mark.parametrize("lane", ["device", "server", "bench"])
def test_a_trace_of_which_lines_were_taken_away_is_not_judged(tmp_path: Path, lane: str) -> None:
    run_once(tmp_path, PASSES, trace=tmp_path / "t.jsonl")
    lines = (tmp_path / "t.jsonl").read_text().splitlines(keepends=True)
    of_lane = [number for number, line in enumerate(lines) if f'"lane":"{lane}"' in line]
    del lines[of_lane[1]]
    (tmp_path / "t.jsonl").write_text("".join(lines))
    with pytest.raises(UsageError, match=f"event 2 of the {lane} lane was expected here, not 3"):
        replay(tmp_path / "t.jsonl", tmp_path / "scenarios")


def test_a_check_that_nobody_asked_then_cannot_be_judged(tmp_path: Path) -> None:
    run_once(tmp_path, PASSES, trace=tmp_path / "t.jsonl")
    path = tmp_path / "scenarios" / "hawkbit" / "x.yaml"
    path.write_text(
        path.read_text().replace("]\n", ", {registry: {devices: 2}}]\n").replace("power_on, {", "power_on]#{")
    )
    done = fleetrig("report", "t.jsonl", cwd=tmp_path)
    assert done.returncode == 4
    assert "the trace has no answer to line 9 of phase 'first contact': has the scenario changed since?" in done.stderr


def test_the_command_shows_and_writes_what_run_would(tmp_path: Path) -> None:
    for name, body in (("passes", PASSES), ("fails", FAILS), ("breaks", BREAKS)):
        run_once(tmp_path, body, name=f"hawkbit/{name}", trace=tmp_path / "traces" / f"{name}.trace.jsonl")
    done = fleetrig("report", "traces", "--junit", "j.xml", cwd=tmp_path)
    assert done.returncode == 3
    assert cases_of(tmp_path / "j.xml") == {
        "hawkbit/breaks": ("hawkbit", "error"),
        "hawkbit/fails": ("hawkbit", "failure"),
        "hawkbit/passes": ("hawkbit", "passed"),
    }
    assert "1 passed, 1 failed, 1 broken in" in done.stdout
    assert "as recorded: HB-1 has no open action" in done.stdout
    assert fleetrig("report", "traces/fails.trace.jsonl", cwd=tmp_path).returncode == 1
    assert fleetrig("report", "traces/passes.trace.jsonl", cwd=tmp_path).returncode == 0


def test_skipped_stays_skipped(tmp_path: Path) -> None:
    run_once(tmp_path, PASSES, head=HEAD + "    needs: [hawkbit.trusted_ips]\n", trace=tmp_path / "t.jsonl")
    again, _ = replay(tmp_path / "t.jsonl", tmp_path / "scenarios")
    assert (again.verdict, again.phases) == (Verdict.SKIPPED, ())
    assert "lacks hawkbit.trusted_ips; run it --against a server that has" in again.reason


def test_a_trace_that_was_cut_off_is_broken(tmp_path: Path) -> None:
    run_once(tmp_path, FAILS, trace=tmp_path / "t.jsonl")
    lines = (tmp_path / "t.jsonl").read_text().splitlines(keepends=True)
    end = next(number for number, line in enumerate(lines) if '"name":"bad"' in line)
    (tmp_path / "t.jsonl").write_text("".join(lines[: end + 3]))
    again, _ = replay(tmp_path / "t.jsonl", tmp_path / "scenarios")
    assert (again.verdict, again.reason) == (Verdict.BROKEN, "the trace ends before the run did")
    assert [(phase.name, phase.verdict) for phase in again.phases] == [
        ("first contact", Verdict.PASSED),
        ("bad", Verdict.BROKEN),
    ]


def damaged(folder: Path, name: str, text: str | bytes) -> None:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(
    ("content", "code", "sentence"),
    [
        ("", 4, "t.jsonl is no trace of `fleetrig run`: its first line does not say which run it is\n"),
        ("no JSON\n", 4, "t.jsonl is no trace of `fleetrig run`"),
        ('{"at_us": 1}\n', 4, "t.jsonl is no trace of `fleetrig run`"),
        ("[" * 100_000 + "\n", 4, "t.jsonl is no trace of `fleetrig run`"),
        ('{"run": "x", "seed": 1, "time": "real", "values": 5, "digest": "", "fleetrig": ""}\n', 4, "is no trace of"),
        ('{"run": 5, "seed": 1, "time": "real", "values": {}, "digest": "", "fleetrig": ""}\n', 4, "is no trace of"),
        (b"\xff\xfe", 4, "cannot read t.jsonl: "),
        ("FIRST\nno event\n", 4, "t.jsonl:2: this is no line of a trace"),
        ("FIRST\n" + '{"at_us":1,"seq":1,"lane":"bench","kind":"phase","name":"nope"}\n', 4, "has no phase 'nope'"),
        ("OTHER\n", 5, "no scenario is called hawkbit/gone in scenarios"),
    ],
)
def test_what_is_no_trace_is_one_sentence(tmp_path: Path, content: str | bytes, code: int, sentence: str) -> None:
    run_once(tmp_path, PASSES, trace=tmp_path / "good.jsonl")
    first = (tmp_path / "good.jsonl").read_text().splitlines()[0]
    if isinstance(content, str):
        other = json.dumps({**json.loads(first), "run": "hawkbit/gone"})
        content = content.replace("FIRST", first).replace("OTHER", other)
    damaged(tmp_path, "t.jsonl", content)
    done = fleetrig("report", "t.jsonl", cwd=tmp_path)
    assert done.returncode == code
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_places_without_traces(tmp_path: Path) -> None:
    run_once(tmp_path, PASSES)
    (tmp_path / "empty").mkdir()
    assert fleetrig("report", "empty", cwd=tmp_path).stderr == "empty holds no traces (*.trace.jsonl)\n"
    assert (
        fleetrig("report", "nowhere.jsonl", cwd=tmp_path).stderr == "cannot read nowhere.jsonl: there is no such file\n"
    )
    assert fleetrig("report", cwd=tmp_path).returncode == 4


def test_a_part_of_the_devices_is_not_judged_again(tmp_path: Path) -> None:
    trace = tmp_path / "load.jsonl"
    run_once(tmp_path, PASSES, trace=trace)
    about, *events = trace.read_text().splitlines()
    trace.write_text("\n".join([json.dumps({**json.loads(about), "time": "load"}), *events]))

    with pytest.raises(UsageError, match=r"one device in 64.*summary\.json"):
        replay(trace, tmp_path / "scenarios")
