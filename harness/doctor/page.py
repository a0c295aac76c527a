"""A judgement as one page of text, or as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from fleetrig.harness.doctor.diagnosis import Admission, Diagnosis, Judgement, Weight

WIDTH: Final = 80
MARGIN: Final = 12
COMMAND_INDENT: Final = "    "
STYLES: Final = {
    Admission.LET_IN: "bold green",
    Admission.REFUSED: "bold red",
    Admission.UNCERTAIN: "bold yellow",
    Admission.UNUSABLE: "bold magenta",
}
Line = tuple[str, str]
"""A line and its style."""


def show(console: Console, judgement: Judgement) -> None:
    """Prints the page; commands are never wrapped, so that they can be copied."""
    for line, style in page(judgement):
        console.print(Text(line, style), soft_wrap=True)


def page(judgement: Judgement) -> Iterator[Line]:
    """The outcome first, then what was asked, then the diagnoses, the heaviest first, then what they stand on."""
    yield from _styled(_wrapped(judgement.subject, "  "), "")
    yield "", ""
    head = f"{judgement.outcome.upper()}  "
    yield from _styled(_wrapped(head + judgement.headline, len(head) * " "), STYLES[judgement.outcome])
    yield "", ""
    yield from _entry("asked", judgement.asked)
    if judgement.answered:
        yield from _entry("answered", judgement.answered)
    for number, diagnosis in enumerate(judgement.diagnoses, 1):
        yield "", ""
        yield from _diagnosis(number, diagnosis)
    if judgement.seen or judgement.gaps:
        yield "", ""
    for label, lines in (("seen", judgement.seen), ("not seen", judgement.gaps)):
        for number, line in enumerate(lines):
            yield from _entry("" if number else label, line)


def _diagnosis(number: int, diagnosis: Diagnosis) -> Iterator[Line]:
    style = "bold" if diagnosis.weight in (Weight.CAUSE, Weight.LIKELY) else ""
    label = f"{number} {diagnosis.weight.upper() if style else diagnosis.weight}"
    yield from _styled(_labelled(label, diagnosis.cause), style)
    if diagnosis.change:
        yield from _entry("  change", diagnosis.change)
    for line in diagnosis.command:
        yield COMMAND_INDENT + line, ""


def _entry(label: str, text: str) -> Iterator[Line]:
    return _styled(_labelled(label, text), "")


def _labelled(label: str, text: str) -> list[str]:
    start = f"{label:<{MARGIN}}" if len(label) < MARGIN else f"{label} "
    return _wrapped(start + text, MARGIN * " ")


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _styled(lines: list[str], style: str) -> Iterator[Line]:
    return ((line, style) for line in lines)


def as_document(judgement: Judgement) -> dict[str, Any]:
    """For machines: `outcome`, `exit_code`, `headline`, `asked`, `answered`, `diagnoses`, `seen`, `not_seen`."""
    return {
        "subject": judgement.subject,
        "outcome": str(judgement.outcome),
        "exit_code": int(judgement.exit),
        "headline": judgement.headline,
        "asked": judgement.asked,
        "answered": judgement.answered,
        "diagnoses": [
            {
                "name": one.name,
                "weight": str(one.weight),
                "cause": one.cause,
                "change": one.change,
                "command": list(one.command),
            }
            for one in judgement.diagnoses
        ],
        "seen": list(judgement.seen),
        "not_seen": list(judgement.gaps),
    }
