"""The trace of a program that runs for long: lines of JSON, on disk within a second or so."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from fleetrig.harness.commands.output_places import check_file
from fleetrig.harness.run.private_files import open_private
from fleetrig.simulator.contract.errors import UsageError, shown_path, system_said
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
        self.complaint = ""
        """Why the trace is not whole; empty while it is."""

    def __enter__(self) -> Self:
        try:
            self._file = open_private(self._path)
        except OSError as error:
            raise _cannot_write(self._path, error) from error
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()
        self._try(self._file.close)

    def write(self, event: TraceEvent) -> None:
        if not self.complaint:
            line = to_line(event, self._secrets)
            self._try(lambda: self._file.write(line + "\n"))

    def flush(self) -> None:
        if not self.complaint:
            self._try(self._file.flush)

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            if not self.complaint:
                self.complaint = f"the trace {self._path} is not whole: {system_said(error)}"
                with suppress(OSError):
                    sys.stderr.write(f"the trace {self._path} ends here: {system_said(error)}\n")


def _cannot_write(path: Path, error: OSError) -> UsageError:
    return UsageError(f"--trace {shown_path(path)}: {system_said(error)}")
