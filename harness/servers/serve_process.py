"""`fleetrig serve` in a process of its own: started, ready, ended.

    with ServeProcess(folder, "--platform", platform, "--http", "127.0.0.1:0") as served:
        ... served.ready["http"] ...

Only the standard library is imported here, since the pytest plugin needs it in every project.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final, Self

from fleetrig.simulator.contract.errors import BrokenBench

READY_WITHIN_S: Final = 30.0
STOPS_WITHIN_S: Final = 30.0
POLL_EVERY_S: Final = 0.02
SHOWN_CHARACTERS: Final = 500

ENDS_WITH: Final = "FLEETRIG_SERVE_ENDS_WITH"
"""The environment variable that names the process with which a server ends: also `kill -9` leaves none behind."""

Ready = Mapping[str, Any]
"""What the ready file says: `pid`, a `HOST:PORT` for each listener and for `control`, and `ca` (docs/control.md)."""


def serve_command(ready_file: Path, options: Sequence[str]) -> list[str]:
    """The command line that starts a server with this Python and this fleetrig."""
    return [sys.executable, "-m", "fleetrig.harness.entry", "serve", "--ready-file", str(ready_file), *options]


def read_ready(ready_file: Path, pid: int) -> Ready | None:
    """What the server of this process says; None until it is ready. A killed server leaves its file behind."""
    try:
        ready: dict[str, Any] = json.loads(ready_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return ready if ready["pid"] == pid else None


def is_orphan(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this process is a server whose user has gone without stopping it."""
    return environ.get(ENDS_WITH, str(os.getppid())) != str(os.getppid())


class ServeProcess:
    """Ready when the `with` block is entered, stopped when it is left. What it prints goes to a file in `folder`."""

    def __init__(self, folder: Path, *options: str, env: Mapping[str, str] | None = None) -> None:
        """`env` is added to the environment of this process."""
        self.ready_file = folder / "ready.json"
        self.ready: Ready = {}
        """What the ready file said."""
        self._options = options
        self._env = {**os.environ, ENDS_WITH: str(os.getpid()), **(env or {})}
        self._log = folder / "serve.log"

    def __enter__(self) -> Self:
        """Raises BrokenBench when the server ends before it is ready, or takes too long."""
        with self._log.open("wb") as log:
            command = serve_command(self.ready_file, self._options)
            # A group of its own: Ctrl-C is for who uses the server, who needs it until all is cleaned up.
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=self._env, process_group=0)
        try:
            self.ready = self._wait_until_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self.process.pid

    def said(self) -> str:
        """Its output so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Asks it to end; kills it if it does not. Returns the exit code. A second call changes nothing."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.wait()

    def kill(self) -> None:
        """Ends it at once, as `kill -9` does."""
        self.process.kill()
        self.process.wait()

    def _wait_until_ready(self) -> Ready:
        deadline_s = monotonic() + READY_WITHIN_S
        while (ready := read_ready(self.ready_file, self.pid)) is None:
            if self.process.poll() is not None:
                said = self.said().strip()[-SHOWN_CHARACTERS:]
                raise BrokenBench(f"our own reference server ended before it was ready: {said}")
            if monotonic() > deadline_s:
                raise BrokenBench(f"our own reference server was not ready within {READY_WITHIN_S:g} s")
            sleep(POLL_EVERY_S)
        return ready
