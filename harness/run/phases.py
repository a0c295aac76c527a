"""Directing one scenario: set up, then phase after phase until one fails. The same code in both times.

The exact order: settings → the fleet → faults of the run → for each phase its faults, its actions, the wait that it
asks for, then its checks: questions to the server first, since events go on being watched until all are answered.
`course` says how far a run has come, also when the director is broken off.
"""

from __future__ import annotations

from collections.abc import Sequence

from fleetrig.harness.checks.evaluators import judge_of
from fleetrig.harness.external.view import lens_of
from fleetrig.harness.platforms.hawkbit.setup import set_up
from fleetrig.harness.run.actions import perform
from fleetrig.harness.run.context import Rig
from fleetrig.harness.run.evaluation import judge_all, looking, result_of
from fleetrig.harness.scenario_file.scenario import Phase
from fleetrig.harness.scenario_file.titles import title_of
from fleetrig.harness.verdict import PhaseResult, Verdict
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.drivers.director import AdminCall, Director


def direct(rig: Rig) -> Director[tuple[PhaseResult, ...]]:
    """Runs the scenario; stops after the first phase that fails, since what follows builds on it.

    Deviations that are known do not stop it, unless nothing can come of the rest.
    """
    rig.tell("begun", rig.prefix)
    yield from set_up(rig)
    yield from add_faults(rig, [line.to_fault() for line in rig.scenario.faults])
    done = rig.course.done
    for phase in rig.scenario.phases:
        done.append((yield from run_phase(rig, phase)))
        rig.course.phase = ""
        if done[-1].verdict is Verdict.FAILED:
            return tuple(done)
        if rig.known.ends_run(done[-1]):
            break
    else:
        check_cuts(rig)
    done += rig.known.unexpected()
    return tuple(done)


def run_phase(rig: Rig, phase: Phase) -> Director[PhaseResult]:
    """Does what the phase does, watching from its first moment; then waits as it says, and judges."""
    rig.course.phase, rig.course.began_us = phase.name, rig.bench.now_us()
    rig.tell("phase", phase.name)
    expected = rig.scenario.checks_of(phase)
    judges = [judge_of(rig, check.arguments) for check in expected]
    folds = [judge for judge in judges if not callable(judge)]
    stop_watching = rig.bench.trace.listen(looking(lens_of(rig.scenario), folds))
    try:
        yield from add_faults(rig, [line.to_fault() for line in phase.faults])
        for action in phase.do:
            rig.tell("action", title_of(action))
            yield from perform(rig, action.arguments)
        findings = yield from judge_all(rig, phase, expected, judges)
    finally:
        stop_watching()
    pairs = zip(expected, findings, strict=True)
    checks = tuple(rig.known.result(phase.name, check, result_of(check, finding)) for check, finding in pairs)
    result = PhaseResult(phase.name, checks, to_s(rig.bench.now_us() - rig.course.began_us))
    rig.tell("verdict", phase.name, result.verdict)
    return result


def add_faults(rig: Rig, faults: Sequence[Fault]) -> AdminCall[None]:
    """Raises BrokenBench where nobody can make the server fail."""
    if faults and rig.server.add_fault is None:
        raise BrokenBench(
            f"{rig.server.name} cannot be made to fail; say `needs: [reference.faults]` to skip the scenario there"
        )
    for fault in faults:
        assert rig.server.add_fault is not None
        rig.fault_ids.append((yield from rig.server.add_fault(fault)))


def check_cuts(rig: Rig) -> None:
    """Raises BrokenBench when a power cut that was ordered never came about: then nothing was proven."""
    for serial, watch in rig.cuts.items():
        if not watch.fired:
            raise BrokenBench(f"{serial} never came to {watch.cut}, so its power was never cut and nothing was proven")
