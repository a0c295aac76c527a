"""The check `steps`: what the server tells of its way to an answer, in order and session by session."""

from __future__ import annotations

import pytest

from fleetrig.harness.checks.fold import Status
from fleetrig.harness.checks.lives import Lives
from fleetrig.harness.checks.step_folds import StepsFold
from fleetrig.harness.scenario_file.values import Times
from fleetrig.simulator.contract.trace import Lane, TraceEvent

IN_ORDER = ("found", "created", "asserted")


def fold(times: Times = Times(at_least=1), device: str = "*") -> StepsFold:  # noqa: B008 (frozen)
    return StepsFold(IN_ORDER, times, Lives(["d1"], ["d1"]), device)


def watch(watching: StepsFold, *steps: str) -> Status:
    """Each as `session:name`, or `session:name:device`."""
    for at, step in enumerate(steps):
        session, name, *device = step.split(":")
        event = TraceEvent(at, at, "".join(device) or "d1", Lane.SERVER, "step", name=name, session=int(session))
        watching.step(event)
    return watching.status()


@pytest.mark.parametrize(
    "steps",
    [
        ["1:found", "1:created", "1:asserted"],
        ["1:found", "1:looked", "1:created", "1:sent", "1:asserted"],
        ["1:found", "2:found", "1:created", "2:missing", "1:asserted"],
        ["1:found", "1:found", "1:created", "1:asserted"],
    ],
    ids=["as they are", "with others between", "beside another session", "begun anew"],
)
def test_the_steps_in_their_order(steps: list[str]) -> None:
    watching = fold()
    assert watch(watching, *steps) is Status.MET
    assert watching.measured() == "once"


@pytest.mark.parametrize(
    "steps",
    [
        ["1:created", "1:found", "1:asserted"],
        ["1:found", "2:created", "1:asserted"],
        ["1:found", "1:created", "1:found", "1:asserted"],
        ["1:found", "1:created"],
    ],
    ids=["another order", "of two sessions", "of two exchanges", "not all"],
)
def test_what_is_not_in_order_does_not_count(steps: list[str]) -> None:
    watching = fold()
    assert watch(watching, *steps) is Status.OPEN
    finding = watching.finding()
    assert finding.expected == "the server takes found, then created, then asserted: at least once"
    assert finding.got.startswith("never; steps seen: ")
    assert "found ×" in finding.got


def test_once_too_often() -> None:
    watching = fold(Times(at_least=1, at_most=1))
    once = ["1:found", "1:created", "1:asserted"]
    assert watch(watching, *once) is Status.MET
    assert watch(watching, *once) is Status.VIOLATED
    assert watching.finding().evidence


def test_only_of_some_devices() -> None:
    watching = fold(device="d2")
    assert watch(watching, "1:found", "1:created", "1:asserted") is Status.OPEN
    assert watch(watching, "2:found:d2", "2:created:d2", "2:asserted:d2") is Status.MET
