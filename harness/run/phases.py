"""Directing one scenario: set up, then phase after phase until one fails. The same code in both times.

The exact order: settings → the fleet → faults of the run → for each phase its faults, its actions, the wait that it
asks for, then its checks: questions to the server first, since events go on being watched until all are answered.
`context.progress` says how far the run has come, also when the director is interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from fleetrig.harness.checks.evaluators import evaluator_for
from fleetrig.harness.checks.fold import curves_of
from fleetrig.harness.checks.model_watch import ModelWatch
from fleetrig.harness.external.program_failed import ProgramFailed
from fleetrig.harness.external.view import note_heard, view_for
from fleetrig.harness.run.actions import perform
from fleetrig.harness.run.context import RunContext, build_devices
from fleetrig.harness.run.evaluation import (
    NOT_EVALUATED,
    CheckOutcome,
    evaluate_all,
    kinds_seen,
    result_of,
    through_view,
    trace_judged,
)
from fleetrig.harness.scenario_file.check_words import FollowsModel
from fleetrig.harness.scenario_file.scenario import Phase, Scenario
from fleetrig.harness.scenario_file.titles import flow_text, title_of
from fleetrig.harness.verdict import CheckResult, Finding, PhaseResult, Verdict
from fleetrig.hil.board_failed import BoardFailed
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.fault_json import fault_to_json
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.drivers.director import AdminCall, Director
from fleetrig.simulator.drivers.oracle_reading import Program
from fleetrig.simulator.drivers.oracle_rules import Tolerance

USUAL: Final = (("hits", "*"), ("at", "0s"), ("share", 1.0))
"""What a fault says when nobody has said anything."""


def run_scenario(context: RunContext) -> Director[tuple[PhaseResult, ...]]:
    """Runs the scenario; stops after the first phase that fails, since what follows builds on it.

    Known deviations do not stop it, unless they are marked `ends_run`.
    """
    context.view = view_for(context.scenario)
    if context.scenario.devices.external or context.scenario.played:
        context.driver.trace.listen(note_heard(context.view, context.heard))
    watch_models(context)
    context.emit("begun", context.prefix, context.boards.run if context.boards is not None else "")
    if context.boards is not None:
        for role, name in context.boards.names.items():
            context.emit("plays", role, name)
    yield from context.work.setup()
    build_devices(context)
    if context.scenario.server.capacity is not None and context.server.add_fault is not None:
        yield from add_faults(context, [context.scenario.server.capacity.to_fault()])
    yield from add_faults(context, [line.to_fault() for line in context.scenario.faults])
    done = context.progress.done
    for phase in context.scenario.phases:
        done.append((yield from run_phase(context, phase)))
        context.progress.phase = ""
        if done[-1].verdict is Verdict.FAILED:
            return tuple(done)
        if context.known.ends_run(done[-1]):
            break
    else:
        check_cuts(context)
    done += context.known.unexpected()
    return tuple(done)


def watch_models(context: RunContext) -> None:
    """From the first event on, where the scenario asks whether devices follow their models."""
    tolerances = tolerances_of(context.scenario)
    if tolerances:
        platform = context.platform
        context.model_watch = ModelWatch(
            platform.device_call, platform.leniency, lambda serial: program_of(context, serial), tolerances,
            lambda: next(iter(context.devices)) if len(context.devices) == 1 else "",
        )  # fmt: skip
        context.driver.trace.listen(context.model_watch.take)


def tolerances_of(scenario: Scenario) -> frozenset[Tolerance]:
    """Those of all checks `follows_model`."""
    words = (check.arguments for phase in scenario.phases for check in phase.expect)
    return frozenset(Tolerance(one.tolerance) for one in words if isinstance(one, FollowsModel))


def program_of(context: RunContext, serial: str) -> Program | None:
    """What a device of its platform runs, before a test has changed anything about it."""
    device = context.devices.get(serial)
    return None if device is None else partial(device.behaviour, device.identity)


def run_phase(context: RunContext, phase: Phase) -> Director[PhaseResult]:
    """Does what the phase does, watching from its first moment; then waits as it says, and judges."""
    context.progress.phase, context.progress.began_us = phase.name, context.driver.now_us()
    context.emit("phase", phase.name)
    expected = context.scenario.checks_of(phase)
    evaluators = [evaluator_for(context, check.arguments) for check in expected]
    folds = [evaluator for evaluator in evaluators if not callable(evaluator)]
    stop_watching = context.driver.trace.listen(through_view(context.view, folds), kinds_seen(context.view, folds))
    outcomes: Sequence[CheckOutcome] = [NOT_EVALUATED] * len(expected)
    try:
        yield from add_faults(context, [line.to_fault() for line in phase.faults])
        done = yield from perform_all(context, phase)
        if all(result.verdict is Verdict.PASSED for result in done):
            outcomes = yield from evaluate_all(context, phase, expected, evaluators)
            yield from end_line_faults(context)
    finally:
        stop_watching()
    pairs = zip(expected, outcomes, strict=True)
    judged = (context.known.result(phase.name, check, result_of(check, finding)) for check, finding in pairs)
    checks = (*done, *judged)
    took_s = to_s(context.driver.now_us() - context.progress.began_us)
    result = PhaseResult(phase.name, checks, took_s, curves=curves_of(folds))
    trace_judged(context, checks[len(done) :])
    context.emit("verdict", phase.name, result.verdict)
    return result


def perform_all(context: RunContext, phase: Phase) -> Director[list[CheckResult]]:
    """Does what the phase does, up to an action that a board did not carry out, or that a program was not there for.

    Returns the results of those that are judged by themselves: what boards and programs do can fail.
    """
    results: list[CheckResult] = []
    for action in phase.do:
        title = title_of(action)
        context.emit("action", title)
        try:
            if seen := (yield from perform(context, action.arguments)):
                context.emit("carried_out", title, seen)
                results.append(CheckResult(title, Verdict.PASSED, None, action.line, seen))
        except (BoardFailed, ProgramFailed) as failed:
            context.emit("failed", title, str(failed))
            finding = Finding(action.arguments.describe(), str(failed))
            return [*results, CheckResult(title, Verdict.FAILED, finding, action.line)]
    return results


def end_line_faults(context: RunContext) -> Director[None]:
    if context.boards is not None:
        from fleetrig.harness.run.board_actions import end_phase

        yield from end_phase(context)


def add_faults(context: RunContext, faults: Sequence[Fault]) -> AdminCall[None]:
    """Raises BrokenBench if faults cannot be set on this server."""
    if faults and context.server.add_fault is None:
        raise BrokenBench(
            f"{context.server.name} cannot be made to fail; say `needs: [reference.faults]` to skip the scenario there"
        )
    for fault in faults:
        assert context.server.add_fault is not None
        context.fault_on_its_way = fault
        context.fault_ids.append((yield from context.server.add_fault(fault)))
        context.fault_on_its_way = None
        context.emit("note", f"fault {fault_text(fault)}")


def fault_text(fault: Fault) -> str:
    """`outage {for: 5s}`: what a reader of the trace must know of it before it has hit anybody."""
    given = {word: value for word, value in fault_to_json(fault).items() if (word, value) not in USUAL}
    return f"{given.pop('fault')} {flow_text(given)}" if len(given) > 1 else fault.kind


def check_cuts(context: RunContext) -> None:
    """Raises BrokenBench if a requested power cut never happened, since nothing was tested then."""
    for serial, watch in context.cuts.items():
        if not watch.fired:
            raise BrokenBench(f"{serial} never came to {watch.cut}, so its power was never cut and nothing was proven")
