"""Judging a stored trace again, without running anything.

The same folds look at the stored events, phase by phase. Queries to the server cannot be repeated: the bench lane has
each answer (`asked`), and the report says that it comes from there. Nor can `follows_model`: models need the secrets of
their devices, which no trace holds.
"""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from fleetrig.harness.checks.evaluators import FleetSnapshot, fold_of, is_recorded
from fleetrig.harness.checks.fold import Fold, curves_of
from fleetrig.harness.external.view import is_heard, view_for
from fleetrig.harness.platform import platform_of
from fleetrig.harness.run.evaluation import (
    NOT_EVALUATED,
    CheckOutcome,
    PhaseFolds,
    outcome_of,
    phase_folds,
    result_of,
    step_all,
)
from fleetrig.harness.run.known_deviations import Known, Peer, known_in
from fleetrig.harness.run.redact import redact
from fleetrig.harness.run.trace_file import digest_of
from fleetrig.harness.scenario_file.scenario import Phase, Scenario
from fleetrig.harness.scenario_file.selection_folders import Folders, folders_of, ids_below
from fleetrig.harness.scenario_file.selection_lookup import find
from fleetrig.harness.scenario_file.template import ScenarioFile, read_scenario
from fleetrig.harness.scenario_file.titles import title_of
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.harness.scenario_file.words import Check
from fleetrig.harness.traces.trace_records import OF_LOAD
from fleetrig.harness.verdict import CheckResult, Finding, Measured, PhaseResult, Report, Verdict, verdict_of_phases
from fleetrig.simulator.contract.bounds import TRACE_LINE_CHARS
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.contract.trace_json import from_line

AS_RECORDED: Final = "as recorded: "
NOT_A_RUN: Final = "is no trace of `fleetrig run`: its first line does not say which run it is"

NOT_WHOLE: Final = (
    "is the trace of a load run, which has one device in 64: it shows what they did, and cannot be judged again. The "
    "figures of all devices lie in the run's folder: summary.json, curves.csv"
)

BY_PATH: Final = "scenario"
SAMPLED: Final = "one_of"
NOT_ALL_DEVICES: Final = (
    "has one device in {0}, as a run of so many devices keeps no more: it shows what they did, and cannot be judged "
    "again. `--trace F` keeps all of them"
)

FIRST_FIELDS: Final[Mapping[str, type]] = {
    "run": str, "seed": int, "time": str, "values": dict, "digest": str, "fleetrig": str,
}  # fmt: skip
"""What the first line says, in the order of `StoredRun`, and the form of each."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """What the first line of a trace says."""

    path: Path
    run: str
    seed: int
    time: str
    values: Mapping[str, Any]
    digest: str
    version: str
    scenario: str = ""
    """The path by which its scenario was given, where its id does not find it."""

    @property
    def id(self) -> str:
        return self.run.partition("[")[0]


def replay(
    path: Path, folders: Folders, peer: Peer | None = None, *, allows_outside: bool = False
) -> tuple[Report, str]:
    """The report, and a remark when the scenario in `folders` is not the one that was run; empty when it is.

    Raises UsageError for what is no trace, or of a scenario that is not there (any more).
    """
    lines = read_lines(path)
    stored = first_line(path, next(lines, ""))
    file = read_scenario(scenario_path(stored, folders), stored.id, allows_outside=allows_outside)
    hide = secrets_of(file).hide_known
    replayed = Replay(file.fill(stored.values), hide, known_in(peer, stored.run))
    for number, line in enumerate(lines, 2):
        try:
            replayed.take(from_line(line))
        except ValueError as wrong:
            raise UsageError(f"{path}:{number}: {wrong}") from None
    changed = digest_of(file.source.path.read_bytes()) != stored.digest
    remark = f"{file.source.path} has changed since {path} was written; it is judged as it is now" if changed else ""
    return redact(report_of(stored, replayed), hide), remark


def read_lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as file:
            while line := file.readline(TRACE_LINE_CHARS.most + 1):
                TRACE_LINE_CHARS.check(len(line))
                yield line
    except (OSError, ValueError) as wrong:
        raise UsageError(f"cannot read {path}: {why_unread(path, wrong)}") from None


def first_line(path: Path, line: str) -> StoredRun:
    try:
        about = json.loads(line)
        fields = [about[name] for name in FIRST_FIELDS]
        if not all(map(isinstance, fields, FIRST_FIELDS.values())):
            raise TypeError("a field has another form")
        stored = replace(StoredRun(path, *fields), scenario=str(about.get(BY_PATH, "")))
    except (ValueError, LookupError, TypeError, RecursionError):
        raise UsageError(f"{path} {NOT_A_RUN}") from None
    if stored.time != OF_LOAD and SAMPLED in about:
        raise UsageError(f"{path} {NOT_ALL_DEVICES.format(about[SAMPLED])}")
    if stored.time == OF_LOAD:
        raise UsageError(f"{path} {NOT_WHOLE}")
    return stored


def scenario_path(stored: StoredRun, folders: Folders) -> Path:
    """Of several files with this id the one that was run, if it has not changed. Raises UsageError, NoSuchId."""
    if stored.scenario:
        return next(iter(find([stored.scenario], folders).values()))
    first = find([stored.id], folders)[stored.id]
    found = [path for folder in folders_of(folders) if (path := ids_below(folder).get(stored.id)) is not None]
    return next((path for path in found if digest_of(path.read_bytes()) == stored.digest), first)


def secrets_of(file: ScenarioFile) -> Secrets:
    """Masks what the environment gives to the scenario, as the run did."""
    secrets = Secrets()
    for secret in file.secrets(os.environ):
        secrets.learn("secret", secret)
    return secrets


@dataclass(slots=True)
class PhaseReplay:
    """A phase that is under way in the trace."""

    phase: Phase
    expected: tuple[Check, ...]
    began_us: int
    folds: dict[int, Fold]
    """By position among the phase's checks; the others were asked."""
    watched: PhaseFolds
    """The same folds, by whether what breaks them ends the phase."""
    answers: list[str] = field(default_factory=list)
    measured: dict[str, deque[str]] = field(default_factory=dict)
    """What passed checks measured, by title; a trace of an older version has none."""

    on_boards: list[TraceEvent] = field(default_factory=list)
    """What boards carried out, or did not."""

    def findings(self) -> Iterator[CheckOutcome]:
        """One per check. Raises UsageError when an answer is missing."""
        if any(event.kind == "failed" for event in self.on_boards):  # nothing was judged after it
            yield from (NOT_EVALUATED for _ in self.expected)
            return
        answers = iter(self.answers)
        for position, check in enumerate(self.expected):
            if position in self.folds:
                yield outcome_of(self.folds[position], self.watched)
            elif (said := next(answers, None)) is None and self.watched.failed:
                yield NOT_EVALUATED
            elif said is None:
                raise UsageError(f"the trace has no answer to line {check.line} of phase {self.phase.name!r}: has the "
                                 "scenario changed since?")  # fmt: skip
            elif said:
                yield Finding("what the server said then", f"{AS_RECORDED}{said}")
            else:
                recorded = self.measured.get(title_of(check))
                yield Measured(f"{AS_RECORDED}{recorded.popleft()}" if recorded else "")


class Replay:
    """A listener that follows a run through its trace."""

    def __init__(self, scenario: Scenario, hide: Callable[[str], str], known: Known) -> None:
        self.scenario = scenario
        self.done: list[PhaseResult] = []
        self.ending: TraceEvent | None = None
        """Says how the run ended; a trace that was cut off has none."""
        self.under_way: PhaseReplay | None = None
        self.first_us = self.last_us = 0
        self._hide, self._known = hide, known
        self._view = view_for(scenario)
        self._prefix = ""
        self._run = ""
        """What `{run}` stood for."""
        self._boards: dict[str, str] = {}
        """Role -> board."""
        self._stages: dict[str, str] = {}
        self._on: set[str] = set()
        self._heard: set[str] = set()
        self._seen: Counter[Lane] = Counter()

    def take(self, event: TraceEvent) -> None:
        """The next event of the trace. Raises UsageError when it does not belong to this scenario.

        Raises ValueError when events before it are missing: what was taken away cannot be judged.
        """
        self._seen[event.lane] += 1
        if event.seq != self._seen[event.lane]:
            raise ValueError(f"event {self._seen[event.lane]} of the {event.lane} lane was expected here, not "
                             f"{event.seq}: the trace is not as it was written")  # fmt: skip
        self.first_us, self.last_us = self.first_us or event.at_us, event.at_us
        if event.lane is Lane.BENCH:
            self._bench(event)
        elif event.lane is Lane.DEVICE and event.device in self._stages:
            is_off = event.kind in ("power_cut", "ended")
            self._stages[event.device] = "" if is_off else event.stage
            (self._on.discard if is_off else self._on.add)(event.device)
        for seen in self._view(event):
            if is_heard(seen):
                self._heard.add(seen.device)
            if self.under_way is not None:
                step_all(tuple(self.under_way.folds.values()), seen)

    def _bench(self, event: TraceEvent) -> None:
        match event.kind:
            case "begun":
                self._prefix, self._run = event.name, event.reason
                self._stages = {event.name + unit.serial: "" for unit in self.scenario.devices.units()}
            case "plays":
                self._boards[event.name] = event.reason
            case "carried_out" | "failed" if self.under_way is not None:
                self.under_way.on_boards.append(event)
            case "phase":
                self.under_way = self._begin(event)
            case "asked" if self.under_way is not None:
                self.under_way.answers.append(event.reason)
            case "measured" if self.under_way is not None:
                self.under_way.measured.setdefault(event.name, deque()).append(event.reason)
            case "verdict" if self.under_way is not None:
                self.done.append(self._end(self.under_way, event.at_us))
                self.under_way = None
            case "ended":
                self.ending = event

    def _begin(self, event: TraceEvent) -> PhaseReplay:
        phase = next((one for one in self.scenario.phases if one.name == event.name), None)
        if phase is None:
            raise UsageError(f"the scenario {self.scenario.id} has no phase {event.name!r}: has it changed since?")
        fleet = FleetSnapshot(
            self._prefix, dict(self._stages), self.scenario.event_lane, self._hide,
            frozenset(self._on), frozenset(self._heard), event.at_us,
            played=frozenset(self._prefix + serial for serial in self.scenario.played.values()),
            boards=dict(self._boards), run=self._run, read_body=platform_of(self.scenario.platform).read_body,
        )  # fmt: skip
        expected = self.scenario.checks_of(phase)
        folds = {
            position: fold_of(fleet, check.arguments)
            for position, check in enumerate(expected)
            if not is_recorded(check.arguments)
        }
        pairs = [(expected[position], fold) for position, fold in folds.items()]
        return PhaseReplay(phase, expected, event.at_us, folds, phase_folds(self._known, phase.name, pairs))

    def _end(self, phase_replay: PhaseReplay, at_us: int) -> PhaseResult:
        pairs = zip(phase_replay.expected, phase_replay.findings(), strict=True)
        name = phase_replay.phase.name
        judged = (self._known.result(name, check, result_of(check, finding)) for check, finding in pairs)
        checks = (*results_on_boards(phase_replay), *judged)
        curves = curves_of(phase_replay.folds.values())
        return PhaseResult(name, checks, to_s(at_us - phase_replay.began_us), curves=curves)

    @property
    def is_over(self) -> bool:
        """True once the last phase was judged, or one that ends the run."""
        if not self.done:
            return False
        is_last = len(self.done) == len(self.scenario.phases)
        return is_last or self.done[-1].verdict is Verdict.FAILED or self._known.ends_run(self.done[-1])

    def unexpected(self) -> tuple[PhaseResult, ...]:
        """Known deviations that did not occur, once the last phase was judged."""
        has_failed = not self.done or self.done[-1].verdict is Verdict.FAILED
        return tuple(self._known.unexpected()) if self.is_over and not has_failed else ()

    def why_not_over(self) -> str:
        """Why the run cannot be judged to its end, though it ended; empty when it can."""
        if self.is_over:
            return ""
        judged = {phase.name for phase in self.done}
        missing = next(phase.name for phase in self.scenario.phases if phase.name not in judged)
        return f"the trace has nothing of phase {missing!r}, as the scenario is now: run it again"


def results_on_boards(phase_replay: PhaseReplay) -> Iterator[CheckResult]:
    """What boards did, as the run said it."""
    actions = {title_of(action): action for action in phase_replay.phase.do}
    for event in phase_replay.on_boards:
        if (action := actions.get(event.name)) is None:
            continue  # the scenario has changed since
        said = f"{AS_RECORDED}{event.reason}"
        if event.kind == "failed":
            finding = Finding(action.arguments.describe(), said)
            yield CheckResult(event.name, Verdict.FAILED, finding, action.line)
        else:
            yield CheckResult(event.name, Verdict.PASSED, None, action.line, said)


def report_of(stored: StoredRun, replayed: Replay) -> Report:
    phases, ending = (*replayed.done, *replayed.unexpected()), replayed.ending
    verdict, reason = verdict_of_phases(phases)
    if ending is None:
        verdict, reason = Verdict.BROKEN, "the trace ends before the run did"
    elif ending.name in (Verdict.BROKEN, Verdict.SKIPPED):
        verdict, reason = Verdict(ending.name), AS_RECORDED + ending.reason
    elif why := replayed.why_not_over():
        verdict, reason = Verdict.BROKEN, why
    if replayed.under_way is not None:
        took_s = to_s(replayed.last_us - replayed.under_way.began_us)
        phases = (*phases, PhaseResult(replayed.under_way.phase.name, (), took_s, reason))
    took_s = to_s(replayed.last_us - replayed.first_us)
    return Report(
        name=stored.run,
        title=replayed.scenario.title,
        verdict=verdict,
        reason=reason,
        phases=phases,
        took_s=took_s,
        simulated_s=took_s,
        time=stored.time,
        seed=stored.seed,
        version=stored.version,
        trace_file=str(stored.path),
        rerun=shlex.join(["fleetrig", "report", str(stored.path)]),
        file=replayed.scenario.file,
        line=replayed.scenario.line,
        cites=replayed.scenario.cites,
    )
