"""The trace of a program that runs for long: lines of JSON, on disk within a second or so."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Self

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.contract.trace_json import to_line


class LiveTrace:
    """Replaces an existing file. A full disk ends the trace, not the server."""

    def __init__(self, path: Path, secrets: Secrets) -> None:
        """Raises UsageError when the file cannot be written. It is opened, and emptied, when the context is entered."""
        if not os.access(path if path.exists() else path.parent, os.W_OK) or path.is_dir():
            raise UsageError(f"--trace {path}: this file cannot be written")
        self._path = path
        self._secrets = secrets
        self._works = True

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
        if self._works:
            line = to_line(event, self._secrets)
            self._try(lambda: self._file.write(line + "\n"))

    def flush(self) -> None:
        if self._works:
            self._try(self._file.flush)

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            if self._works:
                sys.stderr.write(f"the trace {self._path} ends here: {error.strerror or error}\n")
            self._works = False
