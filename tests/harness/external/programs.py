"""Rows with a program as their device, several at once: what the tests of each platform's program share."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from fleetrig.harness.external.command import device_command
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.verdict import Report

SCENARIOS = Path(__file__).parents[3] / "scenarios"


def side_by_side(program: Path, rows: Sequence[tuple[str, str]], folder: Path, at_once: int) -> list[Report]:
    """`rows`: (id below `scenarios`, habit of the program). They mostly wait, but programs take their time to start."""

    async def all_of_them() -> list[Report]:
        gate = asyncio.Semaphore(at_once)

        async def one(number: int, name: str, habit: str) -> Report:
            (row,) = plan([name], SCENARIOS)
            device = device_command(f"{sys.executable} {program} {habit}")
            async with gate:
                return await run(row, RunOptions(device=device, results=folder / str(number)))

        return await asyncio.gather(*(one(number, *row) for number, row in enumerate(rows)))

    return asyncio.run(all_of_them())
