"""How two names of one thing differ: the platform compares them letter by letter, in Java's form (spec 0.1)."""

from __future__ import annotations

import re
from typing import Final

from fleetrig.reference_server.platforms.hono.names.java_name_parser import NoName, parse_name
from fleetrig.reference_server.platforms.hono.names.java_names import printed

HEX_VALUE: Final = re.compile(r"=#(?:[0-9a-f]{2})+")


def how_they_differ(registered: str, wanted: str) -> tuple[str, str] | None:
    """The name of a diagnosis and how it is said; None for names of different things, and for equal ones."""
    if registered == wanted:
        return None
    try:
        parts, others = parse_name(registered), parse_name(wanted)
    except NoName:
        return None
    if parts == list(reversed(others)):
        return "dn-order", "the same parts in the other order (the most specific part stands first, CN before OU and O)"
    if sorted(map(repr, parts)) == sorted(map(repr, others)):
        return "dn-order", "the same parts in another order"
    if registered.lower() == wanted.lower() or _folded(registered) == _folded(wanted):
        return "dn-case", "the same but for upper and lower case or blanks"
    if _without_kinds(registered) == _without_kinds(wanted) and HEX_VALUE.search(registered + wanted):
        return "dn-string-type", "the same but for the kind of string of an attribute that is printed as OID and hex"
    return None


def _folded(name: str) -> str:
    return " ".join(name.split()).lower()


def _without_kinds(name: str) -> str:
    """Without the first byte of hex values, which says PrintableString, UTF8String or IA5String."""
    return re.sub(r"=#[0-9a-f]{2}", "=#", name)


def normalised(text: str) -> str | None:
    """As Java prints what it reads; None for what is no name."""
    try:
        return printed(parse_name(text))
    except NoName:
        return None
