"""What this server decides about MQTT sessions, as data (spec 2, 5.1, 5.2).

A forbidden message is dropped and acknowledged, as mosquitto does for MQTT 3.1.1 (spec 8, measured). Kapua's own
broker closes the connection by default (`closeMqttConnectionOnPublishAuthorizationFailure` of its MQTT front); who is
dropped silently hears no more of it, and nobody is told by that whose topics there are.
"""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.mqtt_limits import MqttLimits
from fleetrig.reference_server.mqtt_sessions.reason_codes import CONNACK_CODES_V3
from fleetrig.reference_server.mqtt_sessions.session_limits import SessionLimits
from fleetrig.reference_server.mqtt_sessions.session_rules import SessionRules
from fleetrig.simulator.contract.bounds import Bound

HEADER_BYTES: Final = (64 << 10) + 16
"""Fixed header, topic and packet id."""
LEAST_UNREAD_BYTES: Final = 1 << 20
ALL_SESSIONS_BYTES: Final = Bound(
    256 << 20, "bytes of all sessions", "they are held in memory", "256 MiB for all sessions together"
)
SESSION_BYTES: Final = Bound(40 << 20, "bytes of a session", "it is held in memory", "40 MiB for a session")
MOST_CLIENTS: Final = 200_000
"""Who comes when so many are connected is shed by CONNACK 3 (S-35)."""

SESSION_RULES: Final = SessionRules(
    first_packet_s=30,
    takes_over=True,  # 5.2: the new connection wins
    keeps_sessions=True,  # clean-session is a setting of gateways (4.1)
    tells_limits=False,
    keep_alive_factor=1.5,  # S-32: 30 s of keep-alive, gone after 45
    publishes_wills=True,
    connack_codes_v3=CONNACK_CODES_V3,  # 5.4: 4 for wrong credentials, 5 for all that is not permitted
    granted_qos=2,
    retains=True,
    limits=SessionLimits(session_bytes=SESSION_BYTES, all_sessions_bytes=ALL_SESSIONS_BYTES),
)


def mqtt_limits(payload_bytes: int) -> MqttLimits:
    """`payload_bytes`: of the largest message, which a client may leave unread without being reset.

    A packet with it has any topic, so that a smaller topic leaves room for more: the broker looks at payloads.
    """
    packet_bytes = payload_bytes + HEADER_BYTES
    return MqttLimits(packet_bytes=packet_bytes, unread_bytes=max(LEAST_UNREAD_BYTES, packet_bytes + HEADER_BYTES))
