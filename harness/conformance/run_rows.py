"""Running rows one after another, and what becomes of each: a `Report`, as for a scenario."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final, TypeVar

from fleetrig.harness.conformance.expect import Mismatch, MissingCapability
from fleetrig.harness.conformance.row import Row
from fleetrig.harness.report.version import VERSION
from fleetrig.harness.run.redact import redact
from fleetrig.harness.servers.description import LISTENERS
from fleetrig.harness.servers.lacking import LackingServer
from fleetrig.harness.verdict import CheckResult, Finding, Lack, PhaseResult, Report, Verdict, verdict_of
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.masking import Secrets

S = TypeVar("S")

OpenClient = Callable[[Row[S]], AbstractContextManager[S]]
"""Gives a row its client; leaving the context removes what the row made and restores what it changed."""


NOTHING: Final[Mapping[str, str]] = {}
THE_SERVER: Final = LackingServer("the server")


def run_rows(
    rows: Sequence[Row[S]],
    open_client: OpenClient[S],
    can: frozenset[str],
    blank: Report,
    remedies: Mapping[str, str] = NOTHING,
) -> Iterator[Report]:
    """A report per row, what looks like a credential masked: answers of servers hold tokens of devices.

    `remedies`: for words that rows may need, a sentence on why the server lacks them and what to do about it.

    A row that is BROKEN ends the run: the others would only repeat its cause."""
    secrets = Secrets()
    for row in rows:
        report = run_row(row, open_client, can, blank, remedies)
        yield replace(report, reason=secrets.hide(report.reason), phases=redact(report.phases, secrets.hide))
        if report.verdict is Verdict.BROKEN:
            return


def run_row(
    row: Row[S],
    open_client: OpenClient[S],
    can: frozenset[str],
    blank: Report,
    remedies: Mapping[str, str] = NOTHING,
) -> Report:
    """One row."""
    began_s = time.monotonic()
    finding: Finding | None = None
    verdict, reason = Verdict.PASSED, ""
    if lacking := [word for word in row.needs if word not in can]:
        skipped = report_of(row, blank, Verdict.SKIPPED, lacks(row.platform, lacking, remedies), None, 0.0)
        return replace(skipped, lacks=lacks_of(row.platform, lacking, remedies))
    try:
        with open_client(row) as client:
            row.check(client)
    except Mismatch as mismatch:
        finding = Finding(mismatch.finding.expected, mismatch.finding.got, mismatch.finding.evidence, row.clause)
        verdict = verdict_of(finding, mismatch.severity or row.severity)
    except MissingCapability as missing:
        verdict, reason = Verdict.SKIPPED, f"the server lacks {missing}"
    except (BrokenBench, UsageError) as broken:
        verdict, reason = Verdict.BROKEN, str(broken)
    return report_of(row, blank, verdict, reason, finding, time.monotonic() - began_s)


def lacks(platform: str, needs: Sequence[str], remedies: Mapping[str, str] = NOTHING) -> str:
    """Names what is missing, in the words of scenario files and SERVER.yaml, and how to declare it."""
    if any(word in remedies for word in needs):
        return "; ".join(dict.fromkeys(remedies[word] for word in needs if word in remedies))
    return THE_SERVER.why_skipped([_as_declared(platform, word) for word in needs])


def lacks_of(platform: str, needs: Sequence[str], remedies: Mapping[str, str] = NOTHING) -> tuple[Lack, ...]:
    """The same, one by one: to be counted over many rows."""
    return tuple(
        Lack(word, remedies[word]) if word in remedies else THE_SERVER.lacks([_as_declared(platform, word)])[0]
        for word in needs
    )


def _as_declared(platform: str, word: str) -> str:
    return word if word in LISTENERS else f"{platform}.{word}"


def report_of(
    row: Row[S], blank: Report, verdict: Verdict, reason: str, finding: Finding | None, took_s: float
) -> Report:
    """A row as every report writer takes it: one phase with one check."""
    phases = () if finding is None else (PhaseResult(row.path, (CheckResult(row.title, verdict, finding),), took_s),)
    return Report(
        name=f"{blank.name}/{row.path}[{row.number}]",
        title=row.title,
        verdict=verdict,
        reason=reason,
        phases=phases,
        took_s=took_s,
        target=blank.target,
        profile=blank.profile,
        time="real",
        version=VERSION,
        rerun=f"{blank.rerun} {row.number}",
    )
