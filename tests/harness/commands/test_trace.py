"""`fleetrig trace`, as people call it: on what runs, simulations and servers leave, and on a server that runs."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.run.power_points import power_cut_points
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.run.trace_file import ENDING
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.traces.event_words import WORDS
from fleetrig.simulator.contract.trace import Lane
from tests.harness.command import Running, environment, fleetrig
from tests.harness.runs import PASSES, VIOLATES, run_once, write_scenario
from tests.harness.served import Served
from tests.harness.test_both_times import SCENARIOS
from tests.harness.traces.told import RUN, exchange, lines_of, told

TOO_MANY = re.compile(r" #\d+")
IDS = {
    "hawkbit": "hawkbit/auto_registration",
    "thingsboard": "thingsboard/first_contact",
    "hono": "hono/commands[over=coap]",
    "kura": "kura/move",
}


@pytest.fixture
def failed(tmp_path: Path) -> str:
    """What `run` prints of a run that fails."""
    write_scenario(tmp_path, VIOLATES, "mine/x")
    done = fleetrig("run", "mine/x", cwd=tmp_path)
    assert done.returncode == 1
    return done.stdout


def test_the_command_of_a_finding_shows_the_event(failed: str, tmp_path: Path) -> None:
    [(lane, seq, device)] = re.findall(r"see +(\w+) #(\d+): (\S+) sent poll", failed)[-1:]
    [command] = re.findall(r"open +(fleetrig trace .*)", failed)
    done = fleetrig(*shlex.split(command)[1:], cwd=tmp_path)
    assert done.returncode == 0
    [looked_for] = [line for line in done.stdout.splitlines() if line.startswith("> ")]
    assert f"{lane}:{seq} " in looked_for
    assert f"→ GET /DEFAULT/controller/v1/{device} [poll]" in looked_for
    assert "── phase «bad» ──" in done.stdout
    others = {"HB-1", "HB-2"} - {device}
    assert not any(other in done.stdout for other in others)


def test_the_latest_trace_is_found_by_id_and_by_folder(failed: str, tmp_path: Path) -> None:
    for where in ("mine/x", "mine", "fleetrig-results"):
        done = fleetrig("trace", where, "--phase", "BAD", cwd=tmp_path)
        assert done.returncode == 0
        assert done.stdout.startswith("fleetrig-results/mine/x.trace.jsonl\nmine/x, seed 1, virtual time, by fleetrig ")
        assert re.search(r"\n\d+ of \d+ events\n$", done.stdout)
    near = fleetrig("trace", "mine/y", cwd=tmp_path)
    assert (near.returncode, near.stdout) == (5, "")
    assert near.stderr.endswith("did you mean mine/x?\n")


def test_raw_is_nothing_but_the_lines(failed: str, tmp_path: Path) -> None:
    done = fleetrig("trace", "mine/x", "--raw", "--kind", "phase", cwd=tmp_path)
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == ["first contact", "bad"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--kind", "refusd"), 4, "--kind: there is no kind of event called 'refusd'; did you mean refused?"),
        (("--lane", "sever"), 4, "--lane: there is no lane 'sever'; expected bench, device, network, server or board"),
        (("--device", "hb-1"), 5, "is of a device 'hb-1'; did you mean 'HB-1'?"),
        (("--around", "device:9999"), 5, "has no event device:9999: the last ones are device:"),
        (("--around", "soon"), 4, "--around: expected the number of an event"),
        (("--from", "then"), 4, "--from: expected a time since the beginning"),
        (("--since", "3"), 4, "--since is for a running server; of a file say --from"),
        (("--phase", "first contract"), 5, "has no phase 'first contract'; did you mean 'first contact'?"),
    ],
)  # fmt: skip
def test_mistakes(failed: str, tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = fleetrig("trace", "mine/x", *words, cwd=tmp_path)
    assert done.returncode == code
    assert said in done.stderr


def test_every_platform_has_one_to_try() -> None:
    assert IDS.keys() == PLATFORMS.keys()


def trace_of(platform: str, folder: Path) -> Path:
    [expanded] = plan([IDS[platform]], SCENARIOS, (), power_cut_points)
    path = folder / f"{platform}{ENDING}"
    asyncio.run(run(expanded, RunOptions(trace=path)))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("platform", IDS)
def test_what_every_platform_does_has_words(tmp_path: Path, platform: str) -> None:
    """Each event has its own line, no answer lacks its question, and no kind is shown by its bare name."""
    path = trace_of(platform, tmp_path)
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    done = fleetrig("trace", str(path), cwd=tmp_path)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(events) + 2
    assert re.search(rf"\n{len(events):,} events(; --device ID.*)?\n$", done.stdout)
    assert all((event["lane"], event["kind"]) in {(str(lane), kind) for lane, kind in WORDS} for event in events)
    answers = [line for line in done.stdout.splitlines() if re.search(r"server:\d+ .* ← [^P]", line)]
    assert answers
    assert all(TOO_MANY.search(line) for line in answers)


@pytest.mark.parametrize("platform", IDS)
def test_one_device_has_its_connections_from_their_beginning(tmp_path: Path, platform: str) -> None:
    path = trace_of(platform, tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    device = next(event["device"] for event in map(json.loads, lines) if event["lane"] == "device")
    done = fleetrig("trace", str(path), "--device", device, "-v", cwd=tmp_path)
    assert done.returncode == 0
    events = [event for event in map(json.loads, lines) if "session" in event]
    sessions = {event["session"] for event in events if event.get("device") == device}
    opened = [event for event in events if event["kind"] == "opened" and event["session"] in sessions]
    assert done.stdout.count("· a connection on ") == len(opened)


def test_a_gateways_payload_is_read_by_its_platform(tmp_path: Path) -> None:
    done = fleetrig("trace", str(trace_of("kura", tmp_path)), "--grep", "MQTT/BIRTH", "-v", cwd=tmp_path)
    assert '"serial_number": "KU-0001"' in done.stdout


@pytest.mark.slow
def test_a_trace_of_real_sockets(tmp_path: Path) -> None:
    run_once(tmp_path, PASSES, trace=tmp_path / "t.jsonl", real_time=True)
    done = fleetrig("trace", "t.jsonl", "--device", "HB-1", cwd=tmp_path)
    assert re.search(r"server:\d+ +← 200 \(\d+ bytes\) to #\d+", done.stdout)
    assert "real time" in done.stdout


@pytest.mark.slow
def test_whoever_stops_reading_ends_it_quietly(tmp_path: Path) -> None:
    many = lines_of(*(told(Lane.DEVICE, seq, "paused", "d") for seq in range(1, 5_000)))
    (tmp_path / "t.jsonl").write_text("\n".join([RUN, *many, ""]), encoding="utf-8")
    done = subprocess.run(
        ["bash", "-c", f"{shlex.quote(sys.executable)} -m fleetrig.harness.entry trace t.jsonl | head -n 2"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.slow
def test_a_trace_may_come_through_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text("\n".join(lines_of(*exchange("gw-1"))), encoding="utf-8")
    done = subprocess.run(
        ["bash", "-c", f"cat t.jsonl | {shlex.quote(sys.executable)} -m fleetrig.harness.entry trace - --device gw-1"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("[poll]\n4 events\n")


@pytest.mark.slow
def test_a_file_is_followed_until_ctrl_c(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    first, second = lines_of(told(Lane.DEVICE, 1, "power_on", "gw-1"), told(Lane.DEVICE, 2, "power_cut", "gw-1"))
    path.write_text(f"{first}\n{second[:20]}", encoding="utf-8")
    following = Running("trace", "t.jsonl", "--follow", cwd=tmp_path)
    following.until_said("switched on")
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{second[20:]}\n")
    following.until_said("its power is cut")
    assert following.interrupt() == 0
    assert following.said().endswith("2 events\n")


@pytest.mark.slow
def test_a_running_server_tells_and_is_followed(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        control = f"http://{served.ready['control']}"
        following = Running("trace", control, "--follow", "--refused", cwd=tmp_path)
        refused = f"http://{served.ready['http']}/DEFAULT/controller/v1/dev-1"
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(refused)
        following.until_said("401 Unauthorized to #")
        done = fleetrig("trace", control, "--device", "dev-*", "-v", cwd=tmp_path)
        assert done.returncode == 0
        assert "refused: " in done.stdout
        [number] = re.findall(r"go on with --since (\d+)\n$", done.stdout)
        assert int(number) >= 2
        nothing = fleetrig("trace", control, "--since", number, cwd=tmp_path)
        assert "no events\n" in nothing.stdout
        ahead = fleetrig("trace", control, "--since", "999999", cwd=tmp_path)
        assert ahead.returncode == 3
        assert "(was the server restarted?)" in ahead.stderr
        wrong = fleetrig("trace", f"http://{served.ready['http']}", cwd=tmp_path)
        assert wrong.returncode == 3
        assert "is no control interface" in wrong.stderr
        assert "the banner of `fleetrig serve`" in wrong.stderr
    assert following.end() == 0
    assert "go on with --since" in following.said()
    gone = fleetrig("trace", control, cwd=tmp_path)
    assert gone.returncode == 3
    assert "is the server running?" in gone.stderr
