"""Names and secrets that are nearly right: how one differs from another, and which one may be meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches
from typing import Final

QUOTES: Final = "\"'"
NEAR: Final = 0.75
MOST: Final = 3


def but_for(stored: str, presented: str) -> str:
    """` but for blanks or quotes`, ` in case only`; empty when they have nothing to do with each other."""
    if stored == presented:
        return ""
    if stored.strip() == presented.strip(f"{QUOTES} \r\n\t"):
        return " but for blanks, line ends or quotes"
    return " in case only" if stored.casefold() == presented.casefold() else ""


def near(wanted: str, known: Iterable[str]) -> list[str]:
    """Names that may be meant, the nearest first."""
    names = [name for name in known if name and name != wanted]
    by_case = {name.casefold().strip(): name for name in names}
    same = [by_case[wanted.casefold().strip()]] if wanted.casefold().strip() in by_case else []
    return list(dict.fromkeys([*same, *get_close_matches(wanted, names, MOST, NEAR)]))[:MOST]


def hint(wanted: str, known: Iterable[str], what: str) -> str:
    """` There is a device gw-17.`, or nothing."""
    found = near(wanted, known)
    return f" There is a {what} {' and '.join(map(repr, found))}." if found else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is meant by a misspelt one; empty when none is near."""
    options = list(known)
    plain = word.strip("/ ").casefold().replace("_", "").replace("-", "")
    same = [one for one in options if one.strip("/ ").casefold().replace("_", "").replace("-", "") == plain]
    if same:
        return same[0]
    ranked = sorted(options, key=lambda one: SequenceMatcher(None, plain, one.casefold()).ratio(), reverse=True)
    best = ranked[0] if ranked else ""
    return best if SequenceMatcher(None, plain, best.casefold()).ratio() >= NEAR else ""
