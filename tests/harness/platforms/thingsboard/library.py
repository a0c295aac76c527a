"""The scenarios of ThingsBoard, and which of them are about another generation of the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.harness.scenario_file.selection import Expanded, plan
from tests.harness.command import PROJECT

SCENARIOS: Final = PROJECT / "scenarios"
OF_CHAINS: Final = frozenset(
    {"certificate_chain", "chain_creates_none", "chain_refused", "recovery/chain", "recovery/chain_renamed"}
)
OF_ONE_ANSWER: Final = frozenset({"second_request", "recovery/check_forgotten"})
NOT_IN: Final[Mapping[str, frozenset[str]]] = {
    "4.3": frozenset(
        {"as_documented", "gateway_before_3_8", "recovery/check_forgotten_older", "broker_restart_imported"}
    ),
    "4.2": frozenset({"as_documented", "gateway_before_3_8"}) | OF_ONE_ANSWER,
    "3.2": frozenset({"as_documented", "gateway"}) | OF_ONE_ANSWER | OF_CHAINS,
}
"""Profile -> the scenarios that are about another generation."""
SLOW: Final = frozenset({"power_cuts", "boot_storm"})
"""Tried in the newest profile alone, as items of their own."""


def runs() -> tuple[Expanded, ...]:
    """All but the slow ones."""
    return tuple(one for one in plan(["thingsboard"], SCENARIOS) if name_of(one) not in SLOW)


def name_of(one: Expanded) -> str:
    return one.scenario.id.removeprefix("thingsboard/")
