"""`fleetrig load`: what it refuses before it starts, and whole runs with real processes."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from textwrap import dedent
from urllib.request import Request, urlopen

import pytest

from fleetrig.harness.load.curves import CURVES_FILE, read_curves
from fleetrig.harness.load.processes import GENERATOR
from fleetrig.harness.report.exits import Exit
from fleetrig.simulator.contract.header_text import basic_authorization
from tests.harness.command import Running, fleetrig
from tests.harness.served import Served

POLLING = """
    scenario: A small fleet is answered
    devices: {count: 12, flow: hawkbit, serial: "HB-{n:04d}", credential: gateway_token, interval: 1s}
    phases:
      - name: power on
        do: {power_on: {spread: 500ms}}
        within: 30s
        expect: [{reaches: {stage: online}}]
      - name: steady
        for: 3s
        expect: [{errors: {at_most: 0}}]
"""
TELEMETRY = """
    scenario: A small fleet provisions itself and is heard
    devices: {count: 12, flow: thingsboard, over: mqtt, serial: "TB-{n:04d}", interval: 200ms}
    server: {settings: {provisionType: ALLOW_CREATE_NEW_DEVICES}}
    phases:
      - name: power on
        do: {power_on: {spread: 500ms}}
        within: 30s
        expect: [{reaches: {stage: online}}, {sends: {name: provision-request, times: 1}}]
      - name: steady
        for: 2s
        expect: [{errors: {at_most: 0}}, {sends: {name: telemetry}}]
"""
PROGRAM = """
    scenario: A program of somebody polls
    devices: {external: true, flow: hawkbit, serial: HB-1}
    phases:
      - name: it polls
        do: [preregister, power_on]
        within: 10s
        expect: [{sends: {name: poll}}]
"""
JUDGED = (Exit.PASSED, Exit.BROKEN)
"""On a machine with much else to do the generator may have been the limit, and says so."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With scenarios."""
    write(tmp_path, "load/polling", POLLING)
    write(tmp_path, "load/telemetry", TELEMETRY)
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    path = folder / "scenarios" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text).lstrip(), encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "load needs the ID of a scenario"),
        (("load/polling", "--master"), "--master needs --workers N"),
        (("load/polling", "--master", "--workers", "2"), "--master needs --against"),
        (("load/polling", "--worker", "10.0.0.1"), "--worker takes no ID"),
        (("load/polling", "--web", "here"), "--web: 'here' is no address"),
        (("load/polling", "--against", "http://8.8.8.8:8080"), "--yes-this-host"),
        (("load/nothing",), "no scenario is called load/nothing"),
        (("load/coap",), "fleetrig simulate"),
        (("load/program",), "fleetrig run --device-command"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_starts(folder: Path, words: tuple[str, ...], said: str) -> None:
    write(folder, "load/coap", TELEMETRY.replace("over: mqtt", "over: coap"))
    write(folder, "load/program", PROGRAM)

    done = fleetrig("load", *words, cwd=folder)

    assert done.returncode in (Exit.WRONG_USAGE, Exit.NOTHING_JUDGED)
    assert said in done.stderr
    assert not (folder / "fleetrig-results").exists()


@pytest.mark.slow
def test_two_workers_share_a_fleet_and_one_master_judges(folder: Path) -> None:
    running = Running("load", "load/telemetry", "--workers", "2", cwd=folder)
    code = running.end()
    said = running.said()

    assert code in JUDGED, said
    left = folder / "fleetrig-results" / "load" / "telemetry.load"
    about = json.loads((left / "summary.json").read_text())
    assert about["verdict"] == "passed" or "the generator was the limit" in about["reason"], said
    assert (about["workers"], about["devices"]) == (2, 12)
    assert "ok reaches {stage: online}" in said
    rows = read_curves(left / CURVES_FILE)
    assert max(row.online for row in rows) == 12
    sent = sum(row.rate for row in rows)
    assert sent >= 12 * (3 + 5), "a provisioning and some telemetry of each"
    assert f"{sent:,} sent" in said
    [answered] = re.findall(r"([0-9,]+) answered, 0 errors", said)
    assert f",Aggregated,{answered.replace(',', '')},0," in (left / "locust_stats.csv").read_text(), answered


@pytest.mark.slow
def test_a_worker_that_is_killed_is_marked_and_what_is_there_is_kept(folder: Path) -> None:
    write(folder, "load/lossy", TELEMETRY.replace("for: 2s", "for: 10s"))
    running = Running("load", "load/lossy", "--workers", "2", cwd=folder)
    running.until_said("  steady  ")
    killed, other = workers_of(running.process.pid)
    os.kill(killed, signal.SIGKILL)
    code = running.end()
    said = running.said()

    assert code == Exit.BROKEN, said
    assert re.search(r"lost in the middle of the run: worker [12] with 6 devices; curves.csv says when", said), said
    rows = read_curves(folder / "fleetrig-results" / "load" / "lossy.load" / CURVES_FILE)
    assert max(row.online for row in rows) == 12
    assert rows[-1].online <= 6
    assert any("was lost with 6 devices" in row.remark for row in rows)
    assert not Path(f"/proc/{other}").exists(), "the other worker outlived the run"


@pytest.mark.slow
def test_a_run_that_is_stopped_keeps_its_figures_and_leaves_nothing_on_the_server(folder: Path) -> None:
    """Over TLS."""
    with Served(folder, "--https", "127.0.0.1:0") as server:
        url, ca = f"https://{server.ready['https']}", server.ready["ca"]
        running = Running("load", "load/polling", "--against", url, "--ca", ca, "--users", "5", "--closed", cwd=folder)
        running.until_said("  steady  ")
        running.process.send_signal(signal.SIGTERM)
        code = running.end()
        said = running.said()
        listed = targets(f"http://127.0.0.1:{server.port}")

    assert code == Exit.INTERRUPTED, said
    assert "interrupted: the figures are those until then" in said
    assert "left behind" not in said
    rows = read_curves(folder / "fleetrig-results" / "load" / "polling.load" / CURVES_FILE)
    assert sum(row.rate for row in rows) >= 5
    assert listed == 0


def workers_of(command_pid: int) -> list[int]:
    """The workers of a running command: its generator is the master, and has started them."""
    [generator] = [pid for pid in children_of(command_pid) if GENERATOR in command_line_of(pid)]
    return [pid for pid in children_of(generator) if GENERATOR in command_line_of(pid)]


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_line_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def targets(url: str) -> int:
    """How many targets the server has."""
    login = {"Authorization": basic_authorization("admin", "admin")}
    with urlopen(Request(f"{url}/rest/v1/targets", headers=login)) as answer:
        return int(json.load(answer)["total"])
