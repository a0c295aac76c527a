"""Every verb, stopped by every signal: cleaned up and reported as with Ctrl-C; the second time it says what is left."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.report.exits import Exit
from fleetrig.harness.run.interrupts import STOPPING
from tests.harness.command import LIMIT_S, Running, cases_of, environment
from tests.harness.conformance.raw_server import raw_server
from tests.harness.external.test_programs import HEAD as PROGRAM_HEAD
from tests.harness.external.test_programs import PROGRAM
from tests.harness.runs import HEAD, write_scenario
from tests.harness.served import Served
from tests.peers.mgmt import Mgmt

pytestmark = pytest.mark.slow

SIGNALS = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT]
WITH_FAULTS = (
    HEAD.replace("devices: {", "devices: {credential: target_token, ")
    + '    needs: [reference.faults]\n    faults: [{fault: outage, hits: "GET /nowhere"}]\n'
)
LONG = """
    phases:
      - name: starts
        do: [preregister, power_on]
        within: 10s
        expect: [{reaches: {stage: online}}]
      - name: watches
        for: 10m
        expect: [{gap: {at_least: 1ms}}]
"""


class Shared:
    """A reference server that others use too, and what a run could leave on it."""

    def __init__(self, served: Served, folder: Path) -> None:
        self.served = served
        self.file = folder / "server.yaml"
        self.file.write_text(f"http: http://{served.ready['http']}\ncontrol: http://{served.ready['control']}\n")

    def state(self) -> dict[str, Any]:
        mgmt = Mgmt(self.served.ready["http"])
        configs = mgmt.call("GET", "/system/configs")
        control = http.client.HTTPConnection(self.served.ready["control"], timeout=LIMIT_S)
        control.request("GET", "/faults")
        faults = json.loads(control.getresponse().read())
        control.close()
        return {
            "targets": mgmt.call("GET", "/targets")["content"],
            "settings": {key: (value["value"], value["global"]) for key, value in configs.items()},
            "faults": faults,
        }


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    folder = tmp_path / "server"
    folder.mkdir()
    with Served(folder, "--set", "hawkbit.controller.minPollingTime=00:00:01") as served:
        yield Shared(served, tmp_path)


def until(met: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(1500):
        if met():
            return
        pause.wait(0.02)
    raise AssertionError("it never came about")


@pytest.mark.parametrize("number", SIGNALS)
def test_a_run_on_a_shared_server_takes_everything_back_and_reports(
    tmp_path: Path, shared: Shared, number: signal.Signals
) -> None:
    before = shared.state()
    write_scenario(tmp_path, LONG, head=WITH_FAULTS)
    running = Running("run", "hawkbit/x", "--against", str(shared.file), "--junit", "j.xml", cwd=tmp_path)
    running.until_said("ok starts")
    assert len(shared.state()["faults"]["faults"]) == 1
    running.process.send_signal(number)
    if number != signal.SIGINT:
        running.process.send_signal(number)  # `timeout` and a closing terminal signal twice
    assert running.end() == Exit.INTERRUPTED
    assert shared.state() == before
    assert cases_of(tmp_path / "j.xml") == {"hawkbit/x": ("hawkbit", "error")}
    assert f"{STOPPING}\n" in running.said()
    assert list((tmp_path / "fleetrig-results").rglob("*.trace.jsonl"))


def test_a_second_ctrl_c_gives_up_and_says_what_is_left(tmp_path: Path, shared: Shared) -> None:
    write_scenario(tmp_path, LONG, head=WITH_FAULTS)
    running = Running("run", "hawkbit/x", "--against", str(shared.file), "--junit", "j.xml", cwd=tmp_path)
    running.until_said("ok starts")
    os.kill(shared.served.pid, signal.SIGSTOP)
    try:
        running.process.send_signal(signal.SIGINT)
        running.until_said(STOPPING)
        assert running.interrupt() == Exit.INTERRUPTED
    finally:
        os.kill(shared.served.pid, signal.SIGCONT)
    said = " ".join(running.said().split())
    assert "interrupted; may be left behind on http://127.0.0.1:" in said
    assert "/faults/1)" in said
    assert "targets fleetrig-" in said
    assert "setting pollingTime (it was the server's default)" in said
    assert "clean-up was given up: delete that and put the settings back by hand" in said
    assert cases_of(tmp_path / "j.xml") == {"hawkbit/x": ("hawkbit", "error")}


@pytest.mark.parametrize("number", SIGNALS)
def test_a_run_on_a_server_of_its_own_leaves_no_folders(tmp_path: Path, number: signal.Signals) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    scenario = PROGRAM_HEAD.replace("within: 20s", "for: 10m").replace("CREDENTIAL", "target_token")
    write_scenario(tmp_path, scenario, head="")
    words = ["run", "--device-command", f"{sys.executable} {PROGRAM}", "--junit", "j.xml"]
    running = Running(*words, cwd=tmp_path, TMPDIR=str(temporary))
    until(lambda: bool(programs_in(temporary)))
    [program] = programs_in(temporary)
    running.process.send_signal(number)
    assert running.end() == Exit.INTERRUPTED
    assert not Path(f"/proc/{program}").exists()
    assert list(temporary.iterdir()) == []
    assert cases_of(tmp_path / "j.xml") == {"hawkbit/x": ("hawkbit", "error")}


def programs_in(folder: Path) -> list[int]:
    """Processes that work somewhere below it."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdecimal() and (process / "cwd").readlink().is_relative_to(folder):
                found.append(int(process.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("number", SIGNALS)
def test_conform_ends_its_own_server(tmp_path: Path, number: signal.Signals) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    running = Running("conform", "hawkbit", "S16", "S79", "--junit", "j.xml", cwd=tmp_path, TMPDIR=str(temporary))
    running.until_said("")
    until(lambda: any(temporary.rglob("ready.json")))
    pid = json.loads(next(temporary.rglob("ready.json")).read_text())["pid"]
    running.process.send_signal(number)
    assert running.end() == Exit.INTERRUPTED
    assert not Path(f"/proc/{pid}").exists()
    assert list(temporary.iterdir()) == []
    assert "left behind" not in running.said()


def test_doctor_ends_at_once(tmp_path: Path) -> None:
    asked = threading.Event()

    def silent(connection: Any) -> None:
        connection.recv(1)
        asked.set()
        connection.recv(65_536)
        connection.recv(1)

    with raw_server(silent) as url:
        running = Running("doctor", "hawkbit", "--against", url, "--id", "x", cwd=tmp_path)
        assert asked.wait(LIMIT_S)
        running.process.send_signal(signal.SIGTERM)
        assert running.end() == Exit.INTERRUPTED
    assert running.said() == "interrupted\n"


@pytest.mark.parametrize("number", SIGNALS)
def test_serve_stops_and_leaves_no_folders(tmp_path: Path, number: signal.Signals) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with Served(tmp_path, "--https", "127.0.0.1:0", env={"TMPDIR": str(temporary)}) as served:
        assert list(temporary.iterdir())
        assert served.stop(number) == 0
    assert list(temporary.iterdir()) == []


TESTS = """
import pathlib, threading

def test_waits(hawkbit_server):
    pathlib.Path("pid").write_text(str(hawkbit_server.pid))
    threading.Event().wait()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_pytest_stops_its_servers(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:locust", "--rootdir", "."]
    with subprocess.Popen(words, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        until(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
        process.send_signal(number)
        process.send_signal(number)
        said, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, said
    assert not Path("/proc", (tmp_path / "pid").read_text()).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_pytest_with_scenarios_in_other_processes_reports(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    write_scenario(tmp_path, LONG)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:locust", "--rootdir", "."]
    words += ["-n", "1", "--junit-xml", "j.xml", "test_it.py", "scenarios"]
    with subprocess.Popen(words, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        until(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
        process.send_signal(number)
        said, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, said
    assert (tmp_path / "j.xml").read_text().endswith("</testsuites>")
    until(lambda: not Path("/proc", (tmp_path / "pid").read_text()).exists())


def test_a_server_ends_with_the_pytest_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:locust", "--rootdir", "."]
    with subprocess.Popen(words, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL) as process:
        until(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
        process.kill()
    until(lambda: not Path("/proc", (tmp_path / "pid").read_text()).exists())
