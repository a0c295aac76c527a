"""The policy that a command gives to the devices of a scenario, in place of the one in the file."""

from __future__ import annotations

from dataclasses import replace

from fleetrig.harness.scenario_file.backoff_line import BackoffLine
from fleetrig.harness.scenario_file.selection import Expanded


def with_backoff(expanded: Expanded, line: BackoffLine) -> Expanded:
    """The same run, in which all devices back off like this, those of its cohorts too."""
    devices = expanded.scenario.devices
    cohorts = tuple(cohort.model_copy(update={"backoff": None}) for cohort in devices.cohorts)
    changed = devices.model_copy(update={"backoff": line, "cohorts": cohorts})
    return replace(expanded, scenario=expanded.scenario.model_copy(update={"devices": changed}))
