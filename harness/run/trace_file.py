"""A run's trace as a file of JSON lines: written as it happens, kept when it is needed."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fleetrig.harness.report.version import VERSION
from fleetrig.harness.scenario_file.selection import Expanded
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.contract.trace_json import to_line

UNSAFE: Final = re.compile(r"[^\w./=,#-]+|\.\.+|^/")
MOST_CHARACTERS: Final = 120
"""Of the last part of a file name: file systems allow 255 bytes."""

ENDING: Final = ".trace.jsonl"


def trace_name(run: str, seed: int = 1, ending: str = ENDING) -> str:
    """A file name for a run: `hawkbit/power_cuts[cut=poll#1:sent]` without what file systems dislike.

    Every seed but the first has files of its own, so that the failures of repeated runs do not overwrite each other.
    """
    name = UNSAFE.sub("_", run).rstrip("_")
    folder, slash, last = name.rpartition("/")
    if len(last) > MOST_CHARACTERS:
        last = f"{last[:MOST_CHARACTERS]}-{digest_of(run.encode())}"
    return folder + slash + last + (f"-seed-{seed}" if seed != 1 else "") + ending


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def about_run(expanded: Expanded, seed: int, time: str) -> dict[str, Json]:
    """The first line of a trace: which run this is, so that it can be judged again."""
    path = expanded.scenario.path
    return {
        "fleetrig": VERSION,
        "run": expanded.name,
        "seed": seed,
        "time": time,
        "values": dict(expanded.values),
        "digest": digest_of(path.read_bytes()) if path.is_file() else "",
    }


class TraceFile:
    """Begins as a temporary file; `close` moves it into the folder of results or throws it away."""

    def __init__(self, goal: Path, about: Mapping[str, Json], secrets: Secrets) -> None:
        self._goal = goal
        self._secrets = secrets
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (closed by `close`)
        self._file.write(json.dumps(about) + "\n")

    def write(self, event: TraceEvent) -> None:
        self._file.write(to_line(event, self._secrets) + "\n")

    def close(self, *, keep: bool) -> Path | None:
        """Where the trace lies, if it was kept. Raises BrokenBench when it cannot be written."""
        with self._file as draft:
            if not keep:
                return None
            try:
                draft.seek(0)
                self._goal.parent.mkdir(parents=True, exist_ok=True)
                part = self._goal.with_name(self._goal.name + ".part")
                with part.open("w", encoding="utf-8") as kept:
                    for line in draft:
                        # Once more: a secret may have been learnt after the line was written.
                        kept.write(self._secrets.hide(line))
                part.replace(self._goal)
            except OSError as wrong:
                raise BrokenBench(f"cannot write the trace {self._goal}: {wrong.strerror or wrong}") from None
            return self._goal
