"""`fleetrig serve` as a process of its own, for tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

LIMIT_S = 30.0
COMMAND = (sys.executable, "-m", "fleetrig.harness.cli", "serve")


class Served:
    """Started with `with`: ready when entered, stopped by SIGTERM when left."""

    def __init__(self, folder: Path, *options: str, env: Mapping[str, str] | None = None) -> None:
        self.ready_file = folder / "ready.json"
        http = () if "--http" in options else ("--http", "127.0.0.1:0")
        self.at_exit = ExitStack()
        self._output = (folder / "serve.log").open("w+b")
        self.process = subprocess.Popen(
            [*COMMAND, *http, "--ready-file", str(self.ready_file), *options],
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
        )

    def __enter__(self) -> Self:
        pause = threading.Event()
        for _ in range(int(LIMIT_S / 0.01)):
            if self._is_ready():
                return self
            if self.process.poll() is not None:
                break
            pause.wait(0.01)
        self.process.kill()
        self.process.wait(LIMIT_S)
        raise AssertionError(f"serve is not ready:\n{self.said()}")

    def __exit__(self, *_: object) -> None:
        self.at_exit.close()
        self.stop()
        self._output.close()

    def _is_ready(self) -> bool:
        try:
            self.said_ready: dict[str, str] = json.loads(self.ready_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return False
        return int(self.said_ready["pid"]) == self.process.pid  # a killed predecessor leaves its file behind

    @property
    def port(self) -> int:
        return int(self.said_ready["http"].rpartition(":")[2])

    def said(self) -> str:
        """Everything it has printed so far."""
        self._output.seek(0)
        return self._output.read().decode()

    def until_said(self, text: str) -> str:
        pause = threading.Event()
        for _ in range(int(LIMIT_S / 0.01)):
            if text in self.said():
                return self.said()
            pause.wait(0.01)
        raise AssertionError(f"{text!r} was never said:\n{self.said()}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(LIMIT_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(LIMIT_S)


def failing(*options: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> tuple[int, str]:
    """Exit code and stderr of a command line that cannot be served."""
    project = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [*COMMAND, *options],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        env={**os.environ, "PYTHONPATH": project, **(env or {})},
        cwd=cwd,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.returncode, done.stderr
