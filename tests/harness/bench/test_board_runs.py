"""Scenarios on boards, run on fakes: what a board gets wrong is a finding, what the bench lacks is not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.bench.board_bench import BoardBench, RunDesk
from fleetrig.harness.bench.emulated_desk import emulated_desk
from fleetrig.harness.report.junit import properties_of
from fleetrig.harness.run.replay import replay
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.run.scenario_run import ScenarioRun
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent
from fleetrig.simulator.drivers.director import Director, Until
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.effects import Flow, Pause
from tests.harness.command import fleetrig
from tests.harness.runs import expanded, run_once, write_scenario

pytestmark = pytest.mark.slow

FAKE = """
    scenario: It works
    boards: {gateway: {type: fake-board, offers: [power]}}
    devices: {flow: hawkbit, serial: "GW-{n:04d}"}
"""
ON_A_NETWORK = """
    scenario: It works
    boards: {gateway: {type: fake-gateway, offers: [power, network], device: GW-0001}}
    devices: {flow: hawkbit, serial: "GW-{n:04d}", count: 3}
    server: {settings: {pollingTime: "00:00:01"}}
"""
BOOTED = """
    phases:
      - name: booted
        do: [flash: {image: {gateway: "a-{run}"}}, power_on]
        within: 60s
        expect: [{prints: {line: "^GATEWAY-READY build=a-{run} "}}]
"""


def phases(do: str, expect: str = "", *, within: str = "within: 60s") -> str:
    judged = f"\n        {within}\n        expect: {expect}" if expect else ""
    return f"\n    phases:\n      - name: first\n        do: {do}{judged}\n"


def run(folder: Path, body: str, head: str = FAKE, **options: Any) -> Report:
    return run_once(folder, body, name="hil/x", head=head, **options)


def findings(report: Report) -> list[str]:
    """What was got, of each check that failed."""
    checks = (check for phase in report.phases for check in phase.checks)
    return [check.finding.got for check in checks if check.finding is not None]


def test_a_run_names_its_boards_and_keeps_their_lines(tmp_path: Path) -> None:
    report = run(tmp_path, BOOTED, trace=tmp_path / "trace.jsonl")
    assert report.verdict is Verdict.PASSED, findings(report)
    assert report.boards == (("gateway", "fake-1, fake-board, FAKE-0001"),)
    assert ("board.gateway", "fake-1, fake-board, FAKE-0001") in properties_of(report)
    assert ("time_mode", "real") in properties_of(report)
    log = tmp_path / "results" / "hil" / "x" / "fake-1.serial.jsonl"
    assert "GATEWAY-READY" in log.read_text()
    again, remark = replay(tmp_path / "trace.jsonl", tmp_path / "scenarios")
    assert (again.verdict, remark) == (Verdict.PASSED, "")
    judged = [check.title for phase in again.phases for check in phase.checks]
    assert judged == [check.title for phase in report.phases for check in phase.checks]


def test_a_finding_of_a_board_is_in_the_stored_trace_too(tmp_path: Path) -> None:
    report = run(tmp_path, phases("[flash: {image: {gateway: a}}, shell: 'false']"))
    assert report.verdict is Verdict.FAILED
    again, _ = replay(Path(report.trace_file), tmp_path / "scenarios")
    assert again.verdict is Verdict.FAILED
    assert findings(again) == [f"as recorded: {findings(report)[0]}"]
    assert [check.verdict for check in again.phases[0].checks] == [Verdict.PASSED, Verdict.FAILED]


UNIT = "{bring_up: {units: {gateway: U-1}, image: {gateway: a}}}"
WRONG = {
    "status": ("[flash: {image: {gateway: a}}, shell: 'false']", "", "fake-1: expected status 0, 'false' ended with"),
    "output": (
        "[flash: {image: {gateway: a}}, shell: [{run: cat /etc/build, expect: ^b$}]]",
        "",
        "fake-1: expected '^b$' in the output, 'cat /etc/build' ended with status 0 and said 'a'",
    ),
    "took it": (
        "{flash: {image: {gateway: a}, fails: protected}}",
        "",
        "fake-1 took the image",
    ),
    "never said": ("power_on", "[{prints: {line: no such line}}]", "never, in "),
    "said too often": ("power_on", "[{prints: {line: U-Boot, times: 0}}]", "once, in "),
    "mute": ("{wait: 0s}", "[{prints: {line: x, times: 0}}]", "it said nothing at all, so it could not have"),
    "no unit": ("{wait: 0s}", "[{unit: {verdict: passed}}]", "nothing was brought up on fake-1"),
    "another verdict": (UNIT, "[{unit: {verdict: failed}}]", "U-1 on fake-1 is passed"),
}


@pytest.mark.parametrize(("do", "expect", "got"), WRONG.values(), ids=WRONG)
def test_a_board_that_breaks_a_rule_is_found(tmp_path: Path, do: str, expect: str, got: str) -> None:
    report = run(tmp_path, phases(do, expect, within="for: 0s" if "unit" in expect else "for: 500ms"))
    assert report.verdict is Verdict.FAILED
    assert findings(report)[0].startswith(got), findings(report)


FAULTY = {
    "protected": ("protected_storage", "0 blocks write: ERROR", "partly written"),
    "another board": ("wrong_identity", "it says that it is serial#=NOT-FAKE-0008", "untouched"),
}


@pytest.mark.parametrize(("offer", "reason", "state"), FAULTY.values(), ids=FAULTY)
def test_a_flash_that_fails_says_how_it_leaves_the_board(tmp_path: Path, offer: str, reason: str, state: str) -> None:
    report = run(tmp_path, phases("{flash: {image: {size: 4KiB}}}"), FAKE.replace("[power]", f"[power, {offer}]"))
    assert report.verdict is Verdict.FAILED
    assert reason in findings(report)[0]
    assert f"the board is {state}" in findings(report)[0]


def test_a_unit_that_failed_is_judged_by_its_record(tmp_path: Path) -> None:
    head = FAKE.replace("[power]", "[power, protected_storage]")
    body = phases(UNIT, "[{unit: {verdict: failed, reason_has: ERROR}}]", within="for: 0s")
    assert run(tmp_path, body, head).verdict is Verdict.PASSED
    (record,) = (tmp_path / "results" / "hil" / "x").glob("units-*/records/U-1/1.json")
    assert json.loads(record.read_text())["verdict"] == "failed"


def test_a_unit_that_its_server_knows_already_is_refused(tmp_path: Path) -> None:
    head = ON_A_NETWORK.replace(", count: 3", "")
    body = phases("[preregister, bring_up: {to: provisioned}]", "[{unit: {verdict: refused}}]", within="for: 0s")
    report = run(tmp_path, body, head)
    assert report.verdict is Verdict.PASSED, findings(report)
    assert "knows GW-0001 already" in report.phases[0].checks[-1].measured


BROKEN = {
    "cut too late": (
        "{flash: {image: {size: 1KiB}, cut_after: 1MiB}}",
        "fake-1 was done before 1,048,576 bytes had gone to it, so its power was never cut",
    ),
    "no fault fired": (
        "[line_faults: {faults: [{fault: drop, at: [9999999]}]}, shell: 'true']",
        "line faults that never happened (fake-1: drop)",
    ),
    "other SHA-256": (
        f"{{flash: {{image: {{size: 1KiB}}, sha256: '{'0' * 64}'}}}}",
        "SHA-256",
    ),
}


@pytest.mark.parametrize(("do", "reason"), BROKEN.values(), ids=BROKEN)
def test_what_proves_nothing_is_broken_and_says_how_the_board_is_left(tmp_path: Path, do: str, reason: str) -> None:
    report = run(tmp_path, phases(f"[flash: {{image: {{gateway: a}}}}, {do.strip('[]')}]" if "shell" in do else do))
    assert report.verdict is Verdict.BROKEN
    assert reason in report.reason
    assert "fake-1 is off, and " in report.reason


def test_a_bench_without_a_fitting_board_skips_with_the_missing_word(tmp_path: Path) -> None:
    report = run(tmp_path, BOOTED, FAKE.replace("[power]", "[power, lora]"))
    assert (report.verdict, report.reason) == (
        Verdict.SKIPPED,
        "the emulated bench has no board for gateway: none of type fake-board offers lora",
    )


def test_a_bench_file_has_the_boards(tmp_path: Path) -> None:
    bench = tmp_path / "bench.yaml"
    bench.write_text(
        "boards: {mine: {type: fake-board, emulated: {fake: {serial: M-1}}, identity: {serial#: M-1}, offers: [power],"
        " console: {kind: linux}, flasher: {uboot_xmodem: {storage: virtio, prepare: [virtio scan]}}}}\n"
    )
    report = run(tmp_path, BOOTED, bench=bench)
    assert (report.verdict, report.boards) == (Verdict.PASSED, (("gateway", "mine, fake-board, M-1"),))


def test_boards_know_real_time_only(tmp_path: Path) -> None:
    write_scenario(tmp_path, BOOTED, "hil/x", FAKE)
    refused = fleetrig("run", "hil/x", "--time", "virtual", cwd=tmp_path)
    assert refused.returncode == 4
    assert "hil/x works on boards, which know real time only: leave --time virtual away" in refused.stderr


def test_plan_and_check_say_which_board_it_is(tmp_path: Path) -> None:
    write_scenario(tmp_path, BOOTED, "hil/x", FAKE)
    (tmp_path / "bench.yaml").write_text("boards: {other: {type: acme, port: /dev/x}}\n")
    planned = fleetrig("plan", "hil/x", cwd=tmp_path).stdout
    assert (
        "gateway: a board of type fake-board that offers power, plays GW-0001; here fake-1 of the emulated" in planned
    )
    assert "gateway prints a line with '^GATEWAY-READY build=a-{run} ', at least once" in planned
    checked = fleetrig("check", "hil/x", "--bench", "bench.yaml", cwd=tmp_path)
    assert checked.returncode == 0
    said = "hil/x would be skipped: bench.yaml has no board for gateway: none is of type fake-board"
    assert said in checked.stdout
    assert (
        f"skipped: {said.partition('skipped: ')[2]}"
        in fleetrig("plan", "hil/x", "--bench", "bench.yaml", cwd=tmp_path).stdout
    )


def events_of(folder: Path, body: str, head: str) -> tuple[Report, list[TraceEvent]]:
    events: list[TraceEvent] = []
    report = run(folder, body, head, listener=events.append)
    return report, events


def test_a_restart_that_is_seen_on_the_console_is_a_power_cycle(tmp_path: Path) -> None:
    asyncio.run(_restarts(tmp_path))


def _idles(*_: object) -> Flow:
    yield Pause(1.0, 1.0, "idle")


async def _restarts(folder: Path) -> None:
    trace, heard = Trace(), list[str]()
    trace.listen(lambda event: heard.append(f"{event.lane} {event.kind}"))
    desk = emulated_desk()
    run_desk = RunDesk(desk, {"gateway": "fake-1"}, lambda _: folder, lambda _: folder, "a test")
    async with RealBench(trace) as real, BoardBench(real, run_desk, Secrets()) as bench:
        agent = Agent(DeviceIdentity("GW-1"), _idles)
        bench.play("gateway", agent)
        bench.power_on(agent)
        await real.run(_until(lambda: "board booted" in heard))
        made = bench.boards["gateway"].opened._made
        assert made is not None
        await made.reset()  # by itself, as far as the bench can tell
        await real.run(_until(lambda: "board reset_seen" in heard and heard.count("device power_on") == 2))
    assert [one for one in heard if one.startswith("device")] == ["device power_on", "device power_cut"] * 2


def _until(met: Callable[[], bool]) -> Director[None]:
    assert (yield Until(met, 30.0))


MIXED = """
    phases:
      - name: all join
        do: [preregister, flash: {image: {gateway: a}}, power_on, provision_over_console]
        within: 60s
        expect:
          - sends: {name: poll, times: {at_least: 2}}
          - receives: {name: poll, status: 200, only: GW-0001}
          - reaches: {stage: online, only: "GW-000[23]"}
          - follows_model: {tolerance: messages}
"""


def test_checks_see_boards_and_simulated_devices_alike(tmp_path: Path) -> None:
    report, events = events_of(tmp_path, MIXED, ON_A_NETWORK)
    assert report.verdict is Verdict.PASSED, findings(report)
    measured = [check.measured for check in report.phases[0].checks]
    assert any(text.endswith("for each of 3 devices") for text in measured)
    assert {event.kind for event in events if event.lane is Lane.DEVICE and event.device == "GW-0001"} == {
        "power_on",
        "power_cut",
    }


@pytest.mark.parametrize(
    ("check", "got"),
    [
        ("sends: {name: poll}", "GW-0001 did not"),
        (
            "never: {receives: {status: 401, only: GW-0001}}",
            "it could not have happened: the server heard nothing of GW-0001",
        ),
    ],
)
def test_a_board_that_says_nothing_to_its_server_did_not_join(tmp_path: Path, check: str, got: str) -> None:
    body = phases("[preregister, flash: {image: {gateway: a}}, power_on]", f"[{{{check}}}]", within="for: 2s")
    report = run(tmp_path, body, ON_A_NETWORK)
    assert report.verdict is Verdict.FAILED
    assert findings(report) == [got]


def test_what_boards_were_told_is_masked(tmp_path: Path) -> None:
    scenario = expanded(tmp_path, MIXED, "hil/x", ON_A_NETWORK)
    options = RunOptions(results=tmp_path / "results", trace=tmp_path / "t.jsonl", real_time=True)
    one = ScenarioRun(scenario, options)
    phases_done = asyncio.run(one.in_real_time())
    assert one.report().verdict is Verdict.PASSED, phases_done
    assert one._context is not None
    token = one.platform.credential_values(one._context.devices["GW-0001"].credential)["token"]
    written = [path.read_text() for path in (tmp_path / "results").rglob("*.jsonl")]
    assert len(written) == 1
    assert all(token not in text for text in [*written, (tmp_path / "t.jsonl").read_text()])
