"""Directing one scenario: set up, then phase after phase until one fails. The same code in both times.

The exact order: settings → the fleet → faults of the run → for each phase its faults, its actions, the wait that it
asks for, then its checks: questions to the server first, since events go on being watched until all are answered.
`course` says how far a run has come, also when the director is broken off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.actions import LOOK_EVERY_S, perform
from harness.checks import Judge, Question, judge_of
from harness.external.view import Lens, lens_of
from harness.folds import Fold, Standing
from harness.rig import Rig
from harness.scenario import Phase
from harness.servers.hawkbit import NoAnswer
from harness.setting_up import set_up
from harness.titles import title_of
from harness.verdict import CheckResult, Finding, PhaseResult, Severity, Verdict, verdict_of
from harness.words import Check
from simulator.contract.clock import to_s, to_us
from simulator.contract.errors import BrokenBench
from simulator.contract.faults import Fault
from simulator.contract.trace import Lane, Listener, TraceEvent
from simulator.drivers.bench import Director, Inquiry, Until
from simulator.effects import Pause


def direct(rig: Rig) -> Director[tuple[PhaseResult, ...]]:
    """Runs the scenario; stops after the first phase that fails, since what follows builds on it."""
    tell(rig, "begun", rig.prefix)
    yield from set_up(rig)
    yield from add_faults(rig, [line.to_fault() for line in rig.scenario.faults])
    done = rig.course.done
    for phase in rig.scenario.phases:
        done.append((yield from run_phase(rig, phase)))
        rig.course.phase = ""
        if done[-1].verdict is Verdict.FAILED:
            return tuple(done)
    check_cuts(rig)
    done += rig.known.unexpected()
    return tuple(done)


def run_phase(rig: Rig, phase: Phase) -> Director[PhaseResult]:
    """Does what the phase does, watching from its first moment; then waits as it says, and judges."""
    rig.course.phase, rig.course.began_us = phase.name, rig.bench.now_us()
    tell(rig, "phase", phase.name)
    expected = rig.scenario.checks_of(phase)
    judges = [judge_of(rig, check.arguments) for check in expected]
    folds = [judge for judge in judges if not callable(judge)]
    stop_watching = rig.bench.trace.listen(looking(lens_of(rig.scenario), folds))
    try:
        yield from add_faults(rig, [line.to_fault() for line in phase.faults])
        for action in phase.do:
            tell(rig, "action", title_of(action))
            yield from perform(rig, action.arguments)
        findings = yield from judge_all(rig, phase, expected, judges)
    finally:
        stop_watching()
    pairs = zip(expected, findings, strict=True)
    checks = tuple(rig.known.result(phase.name, check, result_of(check, finding)) for check, finding in pairs)
    result = PhaseResult(phase.name, checks, to_s(rig.bench.now_us() - rig.course.began_us))
    tell(rig, "verdict", phase.name, result.verdict)
    return result


def add_faults(rig: Rig, faults: Sequence[Fault]) -> Inquiry[None]:
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


def step_all(folds: Sequence[Fold], event: TraceEvent) -> None:
    for fold in folds:
        fold.step(event)


def looking(lens: Lens, folds: Sequence[Fold]) -> Listener:
    """A listener that shows events to folds through a lens."""

    def look(event: TraceEvent) -> None:
        for seen in lens(event):
            step_all(folds, seen)

    return look


@dataclass(frozen=True, slots=True)
class Watched:
    """The folds of a phase. What breaks a hard one cannot be mended; a warning, or what is known, ends no phase."""

    hard: tuple[Fold, ...]
    soft: tuple[Fold, ...]

    @property
    def failed(self) -> bool:
        return any(fold.standing() is Standing.VIOLATED for fold in self.hard)

    @property
    def settled(self) -> bool:
        return self.failed or all(fold.standing() is not Standing.OPEN for fold in (*self.hard, *self.soft))


def watched_of(rig: Rig, phase: Phase, expected: Sequence[Check], judges: Sequence[Judge]) -> Watched:
    hard: list[Fold] = []
    soft: list[Fold] = []
    for check, judge in zip(expected, judges, strict=True):
        if not callable(judge):
            is_soft = check.severity is Severity.WARNING or rig.known.of(phase.name, check) is not None
            (soft if is_soft else hard).append(judge)
    return Watched(tuple(hard), tuple(soft))


def judge_all(
    rig: Rig, phase: Phase, expected: Sequence[Check], judges: Sequence[Judge]
) -> Director[list[Finding | None]]:
    """One finding or None per check. `within` ends once nothing is open, `for` only when something is past mending.

    Records on the server may lag: within the time of `within` they are asked until they agree.
    """
    watched = watched_of(rig, phase, expected, judges)
    deadline_us = rig.bench.now_us() + to_us(phase.within_s or 0.0)
    if phase.within_s is not None:
        yield Until(lambda: watched.settled, phase.within_s)
    elif phase.for_s is not None:
        yield Until(lambda: watched.failed, phase.for_s)
    answers: dict[int, Finding | None] = {}
    for position, judge in enumerate(judges):
        if callable(judge):
            answers[position] = yield from ask_until(rig, judge, watched, deadline_us)
            tell_answer(rig, expected[position], answers[position])
    return [answers[position] if callable(judge) else judged(judge) for position, judge in enumerate(judges)]


def judged(fold: Fold) -> Finding | None:
    return None if fold.standing() is Standing.MET else fold.finding()


def ask_until(rig: Rig, question: Question, watched: Watched, deadline_us: int) -> Director[Finding | None]:
    """The last finding before the deadline, None as soon as there is none. Once the phase has failed, asks once.

    Our own server may be away because the scenario has it so: until the deadline that is no reason to give up.
    """
    while True:
        is_late = rig.bench.now_us() >= deadline_us or watched.failed
        try:
            finding = yield from question()
            if finding is None or is_late:
                return finding
        except NoAnswer:
            if is_late or not rig.server.is_own:
                raise
        yield Pause(LOOK_EVERY_S, LOOK_EVERY_S, "look again")


def result_of(check: Check, finding: Finding | None) -> CheckResult:
    if finding is not None and check.cites:
        finding = Finding(finding.expected, finding.got, finding.evidence, ", ".join(check.cites))
    return CheckResult(title_of(check), verdict_of(finding, Severity(check.severity)), finding, check.line)


def tell_answer(rig: Rig, check: Check, finding: Finding | None) -> None:
    """What the server said is written down, since nobody can ask it again when the trace is judged later."""
    said = "" if finding is None else f"expected {finding.expected}, got {finding.got}"
    tell(rig, "asked", title_of(check), said)


def tell(rig: Rig, kind: str, name: str, reason: str = "") -> None:
    """The bench lane: what the director does."""
    hide = rig.secrets.hide
    rig.bench.trace.emit(rig.bench.now_us(), Lane.BENCH, kind, name=hide(name), reason=hide(reason))
