"""A reference server in a process of its own, started so that a conformance suite has everything that rows need."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from fleetrig.simulator.contract.errors import BrokenBench

READY_WITHIN_S: Final = 30.0
LOOK_EVERY_S: Final = 0.02


@contextlib.contextmanager
def own_server(options: Sequence[str], accounts: Sequence[Mapping[str, object]] = ()) -> Iterator[str]:
    """Starts `fleetrig serve` on a free loopback port and gives its URL; ends it again. Raises BrokenBench."""
    with tempfile.TemporaryDirectory(prefix="fleetrig-") as folder:
        ready, log = Path(folder) / "ready.json", Path(folder) / "serve.log"
        command = [
            sys.executable,
            "-m",
            "fleetrig.harness.cli",
            "serve",
            "--http",
            "127.0.0.1:0",
            "--ready-file",
            str(ready),
        ]
        if accounts:
            listed = Path(folder) / "accounts.yaml"
            listed.write_text(json.dumps(list(accounts)), encoding="utf-8")  # JSON is YAML
            command += ["--accounts", str(listed)]
        with log.open("wb") as output, subprocess.Popen([*command, *options], stdout=output, stderr=output) as process:
            try:
                yield f"http://{_address(process, ready, log)}"
            finally:
                process.terminate()


def _address(process: subprocess.Popen[bytes], ready: Path, log: Path) -> str:
    deadline_s = time.monotonic() + READY_WITHIN_S
    while not ready.exists():
        if process.poll() is not None:
            said = log.read_text(encoding="utf-8", errors="replace").strip()
            raise BrokenBench(f"our own reference server ended before it was ready: {said[-500:]}")
        if time.monotonic() > deadline_s:
            raise BrokenBench(f"our own reference server was not ready within {READY_WITHIN_S:g} s")
        time.sleep(LOOK_EVERY_S)
    return str(json.loads(ready.read_text(encoding="utf-8"))["http"])
