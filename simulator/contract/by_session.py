"""What is remembered of each session, in bounded memory: by it, an answer in a trace finds its question."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MAX_SESSIONS: Final = 10_000


class BySession(Generic[T]):
    """Beyond `at_most` sessions, that for which nothing was put for the longest time is forgotten."""

    def __init__(self, at_most: int = MAX_SESSIONS) -> None:
        self._at_most = at_most
        self._values: OrderedDict[int, T] = OrderedDict()

    def put(self, session: int, value: T) -> None:
        values = self._values
        if session in values:
            values.move_to_end(session)
        elif len(values) >= self._at_most:
            values.popitem(last=False)
        values[session] = value

    def get(self, session: int) -> T | None:
        return self._values.get(session)
