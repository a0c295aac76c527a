"""JUnit XML, as CI servers read it: one testcase per expanded scenario.

classname and name hold nothing that depends on the run. FAILED is a failure, BROKEN an error, SKIPPED skipped; WARNED
passes, with its warning in system-out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from harness.report.text import finding_lines
from harness.verdict import Report, Verdict

ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 §2.2 does not allow, not even escaped."""


def write_junit(reports: Sequence[Report], path: Path) -> None:
    """Written whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    draft.write_bytes(ET.tostring(junit(reports), encoding="utf-8", xml_declaration=True))
    draft.replace(path)


def junit(reports: Sequence[Report]) -> ET.Element:
    """The document: one suite named fleetrig."""
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


def _testcase(report: Report) -> ET.Element:
    classname = report.folder.replace("/", ".")
    case = ET.Element("testcase", {"classname": classname, "name": report.name, "time": f"{report.took_s:.3f}"})
    text = _clean("\n".join(finding_lines(report)))
    message = _clean(report.reason or (text.splitlines() or [""])[0])
    match report.verdict:
        case Verdict.FAILED:
            ET.SubElement(case, "failure", {"message": message}).text = text
        case Verdict.BROKEN:
            ET.SubElement(case, "error", {"message": message}).text = text or message
        case Verdict.SKIPPED:
            ET.SubElement(case, "skipped", {"message": message})
        case Verdict.WARNED:
            ET.SubElement(case, "system-out").text = text
        case Verdict.PASSED:
            pass
    return case


def _clean(text: str) -> str:
    return ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
