"""Programs that nobody here wrote, run in the background: found, started, watched, stopped.

An absent program skips the test with the name of its Debian package, but fails it where `CI=true` is set.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

WITHIN_S = 30.0
"""Generous: each event here takes one or two polls of a second on an idle machine."""
LOOK_EVERY_S = 0.1
STOPS_WITHIN_S = 5.0
SHOWN_CHARACTERS = 20_000


def need_program(name: str, package: str) -> str:
    """The program's path; some live in sbin, which is not on every user's path."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"]))
    if found is not None:
        return found
    missing = f"{name} is not installed: apt-get install {package}"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


class Program:
    """One running program in a process group of its own; what it says goes to a file."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self._log = log
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment, start_new_session=True
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Leaves a zombie, which keeps the group's id from being given to others before `kill`."""
        if self._process.returncode is not None:
            return True
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """Asks the whole group to end, insists after a while. May be called twice."""
        if self._process.returncode is not None:
            return
        os.killpg(self.pid, signal.SIGTERM)
        give_up = time.monotonic() + STOPS_WITHIN_S
        while not self.has_ended and time.monotonic() < give_up:
            time.sleep(LOOK_EVERY_S)
        self.kill()

    def kill(self) -> None:
        """Ends the whole group at once, as a power cut does."""
        if self._process.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()

    def show(self, since: int = 0) -> None:
        """For pytest, which prints it when the test has failed; `since` is a length of `said()`."""
        state = "ended" if self.has_ended else "still running"
        print(f"--- {self.name}, {state}\n{self.said()[since:][-SHOWN_CHARACTERS:]}")


def until(what: str, look: Callable[[], T | None], *running: Program, within_s: float = WITHIN_S) -> T:
    """The first true value that `look` gives; fails when a program ended meanwhile or time is up."""
    give_up = time.monotonic() + within_s
    while not (seen := look()):
        for program in running:
            if program.has_ended:
                pytest.fail(f"{program.name} ended before {what}:\n{program.said()[-2000:]}")
        if time.monotonic() > give_up:
            pytest.fail(f"not within {within_s:.0f} s: {what}; last seen: {seen!r}")
        time.sleep(LOOK_EVERY_S)
    return seen
