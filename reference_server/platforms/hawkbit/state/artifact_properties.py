"""`hawkbit.artifact.url.protocols.<name>.<part>`: start-up properties to protocols of links to files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.state.artifact_urls import (
    APIS,
    DOWNLOAD,
    MD5SUM,
    MD5SUM_ENDING,
    UrlProtocol,
)
from fleetrig.reference_server.platforms.hawkbit.state.property_values import as_yes_no

PREFIX: Final = "hawkbit.artifact.url.protocols."
GREATEST_PORT: Final = 65_535
INHERITED: Final = ("ref", "protocol", "hostname", "ip", "port")
"""What the link to the MD5 sum takes from the one to the file, unless it has its own."""


def _text(text: str) -> str:
    if "${" in text:
        raise ValueError("names of other properties are not looked up here: expected the value itself")
    return text


def _port(text: str) -> int | None:
    """Nothing for links without a port."""
    if not text.strip():
        return None
    if not text.strip().isdecimal() or int(text) > GREATEST_PORT:
        raise ValueError(f"expected a port, 0 to {GREATEST_PORT}, or nothing for none")
    return int(text)


def _apis(text: str) -> frozenset[str]:
    names = {name.strip().upper() for name in text.split(",") if name.strip()}
    if not names <= set(APIS):
        raise ValueError(f"expected some of {','.join(APIS)}")
    return frozenset(names)


READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "enabled": as_yes_no,
    "rel": _text,
    "ref": _text,
    "protocol": _text,
    "hostname": _text,
    "ip": _text,
    "port": _port,
    "supports": _apis,
}
"""Part of a property's name -> how its text is read."""
PROPERTY: Final = re.compile(re.escape(PREFIX) + rf"(?P<name>[^.]+)\.(?P<part>{'|'.join(READ)})")


def with_properties(
    protocols: Mapping[str, UrlProtocol], given: Mapping[str, Mapping[str, str]]
) -> dict[str, UrlProtocol]:
    """`given`: name of a protocol -> part -> text. A name that is new makes a protocol. Raises ValueError."""
    parts = {name: {**texts} for name, texts in given.items()}
    if DOWNLOAD in parts:
        inherited = {part: text for part, text in parts[DOWNLOAD].items() if part in INHERITED}
        if "ref" in inherited:
            inherited["ref"] += MD5SUM_ENDING
        parts[MD5SUM] = {**inherited, **parts.get(MD5SUM, {})}
    changed = {name: _changed(name, protocols.get(name, UrlProtocol()), texts) for name, texts in parts.items()}
    return {**protocols, **changed}


def _changed(name: str, one: UrlProtocol, texts: Mapping[str, str]) -> UrlProtocol:
    for part, text in texts.items():
        try:
            one = replace(one, **{part: READ[part](text)})
        except ValueError as error:
            raise ValueError(f"property {PREFIX}{name}.{part}={text!r}: {error}") from None
    return one
