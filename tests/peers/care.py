"""Programs and folders that end with a test, whatever becomes of it."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from tests.peers.programs import Program

P = TypeVar("P", bound=Program)


class Care:
    """Programs in its care are stopped with the test, and what they said is shown if it failed."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def take(self, program: P) -> P:
        self._stack.callback(program.show)
        self._stack.callback(program.stop)
        return program

    def short_folder(self) -> Path:
        """Not below tmp_path: a socket's path has 108 characters at most."""
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="peer-", ignore_cleanup_errors=True)))
