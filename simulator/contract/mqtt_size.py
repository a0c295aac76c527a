"""About how much memory a packet of MQTT takes: what is kept of a peer's packets is counted by it.

Many small parts take far more than their bytes on the wire: a user property has five bytes there, and 120 here.
"""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
    MqttConnect,
    MqttDisconnect,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    MqttUnsubscribe,
    Properties,
)

PROPERTY_BYTES: Final = 250
"""A pair of pairs, and what Python adds to its texts."""
FILTER_BYTES: Final = 150
"""A `Subscription`, and what Python adds to its text."""
WIDEST_CHAR_BYTES: Final = 4


def packet_bytes_of(packet: object) -> int:
    """Of texts, payloads, properties and filters, in bytes; 0 for what is no packet of a client."""
    match packet:
        case MqttPublish(topic, payload, properties=properties):
            return _text_bytes(topic) + len(payload) + (_properties_bytes(properties) if properties else 0)
        case MqttSubscribe(subscriptions, properties=properties):
            return _filters_bytes([one.topic_filter for one in subscriptions]) + _properties_bytes(properties)
        case MqttUnsubscribe(filters, properties=properties):
            return _filters_bytes(filters) + _properties_bytes(properties)
        case MqttConnect():
            return _connect_bytes(packet)
        case (
            MqttPublishAck(properties=properties)
            | MqttDisconnect(properties=properties)
            | MqttAuth(properties=properties)
        ):
            return _properties_bytes(properties)
        case _:
            return 0


def _connect_bytes(connect: MqttConnect) -> int:
    texts = sum(map(_value_bytes, (connect.client_id, connect.user_name or "", connect.password or b"")))
    will = connect.will
    of_will = 0 if will is None else _value_bytes(will.topic) + len(will.payload) + _properties_bytes(will.properties)
    return texts + of_will + _properties_bytes(connect.properties)


def _filters_bytes(filters: list[str] | tuple[str, ...]) -> int:
    return sum(FILTER_BYTES + _text_bytes(one) for one in filters)


def _properties_bytes(properties: Properties) -> int:
    return sum(PROPERTY_BYTES + _value_bytes(value) for _, value in properties)


def _value_bytes(value: object) -> int:
    match value:
        case str():
            return _text_bytes(value)
        case bytes():
            return len(value)
        case (str() as name, str() as text):
            return _text_bytes(name) + _text_bytes(text)
        case _:
            return 0


def _text_bytes(text: str) -> int:
    """One character that is none of ASCII may make all of them wide."""
    return len(text) if text.isascii() else WIDEST_CHAR_BYTES * len(text)
