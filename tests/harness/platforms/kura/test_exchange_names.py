"""The names in Kura's vocabulary are among those that its flow yields, and stand once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from fleetrig.harness.platforms.kura.vocabulary import EXCHANGES, MOMENTS, PROGRAM_EXCHANGES
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.simulator.agent import cut_points, effect_name
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import Behaviour, Effect, Flow
from tests.harness.command import PROJECT

RUNS: Final = (
    "kura/attachments", "kura/first_contact", "kura/move", "kura/move_stranded", "kura/control_not_signed",
    "kura/missing_or_gone", "kura/device_gives_up", "kura/poisoned_queue",
)  # fmt: skip
"""Together they come to all that a gateway does."""
RARE_MOMENTS: Final = {
    "pause-start-spread", "pause-nothing-to-do", "pause-reboot", "draw-device-key", "enter-updating", "remember-fault",
    "remember-rejected_control",
}  # fmt: skip
"""Only of fleets that spread their start, of gateways that wait, reboot, or ask for a certificate."""
RARE_EXCHANGES: Final = {"apps", "ping"}
"""Of gateways whose applications change, and of those that say nothing for long."""


def noting(note: Callable[[Effect], None]) -> Callable[[Behaviour], Behaviour]:
    """The same device; its effects are noted. Its flow may end."""

    def change(behaviour: Behaviour) -> Behaviour:
        def noted(device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
            flow = behaviour(device, remembered)
            outcome: Any = None
            while True:
                try:
                    effect = flow.send(outcome)
                except StopIteration:
                    return
                note(effect)
                outcome = yield effect

        return noted

    return change


@pytest.mark.slow
def test_the_vocabulary_names_what_the_flow_yields(tmp_path: Path) -> None:
    moments: set[str] = set()
    exchanges: set[str] = set()

    def note(effect: Effect) -> None:
        (exchanges if len(cut_points(effect)) > 1 else moments).add(effect_name(effect))

    for expanded in plan(RUNS, PROJECT / "scenarios"):
        asyncio.run(run(expanded, RunOptions(results=tmp_path, behaviour=noting(note))))
    assert exchanges <= set(EXCHANGES)
    assert set(EXCHANGES) - exchanges <= RARE_EXCHANGES
    assert moments <= set(MOMENTS)
    assert set(MOMENTS) - moments <= RARE_MOMENTS


def test_no_name_stands_twice() -> None:
    names = (*EXCHANGES, *PROGRAM_EXCHANGES, *MOMENTS)
    assert len(set(names)) == len(names)
