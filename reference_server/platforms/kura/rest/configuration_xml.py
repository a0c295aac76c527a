"""Configurations of gateways: the XML of CONF-V1 to the JSON of REST and back (spec 3.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.rest.forms import flag, inner, needed_text, objects, texts, word
from fleetrig.reference_server.platforms.kura.safe_xml import (
    BadXml,
    Element,
    read_xml,
    written_attribute,
    written_text,
)

ESF: Final = "http://eurotech.com/esf/2.0"
OCD: Final = "http://www.osgi.org/xmlns/metatype/v1.2.0"
TYPES: Final = (
    "String", "Long", "Double", "Float", "Integer", "Byte", "Char", "Boolean", "Short", "Password",
)  # fmt: skip
MOST_VALUE_CHARS: Final = 1 << 20


def configurations_of(body: bytes | None) -> list[dict[str, Any]]:
    """Components with their properties, as REST shows them; what stands between is left out. Raises BadXml."""
    root = read_xml(body or b"")
    if root.name != "configurations":
        raise BadXml(f"expected configurations, got {root.name[:40]}")
    return [_component(one) for one in root.all("configuration")]


def snapshot_ids_of(body: bytes | None) -> list[int]:
    """Raises BadXml."""
    root = read_xml(body or b"")
    found = [one.text.strip() for one in root.all("snapshotIds")]
    if root.name != "snapshot-ids" or not all(one.isascii() and one.isdigit() for one in found):
        raise BadXml("expected snapshot-ids with numbers in it")
    return [int(one[:20]) for one in found]


def configurations_xml(components: Iterable[Mapping[str, Any]]) -> bytes:
    """Of components as REST has them. Raises Refused."""
    parts = "".join(_component_xml(one) for one in components)
    head = f'<?xml version="1.0" encoding="UTF-8"?><esf:configurations xmlns:esf="{ESF}" xmlns:ocd="{OCD}">'
    return f"{head}{parts}</esf:configurations>".encode("utf-8", "replace")


def _component(element: Element) -> dict[str, Any]:
    properties = element.child("properties")
    found = [] if properties is None else [_property(one) for one in properties.all("property")]
    return {"id": element.attributes.get("pid", ""), "properties": {"property": found}}


def _property(element: Element) -> dict[str, Any]:
    said = element.attributes
    return {
        "name": said.get("name", ""),
        "array": said.get("array") == "true",
        "encrypted": said.get("encrypted") == "true",
        "type": said.get("type", "String"),
        "value": [one.text for one in element.all("value")],
    }


def _component_xml(component: Mapping[str, Any]) -> str:
    properties = objects(inner(component, "properties"), "property")
    parts = "".join(map(_property_xml, properties))
    pid = written_attribute(needed_text(component, "id"))
    return f"<esf:configuration pid={pid}><esf:properties>{parts}</esf:properties></esf:configuration>"


def _property_xml(said: Mapping[str, Any]) -> str:
    values = "".join(f"<esf:value>{written_text(one)}</esf:value>" for one in texts(said, "value", MOST_VALUE_CHARS))
    flags = " ".join(f'{name}="{str(flag(said, name)).lower()}"' for name in ("array", "encrypted"))
    kind = word(said, "type", TYPES) or "String"
    name = written_attribute(needed_text(said, "name"))
    return f'<esf:property name={name} {flags} type="{kind}">{values}</esf:property>'
