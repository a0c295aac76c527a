"""The scenario that `fleetrig new` writes: each platform has one."""

from __future__ import annotations

from fleetrig.harness.platforms import PLATFORMS, load


def starter_for(scenario_id: str) -> str:
    """The text to start from: that of the platform whose name the id begins with, else of the first one."""
    folder = scenario_id.partition("/")[0]
    text: str = load(folder if folder in PLATFORMS else next(iter(PLATFORMS)), "starter:STARTER")
    return text
