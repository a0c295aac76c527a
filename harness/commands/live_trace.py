"""The trace of a program that runs for long: lines of JSON, on disk within a second or so."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Self

from fleetrig.harness.commands.output_places import check_file
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.contract.trace_json import to_line


class LiveTrace:
    """Replaces an existing file. A full disk ends the trace, not the server."""

    def __init__(self, path: Path, secrets: Secrets) -> None:
        """Raises UsageError when the file cannot be written. It is opened, and emptied, when the context is entered."""
        check_file("--trace", path)
        self._path = path
        self._secrets = secrets
        self.works = True
        """False once something could not be written."""

    def __enter__(self) -> Self:
        try:
            self._file = self._path.open("w", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"--trace {self._path}: {error.strerror or error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()
        self._try(self._file.close)

    def write(self, event: TraceEvent) -> None:
        if self.works:
            line = to_line(event, self._secrets)
            self._try(lambda: self._file.write(line + "\n"))

    def flush(self) -> None:
        if self.works:
            self._try(self._file.flush)

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            if self.works:
                sys.stderr.write(f"the trace {self._path} ends here: {error.strerror or error}\n")
            self.works = False
