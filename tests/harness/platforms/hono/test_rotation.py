"""Scenarios about renewed certificates are about those: a rotation that does nothing, or less, is found."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import pytest

from fleetrig.harness.platforms.hono import work
from fleetrig.harness.platforms.hono.actions import PERFORM
from fleetrig.harness.platforms.hono.hono_run import HonoRun
from fleetrig.harness.platforms.hono.words import RotateCredentials
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.simulator.drivers.director import Director
from tests.harness.platforms.hono.library import SCENARIOS

RUNS = [
    f"hono/{name}[over={over}]" for name in ("renewed", "renamed_with_template") for over in ("http", "mqtt", "coap")
]


def nothing(_run: HonoRun, _words: RotateCredentials) -> Director[None]:
    yield from ()


def outcome(name: str, folder: Path) -> Report:
    [one] = plan([name], SCENARIOS)
    return asyncio.run(run(one, RunOptions(results=folder)))


@pytest.mark.parametrize("name", RUNS)
def test_a_rotation_that_does_nothing_is_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcome(name, tmp_path).verdict is Verdict.PASSED
    changed: dict[type, Callable[..., Director[None]]] = {**PERFORM, RotateCredentials: nothing}
    monkeypatch.setattr(work, "PERFORM", MappingProxyType(changed))
    report = outcome(name, tmp_path)
    assert report.verdict is Verdict.FAILED, report
