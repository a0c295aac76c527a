"""A run's trace as a file of JSON lines: written as it happens, kept when it is needed."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from simulator.contract.masking import Secrets
from simulator.contract.trace import TraceEvent
from simulator.contract.trace_json import to_line
from simulator.contract.wire import Json

UNSAFE = re.compile(r"[^\w./=,#-]+")


def trace_name(run: str) -> str:
    """A file name for a run: `hawkbit/power_cuts[cut=poll#1:sent]` without what file systems dislike."""
    return f"{UNSAFE.sub('_', run).rstrip('_')}.trace.jsonl"


class TraceFile:
    """Begins as a temporary file; `close` moves it into the folder of results or throws it away."""

    def __init__(self, goal: Path, about: Mapping[str, Json], secrets: Secrets) -> None:
        """`about` is the first line: which run this is, so that it can be judged again."""
        self._goal = goal
        self._secrets = secrets
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (closed by `close`)
        self._file.write(json.dumps(about) + "\n")

    def write(self, event: TraceEvent) -> None:
        self._file.write(to_line(event, self._secrets) + "\n")

    def close(self, *, keep: bool) -> Path | None:
        """Where the trace lies, if it was kept."""
        with self._file as draft:
            if not keep:
                return None
            draft.seek(0)
            self._goal.parent.mkdir(parents=True, exist_ok=True)
            with self._goal.open("w", encoding="utf-8") as kept:
                for line in draft:
                    # Once more: a secret may have been learnt after the line was written.
                    kept.write(self._secrets.hide(line))
            return self._goal
