"""Takes what a simulation made off the server again, several records at a time."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from fleetrig.harness.report.fleet_screen import FleetScreen
from fleetrig.harness.simulation.plan import TemporaryDevices
from fleetrig.simulator.drivers.realtime import RealBench

PARALLEL_DELETIONS: Final = 8
"""Number of records deleted at the same time."""
ROUNDS: Final = 3
"""So often it is looked up what is there: a request in progress when its device was switched off may make one more."""


async def delete_all(operator: RealBench, temporary: TemporaryDevices, url: str, screen: FleetScreen) -> None:
    """Until there is nothing more to find. `operator` acts as an administrator."""
    say_deleting(temporary, url, screen)
    for _ in range(ROUNDS):
        known = len(temporary.created)
        await operator.run(temporary.find_created())
        if not temporary.created:
            break
        if len(temporary.created) != known:
            say_deleting(temporary, url, screen)
        workers = [operator.run(temporary.delete_all()) for _ in range(PARALLEL_DELETIONS)]
        for failed in filter(None, await asyncio.gather(*workers, return_exceptions=True)):
            raise failed
    await operator.run(temporary.restore_settings())


def say_deleting(temporary: TemporaryDevices, url: str, screen: FleetScreen) -> None:
    """How much there is to do, and from then on how much of it is done."""
    if temporary.created:
        screen.say(f"deleting {len(temporary.created):,} {temporary.noun} on {url}")
        screen.count(partial(deleted_text, temporary, len(temporary.created)))


def deleted_text(temporary: TemporaryDevices, of: int) -> str:
    """`deleted 1,200 of 5,000 targets`."""
    return f"deleted {of - len(temporary.created):,} of {of:,} {temporary.noun}"


def left_behind_text(temporary: TemporaryDevices, url: str, why: str) -> str:
    """What is left, why, and how to remove it by hand; empty if nothing is."""
    left = temporary.left_behind()
    return f"left behind on {url}: {left} ({why}); {temporary.how_to_remove()}" if left else ""
