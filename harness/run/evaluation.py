"""Judging a phase: events are watched, the server is queried, and each check gets a result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from fleetrig.harness.checks.evaluators import Evaluator, Query, is_recorded
from fleetrig.harness.checks.fold import Fold, Judging, OfSomeKinds, Status
from fleetrig.harness.external.view import EventView, device_view
from fleetrig.harness.run.context import RunContext
from fleetrig.harness.run.known_deviations import Known
from fleetrig.harness.scenario_file.scenario import Phase
from fleetrig.harness.scenario_file.titles import title_of
from fleetrig.harness.scenario_file.words import Check
from fleetrig.harness.servers.no_answer import NoAnswer
from fleetrig.harness.verdict import CheckResult, Finding, Measured, Severity, Verdict, verdict_of
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.trace import TraceEvent, TraceListener
from fleetrig.simulator.drivers.director import Director, Until
from fleetrig.simulator.effects import Pause

POLL_EVERY_S: Final = 0.25


class NotEvaluated(Enum):
    """The result of a check that was still open when its phase failed."""

    NOT_EVALUATED = "not judged"


NOT_EVALUATED: Final = NotEvaluated.NOT_EVALUATED
CheckOutcome = Finding | Measured | NotEvaluated
"""The result of a check: a finding if it failed, what it measured if it passed, NOT_EVALUATED if it was not judged."""


def step_all(folds: Sequence[Fold], event: TraceEvent) -> None:
    for fold in folds:
        fold.step(event)


def kinds_seen(view: EventView, folds: Sequence[Fold]) -> frozenset[str] | None:
    """The kinds of event that matter to the folds; None for all, also where a view makes others of them."""
    if view is not device_view:
        return None
    wanted = [fold.kinds for fold in folds if isinstance(fold, OfSomeKinds)]
    return frozenset[str]().union(*wanted) if len(wanted) == len(folds) else None


def through_view(view: EventView, folds: Sequence[Fold]) -> TraceListener:
    """A listener that shows events to folds through a view."""

    def look(event: TraceEvent) -> None:
        for seen in view(event):
            step_all(folds, seen)

    return look


@dataclass(frozen=True, slots=True)
class PhaseFolds:
    """The folds of a phase. A violated hard fold ends the phase; warnings and known deviations are soft and do not."""

    hard: tuple[Judging, ...]
    soft: tuple[Judging, ...]

    @property
    def failed(self) -> bool:
        return any(fold.status() is Status.VIOLATED for fold in self.hard)

    @property
    def settled(self) -> bool:
        return self.failed or all(fold.status() is not Status.OPEN for fold in (*self.hard, *self.soft))


def phase_folds(known: Known, phase: str, pairs: Iterable[tuple[Check, Judging]]) -> PhaseFolds:
    hard: list[Judging] = []
    soft: list[Judging] = []
    for check, fold in pairs:
        is_soft = check.severity is Severity.WARNING or known.of(phase, check) is not None
        (soft if is_soft else hard).append(fold)
    return PhaseFolds(tuple(hard), tuple(soft))


def evaluate_all(
    context: RunContext, phase: Phase, expected: Sequence[Check], evaluators: Sequence[Evaluator]
) -> Director[list[CheckOutcome]]:
    """Returns one answer per check. `within` ends once no fold is open; `for` ends early if a hard fold is violated.

    The server's records may lag: during `within` they are queried until they agree. A phase that has failed makes no
    further queries; the remaining checks are not judged.
    """
    pairs = [
        (check, evaluator) for check, evaluator in zip(expected, evaluators, strict=True) if not callable(evaluator)
    ]
    folds = phase_folds(context.known, phase.name, pairs)
    deadline_us = context.driver.now_us() + to_us(phase.within_s or 0.0)
    if phase.within_s is not None:
        yield Until(lambda: folds.settled, phase.within_s)
    elif phase.for_s is not None:
        yield Until(lambda: folds.failed, phase.for_s)
    context.emit("over", phase.name)
    answers: dict[int, CheckOutcome] = {}
    for position, evaluator in enumerate(evaluators):
        if callable(evaluator):
            answers[position] = yield from query_until(context, evaluator, folds, deadline_us)
            trace_outcome(context, expected[position], answers[position])
        elif is_recorded(expected[position].arguments):
            answers[position] = outcome_of(evaluator, folds)
            trace_outcome(context, expected[position], answers[position])
    return [
        answers[position] if position in answers or callable(evaluator) else outcome_of(evaluator, folds)
        for position, evaluator in enumerate(evaluators)
    ]


def outcome_of(fold: Judging, folds: PhaseFolds) -> CheckOutcome:
    """In a phase that failed early, a check that is still open is not a finding."""
    match fold.status():
        case Status.MET:
            return Measured(fold.measured())
        case Status.OPEN if folds.failed:
            return NOT_EVALUATED
        case _:
            return fold.finding()


def query_until(context: RunContext, query: Query, folds: PhaseFolds, deadline_us: int) -> Director[CheckOutcome]:
    """The last finding before the deadline, or what was read as soon as it agrees.

    Our own server may be down because the scenario wants it: that is tolerated until the deadline.
    """
    while not folds.failed:
        is_late = context.driver.now_us() >= deadline_us
        try:
            answer = yield from query()
            if isinstance(answer, Measured) or is_late:
                return answer
        except NoAnswer:
            if is_late or not context.server.is_own:
                raise
        yield Pause(POLL_EVERY_S, POLL_EVERY_S, "look again")
    return NOT_EVALUATED


def result_of(check: Check, answer: CheckOutcome) -> CheckResult:
    title = title_of(check)
    match answer:
        case NotEvaluated():
            return CheckResult(title, Verdict.SKIPPED, None, check.line)
        case Measured(text):
            return CheckResult(title, Verdict.PASSED, None, check.line, text)
        case Finding(clause=clause) as found:
            clauses = dict.fromkeys((*check.cites, *filter(None, [clause])))
            finding = replace(found, clause=", ".join(clauses))
            return CheckResult(title, verdict_of(finding, Severity(check.severity)), finding, check.line)


def trace_outcome(context: RunContext, check: Check, answer: CheckOutcome) -> None:
    """Records the server's answer in the trace, so that the trace can be judged later without the server."""
    if not isinstance(answer, NotEvaluated):
        said = "" if isinstance(answer, Measured) else f"expected {answer.expected}, got {answer.got}"
        context.emit("asked", title_of(check), said)


def trace_judged(context: RunContext, checks: Iterable[CheckResult]) -> None:
    """Records what passed checks measured and others found, one event each, under their titles and in their order."""
    for check in checks:
        if check.measured:
            context.emit("measured", check.title, check.measured)
        elif check.finding is not None:
            context.emit("found", check.title, found_text(check.finding))


def found_text(finding: Finding) -> str:
    """On one line: expected, got, and which events show it."""
    seen = ", ".join(f"{one.lane}:{one.seq}" for one in finding.evidence)
    said = f"expected {'; '.join(finding.expected.splitlines())}, got {'; '.join(finding.got.splitlines())}"
    return f"{said} (see {seen})" if seen else said
