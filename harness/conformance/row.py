"""What a conformance suite is made of: rows, in resources, each with its number in the contract.

A row is a function that uses a server and says what it expects (`findings`). It may need capabilities of the server,
and everything it creates there is removed afterwards, even if it fails.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fleetrig.harness.verdict import Severity
from fleetrig.simulator.contract.errors import NoSuchId

S = TypeVar("S")
"""The client that a platform's rows use."""


@dataclass(frozen=True, slots=True)
class Row(Generic[S]):
    """One row of a contract."""

    number: str
    """`S41`, as in the contract."""
    path: str
    """`auth/wrong-token`."""
    title: str
    severity: Severity
    needs: tuple[str, ...]
    check: Callable[[S], None]
    clause: str
    """Where the contract says so: `PLATFORM#S41`."""

    @property
    def platform(self) -> str:
        return self.clause.partition("#")[0]


class Resource(Generic[S]):
    """The rows of one resource of the contract, in the order in which they were written down."""

    def __init__(self, platform: str, name: str) -> None:
        self.platform = platform
        self.name = name
        self.rows: list[Row[S]] = []

    def row(
        self, number: str, slug: str, title: str, *, severity: Severity = Severity.ERROR, needs: tuple[str, ...] = ()
    ) -> Callable[[Callable[[S], None]], Callable[[S], None]]:
        """Registers a check under its number and path."""

        def register(check: Callable[[S], None]) -> Callable[[S], None]:
            clause = f"{self.platform}#{number}"
            self.rows.append(Row(number, f"{self.name}/{slug}", title, severity, needs, check, clause))
            return check

        return register


def number_of(row: Row[Any]) -> tuple[str, int]:
    """Sorts S9 before S10."""
    return row.number.rstrip("0123456789"), int(row.number.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") or 0)


def select(rows: Sequence[Row[S]], wanted: Sequence[str]) -> list[Row[S]]:
    """The rows meant by numbers and path prefixes; all when nothing is named. Raises NoSuchId with the nearest one."""
    chosen: dict[str, Row[S]] = {}
    for one in wanted:
        found = list(_meant_by(one, rows))
        if not found:
            names = [name for row in rows for name in (row.number, row.path, row.path.partition("/")[0])]
            near = difflib.get_close_matches(one, names, n=1)
            hint = f"did you mean {near[0]}?" if near else "--list shows what there is"
            raise NoSuchId(f"no row is called {one}; {hint}")
        chosen |= {row.path: row for row in found}
    return sorted(chosen.values() if wanted else rows, key=number_of)


def _meant_by(text: str, rows: Sequence[Row[S]]) -> Iterator[Row[S]]:
    for row in rows:
        if text in (row.number, row.path) or row.path.startswith(text.rstrip("/") + "/"):
            yield row


def listing(rows: Sequence[Row[Any]]) -> Iterator[str]:
    """One line per row: `S41  auth/wrong-token  error  title`."""
    widest = max((len(row.path) for row in rows), default=0)
    for row in rows:
        yield f"{row.number:<5} {row.path:<{widest}}  {row.severity:<7}  {row.title}"
