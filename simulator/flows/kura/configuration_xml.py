"""Configurations and lists of snapshots as CONF-V1 writes them (spec 3.2).

Elements are found by their literal names, prefix and all: `esf:configuration`. With another prefix, or below another
root, nothing is found, which is no mistake. Documents with a DTD are not read: nobody needs one, and it can be a bomb.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>'
NAMESPACES: Final = 'xmlns:esf="http://eurotech.com/esf/2.0" xmlns:ocd="http://www.osgi.org/xmlns/metatype/v1.2.0"'
ROOT: Final = "esf:configurations"
WHOLE: Final = {"Integer": 31, "Long": 63, "Short": 15, "Byte": 7}
"""Types of whole numbers, and how many bits they have beside the sign."""
WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]+")
TYPES: Final = frozenset({*WHOLE, "String", "Double", "Float", "Char", "Boolean", "Password"})
"""A property of any other type is passed over."""
BYTE_ORDER_MARK: Final = "\ufeff"
MOST_LEVELS: Final = 32

Configurations = Mapping[str, Mapping[str, Any]]
"""Pid -> property -> value."""


@dataclass(slots=True)
class Element:
    name: str
    attributes: Mapping[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def named(self, name: str) -> Iterator[Element]:
        return (child for child in self.children if child.name == name)


def read_configurations(body: bytes) -> dict[str, dict[str, Any]]:
    """Raises ValueError for what is no XML, and for a value that does not fit its type."""
    root = read_xml(body)
    if root.name != ROOT:
        return {}
    return {
        one.attributes["pid"]: dict(_properties(one))
        for one in root.named("esf:configuration")
        if "pid" in one.attributes
    }


def _properties(configuration: Element) -> Iterator[tuple[str, Any]]:
    for properties in configuration.named("esf:properties"):
        for one in properties.named("esf:property"):
            kind = one.attributes.get("type", "")
            if kind not in TYPES:
                continue
            values = [value_of(kind, value.text) for value in one.named("esf:value")]
            is_array = one.attributes.get("array") == "true"
            if not values and not is_array:
                raise ValueError("a property without a value")
            if "name" in one.attributes and values:
                yield one.attributes["name"], values if is_array else values[0]


def value_of(kind: str, text: str) -> Any:
    """Raises ValueError for a text that is no value of that type."""
    match kind:
        case "Boolean":
            return text.lower() == "true"
        case "Double" | "Float":
            return float(text)
        case "Char" if not text:
            raise ValueError("a Char has a character")
        case "Char":
            return text[0]
        case _ if kind in WHOLE:
            if not WHOLE_NUMBER.fullmatch(text):
                raise ValueError(f"{text} is no {kind}")
            number = int(text)
            if not -(1 << WHOLE[kind]) <= number < 1 << WHOLE[kind]:
                raise ValueError(f"{text} is no {kind}")
            return number
        case _:
            return text


def write_configurations(configurations: Configurations, types: Mapping[str, Mapping[str, str]]) -> bytes:
    """`types`: pid -> property -> its type, where it is not to be told from the value."""
    parts = [f"{HEAD}<{ROOT} {NAMESPACES}>"]
    for pid, properties in configurations.items():
        parts.append(f"<esf:configuration pid={quoteattr(pid)}><esf:properties>")
        for name, value in properties.items():
            kind = types.get(pid, {}).get(name) or type_of(value)
            parts += _property(name, kind, value)
        parts.append("</esf:properties></esf:configuration>")
    return "".join([*parts, f"</{ROOT}>"]).encode()


def _property(name: str, kind: str, value: Any) -> Iterator[str]:
    is_array = isinstance(value, list)
    yield f'<esf:property array="{_text(is_array)}" encrypted="false" name={quoteattr(name)} type="{kind}">'
    for one in value if is_array else [value]:
        yield f"<esf:value>{escape(_text(one))}</esf:value>"
    yield "</esf:property>"


def type_of(value: Any) -> str:
    match value[0] if isinstance(value, list) and value else value:
        case bool():
            return "Boolean"
        case int():
            return "Integer"
        case float():
            return "Double"
        case _:
            return "String"


def write_snapshot_ids(ids: Iterable[int]) -> bytes:
    listed = "".join(f"    <esf:snapshotIds>{one}</esf:snapshotIds>\n" for one in ids)
    return f"{HEAD}<esf:snapshot-ids {NAMESPACES}>\n{listed}</esf:snapshot-ids>\n".encode()


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_xml(body: bytes) -> Element:
    """Raises ValueError for what is no XML, has a DTD, or is nested too deeply."""
    top = Element("", {})
    open_: list[Element] = [top]

    def begin(name: str, attributes: dict[str, str]) -> None:
        if len(open_) > MOST_LEVELS:
            raise ValueError(f"more than {MOST_LEVELS} levels")
        element = Element(name, attributes)
        open_[-1].children.append(element)
        open_.append(element)

    def end(name: str) -> None:
        del name
        open_.pop()

    def text(data: str) -> None:
        open_[-1].text += data

    def refuse(*_: object) -> None:
        raise ValueError("a document type is not read")

    # As a gateway reads it: UTF-8 whatever the document says of itself, and no mark in front of it.
    document = body.decode("utf-8", "replace")
    if document.startswith(BYTE_ORDER_MARK):
        raise ValueError("a byte order mark before the document")
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, text
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from None
    return top.children[0]
