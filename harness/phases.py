"""Directing one scenario: set up, phase after phase until one fails, clear away. The same code in both times.

The exact order, also when interrupted: settings → faults → for each phase its faults, its actions, then its checks →
`clear_away`, which removes what was made on a server that is not ours and is also called after Ctrl-C.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from harness.actions import GATEWAY_KEY, LOOK_EVERY_S, configure, perform
from harness.checks import Judge, judge_of
from harness.folds import Fold, Standing
from harness.rig import Rig, build_devices
from harness.scenario import Phase
from harness.verdict import CheckResult, Finding, PhaseResult, Severity, Verdict, verdict_of
from harness.words import Action, Check
from simulator.contract.clock import to_s, to_us
from simulator.contract.errors import BrokenBench
from simulator.contract.trace import Lane, TraceEvent
from simulator.drivers.bench import Director, Inquiry, Until
from simulator.effects import Pause

NEEDED_MODES: Final = {
    "target_token": "authentication.targettoken.enabled",
    "wrong_target_token": "authentication.targettoken.enabled",
    "gateway_token": "authentication.gatewaytoken.enabled",
}


def direct(rig: Rig) -> Director[tuple[PhaseResult, ...]]:
    """Runs the scenario; stops after the first phase that fails, since what follows builds on it."""
    yield from set_up(rig)
    add_faults(rig, [line.to_fault() for line in rig.scenario.faults])
    results: list[PhaseResult] = []
    for phase in rig.scenario.phases:
        results.append((yield from run_phase(rig, phase)))
        if results[-1].verdict is Verdict.FAILED:
            break
    return tuple(results)


def set_up(rig: Rig) -> Director[None]:
    """The tenant as the scenario wants it, with the mode on that the credential needs unless the scenario says no."""
    template = rig.scenario.devices
    settings = dict(rig.scenario.server.settings)
    if (mode := NEEDED_MODES.get(template.credential)) is not None:
        settings.setdefault(mode, True)
    if template.credential == "gateway_token":
        rig.gateway_key = str(settings.setdefault(GATEWAY_KEY, rig.new_token("gateway key")))
        rig.secrets.learn("gateway-token", rig.gateway_key)
    yield from configure(rig, settings)
    build_devices(rig)


def clear_away(rig: Rig) -> Inquiry[None]:
    """Takes back everything that was made on a server that others use too."""
    if rig.server.is_own:
        return
    admin = rig.server.admin
    for controller_id in sorted(rig.made.controller_ids):
        yield from admin.delete_target(controller_id)
    for set_id in rig.made.set_ids.values():
        yield from admin.delete_update(set_id)
    for key, before in rig.made.configured.items():
        if before is None:
            yield from admin.reset_config(key)
        else:
            yield from admin.configure({key: before})


def run_phase(rig: Rig, phase: Phase) -> Director[PhaseResult]:
    """Does what the phase does, watching from its first moment; then waits as it says, and judges."""
    began_us = rig.bench.now_us()
    tell(rig, "phase", phase.name)
    judges = [judge_of(rig, check.arguments) for check in phase.expect]
    folds = [judge for judge in judges if not callable(judge)]
    stop_watching = rig.bench.trace.listen(lambda event: step_all(folds, event))
    try:
        add_faults(rig, [line.to_fault() for line in phase.faults])
        for action in phase.do:
            tell(rig, "action", title_of(action))
            yield from perform(rig, action.arguments)
        yield from wait(rig, phase, folds)
        findings = yield from judge_all(rig, phase, judges)
    finally:
        stop_watching()
    checks = tuple(result_of(check, finding) for check, finding in zip(phase.expect, findings, strict=True))
    result = PhaseResult(phase.name, checks, to_s(rig.bench.now_us() - began_us))
    tell(rig, "verdict", phase.name, result.verdict)
    return result


def add_faults(rig: Rig, faults: Sequence[object]) -> None:
    if faults and rig.server.add_fault is None:
        raise BrokenBench(
            f"{rig.server.name} cannot be made to fail; say `needs: [reference.faults]` to skip the scenario there"
        )
    for fault in faults:
        assert rig.server.add_fault is not None
        rig.server.add_fault(fault)  # type: ignore[arg-type]


def step_all(folds: Sequence[Fold], event: TraceEvent) -> None:
    for fold in folds:
        fold.step(event)


def wait(rig: Rig, phase: Phase, folds: Sequence[Fold]) -> Director[None]:
    """`within` ends as soon as nothing is open; `for` only when something is past mending."""
    if phase.within_s is not None:
        yield Until(lambda: settled(folds), phase.within_s)
    elif phase.for_s is not None:
        yield Until(lambda: violated(folds), phase.for_s)


def settled(folds: Sequence[Fold]) -> bool:
    return violated(folds) or all(fold.standing() is Standing.MET for fold in folds)


def violated(folds: Sequence[Fold]) -> bool:
    return any(fold.standing() is Standing.VIOLATED for fold in folds)


def judge_all(rig: Rig, phase: Phase, judges: Sequence[Judge]) -> Director[list[Finding | None]]:
    """One finding or None per check. Records on the server may lag: with `within` they are asked until they agree."""
    deadline_us = rig.bench.now_us() + to_us(phase.within_s or 0.0)
    findings: list[Finding | None] = []
    for judge in judges:
        if callable(judge):
            findings.append((yield from ask_until(rig, judge, deadline_us)))
        else:
            findings.append(None if judge.standing() is Standing.MET else judge.finding())
    return findings


def ask_until(rig: Rig, judge: Judge, deadline_us: int) -> Director[Finding | None]:
    """The last finding before the deadline, None as soon as there is none."""
    assert callable(judge)
    while True:
        finding = yield from judge()
        if finding is None or rig.bench.now_us() >= deadline_us:
            return finding
        yield Pause(LOOK_EVERY_S, LOOK_EVERY_S, "look again")


def result_of(check: Check, finding: Finding | None) -> CheckResult:
    if finding is not None and check.cites:
        finding = Finding(finding.expected, finding.got, finding.evidence, ", ".join(check.cites))
    return CheckResult(title_of(check), verdict_of(finding, Severity(check.severity)), finding, check.line)


def title_of(entry: Action | Check) -> str:
    """As it stands in the file, on one line: `sends {name: configData, times: 1}`."""
    arguments = entry.arguments.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return f"{entry.word} {flow_text(arguments)}" if arguments or arguments == 0 else entry.word


def flow_text(value: object) -> str:
    """A value in YAML's flow style."""
    match value:
        case {"at_least": int() as least, "at_most": int() as most} if least == most:
            return str(least)
        case dict():
            return "{" + ", ".join(f"{key}: {flow_text(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(flow_text, value)) + "]"
        case str():
            return value
        case _:
            return json.dumps(value)


def tell(rig: Rig, kind: str, name: str, reason: str = "") -> None:
    """The bench lane: what the director does."""
    rig.bench.trace.emit(rig.bench.now_us(), Lane.BENCH, kind, name=name, reason=reason)
