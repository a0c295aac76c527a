"""The bracket around a store's writes: opened, then committed or rolled back, then those who wait are called."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from fleetrig.simulator.contract.errors import ModelError


class Transaction:
    """One for each store, used again and again: a request pays for two method calls, not for a generator."""

    __slots__ = ("_commit", "_rollback", "_waiting", "is_open")

    def __init__(self, commit: Callable[[], None], rollback: Callable[[], None]) -> None:
        self._commit = commit
        self._rollback = rollback
        self._waiting: list[Callable[[bool], None]] = []
        self.is_open = False

    def when_settled(self, settle: Callable[[bool], None]) -> None:
        if self.is_open:
            self._waiting.append(settle)
        else:
            settle(True)

    def __enter__(self) -> None:
        if self.is_open:
            raise ModelError("a transaction is open already: they are not nested")
        self.is_open = True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        committed = False
        try:
            if kind is None:
                self._commit()
                committed = True
            else:
                self._rollback()
        finally:
            self.is_open = False
            if self._waiting:
                self._settle(committed)

    def _settle(self, committed: bool) -> None:
        waiting, self._waiting = self._waiting, []
        for settle in waiting:
            settle(committed)
