"""Scenario files that tests write and run, in virtual time or over loopback sockets."""

from __future__ import annotations

import asyncio
from pathlib import Path
from textwrap import dedent
from typing import Any

from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import Expanded, expand
from fleetrig.harness.scenario_file.template import read_scenario
from fleetrig.harness.verdict import Report

HEAD = """
    scenario: It works
    devices: {flow: hawkbit, count: 2, serial: "HB-{n}", backoff: {policy: fixed, base: 1s}}
    server: {settings: {pollingTime: "00:00:01"}}
"""
PASSES = """
    phases:
      - name: first contact
        do: [preregister, power_on]
        within: 10s
        expect: [{reaches: {stage: online}}, {registry: {in_state: registered}}]
"""
FAILS = """
    phases:
      - name: first contact
        do: [preregister, power_on]
        within: 10s
        expect: [{reaches: {stage: online}}]
      - name: bad
        for: 3s
        expect:
          - sends: {name: download}
          - registry: {in_state: in_sync}
          - gap: {at_least: 1s}
      - name: never run
        for: 1s
"""
VIOLATES = FAILS.replace("sends: {name: download}", "never: {sends: {name: poll}}")
"""Once a device polls, nothing can mend it."""
WARNS = (
    PASSES
    + """
      - name: merely recommended
        for: 2s
        expect:
          - {gap: {at_least: 30s}, severity: warning, cites: [hawkbit#V01]}
"""
)
BREAKS = """
    phases:
      - name: first contact
        do: [preregister, power_on]
        within: 10s
        expect: [{reaches: {stage: online}}]
      - name: impossible
        do: cancel
      - name: never run
        for: 1s
"""


def write_scenario(folder: Path, body: str, name: str = "hawkbit/x", head: str = HEAD) -> Path:
    """A scenario file below `folder`/scenarios."""
    path = folder / "scenarios" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(head).lstrip() + dedent(body), encoding="utf-8")
    return path


def expanded(folder: Path, body: str, name: str = "hawkbit/x", head: str = HEAD) -> Expanded:
    """The only run of such a file."""
    (one,) = expand(read_scenario(write_scenario(folder, body, name, head), name))
    return one


def run_once(folder: Path, body: str, *, name: str = "hawkbit/x", head: str = HEAD, **options: Any) -> Report:
    """Runs it, with its results below `folder`."""
    given = {"results": folder / "results", **options}
    return asyncio.run(run(expanded(folder, body, name, head), RunOptions(**given)))
