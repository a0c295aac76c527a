"""`fleetrig simulate` as a person meets it: a process, a terminal, a real reference server, signals."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import selectors
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from rich.cells import cell_len

from fleetrig.harness.cli import main
from fleetrig.harness.commands.simulate import exit_code
from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.platforms.hawkbit.simulated_fleet import READINGS
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.report.fleet_state import FleetState
from fleetrig.harness.running_server.server import RunningServer
from fleetrig.harness.simulation.plan import SimulationResult
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.contract.trace_json import from_line
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.drivers.realtime import RealBench

pytestmark = pytest.mark.slow

WITHIN_S = 60.0
"""Generous: only a hang reaches it."""

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
GATEWAY_MODE = "authentication.gatewaytoken.enabled"
GATEWAY_KEY = "authentication.gatewaytoken.key"
TOKEN_MODE = "authentication.targettoken.enabled"
KEY = "a-gateway-key-of-this-test"

T = TypeVar("T")


class Running:
    """A `fleetrig simulate` process and what it wrote so far."""

    def __init__(self, process: subprocess.Popen[bytes], output: int, keyboard: int) -> None:
        self.process = process
        self._output = output
        self._keyboard = keyboard
        self.raw = b""

    @property
    def text(self) -> str:
        return CONTROL.sub("", self.raw.decode())

    def until(self, words: str) -> str:
        """Everything written since the start, as soon as `words` stand in it."""
        give_up_s = time.monotonic() + WITHIN_S
        while words not in self.text:
            assert self._read(), f"ended before it said {words!r}:\n{self.text}"
            assert time.monotonic() < give_up_s, f"never said {words!r}:\n{self.text}"
        return self.text

    def ctrl_c(self) -> None:
        """As the terminal does it; without one, as `kill -INT`."""
        if self._keyboard >= 0:
            os.write(self._keyboard, b"\x03")
        else:
            self.process.send_signal(signal.SIGINT)

    def hang_up(self) -> None:
        """Closes the terminal's window, if it is still open."""
        if self._keyboard >= 0:
            os.close(self._keyboard)
            self._keyboard = -1

    def end(self) -> int:
        """Reads to the end; the exit code."""
        while self._read():
            pass
        return self.process.wait(WITHIN_S)

    def _read(self) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            assert selector.select(WITHIN_S), f"nothing more came:\n{self.text}"
        try:
            block = os.read(self._output, 65_536)
        except OSError:  # Linux says so when the other side of a terminal has gone
            return False
        self.raw += block
        return bool(block)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "fleetrig.harness.cli", "simulate", "hawkbit", *map(str, arguments)]


@contextmanager
def simulating(*arguments: object, environ: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Without a terminal."""
    with subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **(environ or {})}
    ) as process:
        assert process.stdout is not None
        yield from _watched(Running(process, process.stdout.fileno(), -1))


@contextmanager
def on_terminal(
    *arguments: object, columns: int = 80, lines: int = 24, environ: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """On a terminal of its own, of the given size."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    kept = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES", "NO_COLOR")}
    with subprocess.Popen(
        command(*arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,
        env={**kept, "TERM": "xterm-256color", **(environ or {})},
    ) as process:
        os.close(theirs)
        running = Running(process, ours, ours)
        try:
            yield from _watched(running)
        finally:
            running.hang_up()


def _watched(running: Running) -> Iterator[Running]:
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()


def simulate(*arguments: object, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs to its end."""
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=WITHIN_S, env={**os.environ, **(environ or {})},
        check=False,
    )  # fmt: skip


def ask(server: RunningServer, call: AdminCall[T]) -> T:
    """Carries out a call of the management API."""

    async def run() -> T:
        async with RealBench(Trace()) as bench:
            return await bench.run(call)

    return asyncio.run(run())


def admin_of(server: RunningServer) -> HawkbitAdmin:
    return HawkbitAdmin(server.url, UserPassword(server.user, server.password))


def targets(server: RunningServer) -> dict[str, dict[str, Any]]:
    return {target["controllerId"]: target for target in ask(server, admin_of(server).targets())}


def config(server: RunningServer, key: str) -> dict[str, Any]:
    entry: dict[str, Any] = ask(server, admin_of(server).read_config())[key]
    return entry


def test_registered_devices_come_online_and_ctrl_c_leaves_nothing_behind(empty_server):
    with simulating("--against", empty_server.url, "--register", "--count", 3, "--spread", "0s") as running:
        running.until("3 online")
        assert set(targets(empty_server)) == {"SIM-0001", "SIM-0002", "SIM-0003"}
        assert config(empty_server, TOKEN_MODE)["value"] is True
        running.ctrl_c()
        assert running.end() == Exit.INTERRUPTED
    assert "3 of 3 devices came through; 3 polls, 0 failures, attributes sent 3 times" in running.text
    assert targets(empty_server) == {}
    assert config(empty_server, TOKEN_MODE)["global"] is True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_end_it_just_as_cleanly(empty_server, number):
    with simulating("--against", empty_server.url, "--register", "--count", 2, "--spread", "0s") as running:
        running.until("2 online")
        running.process.send_signal(number)
        assert running.end() == Exit.INTERRUPTED
    assert targets(empty_server) == {}


def test_attributes_are_told_and_name_the_simulator(empty_server):
    options = ["--register", "--count", 1, "--attribute", "site=Ulm", "--attribute", "a=b=c"]
    with simulating("--against", empty_server.url, *options) as running:
        running.until("attributes 1")
        told = ask(empty_server, admin_of(empty_server).attributes("SIM-0001"))
        running.ctrl_c()
        running.end()
    assert told.pop("simulated_by").startswith("fleetrig ")
    assert told == {"site": "Ulm", "a": "b=c"}


@pytest.mark.parametrize("columns", [80, 120])
def test_the_live_table_fits_and_ctrl_c_gives_the_terminal_back(empty_server, columns):
    options = ["--register", "--count", 20, "--spread", "0s", "--seed", 5]
    with on_terminal("--against", empty_server.url, *options, columns=columns) as running:
        running.until("20 devices   running 0:0")
        running.until("SIM-0020  online       200      5 min      1       0  waiting")
        running.ctrl_c()
        assert running.end() == Exit.INTERRUPTED
    assert "seed 5" in running.text
    assert running.raw.rstrip().count(b"\x1b[?25l") == running.raw.count(b"\x1b[?25h") == 1
    table, _, summary = running.text.rpartition("interrupted after")
    assert max(cell_len(line) for line in re.split(r"[\r\n]+", table)) <= columns
    assert "20 of 20 devices came through" in summary
    assert targets(empty_server) == {}


def test_many_devices_are_counted_by_stage(empty_server):
    with on_terminal("--against", empty_server.url, "--register", "--count", 60, "--spread", "0s") as running:
        running.until("online            60")
        running.ctrl_c()
        running.end()
    assert "oldest answer: " in running.text
    assert targets(empty_server) == {}


def test_no_color_draws_without_colours(empty_server):
    with on_terminal("--against", empty_server.url, "--count", 1, environ={"NO_COLOR": "1"}) as running:
        running.until("refused: HTTP 401")
        running.ctrl_c()
        running.end()
    assert not re.search(rb"\x1b\[(\d+;)*[39]\d[;m]", running.raw)


def test_devices_without_credentials_are_told_what_to_give(empty_server):
    with simulating("--against", empty_server.url, "--count", 2, "--spread", "0s") as running:
        running.until("give --gateway-token env:NAME, --tokens F.csv, or --register")
        running.ctrl_c()
        assert running.end() == Exit.INTERRUPTED
    assert "0 of 2 devices came through" in running.text


def test_a_fleet_that_never_got_through_has_failed(empty_server):
    done = simulate("--against", empty_server.url, "--count", 1, "--for", "3s")
    assert done.returncode == Exit.FAILED
    assert re.search(r"0 of 1 device came through; (\d+) polls?, \1 failures?", done.stdout)


def test_a_gateway_token_registers_devices_and_stands_in_no_trace(empty_server, tmp_path):
    ask(empty_server, admin_of(empty_server).configure({GATEWAY_MODE: True, GATEWAY_KEY: KEY}))
    trace = tmp_path / "trace.jsonl"
    options = ["--gateway-token", "env:KEY", "--count", 2, "--spread", "0s", "--serial", "GW-{n}", "--trace", trace]
    with simulating("--against", empty_server.url, *options, environ={"KEY": KEY}) as running:
        running.until("2 online")
        running.ctrl_c()
        running.end()
    assert set(targets(empty_server)) == {"GW-1", "GW-2"}, "what devices registered themselves stays"
    text = trace.read_text()
    assert KEY not in text
    events = [from_line(line) for line in text.splitlines()]
    assert {event.name for event in events if event.kind == "sent"} == {"poll", "configData"}


def test_a_wrong_gateway_token_is_told_by_its_settings(empty_server, tmp_path):
    token = tmp_path / "token"
    token.write_text("wrong\n")
    token.chmod(0o600)
    with simulating("--against", empty_server.url, "--gateway-token", token, "--count", 1) as running:
        running.until("its mode is off (authentication.gatewaytoken.enabled)")
        running.ctrl_c()
        running.end()


def test_a_list_gives_tokens_and_attributes_and_an_update_is_installed(empty_server, tmp_path):
    admin = admin_of(empty_server)
    ask(empty_server, admin.configure({TOKEN_MODE: True}))
    ask(empty_server, admin.create_targets([{"controllerId": "L-1", "securityToken": "t1"}]))
    update = ask(empty_server, admin.create_update("os", "2.0", b"image" * 1000, "os.img"))
    ask(empty_server, admin.assign(update, ["L-1"]))
    units = tmp_path / "line.csv"
    units.write_text("serial,token,site\nL-1,t1,Ulm\nL-2,t2,Bonn\n")
    units.chmod(0o600)
    options = ["--tokens", units, "--count", 1, "--install-time", "1s", "--spread", "0s"]
    with simulating("--against", empty_server.url, *options) as running:
        running.until("updates 1 done, 0 failed")
        running.ctrl_c()
        running.end()
    assert "1 update finished, 0 failed" in running.text
    assert ask(empty_server, admin.set_version("L-1", "installedDS")) == "2.0"
    assert ask(empty_server, admin.attributes("L-1"))["site"] == "Ulm"
    assert set(targets(empty_server)) == {"L-1"}, "only --register deletes targets"


def test_umlauts_in_tokens_and_ids_and_files(empty_server, tmp_path):
    """Tokens travel as Latin-1; the links of files carry the id raw, and devices encode it."""
    admin = admin_of(empty_server)
    serial, token = "schön@werk:1+2", "schön ÿ"
    ask(empty_server, admin.configure({TOKEN_MODE: True}))
    ask(empty_server, admin.create_targets([{"controllerId": serial, "securityToken": token}]))
    update = ask(empty_server, admin.create_update("os", "2.0", b"image" * 1000, "Größe+1#2.img"))
    ask(empty_server, admin.assign(update, [serial]))
    units = tmp_path / "line.csv"
    units.write_text(f"serial,token\n{serial},{token}\n", encoding="utf-8")
    units.chmod(0o600)
    options = ["--tokens", units, "--install-time", "1s", "--spread", "0s"]
    with simulating("--against", empty_server.url, *options) as running:
        running.until("updates 1 done, 0 failed")
        running.ctrl_c()
        running.end()
    assert ask(empty_server, admin.set_version(serial, "installedDS")) == "2.0"


def test_targets_that_exist_are_not_taken_over(empty_server):
    ask(empty_server, admin_of(empty_server).create_targets([{"controllerId": "SIM-0002", "name": "a real one"}]))
    done = simulate("--against", empty_server.url, "--register", "--count", 3)
    assert done.returncode == Exit.WRONG_USAGE
    assert "give the devices other names with --serial" in done.stderr
    assert {serial: target["name"] for serial, target in targets(empty_server).items()} == {"SIM-0002": "a real one"}
    assert config(empty_server, TOKEN_MODE)["global"] is True


def test_beyond_loopback_no_setting_is_changed_unasked(empty_server):
    # 0.0.0.0 is no loopback address, and leads to this machine all the same.
    elsewhere = empty_server.url.replace("127.0.0.1", "0.0.0.0")
    done = simulate("--against", elsewhere, "--register", "--count", 1)
    assert done.returncode == Exit.WRONG_USAGE
    assert "--change-tenant-settings" in done.stderr
    assert config(empty_server, TOKEN_MODE) == {**config(empty_server, TOKEN_MODE), "value": False, "global": True}
    assert targets(empty_server) == {}


def test_a_server_that_dies_is_told_with_what_is_left_on_it(hawkbit_server):
    with simulating("--against", hawkbit_server.url, "--register", "--count", 2, "--spread", "0s") as running:
        running.until("2 online")
        os.kill(hawkbit_server.pid, signal.SIGKILL)
        running.ctrl_c()
        assert running.end() == Exit.BROKEN
    assert f"left behind on {hawkbit_server.url}: 2 targets such as SIM-0001 and {TOKEN_MODE}" in running.text


def test_a_second_ctrl_c_gives_up_cleaning_and_says_so(hawkbit_server):
    with simulating("--against", hawkbit_server.url, "--register", "--count", 2, "--spread", "0s") as running:
        running.until("2 online")
        os.kill(hawkbit_server.pid, signal.SIGSTOP)
        try:
            running.ctrl_c()
            running.until("deleting 2 targets")
            running.ctrl_c()
            assert running.end() == Exit.INTERRUPTED
        finally:
            os.kill(hawkbit_server.pid, signal.SIGCONT)
    assert "2 targets such as SIM-0001" in running.text
    assert "interrupted again" in running.text
    assert 'search for description=="made by fleetrig simulate*" and delete what is found' in running.text
    assert f"set {TOKEN_MODE} back to false" in running.text


def test_when_the_reader_goes_away_it_ends_and_clears_away(empty_server):
    with simulating("--against", empty_server.url, "--register", "--count", 2, "--spread", "0s") as running:
        running.until("2 online")
        assert running.process.stdout is not None
        running.process.stdout.close()
        assert running.process.wait(WITHIN_S) == Exit.BROKEN
    assert targets(empty_server) == {}
    assert config(empty_server, TOKEN_MODE)["global"] is True


def test_a_terminal_that_is_closed_ends_it_and_clears_away(empty_server):
    with on_terminal("--against", empty_server.url, "--register", "--count", 2, "--spread", "0s") as running:
        running.until("SIM-0002  online")
        running.hang_up()
        running.process.wait(WITHIN_S)
    assert targets(empty_server) == {}
    assert config(empty_server, TOKEN_MODE)["global"] is True


@pytest.mark.parametrize("option", [(), ("--register",)])
def test_a_server_that_is_not_there_is_one_sentence(free_port, option):
    done = simulate("--against", f"http://127.0.0.1:{free_port}", *option)
    assert done.returncode == Exit.BROKEN
    assert "(connection refused): is it running, and is the port right? --wait waits for it" in done.stderr
    assert done.stderr.count("\n") == 1


def test_waiting_for_a_server(free_port):
    with simulating("--against", f"http://127.0.0.1:{free_port}", "--wait", "--count", 1) as running:
        running.until("waiting for")
        serve = [sys.executable, "-m", "fleetrig.harness.cli", "serve", "--http", f"127.0.0.1:{free_port}"]
        with subprocess.Popen(serve, stdout=subprocess.DEVNULL) as server:
            running.until("hawkBit refuses devices without credentials")
            running.ctrl_c()
            assert running.end() == Exit.INTERRUPTED
            server.terminate()


def test_ctrl_c_while_waiting(free_port):
    with simulating("--against", f"http://127.0.0.1:{free_port}", "--wait") as running:
        running.until("waiting for")
        running.ctrl_c()
        assert running.end() == Exit.INTERRUPTED


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("serial,token\nA,1\nB\n", "line.csv:3: expected 2 values"),
        ("serial,token\nA,1\nA,2\n", "line.csv:3: the serial 'A' stood on an earlier line"),
        ("name,token\nA,1\n", "line.csv:1: expected a header line with the column serial"),
        ("serial,site\nA,Ulm\n", "line.csv:2: A has no token"),
        ("serial,token\nA,1\n\nB,łódź\n", "line.csv:4: the token holds “ł” (U+0142), and headers are Latin-1"),
        ('serial,token\nA,1\nB,"a\nb"\n', "line.csv:3: the token holds a line end"),
        ("serial,token\nA,a\x07\n", "line.csv:2: the token holds a control character (U+0007)"),
        ("serial,token\nA, 1\n", "line.csv:2: the token begins with a blank, which HTTP takes away"),
        ("serial,token\nA,1 \n", "line.csv:2: the token ends with a blank"),
        ("serial,token\nA/B,1\n", "hawkBit's URL firewall answers 400 to every request of a device called 'A/B'"),
        ("serial,token\nA,1\nB%2F,1\n", "a device called 'B%2F'"),
        (f"serial,token\n{'A' * 257},1\n", "expected a serial of at most 256 characters"),
    ],
)
def test_a_bad_list_is_told_by_its_line(tmp_path, capsys, content, words):
    units = tmp_path / "line.csv"
    units.write_text(content)
    units.chmod(0o600)
    assert main(["simulate", "hawkbit", "--against", "http://127.0.0.1:9", "--tokens", str(units)]) == Exit.WRONG_USAGE
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--register", "--gateway-token", "env:X"], "--gateway-token and --register contradict each other"),
        (["--tokens", "x.csv", "--serial", "A{n}"], "leave --serial away"),
        (["--tokens", "x.csv"], "cannot read x.csv: there is no such file"),
        (["--gateway-token", "secret-itself"], "takes no secret itself"),
        (["--gateway-token", "env:NOT_THERE_AT_ALL"], "no variable NOT_THERE_AT_ALL"),
        (["--serial", "SAME"], "gives every device the same name"),
        (["--serial", "{m}"], "expected a serial without blanks, with {n} or {n:04d}"),
        (["--serial", "A {n}"], "expected a serial without blanks"),
        (["--serial", "{n.__class__}"], "expected a serial without blanks, with {n} or {n:04d}"),
        (["--serial", "{n:099999999d}"], "expected a serial without blanks, with {n} or {n:04d}"),
        (["--serial", "{n:0999d}"], "expected a serial of at most 256 characters"),
        (["--serial", "..", "--count", "1"], "no step of a path"),
        (["--count", "99999999999"], "at most 100,000 devices (a fleet on one machine is no larger)"),
        (["--tenant", "\udcff"], r"--tenant '\udcff' holds bytes that are not UTF-8"),
        (["--serial", "A;{n}"], "hawkBit's URL firewall answers 400"),
        (
            ["--gateway-token", "env:ODD"],
            "--gateway-token env:ODD: the token holds a line end, so no device can send it",
        ),
        (["--for", "3"], "--for: expected a time with its unit, such as 500ms, 30s, 5m or 1h, got '3'"),
        (["--interval", "100ms"], "--interval must be at least 1 s"),
        (["--poll-jitter", "lots"], "--poll-jitter: expected a share such as 20%"),
        (["--attribute", "novalue"], "--attribute takes KEY=VALUE"),
        (["--trace", "/nowhere/at/all"], "--trace /nowhere/at/all"),
        (["--ca", "x.pem", "--insecure"], "contradict each other"),
    ],
)
def test_wrong_options_are_told_before_anything_is_sent(tmp_path, monkeypatch, capsys, options, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ODD", "secret-itself\n")
    assert main(["simulate", "hawkbit", "--against", "http://127.0.0.1:9", *options]) == Exit.WRONG_USAGE
    said = capsys.readouterr()
    assert words in said.err
    assert "secret-itself" not in said.err + said.out


def limited(limit: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """With `ulimit` said in the shell before."""
    shell = ["sh", "-c", f'ulimit {limit} && exec "$@"', "sh", *command(*arguments)]
    return subprocess.run(shell, capture_output=True, text=True, timeout=WITHIN_S, check=False)


def test_too_few_open_files_are_told_before_the_first_poll():
    done = limited("-n 200", "--against", "http://127.0.0.1:9", "--count", 1000)
    assert done.returncode == Exit.BROKEN
    assert "1,000 devices need 1,064 open files, but the limit here is 200" in done.stderr
    assert "simulate at most 136 devices" in done.stderr


def test_a_soft_limit_is_raised(free_port):
    done = limited("-Sn 70", "--against", f"http://127.0.0.1:{free_port}", "--count", 100)
    assert "connection refused" in done.stderr


@pytest.mark.parametrize(
    ("result", "came_through", "code"),
    [
        (SimulationResult(False, ""), 1, Exit.PASSED),
        (SimulationResult(False, ""), 0, Exit.FAILED),
        (SimulationResult(True, ""), 1, Exit.INTERRUPTED),
        (SimulationResult(True, "2 targets"), 1, Exit.BROKEN),
    ],
)
def test_exit_codes(result, came_through, code):
    state = FleetState.of(["A"], 30.0, READINGS)
    state.came_through = came_through
    assert exit_code(result, state) is code
