"""The properties of MQTT 5 (§2.2.2): their numbers, names and types, and where each may stand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from fleetrig.reference_server.mqtt_codec.fields import (
    BrokenPacket,
    FieldReader,
    binary_bytes,
    check_parts,
    text_bytes,
    variable_bytes,
)
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.mqtt import Properties, PropertyValue
from fleetrig.simulator.contract.undecodable import Flaw


class PropertyPlace(Enum):
    """What a client sends that has properties."""

    CONNECT = "CONNECT"
    WILL = "will"
    PUBLISH = "PUBLISH"
    PUBLISH_ACK = "acknowledgement"
    SUBSCRIBE = "SUBSCRIBE"
    UNSUBSCRIBE = "UNSUBSCRIBE"
    DISCONNECT = "DISCONNECT"
    AUTH = "AUTH"


class PropertyType(Enum):
    BYTE = "byte"
    TWO_BYTES = "two bytes"
    FOUR_BYTES = "four bytes"
    VARIABLE = "variable byte integer"
    TEXT = "UTF-8"
    BINARY = "binary"
    PAIR = "pair of UTF-8"


@dataclass(frozen=True, slots=True)
class Property:
    """One line of table 2-4. `places`: where a client may say it; `smallest` and `largest` bound its number."""

    number: int
    name: str
    type: PropertyType
    places: tuple[PropertyPlace, ...] = ()
    smallest: int = 0
    largest: int = 0xFFFF_FFFF


_T, _P = PropertyType, PropertyPlace
_MESSAGE = (_P.PUBLISH, _P.WILL)

USER_PROPERTY: Final = Property(38, "user_property", _T.PAIR, tuple(PropertyPlace))

PROPERTIES: Final = (
    Property(1, "payload_format_indicator", _T.BYTE, _MESSAGE, largest=1),
    Property(2, "message_expiry_interval", _T.FOUR_BYTES, _MESSAGE),
    Property(3, "content_type", _T.TEXT, _MESSAGE),
    Property(8, "response_topic", _T.TEXT, _MESSAGE),
    Property(9, "correlation_data", _T.BINARY, _MESSAGE),
    Property(11, "subscription_identifier", _T.VARIABLE, (_P.SUBSCRIBE,), smallest=1),
    Property(17, "session_expiry_interval", _T.FOUR_BYTES, (_P.CONNECT, _P.DISCONNECT)),
    Property(18, "assigned_client_identifier", _T.TEXT),
    Property(19, "server_keep_alive", _T.TWO_BYTES),
    Property(21, "authentication_method", _T.TEXT, (_P.CONNECT, _P.AUTH)),
    Property(22, "authentication_data", _T.BINARY, (_P.CONNECT, _P.AUTH)),
    Property(23, "request_problem_information", _T.BYTE, (_P.CONNECT,), largest=1),
    Property(24, "will_delay_interval", _T.FOUR_BYTES, (_P.WILL,)),
    Property(25, "request_response_information", _T.BYTE, (_P.CONNECT,), largest=1),
    Property(26, "response_information", _T.TEXT),
    Property(28, "server_reference", _T.TEXT),
    Property(31, "reason_string", _T.TEXT, (_P.PUBLISH_ACK, _P.DISCONNECT, _P.AUTH)),
    Property(33, "receive_maximum", _T.TWO_BYTES, (_P.CONNECT,), smallest=1),
    Property(34, "topic_alias_maximum", _T.TWO_BYTES, (_P.CONNECT,)),
    Property(35, "topic_alias", _T.TWO_BYTES, (_P.PUBLISH,)),
    Property(36, "maximum_qos", _T.BYTE),
    Property(37, "retain_available", _T.BYTE),
    USER_PROPERTY,
    Property(39, "maximum_packet_size", _T.FOUR_BYTES, (_P.CONNECT,), smallest=1),
    Property(40, "wildcard_subscription_available", _T.BYTE),
    Property(41, "subscription_identifier_available", _T.BYTE),
    Property(42, "shared_subscription_available", _T.BYTE),
)
BY_NUMBER: Final = {one.number: one for one in PROPERTIES}
BY_NAME: Final = {one.name: one for one in PROPERTIES}


def read_properties(reader: FieldReader, place: PropertyPlace, *, is_strict: bool = True) -> Properties:
    """The properties that begin here, with their length. Raises BrokenPacket for what may not stand in that place."""
    if not is_strict:
        return _read_leniently(reader)
    length = reader.variable("property length")
    if not length:
        return ()
    end = reader.at + length
    if end > len(reader.data):
        raise BrokenPacket("it ends before its properties do")
    found: list[tuple[str, PropertyValue]] = []
    seen: set[int] = set()
    while reader.at < end:
        known = _expected(reader.byte("property"), place, seen)
        found.append((known.name, _checked(known, _read_value(reader, known))))
        check_parts(len(found))
    if reader.at > end:
        raise BrokenPacket("its properties are longer than their length says")
    return tuple(found)


def _read_leniently(reader: FieldReader) -> Properties:
    """As Netty reads them: any in any place, as often as it likes, and on beyond their end.

    It counts the bytes of their length too: what begins in the last of the properties' bytes is none.
    """
    begins = reader.at
    end = begins + reader.variable("property length")
    found: list[tuple[str, PropertyValue]] = []
    while reader.at < end:
        known = _known(reader.byte("property"))
        found.append((known.name, _read_value(reader, known, errors="replace")))
        check_parts(len(found))
    return tuple(found)


def properties_bytes(properties: Properties) -> bytes:
    """Their length and they themselves. Raises ModelError for a name that MQTT 5 does not have."""
    if not properties:
        return b"\0"
    written = b"".join(_property_bytes(name, value) for name, value in properties)
    return variable_bytes(len(written)) + written


def _known(number: int) -> Property:
    known = BY_NUMBER.get(number)
    if known is None:
        raise BrokenPacket(f"there is no property {number}")
    return known


def _expected(number: int, place: PropertyPlace, seen: set[int]) -> Property:
    known = _known(number)
    if place not in known.places:
        raise BrokenPacket(f"{known.name} must not stand in a {place.value} of a client")
    if number in seen and known is not USER_PROPERTY:
        raise BrokenPacket(f"{known.name} is there twice", Flaw.PROTOCOL)
    seen.add(number)
    return known


def _checked(known: Property, value: PropertyValue) -> PropertyValue:
    if isinstance(value, int) and not known.smallest <= value <= known.largest:
        raise BrokenPacket(f"{known.name} must not be {value}", Flaw.PROTOCOL)
    return value


def _read_value(reader: FieldReader, known: Property, errors: str = "strict") -> PropertyValue:
    match known.type:
        case PropertyType.BYTE:
            return reader.byte(known.name)
        case PropertyType.TWO_BYTES:
            return reader.two_bytes(known.name)
        case PropertyType.FOUR_BYTES:
            return reader.four_bytes(known.name)
        case PropertyType.VARIABLE:
            return reader.variable(known.name)
        case PropertyType.TEXT:
            return reader.text(known.name, errors)
        case PropertyType.BINARY:
            return reader.binary(known.name)
        case PropertyType.PAIR:
            return reader.text(known.name, errors), reader.text(known.name, errors)


def _property_bytes(name: str, value: PropertyValue) -> bytes:
    known = BY_NAME.get(name)
    if known is None:
        raise ModelError(f"MQTT 5 has no property {name!r}")
    try:
        return bytes((known.number,)) + _value_bytes(known.type, value)
    except (OverflowError, TypeError, ValueError) as error:
        raise ModelError(f"{value!r} is no {known.type.value} for the property {name}") from error


def _value_bytes(kind: PropertyType, value: PropertyValue) -> bytes:
    match kind, value:
        case PropertyType.BYTE, int():
            return value.to_bytes(1, "big")
        case PropertyType.TWO_BYTES, int():
            return value.to_bytes(2, "big")
        case PropertyType.FOUR_BYTES, int():
            return value.to_bytes(4, "big")
        case PropertyType.VARIABLE, int():
            return variable_bytes(value)
        case PropertyType.TEXT, str():
            return text_bytes(value)
        case PropertyType.BINARY, bytes():
            return binary_bytes(value)
        case PropertyType.PAIR, (str(), str()):
            return text_bytes(value[0]) + text_bytes(value[1])
        case _:
            raise TypeError(type(value).__name__)
