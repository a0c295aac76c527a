"""How much is kept of MQTT sessions: each bound once, with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fleetrig.simulator.contract.bounds import Bound

CLIENT_ID_CHARS: Final = Bound(1_024, "characters of a client id", "sessions are kept by it")
HELD_PACKETS: Final = Bound(100, "packets before a CONNECT", "nobody has said yet who sends them")
HELD_BYTES: Final = Bound(1 << 20, "bytes before a CONNECT", "nobody has said yet who sends them", "1 MiB")
ALL_HELD_BYTES: Final = Bound(
    32 << 20, "bytes before a CONNECT, of all connections", "they are held in memory", "32 MiB of all connections"
)
SUBSCRIPTIONS: Final = Bound(200, "subscriptions of a session", "no device needs more")
RECEIVE_MAXIMUM: Final = Bound(100, "QoS 2 messages that a client has not released", "each of them is remembered")
IN_FLIGHT: Final = Bound(20, "messages on the way to a client", "the others wait for its acknowledgements")
WAITING_MESSAGES: Final = Bound(1_000, "messages for a client", "who does not take them does not need them")
SESSION_BYTES: Final = Bound(16 << 20, "bytes of a session", "it is held in memory", "16 MiB for a session")
ALL_SESSIONS_BYTES: Final = Bound(
    128 << 20, "bytes of all sessions", "they are held in memory", "128 MiB for all sessions together"
)
KEPT_SESSIONS: Final = Bound(10_000, "sessions of clients that are away", "a fleet on one machine is no larger")
SESSION_EXPIRY_S: Final = Bound(7 * 86_400, "s of keeping a session", "longer than any test", "7 days")
RETAINED_MESSAGES: Final = Bound(1_000, "retained messages", "each subscription looks at all of them")
RETAINED_LEVELS: Final = Bound(10_000, "levels of retained topics", "200 filters of a packet are held against them")
RETAINED_BYTES: Final = Bound(64 << 20, "bytes of retained messages", "they are held in memory", "64 MiB")


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What is beyond is refused or dropped, with the bound as the reason in the trace."""

    client_id_chars: Bound = CLIENT_ID_CHARS
    held_packets: Bound = HELD_PACKETS
    held_bytes: Bound = HELD_BYTES
    all_held_bytes: Bound = ALL_HELD_BYTES
    subscriptions: Bound = SUBSCRIPTIONS
    receive_maximum: Bound = RECEIVE_MAXIMUM
    in_flight: Bound = IN_FLIGHT
    waiting_messages: Bound = WAITING_MESSAGES
    session_bytes: Bound = SESSION_BYTES
    """Of messages for the client, its will and its subscriptions."""
    all_sessions_bytes: Bound = ALL_SESSIONS_BYTES
    kept_sessions: Bound = KEPT_SESSIONS
    session_expiry_s: Bound = SESSION_EXPIRY_S
    retained_messages: Bound = RETAINED_MESSAGES
    retained_levels: Bound = RETAINED_LEVELS
    retained_bytes: Bound = RETAINED_BYTES
