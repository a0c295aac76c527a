"""What comes before the command: a stop signal while it is imported, and streams that are closed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fleetrig.harness import entry
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.run import collector, interrupts
from tests.harness.command import PROJECT, environment

pytestmark = pytest.mark.slow


def started_with(typer: str, folder: Path, before: str = "pass") -> subprocess.CompletedProcess[str]:
    """The command, with this in place of the first large library that it imports."""
    (folder / "typer.py").write_text(typer)
    code = f"import sys; {before}; sys.argv[1:] = ['list']; from fleetrig.harness.entry import main; sys.exit(main())"
    path = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(PROJECT)])}
    return subprocess.run(
        [sys.executable, "-c", code], env=path, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("number", entry.SIGNALS)
def test_a_signal_during_the_imports_ends_it_quietly(tmp_path: Path, number: signal.Signals) -> None:
    done = started_with(f"import os; os.kill(os.getpid(), {int(number)})", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (Exit.INTERRUPTED, "", "interrupted\n")


def test_nohup_is_respected_from_the_first_moment(tmp_path: Path) -> None:
    ends = f"import os; os.kill(os.getpid(), {int(signal.SIGHUP)}); os._exit(7)"
    ignored = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    assert started_with(ends, tmp_path, before=ignored).returncode == 7


def test_ctrl_c_is_heard_in_what_a_script_started_in_the_background(tmp_path: Path) -> None:
    ends = f"import os; os.kill(os.getpid(), {int(signal.SIGINT)}); os._exit(7)"
    ignored = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    assert started_with(ends, tmp_path, before=ignored).returncode == Exit.INTERRUPTED


def test_it_says_and_returns_what_the_command_does_later() -> None:
    assert (entry.SIGNALS, entry.INTERRUPTED) == (interrupts.SIGNALS, interrupts.INTERRUPTED)
    assert entry.NEW_OBJECTS == collector.NEW_OBJECTS


def test_large_libraries_are_imported_with_little_looking_for_garbage(tmp_path: Path) -> None:
    assert started_with("import gc; print(gc.get_threshold()[0])", tmp_path).stdout.startswith(f"{entry.NEW_OBJECTS}\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("words", ["schema", "run hawkbit/auto_registration --trace t.jsonl"])
def test_closed_streams_are_no_bug(tmp_path: Path, closed: str, words: str) -> None:
    """And nothing that was meant for them gets into a file that took their number."""
    script = f"'{sys.executable}' -m fleetrig.harness.entry {words} {closed}"
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    for line in (tmp_path / "t.jsonl").read_text().splitlines() if "--trace" in words else ():
        json.loads(line)
