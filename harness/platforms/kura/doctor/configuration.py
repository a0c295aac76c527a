"""A gateway's configuration as it is exported: `esf:configurations`, a snapshot or the answer to a CONF-V1 request."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fleetrig.harness.doctor.diagnosis import printable

NAMESPACE: Final = "http://eurotech.com/esf/2.0"
ROOT: Final = f"{{{NAMESPACE}}}configurations"
COMPONENT: Final = f"{{{NAMESPACE}}}configuration"
PROPERTY: Final = f".//{{{NAMESPACE}}}property"
VALUE: Final = f"{{{NAMESPACE}}}value"
MOST_BYTES: Final = 4 * 1024 * 1024
PREFIX: Final = b"<esf:configurations"
"""Kura looks elements up by their prefixed names (spec 3.2): another prefix is answered 200 and changes nothing."""
PROVISIONING: Final = "ProvisioningService"
TRANSPORT: Final = "MqttDataTransport"
DATA_SERVICE: Final = "DataService"
CLOUD_SERVICE: Final = "CloudService"
SERVICES: Final = (PROVISIONING, TRANSPORT, DATA_SERVICE, CLOUD_SERVICE)
"""Class names of the components of a cloud connection; further connections append a suffix to their pids."""


class NotConfiguration(ValueError):
    """`str()` says what is there instead, to be put after "holds"."""


@dataclass(frozen=True, slots=True)
class Component:
    """One `esf:configuration`. Values as text; an array has its first one. `encrypted`: names of unreadable values."""

    pid: str
    values: Mapping[str, str]
    encrypted: frozenset[str] = frozenset()

    def text(self, name: str) -> str:
        return self.values.get(name, "")

    def flag(self, name: str) -> bool | None:
        """None where it is not set."""
        found = self.values.get(name)
        return None if found is None else found.strip().lower() == "true"

    def number(self, name: str) -> int | None:
        """None where it is not set, or is no whole number."""
        try:
            return int(self.values[name])
        except (KeyError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class CloudConnection:
    """The components of one cloud connection. `suffix`: what follows the class names in their pids."""

    suffix: str
    services: Mapping[str, Component]

    @property
    def called(self) -> str:
        """Within a sentence."""
        return f"the connection {self.suffix}" if self.suffix else "the default connection"

    def service(self, name: str) -> Component:
        """Empty where the file has none."""
        return self.services.get(name, Component("", {}))


@dataclass(frozen=True, slots=True)
class Configuration:
    """All components of a file."""

    components: Sequence[Component]
    is_prefixed: bool = True

    @property
    def connections(self) -> tuple[CloudConnection, ...]:
        """The default one first."""
        found: dict[str, dict[str, Component]] = {}
        for component in self.components:
            for name in SERVICES:
                _, is_there, rest = component.pid.rpartition(f".{name}")
                if is_there and (not rest or rest.startswith("-")):
                    found.setdefault(rest.removeprefix("-"), {})[name] = component
        return tuple(CloudConnection(suffix, found[suffix]) for suffix in sorted(found))


def read_configuration(content: bytes) -> Configuration:
    """Raises NotConfiguration. Entities are not for configurations, and never followed."""
    if len(content) > MOST_BYTES:
        raise NotConfiguration(f"more than {MOST_BYTES >> 20} MiB")
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise NotConfiguration("a document type or entities, which no configuration has")
    try:
        root = ET.fromstring(content)
    except ET.ParseError as wrong:
        line, column = wrong.position
        raise NotConfiguration(f"no XML: it cannot be read on from line {line}, column {column + 1}") from None
    except ValueError:
        raise NotConfiguration("no XML: its encoding is not known") from None
    if root.tag != ROOT:
        raise NotConfiguration(f"XML of another kind: its root is {printable(root.tag)}, not esf:configurations")
    return Configuration(tuple(map(_component, root.iter(COMPONENT))), PREFIX in content)


def _component(element: ET.Element) -> Component:
    hidden = {one.get("name", "") for one in element.iterfind(PROPERTY) if one.get("encrypted") == "true"}
    values = {name: value for name, value in _values(element) if name not in hidden}
    return Component(element.get("pid", ""), values, frozenset(hidden))


def _values(element: ET.Element) -> Iterator[tuple[str, str]]:
    for one in element.iterfind(PROPERTY):
        value = one.find(VALUE)
        yield one.get("name", ""), (value.text or "") if value is not None else ""
