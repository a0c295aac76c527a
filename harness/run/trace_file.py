"""A run's trace as a file of JSON lines: written as it happens, kept when it is needed."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from fleetrig.harness.report.version import VERSION
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.harness.scenario_file.selection import Expanded
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.contract.trace_json import to_line

UNSAFE: Final = re.compile(r"[^\w./=,#-]+|\.\.+|^/")
MAX_CHARACTERS: Final = 120
"""Of the last part of a file name: file systems allow 255 bytes."""

ENDING: Final = ".trace.jsonl"


def trace_name(run: str, seed: int = 1, ending: str = ENDING) -> str:
    """A file name for a run: `hawkbit/power_cuts[cut=poll#1:sent]` without what file systems dislike.

    Every seed but the first has files of its own, so that the failures of repeated runs do not overwrite each other.
    """
    name = UNSAFE.sub("_", run).rstrip("_")
    folder, slash, last = name.rpartition("/")
    if len(last) > MAX_CHARACTERS:
        last = f"{last[:MAX_CHARACTERS]}-{digest_of(run.encode())}"
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
        try:
            self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (closed by `close`)
        except OSError as wrong:
            raise BrokenBench(f"there is no place for temporary files (TMPDIR): {wrong.strerror or wrong}") from None
        self._wrong: OSError | None = None
        self._write(json.dumps(about))

    def write(self, event: TraceEvent) -> None:
        """A full disk ends the trace, not the run; `close` tells it."""
        if self._wrong is None:
            self._write(to_line(event, self._secrets))

    def _write(self, line: str) -> None:
        try:
            self._file.write(line + "\n")
        except OSError as wrong:
            self._wrong = wrong

    def close(self, *, keep: bool) -> Path | None:
        """Where the trace lies, if it was kept. Raises BrokenBench when it cannot be written."""
        with ExitStack() as stack:
            stack.callback(self._let_go)
            if not keep:
                return None
            try:
                if self._wrong is not None:
                    raise self._wrong
                draft = self._file
                draft.seek(0)
                self._goal.parent.mkdir(parents=True, exist_ok=True)
                with whole_file(self._goal) as kept:
                    for line in draft:
                        # Once more: a secret may have been learnt after the line was written.
                        kept.write(self._secrets.hide(line))
            except OSError as wrong:
                raise BrokenBench(f"cannot write the trace {self._goal}: {wrong.strerror or wrong}") from None
            return self._goal

    def _let_go(self) -> None:
        """What a full disk has not taken is of no use any more."""
        with suppress(OSError):
            self._file.close()
