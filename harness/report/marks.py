"""How verdicts look: a sign and a colour on a terminal, a word elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from fleetrig.harness.verdict import Verdict

MARKS = {
    Verdict.PASSED: ("✔", "green"),
    Verdict.KNOWN: ("≈", "cyan"),
    Verdict.WARNED: ("!", "yellow"),
    Verdict.FAILED: ("✘", "bold red"),
    Verdict.BROKEN: ("☠", "bold magenta"),
    Verdict.SKIPPED: ("-", "dim"),
}
PLAIN_MARKS = {
    Verdict.PASSED: "ok",
    Verdict.KNOWN: "known",
    Verdict.WARNED: "WARN",
    Verdict.FAILED: "FAIL",
    Verdict.BROKEN: "BROKEN",
    Verdict.SKIPPED: "skip",
}


def mark(console: Console, verdict: Verdict) -> Text:
    """The sign of a verdict, with a blank behind it."""
    sign, style = MARKS[verdict]
    return Text(f"{sign if console.is_terminal else PLAIN_MARKS[verdict]} ", style)
