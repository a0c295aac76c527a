"""An absent program is named with its package: a skipped test on a developer's machine, a failure in CI."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.peers.programs import Program, need_program, until

ABSENT = "no-program-has-this-name"
ENDS_AT_ONCE = "print('a last word'); raise SystemExit(3)"
TELLS_OF_ITS_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def test_an_absent_program_skips_the_test(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install its-package"):
        need_program(ABSENT, "its-package")


def test_an_absent_program_fails_the_test_in_ci(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt-get install its-package"):
        need_program(ABSENT, "its-package")


def test_waiting_ends_when_the_program_does_and_says_its_last_words(tmp_path: Path):
    program = _python(ENDS_AT_ONCE, tmp_path)
    with pytest.raises(pytest.fail.Exception, match="ended before it says more:\na last word"):
        until("it says more", lambda: "more" in program.said(), program)
    program.stop()


def test_stopping_a_program_ends_its_children_too(tmp_path: Path):
    program = _python(TELLS_OF_ITS_CHILD, tmp_path)
    child = int(until("it has a child", program.said, program))
    program.stop()
    until("the child is gone", lambda: not _is_running(child))


def _python(code: str, folder: Path) -> Program:
    return Program("python", [sys.executable, "-c", code], folder / "log", dict(os.environ))


def _is_running(pid: int) -> bool:
    """A zombie that nobody waits for counts as ended."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return False
