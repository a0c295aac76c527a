"""What this server decides about MQTT sessions, as data (Vert.x MQTT 4.5, and the adapter above it; spec 4.2)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.mqtt_limits import MqttLimits
from fleetrig.reference_server.mqtt_sessions.session_limits import SessionLimits
from fleetrig.reference_server.mqtt_sessions.session_rules import BadClientId, SessionPresent, SessionRules
from fleetrig.simulator.contract.bounds import Bound

CLIENT_ID_CHARS: Final = Bound(0xFFFF, "characters of a client id", "MQTT writes its length in two bytes")
"""No packet has room for so many (`mqtt_limits`)."""

SESSION_RULES: Final = SessionRules(
    first_packet_s=90,  # MqttServerOptions.DEFAULT_TIMEOUT_ON_CONNECT
    holds_early_packets=False,  # MqttServerConnection.checkConnected closes
    bad_client_id=BadClientId.CLOSE,  # the decoder refuses those of MQTT 3.1 that are empty or longer than 23
    empty_id_needs_clean=False,  # `log_in` says so itself, to MQTT 5 too
    password_needs_user_name=False,  # then there are no credentials (handleConnect)
    session_present=SessionPresent.NEVER,  # M07
    takes_over=False,  # nobody looks for an earlier connection of a client id
    tells_limits=False,  # CONNACKs have no properties
    tells_ends=False,  # the adapter only ever closes: no DISCONNECT goes out
    keep_alive_factor=1.5,
    counts_whole_seconds=True,  # Math.ceil in handleConnect
    publishes_wills=False,  # "ignoring client's last will"
    granted_qos=1,
    takes_empty_topics=True,  # a malformed topic name (checkTopic)
    redelivers=False,
    limits=SessionLimits(client_id_chars=CLIENT_ID_CHARS),
)

VARIABLE_HEADER_BYTES: Final = 128
"""What the adapter allows for topic and packet id beside the largest payload (MAX_MSG_SIZE_VARIABLE_HEADER_SIZE)."""
FIXED_HEADER_BYTES: Final = 3
"""Of a packet whose length is written in two bytes, as that of the largest one is by default."""


def mqtt_limits(payload_bytes: int) -> MqttLimits:
    """A larger packet ends the connection: over MQTT nothing else bounds a payload. Packets are read as Netty does."""
    return MqttLimits(packet_bytes=payload_bytes + VARIABLE_HEADER_BYTES + FIXED_HEADER_BYTES, is_strict=False)
