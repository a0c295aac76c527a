"""controllerIds and tenants: what no URL may carry, what no target may be called, and what was probably meant."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

from fleetrig.harness.doctor.diagnosis import Diagnosis, Weight, quoted
from fleetrig.harness.platforms.hawkbit.doctor.facts import Facts, Kind

MAX_CHARACTERS: Final = 256
MAX_NAME_CHARACTERS: Final = 128
"""A target that registers itself is named by its id, and that is not cut (§3.4)."""

REFUSED_CHARACTERS: Final = {
    "%": "%25", ";": "%3B", "/": "%2F", "\\": "%5C", "\0": "%00", "\n": "%0A", "\r": "%0D",
    "\u2028": "%E2%80%A8", "\u2029": "%E2%80%A9",
}  # fmt: skip
"""How they travel in a path, and why it is refused before anybody looks at credentials (§0 "URL firewall")."""

LOOKALIKES: Final = str.maketrans({"0": "o", "1": "l", "i": "l", "-": "", "_": "", ":": "", ".": "", " ": ""})
NEAR: Final = 0.8


def ids(facts: Facts) -> Iterator[Diagnosis]:
    """What is wrong with the id or the tenant as such, whatever the server knows."""
    yield from _firewall(facts, "id", facts.controller_id)
    yield from _firewall(facts, "tenant", facts.tenant)
    yield from _blanks(facts)
    yield from _length(facts)


def is_possible(controller_id: str) -> bool:
    """Whether any target can be called so and be reached."""
    has_blanks = any(char.isspace() for char in controller_id)
    return len(controller_id) <= MAX_CHARACTERS and not has_blanks and not is_refused_by_firewall(controller_id)


def is_refused_by_firewall(text: str) -> bool:
    return text in {".", ".."} or not REFUSED_CHARACTERS.keys().isdisjoint(text)


def _firewall(facts: Facts, what: str, text: str) -> Iterator[Diagnosis]:
    if not is_refused_by_firewall(text):
        return
    found = [char for char in REFUSED_CHARACTERS if char in text]
    shown = ", ".join(f"{quoted(char)} (sent as {REFUSED_CHARACTERS[char]})" for char in found)
    why = f"holds {shown}" if found else f"is {quoted(text)}, which means a folder in a path"
    yield Diagnosis(
        "url-firewall", Weight.CAUSE,
        f"The {what} {why}. The server's URL firewall answers 400 to such a path before it looks at any credential.",
        f"Give the device another {what}; no setting of the server lets this one through.{hint(facts)}",
    )  # fmt: skip


def _blanks(facts: Facts) -> Iterator[Diagnosis]:
    text = facts.controller_id
    if not any(char.isspace() for char in text) or is_refused_by_firewall(text):
        return
    where = "begins or ends with white space" if text.strip() == "".join(text.split()) else "holds white space"
    yield Diagnosis(
        "id-blank", Weight.CAUSE,
        f"The id {quoted(text)} {where}. No target can be called so: creation is refused with 400, both through the "
        "Management API and when a device registers itself.",
        f"Use {quoted(''.join(text.split()))}, or whatever the target is really called.{hint(facts)}",
    )  # fmt: skip


def _length(facts: Facts) -> Iterator[Diagnosis]:
    length = len(facts.controller_id)
    if length > MAX_CHARACTERS:
        yield Diagnosis(
            "id-too-long", Weight.CAUSE,
            f"The id has {length} characters; a target may have {MAX_CHARACTERS} at most, so there is none of it.",
            "Give the device a shorter id.",
        )  # fmt: skip
    elif length > MAX_NAME_CHARACTERS and not facts.exists and facts.presented.kind in REGISTERING:
        sure = facts.exists is False
        yield Diagnosis(
            "name-too-long", Weight.CAUSE if sure else Weight.POSSIBLE,
            f"The id has {length} characters. A device that registers itself is also named by its id, and a name has "
            f"{MAX_NAME_CHARACTERS} at most: 400 “name size must be between 1 and 128.”",
            "Create the target beforehand (there the name is cut), or use a shorter id.",
            facts.shell.curl("POST", "/rest/v1/targets", [{"controllerId": facts.controller_id}]),
        )  # fmt: skip


REGISTERING: Final = frozenset({Kind.GATEWAY_TOKEN, Kind.CERTIFICATE})
"""What creates an unknown target (§3.2)."""


def near(wanted: str, others: Sequence[str], most: int = 3) -> list[str]:
    """The ids that may have been meant, the nearest first."""
    rated = [(nearness(wanted, other), other) for other in dict.fromkeys(others) if other != wanted]
    return [other for how, other in sorted(rated, key=lambda pair: -pair[0]) if how >= NEAR][:most]


def nearness(one: str, other: str) -> float:
    """1 and more for ids that a person would read as the same, else their share of common characters."""
    if one.casefold() == other.casefold():
        return 3.0
    if _bare(one) == _bare(other):
        return 2.0
    return SequenceMatcher(None, one, other).ratio()


def difference(wanted: str, other: str) -> str:
    """How two ids differ, in words."""
    if wanted.casefold() == other.casefold():
        return "differs in case only"
    if "".join(wanted.split()) == "".join(other.split()):
        return "differs in blanks only"
    if _bare(wanted) == _bare(other):
        return f"looks alike, but {_first_difference(wanted, other)}"
    return "is similar"


def hint(facts: Facts) -> str:
    """` Similar: "GW-17" (differs in case only).`, or nothing."""
    found = near(facts.controller_id, [other.controller_id for other in facts.others])
    listed = ", ".join(f"{quoted(other)} ({difference(facts.controller_id, other)})" for other in found)
    return f" There is {listed}." if listed else ""


def _bare(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(folded.translate(LOOKALIKES).split())


def _first_difference(wanted: str, other: str) -> str:
    for ours, theirs in zip(wanted, other, strict=False):
        if ours.casefold() != theirs.casefold():
            return f"has {_spelled(theirs)} where this has {_spelled(ours)}"
    return "is longer" if len(other) > len(wanted) else "is shorter"


def _spelled(char: str) -> str:
    return quoted(char) if char.isascii() else f"{quoted(char)} (U+{ord(char):04X})"
