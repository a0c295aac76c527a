"""What a string may be: size, white space, markup. Each broken rule is one sentence of the error message (§0.1)."""

from __future__ import annotations

import re
from typing import Final

MARKUP: Final = re.compile(r"<(?:[a-zA-Z][^>]*>|!|\?)")
"""Real tags, comments and the like; `1 < 2 & 3 > 2` is none (S11)."""


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
    return ["controllerId has whitespaces which are not allowed."] if value and re.search(r"\s", value) else []


def missing(path: str, value: object) -> list[str]:
    return [f"{path} must not be null."] if value is None else []
