"""What any text of a record may hold: its length, no markup (S96)."""

from __future__ import annotations

import re
from typing import Final

from fleetrig.reference_server.platforms.thingsboard.state.errors import RuleBroken

JAVA_WHITE: Final = "".join(map(chr, range(0x21)))
"""What Java's `trim` takes away: no blank beyond ASCII."""
MOST_CHARS: Final = 255
MARKUP: Final = re.compile(r"<[A-Za-z?]|</(?:p|br)\b|\{\{.*\}\}", re.DOTALL | re.IGNORECASE)
"""What the real server's scanner of HTML counts as an error: any element, also one that an end tag alone stands for,
and processing instructions; and templates. Comments and other end tags are none."""


def check_name(called: str, name: str | None, member: str = "name") -> None:
    """Raises RuleBroken; `called` as in `Device name`, `member` as in the document."""
    check_text(member, name)
    if not (name or "").strip(JAVA_WHITE):
        raise RuleBroken(f"{called} should be specified!")
    if "\0" in (name or ""):
        raise RuleBroken(f"{called} should not contain 0x00 symbol!")


def check_text(member: str, text: str | None, most_chars: int | None = MOST_CHARS, called: str = "") -> None:
    """Of a name, a label, a title; `most_chars` None: as long as it likes. Raises RuleBroken.

    `called`: what a long one is called, where it is not the member itself.
    """
    faults = []
    if text and ("<" in text or "{{" in text) and MARKUP.search(text):
        faults.append(f"{member} is malformed")
    if text and most_chars is not None and utf16_length(text) > most_chars:
        faults.append(f"{called or member} length must be equal or less than {most_chars}")
    if faults:
        raise RuleBroken(f"Validation error: {', '.join(sorted(faults))}")


def utf16_length(text: str) -> int:
    """As Java counts: a character beyond the first 65,536 is two."""
    return len(text) if text.isascii() else len(text) + sum(char > "\uffff" for char in text)
