"""Our reference server beside any running hawkBit: the conformance suite and the scenarios on both, in one report.

    make peer-hawkbit URL=http://127.0.0.1:8080        writes build/peer/hawkbit.md

Account `admin`/`admin`, or `URL=SERVER.yaml` with another one. Ends with 1 when the two disagree anywhere.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

FOLDER = Path("build/peer")
OUTCOMES = {"failure": "FAILED", "error": "BROKEN", "skipped": "skipped"}


@dataclass(frozen=True)
class Outcome:
    verdict: str
    why: str = ""


def fleetrig(*words: str) -> None:
    """Runs the command; its verdicts are read from the JUnit file, so its exit code does not matter."""
    print("fleetrig", *words, flush=True)
    subprocess.run([sys.executable, "-m", "harness.cli", *words], check=False)


def outcomes(junit: Path) -> dict[str, Outcome]:
    """Verdict by test case; empty when the run could not even begin."""
    if not junit.exists():
        return {}
    return {case.get("name", ""): outcome_of(case) for case in ET.parse(junit).iter("testcase")}


def outcome_of(case: ET.Element) -> Outcome:
    for tag, verdict in OUTCOMES.items():
        if (found := case.find(tag)) is not None:
            return Outcome(verdict, (found.text or found.get("message") or "").strip())
    return Outcome("passed")


def run_both(what: str, url: str, verb: tuple[str, ...], own: tuple[str, ...]) -> tuple[str, bool]:
    """A section of the report: one line for each case on which the two servers differ or either fails."""
    files = {side: FOLDER / f"{what}-{side}.xml" for side in ("reference", "peer")}
    for file in files.values():
        file.unlink(missing_ok=True)
    fleetrig(*verb, *own, "--junit", str(files["reference"]))
    fleetrig(*verb, "--against", url, "--junit", str(files["peer"]))
    ours, theirs = outcomes(files["reference"]), outcomes(files["peer"])
    return section(what, ours, theirs), bool(theirs) and all(
        one.verdict in ("passed", "skipped") for one in theirs.values()
    )


def section(what: str, ours: dict[str, Outcome], theirs: dict[str, Outcome]) -> str:
    missing = Outcome("not run")
    agreed = sum(theirs.get(name, missing).verdict == outcome.verdict for name, outcome in ours.items())
    lines = [f"## {what}", "", f"{len(ours)} cases, {agreed} with the same verdict on both servers.", ""]
    rows, details = ["| case | reference | peer |", "|---|---|---|"], []
    for name in sorted({*ours, *theirs}):
        mine, other = ours.get(name, missing), theirs.get(name, missing)
        if mine.verdict == other.verdict == "passed":
            continue
        rows.append(f"| {name} | {mine.verdict} | {other.verdict} |")
        if other.why and other.verdict != "skipped":
            details += [f"### {name} on the peer", "", "```text", other.why, "```", ""]
    return "\n".join([*lines, *(rows if len(rows) > 2 else ["Both pass everything."]), "", *details])


def main(url: str) -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    conform, conform_ok = run_both("conformance", url, ("conform", "hawkbit"), ())
    scenarios, scenarios_ok = run_both("scenarios", url, ("run", "hawkbit"), ("--time", "real"))
    report = FOLDER / "hawkbit.md"
    report.write_text(f"# The reference server beside the hawkBit at {url}\n\n{conform}\n{scenarios}", encoding="utf-8")
    print(f"written: {report}")
    return 0 if conform_ok and scenarios_ok else 1


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1]:
        sys.exit("usage: make peer-hawkbit URL=http://host:port")
    sys.exit(main(sys.argv[1]))
