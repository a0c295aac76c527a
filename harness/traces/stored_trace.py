"""A trace file line by line, in flat memory: to its end, or on and on while somebody writes it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from fleetrig.harness.traces.trace_records import (
    SHOWN_OF_DAMAGED_CHARS,
    DamagedLine,
    TraceRecord,
    read_record,
)
from fleetrig.simulator.contract.bounds import TRACE_LINE_CHARS
from fleetrig.simulator.contract.errors import UsageError, shown_path, system_said

BEGINS_WITH_SENSE: Final = 10
"""A file whose first lines all are no lines of a trace is something else."""


class StoredTrace:
    """The records of a file. `wait` is called at its end, to go on when there may be more; None: the end is the end."""

    def __init__(self, path: Path, wait: Callable[[], None] | None = None) -> None:
        self._path = path
        self._wait = wait
        self._number = 0
        self.half_line = ""
        """What stands after the last whole line: somebody still writes it, or never came to its end."""

    def __iter__(self) -> Iterator[TraceRecord]:
        """Raises UsageError for what cannot be read, and for what is no trace."""
        return self._of_a_trace(read_record(line, number) for number, line in self.lines())

    def lines(self) -> Iterator[tuple[int, str]]:
        """As they stand there, with their numbers, the empty ones left out. Raises UsageError."""
        try:
            with self._path.open("rb") as file:
                yield from self._lines_of(file)
        except OSError as wrong:
            raise UsageError(f"cannot read {shown_path(self._path)}: {system_said(wrong)}") from None

    def _lines_of(self, file: BinaryIO) -> Iterator[tuple[int, str]]:
        while True:
            if line := self._next_line(file):
                yield self._number, line
            elif self._wait is None:
                return
            else:
                self._wait()
                self._begin_anew_if_emptied(file)

    def _next_line(self, file: BinaryIO) -> str:
        """A whole line; empty when there is none (yet)."""
        while piece := file.readline(TRACE_LINE_CHARS.most + 1):
            self.half_line += piece.decode("utf-8", "replace")
            if len(self.half_line) > TRACE_LINE_CHARS.most:
                place = f"{shown_path(self._path)}:{self._number + 1}"
                raise UsageError(f"{place}: a line of more than {TRACE_LINE_CHARS}")
            if not piece.endswith(b"\n"):
                return self._last_line()
            self._number += 1
            line, self.half_line = self.half_line.rstrip("\r\n"), ""
            if line.strip():
                return line
        return ""

    def _last_line(self) -> str:
        """Without its line end it may be whole all the same, unless more is to come."""
        if self._wait is not None or isinstance(read_record(self.half_line, 0), DamagedLine):
            return ""
        self._number += 1
        line, self.half_line = self.half_line, ""
        return line

    def _begin_anew_if_emptied(self, file: BinaryIO) -> None:
        """A server that is started again writes its trace from the beginning."""
        if os.fstat(file.fileno()).st_size < file.tell():
            file.seek(0)
            self._number, self.half_line = 0, ""

    def _of_a_trace(self, records: Iterator[TraceRecord]) -> Iterator[TraceRecord]:
        """The same; damaged lines are given out once there is one that makes sense."""
        damaged: list[DamagedLine] = []
        for record in records:
            if not isinstance(record, DamagedLine):
                yield from damaged
                yield record
                yield from records
                return
            damaged.append(record)
            if len(damaged) == BEGINS_WITH_SENSE:
                break
        if damaged or self.half_line:
            raise self._no_trace(damaged[0].begins if damaged else self.half_line[:SHOWN_OF_DAMAGED_CHARS])

    def _no_trace(self, begins: str) -> UsageError:
        return UsageError(
            f"{shown_path(self._path)} is no trace: it begins with {begins!r}. Traces are JSON lines, as --trace F of "
            "run, load, simulate and serve writes them"
        )
