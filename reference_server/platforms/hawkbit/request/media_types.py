"""`Accept` against what there is, as Spring reads it: ranges by quality and precision, suffixes, parameters (§0)."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import cmp_to_key, lru_cache
from typing import Final

TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
QUALITY: Final = re.compile(r"[0-9]*\.?[0-9]+|[0-9]+\.?")
IN_QUOTES: Final = re.compile(r'(?:[^,"]|"(?:\\.|[^"\\])*"?)+')
BETWEEN_PARAMETERS: Final = re.compile(r'(?:[^;"]|"(?:\\.|[^"\\])*"?)+')


class NoMediaType(ValueError):
    """What no part of an `Accept` may be; then none of its parts counts."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """A type or a range of types. `parameters` are without `q`, as written but for their names' case."""

    type: str
    subtype: str
    parameters: str = ""
    quality: float = 1.0

    @property
    def name(self) -> str:
        return f"{self.type}/{self.subtype}"

    @property
    def suffix(self) -> str:
        """`json` of `application/hal+json` and of `application/*+json`; empty without a plus."""
        return self.subtype.rpartition("+")[2] if "+" in self.subtype else ""

    @property
    def has_wildcard_subtype(self) -> bool:
        return self.subtype == "*" or self.subtype.startswith("*+")

    @property
    def is_concrete(self) -> bool:
        return self.type != "*" and not self.has_wildcard_subtype

    def fits(self, other: MediaType) -> bool:
        """True when a type can be meant by both. Parameters do not count."""
        if "*" in (self.type, other.type):
            return True
        if self.type != other.type:
            return False
        if self.subtype == other.subtype or "*" in (self.subtype, other.subtype):
            return True
        if self.has_wildcard_subtype:
            return self.suffix in (other.subtype, other.suffix)
        return other.has_wildcard_subtype and other.suffix in (self.subtype, self.suffix)

    def includes(self, other: MediaType) -> bool:
        """True when all that the other one means is meant by this one."""
        if self.type == "*":
            return True
        if self.type != other.type:
            return False
        if self.subtype in ("*", other.subtype):
            return True
        return self.has_wildcard_subtype and self.suffix == other.suffix and not other.has_wildcard_subtype

    def before(self, other: MediaType) -> bool:
        """True when this one is asked for rather than the other: better quality, or said more precisely."""
        if self.quality != other.quality:
            return self.quality > other.quality
        if self._precision != other._precision:
            return self._precision > other._precision
        return self.name == other.name and self.parameters.count(";") > other.parameters.count(";")

    @property
    def _precision(self) -> tuple[bool, bool]:
        return self.type != "*", not self.has_wildcard_subtype


ANYTHING: Final = MediaType("*", "*")


@lru_cache(maxsize=256)
def accepted(header: str | None) -> tuple[MediaType, ...]:
    """The ranges of an `Accept`, the most wanted first; without one anything. Raises NoMediaType."""
    pieces = [piece.strip() for piece in IN_QUOTES.findall(header or "")]
    ranges = [_parsed(piece) for piece in pieces if piece]
    return tuple(sorted(ranges, key=cmp_to_key(_in_order))) or (ANYTHING,)


def _in_order(one: MediaType, other: MediaType) -> int:
    return other.before(one) - one.before(other)


def negotiate(accept: str | None, offered: tuple[str, ...]) -> str | None:
    """The Content-Type of the answer, None when nothing fits (406). Parameters asked for are given back with it."""
    return offered[0] if not accept or accept == "*/*" else _negotiate(accept, offered)


@lru_cache(maxsize=256)
def _negotiate(accept: str, offered: tuple[str, ...]) -> str | None:
    try:
        ranges = accepted(accept)
    except NoMediaType:
        return None
    producible = [_parsed(text) for text in offered]
    for wanted in ranges:
        for there_is in producible:
            if not wanted.fits(there_is):
                continue
            chosen = there_is if there_is.is_concrete and not wanted.is_concrete else wanted
            if chosen.is_concrete:
                return chosen.name + chosen.parameters
    return None


def type_sent(header: str) -> str:
    """Type and subtype of a `Content-Type`, in lower case; empty for none and for what is no single media type."""
    try:
        return _parsed(header).name if header.strip() else ""
    except NoMediaType:
        return ""


def _parsed(text: str) -> MediaType:
    name, *parameters = [piece.strip() for piece in BETWEEN_PARAMETERS.findall(text)] or [""]
    kind, slash, subtype = ("*", "/", "*") if name == "*" else name.partition("/")
    if not slash or not TOKEN.fullmatch(kind) or not TOKEN.fullmatch(subtype) or (kind == "*" and subtype != "*"):
        raise NoMediaType(f"{text[:50]!r} is no media type")
    quality, kept = 1.0, ""
    for parameter in parameters:
        key, equals, value = (piece.strip() for piece in parameter.partition("="))
        if not equals:
            continue
        if key.lower() == "q":
            quality = _quality(value)
        else:
            kept += f";{key.lower()}={_checked(key.lower(), value)}"
    return MediaType(kind.lower(), subtype.lower(), kept, quality)


def _quality(value: str) -> float:
    bare = value.strip('"')
    if not QUALITY.fullmatch(bare) or float(bare) > 1:
        raise NoMediaType(f"q={value[:20]}: expected a number from 0 to 1")
    return float(bare)


def _checked(key: str, value: str) -> str:
    """The value as it is given back. Raises NoMediaType for a charset that there is not."""
    if key != "charset":
        return value
    bare = value.strip('"')
    try:
        codecs.lookup(bare)
    except (LookupError, ValueError):
        raise NoMediaType(f"unknown charset {value[:30]}") from None
    return bare
