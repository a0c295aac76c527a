"""The names in Hono's vocabulary are among those that its flow yields, and stand once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.platforms.hono.vocabulary import EXCHANGES, MOMENTS, PROGRAM_EXCHANGES, VOCABULARY
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.verdict import Verdict
from fleetrig.reference_server.platforms.hono.provisioning.steps import Step
from fleetrig.simulator.agent import cut_points, effect_name
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import Behaviour, Effect, Flow
from tests.harness.platforms.hono.library import NOT_IN, name_of, runs

RARE_MOMENTS = {"pause-start-spread", "pause-nothing-to-do", "pause-lost-race"}
"""Only of fleets that spread their start, in place of programs, and after a 409."""
RARE_EXCHANGES = {"gateway-event"}
"""Of gateways that send events."""


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

    skipped: set[str] = set()
    for expanded in runs():
        options = RunOptions(results=tmp_path, behaviour=noting(note))
        report = asyncio.run(run(expanded, options))
        assert report.verdict in (Verdict.PASSED, Verdict.SKIPPED), report
        if report.verdict is Verdict.SKIPPED:
            skipped.add(name_of(expanded))
    assert skipped == NOT_IN["2"]
    assert exchanges <= set(EXCHANGES)
    assert set(EXCHANGES) - exchanges <= RARE_EXCHANGES
    assert moments <= set(MOMENTS)
    assert set(MOMENTS) - moments <= RARE_MOMENTS


def test_no_name_stands_twice() -> None:
    names = (*EXCHANGES, *PROGRAM_EXCHANGES, *MOMENTS)
    assert len(set(names)) == len(names)


def test_the_steps_are_those_of_the_server() -> None:
    assert VOCABULARY.server_steps == tuple(Step)
