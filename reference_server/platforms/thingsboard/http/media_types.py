"""Media types as Spring reads them from `Accept` and `Content-Type`."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

TYPE: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)/([!#$%&'*+.^_`|~0-9A-Za-z-]+)", re.ASCII)
QUALITY: Final = re.compile(r"0?\.?[0-9]{0,3}|1(?:\.0{0,3})?", re.ASCII)


class NoMediaType(Exception):
    """A text that is none."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """In lower case; `parameters` without `q`."""

    name: str
    subtype: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_concrete(self) -> bool:
        return "*" not in (self.name, self.subtype)

    @property
    def essence(self) -> str:
        return f"{self.name}/{self.subtype}"

    def includes(self, essence: str) -> bool:
        """Whether a type such as `application/json` is one of these."""
        return self.essence in {"*/*", essence} or (self.subtype == "*" and essence.startswith(f"{self.name}/"))


ANYTHING: Final = (MediaType("*", "*"),)


@lru_cache(256)
def media_type(text: str) -> MediaType:
    """Raises NoMediaType: no type, a wildcard before a subtype, an unknown charset, a weight beyond 1."""
    essence, *parameters = text.split(";")
    essence = essence.strip().lower()
    found = TYPE.fullmatch("*/*" if essence == "*" else essence)
    if found is None or (found[1] == "*" and found[2] != "*"):
        raise NoMediaType(text)
    named = dict(_parameter(one, text) for one in parameters if one.strip())
    return MediaType(found[1], found[2], named)


def _parameter(one: str, text: str) -> tuple[str, str]:
    name, _, value = (part.strip() for part in one.partition("="))
    name, value = name.lower(), value.strip('"')
    if name == "charset" and not _is_charset(value):
        raise NoMediaType(text)
    if name == "q" and not QUALITY.fullmatch(value):
        raise NoMediaType(text)
    return name, value


def _is_charset(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


def accepted(header: str | None) -> Sequence[MediaType]:
    """What `Accept` names, anything if it names nothing. Raises NoMediaType."""
    found = [media_type(one.strip()) for one in header.split(",") if one.strip()] if header else ()
    return found or ANYTHING


def accepts(header: str | None, *essences: str) -> bool:
    """Whether one of these types may be answered. Raises NoMediaType."""
    return any(wanted.includes(essence) for wanted in accepted(header) for essence in essences)
