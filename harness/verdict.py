"""The result of a run: findings, verdicts and the report that every writer in `harness.report` reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    PASSED = "passed"
    KNOWN = "known deviation"  # as is known of this peer, with the reason
    WARNED = "warned"  # something merely recommended is missing
    FAILED = "failed"  # the peer broke a rule
    BROKEN = "broken"  # the bench could not judge
    SKIPPED = "skipped"  # nothing was judged: the target lacks what the scenario needs, or it expects nothing


WORST_FIRST = (Verdict.BROKEN, Verdict.FAILED, Verdict.WARNED, Verdict.KNOWN, Verdict.PASSED, Verdict.SKIPPED)


def worst_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a whole from those of its parts; a whole without parts passed."""
    found = set(verdicts)
    return next((verdict for verdict in WORST_FIRST if verdict in found), Verdict.PASSED)


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One trace event that shows it: where to look, and the event in one line."""

    lane: str
    seq: int
    line: str
    device: str = ""
    """Whose event it is; empty for nobody's."""
    is_in_trace: bool = True
    """False where the stored trace has a few devices only, and not this one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference between expected and actual, with the evidence."""

    expected: str
    got: str
    evidence: tuple[Evidence, ...] = ()
    clause: str = ""
    known: str = ""
    """Why this is a known deviation of the peer, and where it is documented; empty if it is not."""
    of_all: bool = False
    """It is about all devices together: the evidence is one event of many."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was seen by a check that holds, in words and numbers; empty when that is not known (any more)."""

    text: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check of a phase. `line` is where it stands in its scenario file, `measured` what it saw if it passed."""

    title: str
    verdict: Verdict
    finding: Finding | None = None
    line: int = 0
    measured: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """How often something happened in a phase, window by window, for the report to draw."""

    what: str
    """`login requests`."""
    window_s: float
    counts: tuple[tuple[int, int], ...]
    """The number of a window, counted from the beginning of the phase, and how often; without the empty ones."""


@dataclass(frozen=True, slots=True)
class PhaseResult:
    name: str
    checks: tuple[CheckResult, ...]
    took_s: float
    broken: str = ""
    """Why the bench could not judge it; empty when it could."""
    curves: tuple[Curve, ...] = ()
    """What checks are to have drawn."""

    @property
    def verdict(self) -> Verdict:
        return Verdict.BROKEN if self.broken else worst_verdict(check.verdict for check in self.checks)


INTERRUPTED: Final = "interrupted"
"""Why a run that was under way has no verdict of its own, when somebody stopped it."""
EXPECTS_NOTHING: Final = "nothing was judged: none of its phases expects anything; say with `expect` what must hold"


def verdict_of_phases(phases: Collection[PhaseResult]) -> tuple[Verdict, str]:
    """The verdict of a run, and why if it was not judged: a run without a check that was judged says nothing."""
    verdict = worst_verdict(phase.verdict for phase in phases)
    judged = any(check.verdict is not Verdict.SKIPPED for phase in phases for check in phase.checks)
    return (Verdict.SKIPPED, EXPECTS_NOTHING) if verdict is Verdict.PASSED and not judged else (verdict, "")


@dataclass(frozen=True, slots=True)
class Lack:
    """What a server lacks, or is not known to have."""

    what: str
    """A word of `needs`, or the name of a listener."""
    remedy: str
    """What to do about it, as a part of a sentence."""


@dataclass(frozen=True, slots=True)
class Report:
    """One expanded scenario, run once."""

    name: str
    """Id and matrix values: nothing in it depends on the run."""
    title: str
    verdict: Verdict
    reason: str = ""
    """Why it was skipped or could not be judged: the first root cause."""
    phases: tuple[PhaseResult, ...] = ()
    took_s: float = 0.0
    """Wall-clock time."""
    simulated_s: float = 0.0
    devices: int = 0
    target: str = ""
    profile: str = ""
    time: str = ""
    seed: int = 0
    version: str = ""
    trace_file: str = ""
    rerun: str = ""
    file: str = ""
    """The scenario's file, relative to the working folder where it lies below."""
    line: int = 0
    """The line of its title; 0 without a file."""
    cites: tuple[str, ...] = ()
    """The rows of contracts that it is about."""
    output: tuple[tuple[str, str], ...] = ()
    """Files with what its devices have printed, where they are programs, and the last line of each."""
    boards: tuple[tuple[str, str], ...] = ()
    """Role -> the board that took it: its name on the bench, its type, its serial number."""
    engine: str = ""
    """In virtual time: which engine ran it, and why."""
    told: tuple[tuple[str, str], ...] = ()
    """What its figures say: subject and sentence."""
    lacks: tuple[Lack, ...] = ()
    """Why it was skipped, where the server lacks what it needs."""

    @property
    def was_interrupted(self) -> bool:
        """It was stopped on the way, and that is all there is to say."""
        return self.verdict is Verdict.BROKEN and self.reason == INTERRUPTED

    @property
    def folder(self) -> str:
        return self.name.partition("[")[0].rpartition("/")[0]


def verdict_of(finding: Finding | None, severity: Severity) -> Verdict:
    """A finding against an error-severity check fails, one against a warning warns."""
    if finding is None:
        return Verdict.PASSED
    return Verdict.FAILED if severity is Severity.ERROR else Verdict.WARNED
