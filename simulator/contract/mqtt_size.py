"""About how much memory a packet of MQTT takes: what is kept of a peer's packets is counted by it.

Many small parts take far more than their bytes on the wire: a user property has five bytes there, and 120 here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
    MqttConnect,
    MqttDisconnect,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    MqttUnsubscribe,
    MqttWill,
    Properties,
)

PROPERTY_BYTES: Final = 250
"""A pair of pairs, and what Python adds to its texts."""
FILTER_BYTES: Final = 150
"""A `Subscription`, and what Python adds to its text."""
WIDEST_CHAR_BYTES: Final = 4


def packet_bytes_of(packet: object) -> int:
    """Of texts, payloads, properties and filters, in bytes; 0 for what is no packet of a client."""
    measure = MEASURES.get(type(packet))
    return 0 if measure is None else measure(packet)


def _publish_bytes(publish: MqttPublish) -> int:
    of_properties = _properties_bytes(publish.properties) if publish.properties else 0
    return _text_bytes(publish.topic) + len(publish.payload) + of_properties


def _connect_bytes(connect: MqttConnect) -> int:
    texts = _text_bytes(connect.client_id) + _text_bytes(connect.user_name or "") + len(connect.password or b"")
    return texts + _properties_bytes(connect.properties) + _will_bytes(connect.will)


def _will_bytes(will: MqttWill | None) -> int:
    if will is None:
        return 0
    return _text_bytes(will.topic) + len(will.payload) + _properties_bytes(will.properties)


def _subscribe_bytes(subscribe: MqttSubscribe) -> int:
    filters = [one.topic_filter for one in subscribe.subscriptions]
    return _filters_bytes(filters) + _properties_bytes(subscribe.properties)


def _unsubscribe_bytes(unsubscribe: MqttUnsubscribe) -> int:
    return _filters_bytes(unsubscribe.topic_filters) + _properties_bytes(unsubscribe.properties)


def _short_bytes(packet: MqttPublishAck | MqttDisconnect | MqttAuth) -> int:
    return _properties_bytes(packet.properties) if packet.properties else 0


def _filters_bytes(filters: Iterable[str]) -> int:
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


MEASURES: Final[Mapping[type, Callable[[Any], int]]] = {
    MqttPublish: _publish_bytes,
    MqttConnect: _connect_bytes,
    MqttSubscribe: _subscribe_bytes,
    MqttUnsubscribe: _unsubscribe_bytes,
    MqttPublishAck: _short_bytes,
    MqttDisconnect: _short_bytes,
    MqttAuth: _short_bytes,
}
