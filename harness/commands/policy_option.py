"""`--policy-from`: the devices of a run back off as those of a stored trace did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.fleets.policy_of_trace import PolicyFound, policy_of_trace
from fleetrig.harness.scenario_file.backoff_line import BackoffLine
from fleetrig.harness.scenario_file.selection import Expanded
from fleetrig.simulator.backoff import Backoff

PolicyFrom = Annotated[
    Path | None,
    typer.Option("--policy-from", metavar="TRACE", help="Devices back off as those of this stored trace did."),
]


def with_policy_from(path: Path, runs: Sequence[Expanded]) -> tuple[PolicyFound, tuple[Expanded, ...]]:
    """What was found, and the runs with it. Raises UsageError for a trace that shows too little."""
    found = policy_of_trace(path)
    return found, tuple(with_backoff(one, found.backoff) for one in runs)


def with_backoff(expanded: Expanded, backoff: Backoff) -> Expanded:
    """The same run, in which all devices back off like this, those of its cohorts too."""
    line, devices = BackoffLine.of(backoff), expanded.scenario.devices
    cohorts = tuple(cohort.model_copy(update={"backoff": None}) for cohort in devices.cohorts)
    changed = devices.model_copy(update={"backoff": line, "cohorts": cohorts})
    return replace(expanded, scenario=expanded.scenario.model_copy(update={"devices": changed}))
