"""What is the board's fault, not the bench's: a finding, exit code 1. The bench's own failures are BrokenBench."""

from __future__ import annotations


class BoardFailed(Exception):
    """`str()` is a sentence: what was expected, what came, and what to do next."""


class ConsoleFailed(BoardFailed):
    """The console did not do as it was told. `partial` is what it said until then, never shown as if it were whole."""

    def __init__(self, said: str, partial: str = "") -> None:
        super().__init__(said)
        self.partial = partial
