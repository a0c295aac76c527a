"""Properties of MQTT 5, between the contract's pairs and paho's objects; lengths as MQTT writes them.

paho gives up their order but for user properties, and unpacks a block in time that grows with its square: a server
that makes use of that would hold a whole fleet for seconds, so they are counted before.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, cast

from paho.mqtt.exception import MQTTException
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties as PahoProperties
from paho.mqtt.properties import VariableByteIntegers

from fleetrig.simulator.contract.mqtt import Properties, PropertyValue

PROPERTIES_LIMIT_BYTES: Final = 72 * 1024
"""More than the longest text of MQTT 5 (65,535 bytes) with all that usually stands beside it."""
PROPERTIES_LIMIT: Final = 1_000
"""That many take paho 15 ms in the longest block."""
UNREADABLE: Final = (MQTTException, struct.error, IndexError, KeyError, ValueError)
"""What paho raises for properties that are none."""

PAHO_NAMES: Final = {
    name.lower().replace(" ", "_"): name.replace(" ", "")
    for name in PahoProperties(PacketTypes.PUBLISH).names  # type: ignore[no-untyped-call]
}
"""Name in the contract -> in paho: `reason_string` -> `ReasonString`."""


_PAHO: Final = PahoProperties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
TYPES: Final = {number: _PAHO.types[kind] for number, (kind, _) in _PAHO.properties.items()}
"""Number of a property -> paho's word for the type of its value."""


def to_paho(properties: Properties, packet_type: int) -> PahoProperties | None:
    """None for no properties. Raises KeyError or MQTTException for one that such a packet cannot have."""
    if not properties:
        return None
    found = PahoProperties(packet_type)  # type: ignore[no-untyped-call]
    for name, value in properties:
        setattr(found, PAHO_NAMES[name], value)
    return found


def packed(properties: Properties, packet_type: int) -> bytes:
    """The block with its length; nothing for no properties, where that is allowed at the end of a packet."""
    found = to_paho(properties, packet_type)
    return b"" if found is None else bytes(found.pack())  # type: ignore[no-untyped-call]


def read_properties(data: bytes, packet_type: int) -> tuple[Properties, bytes]:
    """The properties at the beginning of `data`, and what stands behind them. Raises ValueError."""
    if data[:1] == b"\0":
        return (), data[1:]
    try:
        length, begin = read_length(data)
        end = begin + length
        if end > len(data) or length > PROPERTIES_LIMIT_BYTES:
            raise ValueError(f"{length:,} bytes of them")
        if not are_few(data[begin:end]):
            raise ValueError(f"more than {PROPERTIES_LIMIT:,} of them")
        found = PahoProperties(packet_type)  # type: ignore[no-untyped-call]
        found.unpack(data[:end])  # type: ignore[no-untyped-call]
    except UNREADABLE as error:
        raise ValueError(f"properties that are none: {error}") from error
    return tuple(_pairs(found)), data[end:]


def are_few(block: bytes) -> bool:
    """Whether they are no more than `PROPERTIES_LIMIT`. Raises KeyError and IndexError for what is none, or not all."""
    at = count = 0
    while at < len(block) and count <= PROPERTIES_LIMIT:
        at = _end_of_value(block, at + 1, TYPES[block[at]])
        count += 1
    return count <= PROPERTIES_LIMIT


def _end_of_value(block: bytes, at: int, kind: str) -> int:
    match kind:
        case "Byte":
            return at + 1
        case "Two Byte Integer":
            return at + 2
        case "Four Byte Integer":
            return at + 4
        case "Variable Byte Integer":
            return at + read_length(block[at : at + 4])[1]
        case "UTF-8 String Pair":
            at = _end_of_value(block, at, "Binary Data")
    return at + 2 + (block[at] << 8 | block[at + 1])


def written_length(length: int) -> bytes:
    """A length as a variable byte integer (MQTT 5, 1.5.5)."""
    return bytes(VariableByteIntegers.encode(length))  # type: ignore[no-untyped-call]


def read_length(data: bytes) -> tuple[int, int]:
    """The variable byte integer at the beginning, and how many bytes it takes. Raises MQTTException."""
    length, size = VariableByteIntegers.decode(data[:5])  # type: ignore[no-untyped-call]
    return int(length), int(size)


def _pairs(found: PahoProperties) -> Iterator[tuple[str, PropertyValue]]:
    for name, paho_name in PAHO_NAMES.items():
        value = getattr(found, paho_name, None)
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                yield name, cast(PropertyValue, one)
