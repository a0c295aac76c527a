"""The results of a study as they come in: a JSON line each, written at once, so that an interrupted study goes on.

The first line says what the study was: results of another one are never mixed in.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TextIO

from fleetrig.harness.report.version import VERSION
from fleetrig.harness.run.trace_file import closing_quietly
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.harness.studies.case import CaseResult
from fleetrig.harness.studies.sweep import StudyPlan
from fleetrig.simulator.contract.errors import BrokenBench, UsageError, shown_path, system_said

CASES_FILE: Final = "cases.jsonl"
FORMAT: Final = 1


def digest_of(plan: StudyPlan, seed: int) -> str:
    """Two studies with the same digest have the same results."""
    what: list[Any] = [FORMAT, VERSION, seed, plan.study.seeds, plan.file.source.text]
    what += [[one.labels, dict(one.values)] for one in plan.combinations]
    return sha256(json.dumps(what, default=str).encode()).hexdigest()[:16]


@dataclass(slots=True)
class CaseStore:
    """The file of one study. `done` has what it holds already."""

    path: Path
    digest: str
    runs: int
    done: list[CaseResult] = field(default_factory=list)

    def prepare(self, *, resume: bool, anew: bool) -> None:
        """Reads what there is into `done`. Raises UsageError when results would be lost that took time to get."""
        if anew or not self.path.exists():
            return
        head, *lines = self._lines() or [""]
        known = _json_of(head) or {}
        if known.get("study") == self.digest:
            self.done = [result for line in lines if (result := _result_of(line)) is not None]
            if self.done and not (self.is_complete or resume):
                raise UsageError(f"{self.path} has {len(self.done)} of the {self.runs} runs of this study: "
                                 "--resume goes on with the others, --anew begins anew")  # fmt: skip
        elif resume:
            raise UsageError(f"{self.path} has results of another study, or of this one before it was changed: "
                             "nothing to resume; --anew begins anew")  # fmt: skip
        elif 0 < len(lines) < _count(known):
            raise UsageError(f"{self.path} has {len(lines)} of the {known['runs']} runs of another study, or of this "
                             "one before it was changed: give another folder (--results), or --anew")  # fmt: skip

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            raise UsageError(f"{self.path} is no file of a study: remove it, or give --anew") from None
        except OSError as wrong:
            raise UsageError(f"cannot read {shown_path(self.path)}: {why_unread(self.path, wrong)}") from None

    def reread(self) -> None:
        """A stop may fall between a result's way into the file and into `done`: the file is right, if it is ours."""
        head, *lines = (self._lines() if self.path.exists() else []) or [""]
        if (_json_of(head) or {}).get("study") == self.digest:
            self.done[:] = [result for line in lines if (result := _result_of(line)) is not None]

    @property
    def is_complete(self) -> bool:
        return len(self.done) >= self.runs

    @contextmanager
    def open(self) -> Iterator[CaseWriter]:
        """For writing, after `prepare`. A line that was cut by an end of the machine is dropped for good.

        Raises BrokenBench when it cannot be written, and so does the writer.
        """
        draft = self.path.with_name(f"{self.path.name}.part")
        with _writing(self.path):
            file = draft.open("w", encoding="utf-8")
        with closing_quietly(file):
            with _writing(self.path):
                _write(file, {"study": self.digest, "runs": self.runs})
                for result in self.done:
                    _write(file, result.to_json())
                file.flush()
                draft.replace(self.path)
            yield CaseWriter(file, self.path, self.done)


@dataclass(slots=True)
class CaseWriter:
    """Adds results to the file, and to those that are known."""

    file: TextIO
    path: Path
    done: list[CaseResult]

    def add(self, result: CaseResult) -> None:
        with _writing(self.path):
            _write(self.file, result.to_json())
            self.file.flush()
            os.fsync(self.file.fileno())
        self.done.append(result)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as wrong:
        raise BrokenBench(
            f"cannot write {shown_path(path)}: {system_said(wrong)}; the runs that it has are kept, and --resume goes "
            "on with them"
        ) from None


def _write(file: TextIO, what: dict[str, Any]) -> None:
    file.write(json.dumps(what, separators=(",", ":")) + "\n")


def _json_of(line: str) -> dict[str, Any] | None:
    try:
        read = json.loads(line)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None


def _count(head: dict[str, Any]) -> int:
    """The runs that its first line speaks of; 0 for what is no such line."""
    runs = head.get("runs")
    return runs if isinstance(runs, int) else 0


def _result_of(line: str) -> CaseResult | None:
    given = _json_of(line)
    try:
        return None if given is None else CaseResult.from_json(given)
    except (TypeError, KeyError, AttributeError):
        return None
