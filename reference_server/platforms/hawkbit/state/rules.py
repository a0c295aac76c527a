"""What a string may be: size, white space, markup. Each broken rule is one sentence of the error message (§0.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.state.errors import violations

MARKUP: Final = re.compile(r"<(?:[a-zA-Z][^>]*>|!|\?)")
"""Real tags, comments and the like; `1 < 2 & 3 > 2` is none (S11)."""
WHITE: Final = re.compile(r"\s", re.ASCII)
"""What Java takes for white space in an id: not the other blanks of Unicode."""
BLANK: Final = "".join(map(chr, range(0x21)))
"""What `String.trim()` cuts off at both ends: blanks and all control characters."""


@dataclass(frozen=True, slots=True)
class TextRule:
    """What the text in a field of a record may be. `needed`: a record is not stored without it."""

    name: str
    least: int
    most: int
    needed: bool = False
    has_markup_check: bool = True

    def broken(self, path: str, value: str | None) -> list[str]:
        markup = broken_markup(path, value) if self.has_markup_check else []
        return broken_size(path, value, self.least, self.most) + markup


def broken_texts(path: str, rules: tuple[TextRule, ...], given: Mapping[str, Any]) -> list[str]:
    """What is wrong with a request, said with the path to it."""
    return [sentence for rule in rules for sentence in rule.broken(f"{path}.{rule.name}", given.get(rule.name))]


def as_stored(rules: tuple[TextRule, ...], given: Mapping[str, Any], *more: str) -> dict[str, Any]:
    """The same fields as they are stored: trimmed.

    Raises 400 for what is missing or has become too short, said of the record: without a path. `more`: what else is
    wrong with the record.
    """
    stored = {name: trimmed(value) for name, value in given.items()}
    broken = [*more]
    for rule in rules:
        broken += missing(rule.name, stored.get(rule.name)) if rule.needed else []
        broken += broken_size(rule.name, stored.get(rule.name), rule.least, rule.most)
    if broken:
        raise violations(broken)
    return stored


def trimmed(value: Any) -> Any:
    """Text as every record of the server keeps it: without blanks and control characters around it."""
    return value.strip(BLANK) if isinstance(value, str) else value


def broken_size(path: str, value: str | None, least: int, most: int) -> list[str]:
    if value is None or least <= len(value) <= most:
        return []
    return [f"{path} size must be between {least} and {most}."]


def broken_markup(path: str, value: str | None) -> list[str]:
    return [f"{path} Invalid characters in string."] if value and MARKUP.search(value) else []


def broken(path: str, value: str | None, least: int, most: int) -> list[str]:
    """Size and markup, what holds for nearly every string."""
    return broken_size(path, value, least, most) + broken_markup(path, value)


def broken_whitespace(value: str | None) -> list[str]:
    """Said of the record, without a path."""
    return ["controllerId has whitespaces which are not allowed."] if value and WHITE.search(value) else []


def missing(path: str, value: object) -> list[str]:
    return [f"{path} must not be null."] if value is None else []
