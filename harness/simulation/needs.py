"""What a simulated fleet needs of this machine, said before it starts: each device has a connection of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fleetrig.harness.load.needs import HostLimits, LoadNeeds
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.errors import BrokenBench

TOLD_FROM: Final = 1_000
"""Fewer devices need nothing worth a line."""


def connections_of(agents: Iterable[Agent]) -> int:
    """Those behind a gateway share its connection."""
    return len({agent.identity.gateway or agent.identity.serial for agent in agents})


def needs_text(connections: int, limits: HostLimits) -> str:
    """A line about ports and open files; empty for a small fleet. Raises BrokenBench when there are too few ports."""
    needs = LoadNeeds(connections, 1, limits)
    if needs.addresses > 1:
        raise BrokenBench(
            f"{needs.sentence()}, but simulated devices connect from one address: simulate at most "
            f"{needs.most_per_address:,}, or take a scenario and `fleetrig load`, which connects from several"
        )
    return needs.sentence() if connections >= TOLD_FROM else ""
