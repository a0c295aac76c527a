"""What a platform decides about its MQTT sessions, as data: each platform has one `SessionRules`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from fleetrig.reference_server.mqtt_sessions.reason_codes import CONNACK_CODES_V3, MqttReason
from fleetrig.reference_server.mqtt_sessions.session_limits import SessionLimits
from fleetrig.simulator.contract.undecodable import Flaw

FOREVER_S: Final = 0xFFFFFFFF
"""A session expiry interval that says: never (MQTT 5 §3.1.2.11.2)."""


class UnknownLevel(StrEnum):
    """What a CONNECT of a protocol level that nobody speaks gets before the end."""

    CLOSE = "close"
    CONNACK_V3 = "connack_v3"
    """Code 1, in the form of MQTT 3.1.1."""
    CONNACK_V5 = "connack_v5"
    """Code 0x84, in the form of MQTT 5."""


class BadClientId(StrEnum):
    """What a client id that is not allowed gets before the end."""

    CLOSE = "close"
    CONNACK = "connack"
    """Code 2, or 0x85 in MQTT 5."""


class SessionPresent(StrEnum):
    """The flag of a CONNACK that accepts."""

    NEVER = "never"
    WHEN_KEPT = "when_kept"
    """As the standards have it."""
    UNLESS_CLEAN = "unless_clean"
    """The inverse of the client's clean-session flag, whatever is kept."""


STANDARD_FLAW_CODES: Final[Mapping[Flaw, int]] = {
    Flaw.MALFORMED: MqttReason.MALFORMED_PACKET,
    Flaw.PROTOCOL: MqttReason.PROTOCOL_ERROR,
    Flaw.UNKNOWN_VERSION: MqttReason.UNSUPPORTED_PROTOCOL_VERSION,
    Flaw.TOO_LARGE: MqttReason.PACKET_TOO_LARGE,
    Flaw.TOPIC_ALIAS: MqttReason.TOPIC_ALIAS_INVALID,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """The defaults are those of the standards, without what a server may leave out."""

    # Before a session

    first_packet_s: float | None = None
    """How long a connection may stay without a CONNECT; None: for ever."""
    holds_early_packets: bool = False
    """What comes before a CONNECT waits for it; otherwise it ends the connection."""
    second_connect_logs_in: bool = False
    """A second CONNECT is answered like the first; otherwise it ends the connection, as the standards say."""
    unknown_level: UnknownLevel = UnknownLevel.CONNACK_V3
    flaw_codes: Mapping[Flaw, int] = field(default_factory=lambda: STANDARD_FLAW_CODES)
    """The reason code in the DISCONNECT that an MQTT 5 client gets for what cannot be decoded."""

    # CONNECT and CONNACK

    bad_client_id: BadClientId = BadClientId.CONNACK
    empty_id_needs_clean: bool = True
    """MQTT 3.1.1: no client id only with the clean-session flag (§3.1.3.1). MQTT 3.1 always needs an id."""
    password_needs_user_name: bool = True
    """MQTT 3: a password alone ends the connection without a CONNACK (3.1.1 §3.1.2.9); or else the platform judges."""
    connack_codes_v3: Mapping[int, int] = field(default_factory=lambda: CONNACK_CODES_V3)
    """Reason code -> return code of MQTT 3; what is not there is 5."""
    disconnects_after_refusal: bool = False
    """An MQTT 5 client gets a DISCONNECT with the code of the CONNACK that refused it."""
    session_present: SessionPresent = SessionPresent.WHEN_KEPT
    takes_over: bool = True
    """A client id stands for one session: who comes later ends the earlier connection. Otherwise: side by side."""
    keeps_sessions: bool = False
    """Sessions outlive their connections, as clients want it."""
    tells_limits: bool = True
    """An MQTT 5 client learns from the CONNACK what this server does not offer."""
    topic_aliases: int = 0
    """How many an MQTT 5 client may use, if it is told (`tells_limits`)."""
    packet_bytes: int | None = None
    """What an MQTT 5 client is told to be the largest packet; `MqttLimits.packet_bytes` is what holds."""
    reason_strings: bool = False
    """An MQTT 5 client that did not decline them gets the reason for the trace as text."""

    # Their life and end

    tells_ends: bool = True
    """An MQTT 5 client whose connection the server ends gets a DISCONNECT with the reason code; else it just ends."""

    keep_alive_factor: float | None = 1.5
    """A client that says nothing for that many of its keep-alive times is gone; None: it may be silent."""
    counts_whole_seconds: bool = False
    """That time is rounded up to a second."""
    silence_s: float | None = None
    """A client that says nothing for so long is gone, whatever its keep-alive time."""
    server_keep_alive_s: int | None = None
    """An MQTT 5 client must use this keep-alive time in place of a longer one."""
    answers_disconnects: bool = False
    """An MQTT 5 client that leaves is told DISCONNECT too."""
    publishes_wills: bool = True

    # Messages

    granted_qos: int = 2
    """The highest that a subscription gets."""
    shared_subscription_code: int = MqttReason.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED
    """What a filter of a shared subscription is refused with."""
    takes_empty_topics: bool = False
    """The platform says what becomes of a PUBLISH without a topic; otherwise it ends the connection."""
    takes_qos_2_as_1: bool = False
    """A PUBLISH with QoS 2 is answered by PUBACK; otherwise by PUBREC."""
    redelivers: bool = True
    """What was sent with QoS 1 or 2 is kept until it is acknowledged. Otherwise it is sent once and forgotten."""
    retains: bool = False
    limits: SessionLimits = field(default_factory=SessionLimits)
