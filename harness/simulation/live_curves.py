"""The curve of a fleet as a file that grows by one line a second: `--csv F`, with the columns of a load run."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

from fleetrig.harness.load.curves import COLUMNS, CurveRow, cells_of
from fleetrig.simulator.contract.errors import UsageError, shown_path, system_said


class LiveCurves:
    """Replaces an existing file. A full disk ends the file, not the fleet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.complaint = ""
        """Why the file is not whole; empty while it is."""

    def __enter__(self) -> Self:
        """Raises UsageError when it cannot be written."""
        try:
            self._file = self._path.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise UsageError(f"--csv {shown_path(self._path)}: {system_said(error)}") from None
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._write([COLUMNS])
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._file.close()
        except OSError as error:
            self._complain(error)

    def add(self, rows: Iterable[CurveRow]) -> None:
        """The next seconds."""
        self._write(map(cells_of, rows))

    def _write(self, lines: Iterable[Iterable[str]]) -> None:
        if self.complaint:
            return
        try:
            self._writer.writerows(lines)
            self._file.flush()
        except OSError as error:
            self._complain(error)

    def _complain(self, error: OSError) -> None:
        if not self.complaint:
            self.complaint = f"the curve {self._path} is not whole: {system_said(error)}"
            with suppress(OSError):
                sys.stderr.write(f"{self.complaint}\n")
