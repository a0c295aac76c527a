"""The part of a large fleet's trace that is written: whole lives of a few devices, and all that the bench did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from fleetrig.harness.verdict import CheckResult, PhaseResult
from fleetrig.simulator.contract.trace import ChoosesDevice

ONE_OF: Final = 64
"""Of so many devices one is written. An exchange takes up to two KiB, so a million take less than 50 MB."""

WRITTEN_WHOLE: Final = 5_000
"""Of a run with more devices the whole trace is written only if somebody asks for it: it takes longer than the run."""


def one_of_many() -> ChoosesDevice:
    """Chooses the first device, and every 64th after it, from power-on to the end."""
    return ChosenDevices({"": True}).__getitem__


def evidence_kept(phases: Sequence[PhaseResult], chooses: ChoosesDevice | None) -> tuple[PhaseResult, ...]:
    """The same; evidence of devices that were not chosen says that it is not in the trace."""
    if chooses is None:
        return tuple(phases)
    return tuple(
        replace(phase, checks=tuple(_with_evidence_kept(check, chooses) for check in phase.checks)) for phase in phases
    )


def _with_evidence_kept(check: CheckResult, chooses: ChoosesDevice) -> CheckResult:
    if check.finding is None:
        return check
    evidence = tuple(replace(one, is_in_trace=chooses(one.device)) for one in check.finding.evidence)
    return replace(check, finding=replace(check.finding, evidence=evidence))


class ChosenDevices(dict[str, bool]):
    """Serial -> whether it is chosen, decided when it is first asked about."""

    def __missing__(self, device: str) -> bool:
        self[device] = is_chosen = (len(self) - 1) % ONE_OF == 0
        return is_chosen
