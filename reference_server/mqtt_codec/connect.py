"""CONNECT of all three versions (MQTT 3.1 §3.1, MQTT 3.1.1 §3.1, MQTT 5 §3.1)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.mqtt_codec.fields import BrokenPacket, FieldReader
from fleetrig.reference_server.mqtt_codec.properties import PropertyPlace, read_properties
from fleetrig.reference_server.mqtt_codec.topic_names import check_topic_name
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttVersion, MqttWill, Properties
from fleetrig.simulator.contract.undecodable import Flaw

VERSIONS: Final = {
    (b"MQTT", 5): MqttVersion.V5,
    (b"MQTT", 4): MqttVersion.V311,
    (b"MQIsdp", 3): MqttVersion.V31,
}
SHOWN_NAME_BYTES: Final = 20

RESERVED: Final = 0x01
CLEAN_START: Final = 0x02
WILL: Final = 0x04
WILL_QOS: Final = 0x18
WILL_RETAIN: Final = 0x20
PASSWORD: Final = 0x40
USER_NAME: Final = 0x80


def read_connect(reader: FieldReader, *, is_strict: bool = True) -> MqttConnect:
    """Raises BrokenPacket. Which client ids and users are welcome, and a password alone, is no matter of the form.

    `is_strict`: what is wrong with a will or with properties is refused, and in MQTT 3.1 the reserved flag.
    """
    version = _read_version(reader)
    flags = reader.byte("connect flags")
    if is_strict or version is not MqttVersion.V31:
        _check_flags(flags, is_strict=is_strict)
    keep_alive_s = reader.two_bytes("keep alive")
    properties: Properties = ()
    if version is MqttVersion.V5:
        properties = read_properties(reader, PropertyPlace.CONNECT, is_strict=is_strict)
        if is_strict:
            _check_authentication(properties)
    client_id = reader.text("client id")
    will = _read_will(reader, flags, version, is_strict=is_strict) if flags & WILL else None
    user_name = reader.text("user name") if flags & USER_NAME and not _has_ended(reader, version) else None
    password = reader.binary("password") if flags & PASSWORD and not _has_ended(reader, version) else None
    clean_start = bool(flags & CLEAN_START)
    return MqttConnect(client_id, user_name, password, clean_start, keep_alive_s, version, will, properties)


def _read_version(reader: FieldReader) -> MqttVersion:
    name = reader.binary("protocol name")
    level = reader.byte("protocol level")
    version = VERSIONS.get((name, level))
    if version is None:
        shown = name[:SHOWN_NAME_BYTES].decode("latin-1")
        raise BrokenPacket(f"nobody speaks level {level} of {shown!a}", Flaw.UNKNOWN_VERSION)
    return version


def _check_flags(flags: int, *, is_strict: bool) -> None:
    if flags & RESERVED:
        raise BrokenPacket("the reserved connect flag is set")
    if not is_strict:
        return
    if flags & WILL_QOS == WILL_QOS:
        raise BrokenPacket("the will has QoS 3")
    if not flags & WILL and flags & (WILL_QOS | WILL_RETAIN):
        raise BrokenPacket("there is no will, but a QoS or a retain flag for it")


def _has_ended(reader: FieldReader, version: MqttVersion) -> bool:
    """In MQTT 3.1 the length takes precedence over the flags: what they promise may be missing (§3.1)."""
    return version is MqttVersion.V31 and reader.is_at_end()


def _check_authentication(properties: Properties) -> None:
    names = [name for name, _ in properties]
    if "authentication_data" in names and "authentication_method" not in names:
        raise BrokenPacket("there is authentication data without a method", Flaw.PROTOCOL)


def _read_will(reader: FieldReader, flags: int, version: MqttVersion, *, is_strict: bool) -> MqttWill:
    has_properties = version is MqttVersion.V5
    properties = read_properties(reader, PropertyPlace.WILL, is_strict=is_strict) if has_properties else ()
    topic = reader.text("will topic")
    if is_strict:
        check_topic_name(topic, "will topic")
    payload = reader.binary("will payload")
    return MqttWill(topic, payload, (flags & WILL_QOS) >> 3, bool(flags & WILL_RETAIN), properties)
