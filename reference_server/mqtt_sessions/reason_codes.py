"""Reason codes of MQTT 5 (§2.4), and what MQTT 3 says in their place."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final


class MqttReason(IntEnum):
    """The names of the standard. From 0x80 on they are refusals."""

    SUCCESS = 0x00
    DISCONNECT_WITH_WILL = 0x04
    NO_SUBSCRIPTION_EXISTED = 0x11
    UNSPECIFIED_ERROR = 0x80
    MALFORMED_PACKET = 0x81
    PROTOCOL_ERROR = 0x82
    IMPLEMENTATION_SPECIFIC_ERROR = 0x83
    UNSUPPORTED_PROTOCOL_VERSION = 0x84
    CLIENT_IDENTIFIER_NOT_VALID = 0x85
    BAD_USER_NAME_OR_PASSWORD = 0x86
    NOT_AUTHORIZED = 0x87
    SERVER_UNAVAILABLE = 0x88
    SERVER_SHUTTING_DOWN = 0x8B
    BAD_AUTHENTICATION_METHOD = 0x8C
    KEEP_ALIVE_TIMEOUT = 0x8D
    SESSION_TAKEN_OVER = 0x8E
    TOPIC_FILTER_INVALID = 0x8F
    TOPIC_NAME_INVALID = 0x90
    PACKET_IDENTIFIER_NOT_FOUND = 0x92
    RECEIVE_MAXIMUM_EXCEEDED = 0x93
    TOPIC_ALIAS_INVALID = 0x94
    PACKET_TOO_LARGE = 0x95
    MESSAGE_RATE_TOO_HIGH = 0x96
    QUOTA_EXCEEDED = 0x97
    ADMINISTRATIVE_ACTION = 0x98
    PAYLOAD_FORMAT_INVALID = 0x99
    RETAIN_NOT_SUPPORTED = 0x9A
    QOS_NOT_SUPPORTED = 0x9B
    USE_ANOTHER_SERVER = 0x9C
    SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9E
    CONNECTION_RATE_EXCEEDED = 0x9F
    SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xA1


REFUSED: Final = 0x80
"""The least code that refuses; also the only refusal that a SUBACK of MQTT 3.1.1 knows (§3.9.3)."""

UNACCEPTABLE_PROTOCOL_VERSION: Final = 1
"""The return code of a CONNACK of MQTT 3 for a protocol level that nobody speaks (3.1.1 §3.2.2.3)."""

NOT_AUTHORIZED_V3: Final = 5

CONNACK_CODES_V3: Final[Mapping[int, int]] = MappingProxyType(
    {
        MqttReason.UNSUPPORTED_PROTOCOL_VERSION: UNACCEPTABLE_PROTOCOL_VERSION,
        MqttReason.CLIENT_IDENTIFIER_NOT_VALID: 2,
        MqttReason.SERVER_UNAVAILABLE: 3,
        MqttReason.USE_ANOTHER_SERVER: 3,
        MqttReason.CONNECTION_RATE_EXCEEDED: 3,
        MqttReason.BAD_USER_NAME_OR_PASSWORD: 4,
    }
)
"""Reason code of a refused CONNECT -> return code of MQTT 3; all others are 5, not authorized."""
