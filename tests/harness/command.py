"""The `fleetrig` command for tests: in this process, or as one of its own that can be interrupted."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from fleetrig.harness.cli import main

PROJECT = Path(__file__).parents[2]
LIMIT_S = 120.0
ENDS = ("failure", "error", "skipped")
"""What a testcase holds that has not passed."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """That of the tests, with this project on the path from any folder."""
    return {**os.environ, "PYTHONPATH": str(PROJECT), **(extra or {})}


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def fleetrig(*words: str, cwd: Path) -> Done:
    """The command in this process, from a folder: an exit code, and never a traceback."""
    out, err = io.StringIO(), io.StringIO()
    with chdir(cwd), redirect_stdout(out), redirect_stderr(err):
        code = main(words)
    assert "Traceback" not in err.getvalue()
    return Done(code, out.getvalue(), err.getvalue())


class Running:
    """A command that is interrupted once it has printed, or written, something."""

    def __init__(self, *words: str, cwd: Path, **environ: str) -> None:
        self._log = cwd / "command.log"
        self._output = self._log.open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "fleetrig.harness.entry", *words],
            cwd=cwd, env=environment(environ), stdout=self._output, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def until_said(self, text: str) -> None:
        pause = threading.Event()
        for _ in range(int(LIMIT_S / 0.02)):
            if text in self.said():
                return
            assert self.process.poll() is None, self.said()
            pause.wait(0.02)
        raise AssertionError(f"{text!r} was never said:\n{self.said()}")

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def kill(self) -> None:
        """As `kill -9` does: it hears nothing of it."""
        self.process.kill()
        self.process.wait(LIMIT_S)
        self._output.close()

    def end(self) -> int:
        """The exit code, once it has ended."""
        code = self.process.wait(LIMIT_S)
        self._output.close()
        assert "Traceback" not in self.said(), self.said()
        return code


def cases_of(path: Path) -> dict[str, tuple[str | None, str]]:
    """run -> (classname, what became of it) of a JUnit file. A run is called `<classname with slashes>/<name>`."""
    return {
        f"{case.get('classname', '').replace('.', '/')}/{case.get('name')}": (
            case.get("classname"),
            what_became_of(case),
        )
        for case in ET.parse(path).getroot().iter("testcase")
    }


def what_became_of(case: ET.Element) -> str:
    """The tag of the element that says so, or `passed`; output and properties may stand in any."""
    return next((child.tag for child in case if child.tag in ENDS), "passed")
