"""`fleetrig serve` as a process of its own, for tests."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from fleetrig.harness.servers.serve_process import ServeProcess

LIMIT_S = 30.0
COMMAND = (sys.executable, "-m", "fleetrig.harness.entry", "serve")


class Served(ServeProcess):
    """A hawkBit on a free port, if the options name no other."""

    def __init__(self, folder: Path, *options: str, env: Mapping[str, str] | None = None) -> None:
        http = () if "--http" in options else ("--http", "127.0.0.1:0")
        super().__init__(folder, *http, *options, env=env)
        self.at_exit = ExitStack()

    def __exit__(self, *_: object) -> None:
        self.at_exit.close()
        super().__exit__()

    @property
    def port(self) -> int:
        return int(self.ready["http"].rpartition(":")[2])

    def until_said(self, text: str) -> str:
        pause = threading.Event()
        for _ in range(int(LIMIT_S / 0.01)):
            if text in self.said():
                return self.said()
            pause.wait(0.01)
        raise AssertionError(f"{text!r} was never said:\n{self.said()}")


def failing(*options: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> tuple[int, str]:
    """Exit code and stderr of a command line that cannot be served."""
    done = subprocess.run(
        [*COMMAND, *options],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.returncode, done.stderr
