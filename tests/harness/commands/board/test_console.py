"""`board console` as a person and as a script use it, over a pseudo-terminal whose far end is the board."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleetrig.hil.desk.reservation import Reservations
from fleetrig.simulator.drivers.wall_clock import WallClock
from tests.harness.command import LIMIT_S, environment, fleetrig
from tests.harness.commands.board.board_line import BoardLine

pytestmark = pytest.mark.slow


class Terminal:
    """The command on a terminal of its own, as after opening a window."""

    def __init__(self, *words: str) -> None:
        self.screen, inner = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fleetrig.harness.entry", *words],
            stdin=inner, stdout=inner, stderr=inner, env=environment(), start_new_session=True,
        )  # fmt: skip
        os.close(inner)
        self.said = b""

    def press(self, keys: bytes) -> None:
        os.write(self.screen, keys)

    def until_said(self, wanted: bytes) -> None:
        while wanted not in self.said:
            try:
                self.said += os.read(self.screen, 4096)
            except OSError:
                raise AssertionError(f"{wanted!r} was never said: {self.said!r}") from None

    def end(self) -> int:
        return self.process.wait(LIMIT_S)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.screen)


def left(line: BoardLine) -> tuple[str, ...]:
    return ("board", "console", "left", "--bench", str(line.bench), "--desk", str(line.bench.parent / "desk"))


@pytest.fixture
def terminal(line, tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(*left(line))
    terminal.until_said(b"Ctrl-] leaves")
    yield terminal
    terminal.close()


def test_keys_go_to_the_board_as_they_are_and_what_it_says_is_shown(terminal, line, state, tmp_path):
    line.say("Grüße\r\n=> ".encode())
    terminal.until_said("Grüße\r\n=> ".encode())
    terminal.press(b"md 0\r\x03")
    line.until_said(b"md 0\r\x03")
    assert Reservations(tmp_path / "desk", WallClock()).who("left") is not None
    terminal.press(b"\x1d")
    terminal.until_said(b"left left as it is")
    assert terminal.end() == 0
    (log,) = state.glob("fleetrig/boards/left/serial-*.jsonl")
    text = log.read_text()
    assert '"way": "from_board"' in text
    assert '"way": "to_board", "text": "md 0' in text
    assert b"all that was said: " in terminal.said


def test_a_board_that_is_unplugged_ends_it_with_a_sentence(terminal, line):
    line.unplug()
    terminal.until_said(b"the device was unplugged")
    assert terminal.end() == 3


def test_a_terminal_that_is_closed_lets_the_board_go(terminal, tmp_path):
    terminal.process.send_signal(signal.SIGHUP)
    assert terminal.end() == 2
    assert Reservations(tmp_path / "desk", WallClock()).who("left") is None


@contextmanager
def shell_board(folder: Path) -> Iterator[Path]:
    """A bench file with a board on which a real shell runs, behind a line of socat's."""
    port, bench = folder / "shell", folder / "shell.yaml"
    bench.write_text(f"boards:\n  left: {{type: sh, port: {port}, console: {{kind: linux}}}}\n", encoding="utf-8")
    with subprocess.Popen(
        ["socat", f"PTY,link={port},raw,echo=0", "EXEC:sh -i,pty,setsid,ctty,stderr"], env=environment() | {"PS1": "# "}
    ) as socat:
        while not port.exists():
            assert socat.poll() is None, "socat has ended"
            threading.Event().wait(0.02)
        yield bench
        socat.terminate()


SLOW = ["sleep 60", "--within", "0.3"]
RUNS = {
    "slow": (SLOW, 1, "", "within 0.3 s; it said nothing at all; --within gives it more time"),
    "one": (["uname"], 0, "Linux\n", ""),
    "two": (["uname", "echo root"], 0, "Linux\nroot\n", ""),
    "failing": (["false", "uname"], 1, "", "left: `false` ended with 1; all that was said: "),
    "two lines": (["a\nb"], 4, "", "a console command is one line"),
}


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.peer
@pytest.mark.skipif(shutil.which("socat") is None, reason="socat is not there")
def test_commands_are_run_for_scripts(name, tmp_path):
    commands, code, out, err = RUNS[name]
    words = ["--run", *SLOW] if commands is SLOW else [word for command in commands for word in ("--run", command)]
    with shell_board(tmp_path) as bench:
        desk = str(tmp_path / "desk")
        done = fleetrig("board", "console", "left", *words, "--bench", str(bench), "--desk", desk, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, out)
    assert err in done.stderr


def test_a_silent_board_is_told_with_what_to_look_at(line, tmp_path, monkeypatch):
    monkeypatch.setattr("fleetrig.hil.consoles.console_entry.LOOK_S", 0.05)
    monkeypatch.setattr("fleetrig.harness.bench.console_ready.READY_WITHIN_S", 0.1)
    done = fleetrig(
        "board",
        "console",
        "left",
        "--run",
        "id",
        "--bench",
        str(line.bench),
        "--desk",
        str(tmp_path / "d"),
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "left: no prompt within" in done.stderr
    assert "(?" not in done.stderr  # no pattern of ours is shown to people
    assert "is it switched on, is 115200 its speed" in done.stderr
