"""The page for support says of each cell of the matrix what a scenario runs."""

from __future__ import annotations

from fleetrig.harness.platforms.thingsboard.settings import CHAIN, CHECK, CREATE
from tests.recovery_table import ACCIDENTS, CREDENTIALS, PAGE, RELEASES, page, rows

KINDS = frozenset(CREDENTIALS)


def test_the_table_is_made_from_the_scenarios() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "make contracts writes it anew"


def test_each_kind_of_credentials_is_tried_with_each_accident_in_each_strategy_and_release() -> None:
    cells: dict[tuple[str, str, str], set[str]] = {}
    for row, kinds in rows().items():
        cells.setdefault((row.strategy, row.happened, row.releases), set()).update(kinds)
    lost, reset, deleted, renamed = ACCIDENTS.values()
    once, again, chain = RELEASES.values()
    everywhere = [(CREATE, what, "all") for what in (lost, reset, deleted, renamed, f"{renamed}, then {reset}")]
    everywhere += [(CHECK, what, "all") for what in (deleted, renamed, f"{renamed}, then {reset}")]
    everywhere += [(CHECK, what, release) for what in (lost, reset) for release in (once, again)]
    assert {cell for cell, kinds in cells.items() if kinds == KINDS} == set(everywhere)
    assert {cell for cell, kinds in cells.items() if kinds == {"certificate_chain"}} == {
        (CHAIN, what, chain) for what in (lost, reset, deleted, renamed)
    }
    assert len(cells) == len(everywhere) + 4
