"""The result of a doctor: diagnoses, and the judgement that they lead to. The same for every platform."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fleetrig.harness.report.exits import Exit

SECRET: Final = "\ue000secret\ue000"
"""Stands in a body for a secret, until the command is written; the shell fills it in then."""

MOST_CHARACTERS: Final = 40
"""The longest id or name within a sentence."""


class Weight(StrEnum):
    """How sure a diagnosis is. The order is the order of the page."""

    CAUSE = "cause"  # this alone refuses the device, the facts prove it
    LIKELY = "likely"
    POSSIBLE = "possible"  # nothing that can be seen from here excludes it
    NOTE = "note"  # refuses no device, but is good to know


HEAVIEST_FIRST: Final = tuple(Weight)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that is wrong, or may be. `name` is stable, for machines; `command` is lines of shell (or of a
    proxy's configuration) that make the change."""

    name: str
    weight: Weight
    cause: str
    change: str = ""
    command: tuple[str, ...] = ()


class Admission(StrEnum):
    """What becomes of the device."""

    LET_IN = "let in"
    REFUSED = "refused"
    UNCERTAIN = "cannot tell"
    UNUSABLE = "server unusable"


EXITS: Final = {
    Admission.LET_IN: Exit.PASSED,
    Admission.REFUSED: Exit.FAILED,
    Admission.UNCERTAIN: Exit.BROKEN,
    Admission.UNUSABLE: Exit.BROKEN,
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The page, before it is laid out."""

    subject: str
    outcome: Admission
    headline: str
    asked: str
    """What was sent as the device, in one line."""
    answered: str
    diagnoses: tuple[Diagnosis, ...]
    seen: tuple[str, ...]
    """What the reasoning stands on."""
    gaps: tuple[str, ...]
    """What could not be looked at, and what would allow it."""

    @property
    def exit(self) -> Exit:
        return EXITS[self.outcome]


def heaviest_first(diagnoses: Sequence[Diagnosis]) -> tuple[Diagnosis, ...]:
    """Diagnoses of equal weight stay as they were."""
    return tuple(sorted(diagnoses, key=lambda diagnosis: HEAVIEST_FIRST.index(diagnosis.weight)))


@dataclass(frozen=True, slots=True)
class Shell:
    """Writes curl commands for one server. curl asks for the password; tokens come from where the user keeps them."""

    url: str
    user: str
    secret: str = ""
    """How a shell finds the device's secret: `$NAME` or `$(cat FILE)`."""
    options: tuple[str, ...] = ()
    """`--cacert FILE` or `-k`."""

    def curl(self, method: str, path: str, body: object = None) -> tuple[str, ...]:
        """The lines of a command; `SECRET` inside the body becomes the shell's word for it."""
        start = " ".join(["curl", "-u", shlex.quote(self.user), *self.options, *(["-X", method] * (method != "GET"))])
        if body is None:
            return f"{start} \\", f"  {shlex.quote(self.url + path)}"
        text = shlex.quote(json.dumps(body, ensure_ascii=False))
        text = text.replace(SECRET, f"'\"{self.secret}\"'")
        return (
            f"{start} \\",
            "  -H 'Content-Type: application/json' \\",
            f"  -d {text} \\",
            f"  {shlex.quote(self.url + path)}",
        )


def printable(text: str, most_characters: int = 80) -> str:
    """Text from elsewhere for a terminal: cut, and with escapes for everything that is not printable."""
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return shown if len(shown) <= most_characters else shown[: most_characters - 1] + "…"


def quoted(text: str) -> str:
    """An id within a sentence: in quotes where they are needed to see where it begins and ends."""
    shown = printable(text, MOST_CHARACTERS)
    return shown if text and text.isprintable() and " " not in text else f'"{shown}"'
