"""The policy of a real device, read off a stored trace, beside those that a study compares."""

from __future__ import annotations

from collections.abc import Mapping

from fleetrig.harness.scenario_file.backoff_line import BackoffLine
from fleetrig.harness.scenario_file.marks import locate
from fleetrig.harness.scenario_file.template import PLACE, ScenarioFile
from fleetrig.harness.studies.study_file import LABEL_CHARS, StudyFile
from fleetrig.simulator.backoff import Backoff
from fleetrig.simulator.contract.errors import UsageError


def with_traced_policy(study: StudyFile, file: ScenarioFile, name: str, backoff: Backoff) -> StudyFile:
    """The study with one more value on the axis that sweeps the backoff. Raises UsageError where none does."""
    param = backoff_param(file)
    axis = next((axis for axis, values in study.sweep.items() if _always_sets(values, param)), None)
    if not param or axis is None:
        raise UsageError(
            "--policy-from: this study compares no policies: expected a sweep of names that each set "
            f"{param or 'a param that alone stands for devices.backoff'}"
        )
    values = study.sweep[axis]
    assert isinstance(values, Mapping)
    line = BackoffLine.of(backoff).model_dump(mode="json", by_alias=True, exclude_none=True)
    label = f"as in {name}"[:LABEL_CHARS]
    return study.model_copy(update={"sweep": {**study.sweep, axis: {**values, label: {param: line}}}})


def backoff_param(file: ScenarioFile) -> str:
    """The param that alone stands for `devices.backoff`; empty when there is none."""
    _, raw = locate(file.source.tree, ("devices", "backoff"))
    found = PLACE.fullmatch(raw) if isinstance(raw, str) else None
    return found[1] if found and found[1] in file.heading.params else ""


def _always_sets(values: object, param: str) -> bool:
    return isinstance(values, Mapping) and all(param in params for params in values.values())
