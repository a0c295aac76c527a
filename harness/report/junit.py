"""JUnit XML, as CI servers read it: one testcase per expanded scenario, also when it was run several times.

classname is the folder with dots, name the rest of the id: `hawkbit.deep` and `x[cut=poll#1:sent]`. Both hold nothing
that depends on the run. file and line point to the check that failed, else to the title; seed, profile, time, trace and
what passed checks measured are properties. FAILED is a failure, BROKEN an error, SKIPPED skipped; WARNED and KNOWN
pass, with their findings in system-out. With `--strict` WARNED is a failure, with `--fail-on-skip` SKIPPED is one. What
passed checks measured stands in system-out too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from fleetrig.harness.report.exits import ExitRules, fails
from fleetrig.harness.report.text import failed_line, finding_lines, measured_lines
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.harness.verdict import WORST_FIRST, Report, Verdict
from fleetrig.simulator.contract.errors import BrokenBench, system_said

NO_FOLDER: Final = "scenarios"
"""The classname of a scenario file that lies in no folder: some readers refuse an empty one."""

AS_ATTRIBUTES: Final = frozenset({"file", "line"})
"""What stands in the testcase itself, where CI servers look for it."""

ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 §2.2 does not allow, not even escaped."""


def by_rules(reports: Sequence[Report], rules: ExitRules) -> list[Report]:
    """What the options make a failure is one in the file too: its reader and the exit code must agree."""
    return [replace(one, verdict=Verdict.FAILED) if fails(one.verdict, rules) else one for one in reports]


def write_junit(reports: Sequence[Report], path: Path) -> None:
    """Writes the file, whole. Raises BrokenBench if it cannot be written."""
    try:
        with whole_file(path) as file:
            file.write(ET.tostring(junit(reports), encoding="utf-8", xml_declaration=True).decode())
    except OSError as wrong:
        raise BrokenBench(f"cannot write {path}: {system_said(wrong)}") from None


def junit(reports: Sequence[Report], now: datetime | None = None) -> ET.Element:
    """The document: one suite named fleetrig, whose timestamp is when it began, if all ran one after another."""
    reports = once_each(reports)
    verdicts = [report.verdict for report in reports]
    counts = {
        "tests": len(reports),
        "failures": verdicts.count(Verdict.FAILED),
        "errors": verdicts.count(Verdict.BROKEN),
        "skipped": verdicts.count(Verdict.SKIPPED),
    }
    took_s = sum(report.took_s for report in reports)
    began = (now or datetime.now(UTC)) - timedelta(seconds=took_s)
    attributes = {"name": "fleetrig", **{key: str(count) for key, count in counts.items()}, "time": f"{took_s:.3f}"}
    attributes["timestamp"] = began.isoformat(timespec="seconds").partition("+")[0]
    root = ET.Element("testsuites", attributes)
    suite = ET.SubElement(root, "testsuite", attributes)
    for report in reports:
        suite.append(_testcase(report))
    return root


def once_each(reports: Sequence[Report]) -> list[Report]:
    """Of runs with the same name the worst, with the time that all of them took."""
    by_name: dict[str, list[Report]] = {}
    for report in reports:
        by_name.setdefault(report.name, []).append(report)
    return [
        replace(min(same, key=lambda one: WORST_FIRST.index(one.verdict)), took_s=sum(one.took_s for one in same))
        for same in by_name.values()
    ]


def _testcase(report: Report) -> ET.Element:
    case = ET.Element("testcase", {name: _clean(text) for name, text in attributes_of(report).items()})
    if properties := [pair for pair in properties_of(report) if pair[0] not in AS_ATTRIBUTES]:
        inner = ET.SubElement(case, "properties")
        for name, value in properties:
            ET.SubElement(inner, "property", {"name": _clean(name), "value": _clean(value)})
    text = _clean("\n".join(finding_lines(report)))
    message = _clean(report.reason or (text.splitlines() or [""])[0])
    match report.verdict:
        case Verdict.FAILED:
            ET.SubElement(case, "failure", {"message": message, "type": "failed"}).text = text
        case Verdict.BROKEN:
            ET.SubElement(case, "error", {"message": message, "type": "broken"}).text = text or message
        case Verdict.SKIPPED:
            ET.SubElement(case, "skipped", {"message": message})
    out = _clean("\n".join([*_passing_findings(report), *measured_lines(report)]))
    if out:
        ET.SubElement(case, "system-out").text = out
    return case


def _passing_findings(report: Report) -> Iterator[str]:
    """What was found in a run that counts as passed all the same."""
    if report.verdict in (Verdict.WARNED, Verdict.KNOWN):
        yield from finding_lines(report)


def attributes_of(report: Report) -> dict[str, str]:
    """Those of a testcase. Some readers refuse an empty classname."""
    where = dict(pair for pair in properties_of(report) if pair[0] in AS_ATTRIBUTES)
    name = report.name.removeprefix(f"{report.folder}/") if report.folder else report.name
    return {"classname": classname_of(report.name), "name": name, **where, "time": f"{report.took_s:.3f}"}


def classname_of(run: str) -> str:
    """The folder of a run's name, with dots."""
    return run.partition("[")[0].rpartition("/")[0].replace("/", ".") or NO_FOLDER


def properties_of(report: Report) -> list[tuple[str, str]]:
    """What a reader wants to know of a run beside its verdict; of all these only what there is."""
    found = {
        "run": report.name if report.file else "",
        "file": report.file,
        "line": str(failed_line(report) or report.line or ""),
        "seed": str(report.seed) if report.file else "",
        "profile": report.profile,
        "time_mode": report.time,
        "trace": report.trace_file,
        "engine": report.engine,
        **dict(report.told),
        **{f"board.{role}": board for role, board in report.boards},
    }
    return [*((name, value) for name, value in found.items() if value), *_measurements(report)]


def _measurements(report: Report) -> Iterator[tuple[str, str]]:
    """`measured: phase / check` and what it saw; of two with the same name the second has its line behind it."""
    taken: set[str] = set()
    for phase in report.phases:
        for check in phase.checks:
            if not check.measured:
                continue
            name = f"measured: {phase.name} / {check.title}"
            name = f"{name} (line {check.line})" if name in taken else name
            taken.add(name)
            yield name, check.measured


def _clean(text: str) -> str:
    return ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
