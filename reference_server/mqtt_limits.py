"""How much of a server one MQTT connection may hold: a platform states its own limits, and its front keeps them."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

KIB = 1024


@dataclass(frozen=True, slots=True)
class MqttLimits:
    """None of these is a rule of any platform: deadlines that devices can see are far shorter, and the platform's."""

    packet_bytes: int = 256 * KIB
    """The largest packet, its fixed header included; a larger one is `Undecodable`."""
    is_strict: bool = True
    """Packets are read as the standards say; otherwise as lenient libraries read them (`mqtt_codec.incoming`)."""
    unread_bytes: int = 1024 * KIB
    """A peer that leaves so much unread is reset when there is more for it, also when that comes all at once."""
    all_unread_bytes: int = 128 * 1024 * KIB
    """What all who read too little may leave unread together; beyond that the first of them are reset."""
    packets_per_turn: int = 64
    """So many packets of one connection are handled before others have their turn."""
    first_packet_within_s: float = 3_600.0
    whole_packet_within_s: float = 60.0
    """From its first byte to its last."""
    read_within_s: float = 60.0
    """How long a peer may read too little before it is reset; nothing is read from it meanwhile."""
    judged_within_s: float = 30.0
    """After something undecodable: how long the platform may take to close."""
    gone_within_s: float = 5.0
    """How long a peer may keep a connection open that the server has ended."""
    silent_connections: int | None = None
    """How many may be open on which nothing was ever said; beyond that the oldest is reset. None: as many as half of
    the files that the process may have open, so that those who have something to say get in."""

    @property
    def most_silent(self) -> int:
        if self.silent_connections is not None:
            return self.silent_connections
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2


@runtime_checkable
class MqttLimited(Protocol):
    """A platform that has limits of its own."""

    mqtt_limits: MqttLimits


def mqtt_limits_of(platform: object) -> MqttLimits:
    return platform.mqtt_limits if isinstance(platform, MqttLimited) else MqttLimits()
