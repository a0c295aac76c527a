"""`fleetrig run --against` a server of its own process, as a server that others use too."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest

from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.running_server.server import RunningServer
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.drivers.realtime import RealBench
from tests.harness.command import Running, cases_of, fleetrig
from tests.harness.runs import HEAD, PASSES, write_scenario
from tests.harness.served import Served

pytestmark = pytest.mark.slow

SETTINGS = ("pollingTime", "authentication.targettoken.enabled", "authentication.gatewaytoken.key")
LONG = """
    phases:
      - name: starts
        do: [preregister, power_on, {deploy: {version: "1.0"}}]
        within: 20s
        expect: [{sends: {name: download}}]
      - name: for ever
        for: 9000h
"""
UPDATE = """
    phases:
      - name: an update
        do: [preregister, power_on, {deploy: {version: "1.0"}}]
        within: 30s
        expect:
          - order: [{sends: {name: poll}}, {sends: {name: feedback-closed}}]
          - registry: {devices: 2, in_state: in_sync, installed: "1.0", action: finished}
          - refused: {times: 0}
          - record: {passed: all}
"""
GATEWAY = HEAD.replace("flow: hawkbit", "flow: hawkbit, credential: gateway_token")
ROTATES = """
    phases:
      - name: first contact
        do: power_on
        within: 10s
        expect: [{registry: {devices: 2, created_by: CONTROLLER_PLUG_AND_PLAY}}]
      - name: rotated
        do: {rotate: {what: gateway_token}}
        within: 10s
        expect: [{receives: {name: poll, status: 200}}]
"""

T = TypeVar("T")


class Foreign:
    """The server and what an operator sees on it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._admin = HawkbitAdmin(self.url, UserPassword("admin", "admin"))

    def ask(self, call: Callable[[HawkbitAdmin], AdminCall[T]]) -> T:
        async def asked() -> T:
            async with RealBench(Trace()) as bench:
                return await bench.run(call(self._admin))

        return asyncio.run(asked())

    def state(self) -> dict[str, Any]:
        """Everything that a run could leave behind."""
        config = self.ask(lambda admin: admin.read_config())
        return {
            "targets": [target["controllerId"] for target in self.ask(lambda admin: admin.targets())],
            "sets": [one["name"] for one in self.ask(lambda admin: admin.search("/distributionsets"))],
            "modules": [one["name"] for one in self.ask(lambda admin: admin.search("/softwaremodules"))],
            "settings": {key: (config[key]["value"], config[key]["global"]) for key in SETTINGS},
        }


@pytest.fixture
def foreign(empty_server: RunningServer) -> Foreign:
    """Holds other people's things, and allows intervals of a second."""
    server = Foreign(empty_server.url)
    server.ask(lambda admin: admin.configure({"pollingTime": "00:02:00", SETTINGS[2]: "key of others"}))
    server.ask(lambda admin: admin.create_targets([{"controllerId": "other"}, {"controllerId": "HB-1"}]))
    server.ask(lambda admin: admin.create_update("theirs", "1.0", b"image", "f.img"))
    return server


def test_everything_carries_a_prefix_and_is_gone_afterwards(tmp_path: Path, foreign: Foreign) -> None:
    before = foreign.state()
    write_scenario(tmp_path, UPDATE)

    done = fleetrig("run", "--against", foreign.url, "--trace", "t.jsonl", cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert foreign.state() == before
    prefix = next(line["name"] for line in lines_of(tmp_path / "t.jsonl") if line.get("kind") == "begun")
    assert prefix.startswith("fleetrig-")
    devices = {line["device"] for line in lines_of(tmp_path / "t.jsonl") if line.get("lane") == "device"}
    assert devices == {f"{prefix}HB-1", f"{prefix}HB-2"}
    rows = json.loads((tmp_path / "fleetrig-results" / "hawkbit" / "x" / "manufacturing-record.json").read_text())
    assert [(row["serial"], row["controllerId"]) for row in rows] == [
        ("HB-1", f"{prefix}HB-1"),
        ("HB-2", f"{prefix}HB-2"),
    ]


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_gateway_key_that_was_replaced_comes_back(tmp_path: Path, foreign: Foreign) -> None:
    before = foreign.state()
    write_scenario(tmp_path, ROTATES, head=GATEWAY)
    done = fleetrig("run", "--against", foreign.url, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert foreign.state() == before


def test_a_gateway_key_in_use_is_used_and_not_replaced(tmp_path: Path, foreign: Foreign) -> None:
    foreign.ask(lambda admin: admin.configure({"authentication.gatewaytoken.enabled": True}))
    write_scenario(tmp_path, PASSES.replace("preregister, ", ""), head=GATEWAY)
    done = fleetrig("run", "--against", foreign.url, "--trace", "t.jsonl", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    puts = [
        line for line in lines_of(tmp_path / "t.jsonl") if '"PUT"' in json.dumps(line) and "configs" in json.dumps(line)
    ]
    assert "gatewaytoken.key" not in json.dumps(puts)
    assert "key of others" not in (tmp_path / "t.jsonl").read_text()


@pytest.mark.parametrize("is_early", [True, False], ids=["while targets are made", "while it watches"])
def test_ctrl_c_takes_everything_back_too(tmp_path: Path, foreign: Foreign, is_early: bool) -> None:
    before = foreign.state()
    write_scenario(tmp_path, LONG)
    running = Running("run", "hawkbit/x", "--against", foreign.url, "--junit", "j.xml", cwd=tmp_path)
    if is_early:
        until(lambda: len(foreign.state()["targets"]) > 2)
    else:
        running.until_said("ok starts")
    assert running.interrupt() == 2
    assert foreign.state() == before
    assert cases_of(tmp_path / "j.xml") == {"hawkbit/x": ("hawkbit", "error")}


LOT = """
    phases:
      - name: a lot is made
        do: preregister
        within: 30s
        expect: [{registry: {devices: 400}}]
"""


def test_ctrl_c_while_it_takes_back_is_heard_afterwards(tmp_path: Path, foreign: Foreign) -> None:
    before = foreign.state()
    write_scenario(tmp_path, LOT, head=HEAD.replace("count: 2", "count: 400"))
    running = Running("run", "hawkbit/x", "--against", foreign.url, cwd=tmp_path)
    running.until_said("ok a lot is made")
    until(lambda: len(foreign.state()["targets"]) < 400)
    assert len(foreign.state()["targets"]) > 1
    assert running.interrupt() == 2
    assert foreign.state() == before


def until(met: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(1500):
        if met():
            return
        pause.wait(0.02)
    raise AssertionError("it never came about")


def test_a_failed_run_takes_everything_back_too(tmp_path: Path, foreign: Foreign) -> None:
    before = foreign.state()
    write_scenario(tmp_path, PASSES.replace("in_state: registered", "in_state: error").replace("10s", "2s"))
    assert fleetrig("run", "--against", foreign.url, cwd=tmp_path).returncode == 1
    assert foreign.state() == before


FAST = HEAD + "    needs: [hawkbit.fast_polling]\n"


def test_fast_polling_is_only_believed_when_somebody_says_so(tmp_path: Path, foreign: Foreign) -> None:
    write_scenario(tmp_path, PASSES, head=FAST)
    done = fleetrig("run", "--against", foreign.url, cwd=tmp_path)
    assert f"the server at {foreign.url} lacks hawkbit.fast_polling; if it has, say so in a SERVER.yaml" in done.stdout

    (tmp_path / "server.yaml").write_text(f"http: {foreign.url}\ncan: [hawkbit.fast_polling]\n")
    done = fleetrig("run", "--against", "server.yaml", cwd=tmp_path)
    assert done.returncode == 0
    assert "1 passed" in done.stdout


def test_faults_of_a_server_of_others_are_no_matter_of_ours(tmp_path: Path, foreign: Foreign) -> None:
    write_scenario(tmp_path, PASSES, head=HEAD + "    faults: [{fault: outage}]\n")
    done = fleetrig("run", "--against", foreign.url, cwd=tmp_path)
    assert done.returncode == 3
    assert "cannot be made to fail; say `needs: [reference.faults]`" in done.stdout


def test_a_setting_that_could_not_be_put_back_is_not_touched(tmp_path: Path, foreign: Foreign) -> None:
    before = foreign.state()
    write_scenario(tmp_path, PASSES, head=HEAD.replace("settings: {", "settings: {multi.assignments.enabled: true, "))
    done = fleetrig("run", "--against", foreign.url, cwd=tmp_path)
    assert done.returncode == 3
    assert "does not show the setting multi.assignments.enabled, so it could not be put back" in done.stdout
    assert foreign.state() == before


def test_settings_that_are_right_already_need_no_leave(tmp_path: Path, foreign: Foreign) -> None:
    """As on a server beyond loopback; there a PUT would be refused."""
    foreign.ask(lambda admin: admin.configure({"authentication.targettoken.enabled": True, "pollingTime": "00:00:01"}))
    write_scenario(tmp_path, PASSES)
    done = fleetrig("run", "--against", foreign.url, "--trace", "t.jsonl", cwd=tmp_path)
    assert done.returncode == 0
    assert '"method":"PUT"' not in "".join(
        line for line in (tmp_path / "t.jsonl").read_text().split("\n") if "configs" in line
    )


class Html(BaseHTTPRequestHandler):
    """A server, but no hawkBit."""

    def do_GET(self) -> None:
        body = b"<html>Welcome to the coffee machine</html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def coffee_machine() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Html) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def broken(tmp_path: Path, against: str) -> str:
    """What is said, once, though many scenarios were to run."""
    for name in "abc":
        write_scenario(tmp_path, PASSES, f"hawkbit/{name}")
    done = fleetrig("run", "--against", against, "--junit", "j.xml", cwd=tmp_path)
    assert done.returncode == 3
    assert cases_of(tmp_path / "j.xml") == {f"hawkbit/{name}": ("hawkbit", "error") for name in "abc"}
    assert "3 broken in " in done.stdout
    (sentence,) = [
        line for line in done.stdout.splitlines() if against.split("//")[-1] in line or "server.yaml" in line
    ]
    return sentence


def test_wrong_credentials(tmp_path: Path, foreign: Foreign) -> None:
    (tmp_path / "server.yaml").write_text(f"http: {foreign.url}\nuser: anna\npassword: s3cret-s3cret\n")
    for name in "abc":
        write_scenario(tmp_path, PASSES, f"hawkbit/{name}")
    done = fleetrig("run", "--against", "server.yaml", cwd=tmp_path)
    assert done.returncode == 3
    assert done.stdout.count("does not accept the account 'anna': check user and password") == 1
    assert "s3cret" not in done.stdout + done.stderr


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: refuses, and nobody else can take the port
        assert "nobody listens at" in broken(tmp_path, f"http://127.0.0.1:{unused.getsockname()[1]}")


def test_a_server_that_is_no_hawkbit(tmp_path: Path, coffee_machine: str) -> None:
    said = " ".join(broken(tmp_path, coffee_machine).split())
    assert "is no hawkBit server: GET /rest/v1/targets?limit=1 answered 200 with text/html, '<html>Welcome to" in said


def test_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    write_scenario(tmp_path, PASSES)
    with Served(tmp_path, "--https", "127.0.0.1:0", "--set", "hawkbit.controller.minPollingTime=00:00:01") as served:
        url = f"https://{served.ready['https']}"
        done = fleetrig("run", "--against", url, cwd=tmp_path)
        assert done.returncode == 3
        assert "shows a certificate that nobody here trusts" in done.stdout

        done = fleetrig("run", "--against", url, "--ca", served.ready["ca"], cwd=tmp_path)
        assert done.returncode == 0, done.stdout

        done = fleetrig("run", "--against", url, "--insecure", cwd=tmp_path)
        assert done.returncode == 0
        assert done.stdout.startswith("--insecure: the server's certificate is not checked")


def test_a_server_that_goes_away_is_told_with_what_is_left_there(tmp_path: Path) -> None:
    write_scenario(tmp_path, LONG)
    with Served(tmp_path, "--set", "hawkbit.controller.minPollingTime=00:00:01") as served:
        url = f"http://127.0.0.1:{served.port}"
        running = Running("run", "hawkbit/x", "--against", url, cwd=tmp_path)
        running.until_said("ok starts")
        served.kill()
        assert running.interrupt() == 2
    assert "and settings may be left behind on" in running.said()
    assert "fleetrig-" in running.said()
