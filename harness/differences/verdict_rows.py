"""The verdicts of a run, row by row: of a trace its phases and checks, of a JUnit file its test cases."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.simulator.contract.errors import UsageError, shown_path
from fleetrig.simulator.contract.trace import TraceEvent

HOLDS: Final = "holds"
FAILS: Final = "does not hold"
PASSED: Final = "passed"
OUTCOMES: Final = {"failure": "failed", "error": "broken", "skipped": "skipped"}
"""The element of a test case -> its verdict."""
MOST_JUNIT_BYTES: Final = 64 << 20
SAID_CHARS: Final = 300


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """`where` is the phase, or the suite; empty for the run itself."""

    where: str
    title: str
    verdict: str
    said: str = ""
    """What was found, or measured."""
    took_us: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.where, self.title

    @property
    def text(self) -> str:
        return ": ".join(filter(None, (self.where, self.title))) or "the run"


@dataclass(slots=True)
class VerdictReader:
    """Told every event of the bench lane. Of a check of which nothing is told there is no row."""

    rows: list[VerdictRow] = field(default_factory=list)
    _phase: str = ""
    _phase_us: int = 0
    _seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    def take(self, event: TraceEvent) -> None:
        match event.kind:
            case "phase":
                self._phase, self._phase_us = event.name, event.at_us
            case "measured":
                self._add(self._phase, event.name, HOLDS, event.reason)
            case "found":
                self._add(self._phase, event.name, FAILS, event.reason)
            case "verdict":
                self._add(event.name, "", event.reason or PASSED, "", event.at_us - self._phase_us)
            case "ended":
                self._add("", "", event.name, event.reason)

    def _add(self, where: str, title: str, verdict: str, said: str, took_us: int | None = None) -> None:
        """Two checks may have one title."""
        self._seen[where, title] += 1
        nth = self._seen[where, title]
        title = f"{title} ({nth})" if nth > 1 else title
        self.rows.append(VerdictRow(where, title, verdict, said[:SAID_CHARS], took_us))


def junit_rows(path: Path) -> list[VerdictRow]:
    """Raises UsageError for what is no JUnit file."""
    try:
        if path.stat().st_size > MOST_JUNIT_BYTES:
            raise UsageError(f"{shown_path(path)} has more than {MOST_JUNIT_BYTES >> 20} MiB")
        root = ET.parse(path).getroot()
    except OSError as wrong:
        raise UsageError(f"cannot read {shown_path(path)}: {why_unread(path, wrong)}") from None
    except ET.ParseError as wrong:
        raise UsageError(f"{shown_path(path)} is no XML: {wrong}") from None
    if root.tag not in ("testsuites", "testsuite"):
        raise UsageError(f"{shown_path(path)} is no JUnit file: it begins with <{root.tag}>, expected <testsuites>")
    return [_of_case(case) for case in root.iter("testcase")]


def _of_case(case: ET.Element) -> VerdictRow:
    verdict, said = PASSED, ""
    for element, outcome in OUTCOMES.items():
        if (found := case.find(element)) is not None:
            verdict, said = outcome, found.get("message") or (found.text or "").strip()
            break
    return VerdictRow(case.get("classname", ""), case.get("name", ""), verdict, said[:SAID_CHARS], _took_us(case))


def _took_us(case: ET.Element) -> int | None:
    try:
        return round(float(case.get("time", "")) * 1_000_000)
    except (ValueError, OverflowError):
        return None
