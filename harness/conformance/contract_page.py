"""A platform's contract as a page: its clauses, then every row that code, scenarios and reports cite."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from fleetrig.harness.conformance.row import Row, number_of

CLAUSE: Final = re.compile(r"§\d+(?:\.\d+)*")
MADE: Final = "<!-- Made by `make contracts`. Change the rows or the clauses, not this file. -->"


@dataclass(frozen=True, slots=True)
class ContractRow:
    """One row as the page shows it."""

    number: str
    path: str
    """`auth/wrong-token`; a row for devices has none."""
    severity: str
    sentence: str
    differences: tuple[tuple[str, str], ...] = ()
    """(profile, what it does otherwise)."""
    clauses: tuple[str, ...] = ()
    """`§2.4`."""


def server_rows(rows: Sequence[Row[Any]], differences: dict[str, list[tuple[str, str]]]) -> Iterator[ContractRow]:
    """The rows of a suite. Which clauses they are about stands in the docstring of their module."""
    for row in sorted(rows, key=number_of):
        about = sys.modules[row.check.__module__].__doc__ or ""
        clauses = tuple(dict.fromkeys(CLAUSE.findall(about)))
        yield ContractRow(
            row.number, row.path, row.severity.value, row.title, tuple(differences.get(row.number, ())), clauses
        )


def contract_page(
    title: str, about: str, clauses: str, servers: Iterable[ContractRow], devices: Iterable[ContractRow]
) -> str:
    """The whole page, Markdown. `clauses` is Markdown with a heading `### §…` for each."""
    lines = [f"# {title}", "", MADE, "", about, "", "## Rows for servers", "", *_server_tables(servers)]
    lines += ["## Rows for devices", "", "| row | severity | a device … |", "|---|---|---|"]
    lines += [f"| {_anchor(row)} | {row.severity} | {_lower(row.sentence)} |" for row in devices]
    return "\n".join([*lines, "", "## Clauses", "", clauses.strip(), ""])


def _server_tables(rows: Iterable[ContractRow]) -> Iterator[str]:
    """A table per resource, in the order of the numbers of their first rows."""
    by_resource = sorted(rows, key=lambda row: row.path.partition("/")[0])
    tables = [(name, list(members)) for name, members in groupby(by_resource, lambda row: row.path.partition("/")[0])]
    for name, members in sorted(tables, key=lambda table: _order(table[1][0])):
        clauses = ", ".join(members[0].clauses)
        yield from (f"### {name}" + (f" ({clauses})" if clauses else ""), "")
        yield from ("| row | path | severity | what the server does | other profiles |", "|---|---|---|---|---|")
        for row in members:
            other = "; ".join(f"{profile}: {what}" for profile, what in row.differences)
            yield f"| {_anchor(row)} | `{row.path}` | {row.severity} | {row.sentence} | {other} |".replace(
                "|  |", "| |"
            )
        yield ""


def _anchor(row: ContractRow) -> str:
    """The number, and a place for links to it."""
    return f'<a id="{row.number}"></a>{row.number}'


def _order(row: ContractRow) -> tuple[str, int]:
    return row.number.rstrip("0123456789"), int(row.number.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def clauses_of(page: str) -> frozenset[str]:
    """`§2.4` of each heading of a page."""
    return frozenset(re.findall(rf"(?m)^### ({CLAUSE.pattern}) ", page))


def rows_of(page: str) -> frozenset[str]:
    """`S47` of each row of a page."""
    return frozenset(re.findall(r'<a id="([A-Z]\d+)">', page))
