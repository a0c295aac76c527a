"""JUnit XML, as CI servers read it: one testcase per expanded scenario, also when it was run several times.

classname and name hold nothing that depends on the run. FAILED is a failure, BROKEN an error, SKIPPED skipped; WARNED
and KNOWN pass, with their findings in system-out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from fleetrig.harness.report.text import finding_lines
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.harness.verdict import WORST_FIRST, Report, Verdict
from fleetrig.simulator.contract.errors import BrokenBench

NO_FOLDER: Final = "scenarios"
"""The classname of a scenario file that lies in no folder: some readers refuse an empty one."""

ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 §2.2 does not allow, not even escaped."""


def write_junit(reports: Sequence[Report], path: Path) -> None:
    """Writes the file, whole. Raises BrokenBench if it cannot be written."""
    try:
        with whole_file(path) as file:
            file.write(ET.tostring(junit(reports), encoding="utf-8", xml_declaration=True).decode())
    except OSError as wrong:
        raise BrokenBench(f"cannot write {path}: {wrong.strerror or wrong}") from None


def junit(reports: Sequence[Report]) -> ET.Element:
    """The document: one suite named fleetrig."""
    reports = once_each(reports)
    verdicts = [report.verdict for report in reports]
    counts = {
        "tests": len(reports),
        "failures": verdicts.count(Verdict.FAILED),
        "errors": verdicts.count(Verdict.BROKEN),
        "skipped": verdicts.count(Verdict.SKIPPED),
    }
    took = f"{sum(report.took_s for report in reports):.3f}"
    attributes = {"name": "fleetrig", "time": took, **{key: str(count) for key, count in counts.items()}}
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
    classname = _clean(report.folder.replace("/", ".") or NO_FOLDER)
    case = ET.Element("testcase", {"classname": classname, "name": _clean(report.name), "time": f"{report.took_s:.3f}"})
    text = _clean("\n".join(finding_lines(report)))
    message = _clean(report.reason or (text.splitlines() or [""])[0])
    match report.verdict:
        case Verdict.FAILED:
            ET.SubElement(case, "failure", {"message": message}).text = text
        case Verdict.BROKEN:
            ET.SubElement(case, "error", {"message": message}).text = text or message
        case Verdict.SKIPPED:
            ET.SubElement(case, "skipped", {"message": message})
        case Verdict.WARNED | Verdict.KNOWN:
            ET.SubElement(case, "system-out").text = text
        case Verdict.PASSED:
            pass
    return case


def _clean(text: str) -> str:
    return ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
