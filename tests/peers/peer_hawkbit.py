"""Our reference server beside any running hawkBit: the conformance suite and the scenarios on both, in one report.

    make peer-hawkbit URL=http://127.0.0.1:8080        writes build/peer/hawkbit.md
    make peer-hawkbit URL=SERVER.yaml ACCOUNT="reader=USER:env:NAME creator=USER:env:NAME" OPTIONS="--ca F"

Account `admin`/`admin`, or `URL=SERVER.yaml` with another one. The accounts of ACCOUNT are those of `conform
--account`: without them the rows on rights are skipped. What stands in OPTIONS (`--ca F`, `--insecure`,
`--change-tenant-settings`) goes to both verbs. Ends with 1 when something fails on the peer. Most scenarios need polls
every second: start the peer with `hawkbit.controller.minPollingTime=00:00:01`, and say so with
`can: [hawkbit.fast_polling]` in the SERVER.yaml.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from fleetrig.harness.report.exits import Exit

MOST_NAMED = 4
FOLDER = Path("build/peer")
OUTCOMES = {"failure": "FAILED", "error": "BROKEN", "skipped": "skipped"}


@dataclass(frozen=True)
class Outcome:
    verdict: str
    why: str = ""


def fleetrig(*words: str) -> None:
    """Runs the command; its verdicts are read from the JUnit file. Ends all if the command line was wrong."""
    print("fleetrig", *words, flush=True)
    done = subprocess.run([sys.executable, "-m", "fleetrig.harness.cli", *words], check=False)
    if done.returncode == Exit.WRONG_USAGE:
        sys.exit(Exit.WRONG_USAGE)


def outcomes(junit: Path) -> dict[str, Outcome]:
    """Verdict by test case; empty when the run could not even begin."""
    if not junit.exists():
        return {}
    return {id_of(case): outcome_of(case) for case in ET.parse(junit).iter("testcase")}


def id_of(case: ET.Element) -> str:
    """`conform/hawkbit/auth/scheme[S45]`, of the folder with dots and the rest."""
    return f"{case.get('classname', '').replace('.', '/')}/{case.get('name', '')}"


def outcome_of(case: ET.Element) -> Outcome:
    for tag, verdict in OUTCOMES.items():
        if (found := case.find(tag)) is not None:
            return Outcome(verdict, (found.text or found.get("message") or "").strip())
    return Outcome("passed")


def run_both(what: str, verb: tuple[str, ...], own: tuple[str, ...], peer: tuple[str, ...]) -> tuple[str, bool]:
    """A section of the report: one line for each case on which the two servers differ or either fails."""
    files = {side: FOLDER / f"{what}-{side}.xml" for side in ("reference", "peer")}
    for file in files.values():
        file.unlink(missing_ok=True)
    fleetrig(*verb, *peer, "--junit", str(files["peer"]))  # first: what is wrong with the options shows at once
    fleetrig(*verb, *own, "--junit", str(files["reference"]))
    ours, theirs = outcomes(files["reference"]), outcomes(files["peer"])
    return section(what, ours, theirs), bool(theirs) and all(
        one.verdict in ("passed", "skipped") for one in theirs.values()
    )


def section(what: str, ours: dict[str, Outcome], theirs: dict[str, Outcome]) -> str:
    missing = Outcome("not run")
    pairs = {name: (ours.get(name, missing), theirs.get(name, missing)) for name in sorted({*ours, *theirs})}
    skipped = {name: other for name, (_, other) in pairs.items() if other.verdict == "skipped"}
    agreed = sum(mine.verdict == other.verdict for name, (mine, other) in pairs.items() if name not in skipped)
    differ = len(pairs) - len(skipped) - agreed
    counted = (
        f"{agreed} with the same verdict on both servers, {differ} with another, {len(skipped)} skipped on the peer"
    )
    lines = [f"## {what}", "", f"{len(pairs)} cases: {counted}.", ""]
    return "\n".join([*lines, *table(pairs, skipped), *reasons(skipped), *details(pairs)])


def table(pairs: dict[str, tuple[Outcome, Outcome]], skipped: dict[str, Outcome]) -> list[str]:
    """What did not pass on both."""
    rows = [
        f"| {name} | {mine.verdict} | {other.verdict} |"
        for name, (mine, other) in pairs.items()
        if name not in skipped and not mine.verdict == other.verdict == "passed"
    ]
    return ["| case | reference | peer |", "|---|---|---|", *rows, ""] if rows else []


def reasons(skipped: dict[str, Outcome]) -> list[str]:
    """Why cases were skipped on the peer, each reason once."""
    lines: list[str] = []
    for why in dict.fromkeys(other.why for other in skipped.values()):
        names = [name for name, other in skipped.items() if other.why == why]
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        lines.append(f"Skipped on the peer, since {why}: {', '.join(names[:MOST_NAMED])}{more}.\n")
    return lines


def details(pairs: dict[str, tuple[Outcome, Outcome]]) -> list[str]:
    """What was found on either server."""
    lines: list[str] = []
    for name, sides in pairs.items():
        for side, outcome in zip(("reference", "peer"), sides, strict=True):
            if outcome.why and outcome.verdict != "skipped":
                lines += [f"### {name} on the {side}", "", "```text", outcome.why, "```", ""]
    return lines


def options_of(words: Sequence[str]) -> argparse.Namespace:
    """The command line: where the peer is, and what goes on to `conform` and `run`."""
    parser = argparse.ArgumentParser("make peer-hawkbit", usage="make peer-hawkbit URL=http://host:port|SERVER.yaml "
                                     '[ACCOUNT="reader=USER:env:NAME ..."] [OPTIONS="--ca F"]')  # fmt: skip
    parser.add_argument("url")
    parser.add_argument("--account", action="append", default=[])
    parser.add_argument("--ca")
    parser.add_argument("--insecure", action="store_true")
    parser.add_argument("--change-tenant-settings", action="store_true")
    options = parser.parse_args(words)
    if not options.url:
        parser.error("URL is missing")
    return options


def on_peer(options: argparse.Namespace) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What `conform` and `run` are told about the peer; only `conform` knows further accounts."""
    common = ["--against", options.url]
    common += ["--ca", options.ca] if options.ca else []
    common += ["--insecure"] if options.insecure else []
    common += ["--change-tenant-settings"] if options.change_tenant_settings else []
    accounts = [word for account in options.account for word in ("--account", account)]
    return (*common, *accounts), tuple(common)


def main(words: Sequence[str]) -> int:
    options = options_of(words)
    for_conform, for_run = on_peer(options)
    FOLDER.mkdir(parents=True, exist_ok=True)
    conform, conform_ok = run_both("conformance", ("conform", "hawkbit"), (), for_conform)
    scenarios, scenarios_ok = run_both("scenarios", ("run", "hawkbit"), ("--time", "real"), for_run)
    report = FOLDER / "hawkbit.md"
    title = f"# The reference server beside the hawkBit at {options.url}"
    report.write_text(f"{title}\n\n{conform}\n{scenarios}", encoding="utf-8")
    print(f"written: {report}")
    return 0 if conform_ok and scenarios_ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
