"""The scenarios of Hono, and which of them are about another generation of the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.scenario_file.selection import Expanded, plan
from tests.harness.command import PROJECT

SCENARIOS: Final = PROJECT / "scenarios"
SLOW: Final = frozenset({"power_cuts", "factory_line"})
"""Tried in the newest profile alone, as items of their own."""
OF_ALL: Final = frozenset(
    {"first_contact_unsearched", "manual", "password_rotation", "psk", "sink_down", "wrong_password"}
)
"""Those that need no search of the registry: they are for 1.1 too."""


def runs() -> tuple[Expanded, ...]:
    """All but the slow ones."""
    return tuple(one for one in plan(["hono"], SCENARIOS) if name_of(one) not in SLOW)


def name_of(one: Expanded) -> str:
    return one.scenario.id.removeprefix("hono/")


NOT_IN: Final[Mapping[str, frozenset[str]]] = {
    "2": frozenset({"race_lost"}),
    "2-jdbc": frozenset({"clones", "credentials_disabled"}),
    "2-mongodb": frozenset({"clones", "credentials_disabled"}),
    "1": frozenset(map(name_of, runs())) - OF_ALL,
}
"""Profile -> the scenarios that are about another generation."""
