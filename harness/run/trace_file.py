"""A run's trace as a file of JSON lines: written as it happens, kept when it is needed."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from fleetrig.harness.report.version import VERSION
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.harness.run.private_files import FOR_OWNER, make_private_folder
from fleetrig.harness.run.sampled_trace import ONE_OF
from fleetrig.simulator.contract.errors import BrokenBench, shown_path, system_said
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.contract.trace_json import TraceLines

if TYPE_CHECKING:
    from fleetrig.harness.scenario_file.selection import Expanded  # who reads a trace needs no models of scenarios

UNSAFE: Final = re.compile(r"[^\w./=,#-]+|\.\.+|^/")
MAX_CHARACTERS: Final = 120
"""Of the last part of a file name: file systems allow 255 bytes."""
COPIED_CHARS: Final = 64 << 10

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


def about_run(expanded: Expanded, seed: int, time: str, *, is_whole: bool = True) -> dict[str, Json]:
    """The first line of a trace: which run this is, so that it can be judged again; one of a few devices cannot."""
    path = expanded.scenario.path
    sampled: dict[str, Json] = {} if is_whole else {"one_of": ONE_OF}
    return {
        "fleetrig": VERSION,
        "run": expanded.name,
        "platform": expanded.scenario.platform,
        "seed": seed,
        "time": time,
        "values": dict(expanded.values),
        "digest": digest_of(path.read_bytes()) if path.is_file() else "",
        **({"scenario": str(path)} if expanded.by_path else {}),
        **sampled,
    }


def _temporary_file() -> IO[str]:
    try:
        return tempfile.TemporaryFile("w+", encoding="utf-8")
    except OSError as wrong:
        raise BrokenBench(f"cannot make a temporary file for the trace: {system_said(wrong)}") from None


@contextmanager
def closing_quietly(file: IO[str]) -> Iterator[IO[str]]:
    """What is still in the buffer of a full disk's file would be written when it is closed."""
    try:
        yield file
    finally:
        with suppress(OSError):
            file.close()


class TraceFile:
    """Begins as a temporary file; `close` moves it into the folder of results or throws it away."""

    def __init__(self, goal: Path, about: Mapping[str, Json], secrets: Secrets) -> None:
        self._goal = goal
        self._secrets = secrets
        self._lines = TraceLines(secrets)
        self._failed: OSError | None = None
        self._forms = self._written = self._early = 0
        self._file = _temporary_file()
        self._put(json.dumps(about))

    def write(self, event: TraceEvent) -> None:
        if self._failed is not None:
            return
        if self._forms != (forms := self._secrets.forms):
            self._forms, self._early = forms, self._written
        self._put(self._lines.line(event))

    def _put(self, line: str) -> None:
        """A disk that is full ends the trace, not the run; `close` says so."""
        self._written += 1
        try:
            self._file.write(line + "\n")
        except OSError as wrong:
            self._failed = wrong

    def close(self, *, keep: bool) -> Path | None:
        """Where the trace lies, if it was kept. Raises BrokenBench when it cannot be written."""
        with closing_quietly(self._file) as draft:
            if not keep:
                return None
            try:
                if self._failed is not None:
                    raise self._failed
                draft.seek(0)
                make_private_folder(self._goal.parent)
                self._copy(draft)
            except OSError as wrong:
                raise self._broken(wrong) from None
            return self._goal

    def _copy(self, draft: IO[str]) -> None:
        with whole_file(self._goal, FOR_OWNER) as kept:
            early = self._early if self._secrets.forms == self._forms else self._written
            for line in islice(draft, early):
                kept.write(self._secrets.hide_known(line))  # once more: a secret was learnt after it was written
            while lines := draft.read(COPIED_CHARS):
                kept.write(lines)

    def _broken(self, wrong: OSError) -> BrokenBench:
        return BrokenBench(f"cannot write the trace {shown_path(self._goal)}: {system_said(wrong)}")
