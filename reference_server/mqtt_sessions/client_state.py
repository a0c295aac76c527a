"""What is known of a connection, and of the client's session, which may outlive it (MQTT 5 §4.1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleetrig.reference_server.mqtt_sessions.byte_budget import ByteBudget
from fleetrig.reference_server.mqtt_sessions.outgoing import OutgoingMessages
from fleetrig.reference_server.mqtt_sessions.packet_table import ConnectionState
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.mqtt import MqttPublish, MqttVersion, Subscription

ClientKey = tuple[str, str]
"""Scope and client id. Where clients live side by side, the client id is followed by the number of its connection."""


@dataclass(frozen=True, slots=True)
class PendingWill:
    """`delay_s`: how long it waits for the client to come back, after the connection has ended (MQTT 5 §3.1.3.2.2)."""

    publish: MqttPublish
    delay_s: int = 0


@dataclass(slots=True, eq=False)
class ClientState:
    """A client that was accepted, and its session: what platforms know it by."""

    key: ClientKey
    client_id: str
    budget: ByteBudget
    """Of everything that is kept for it."""
    outgoing: OutgoingMessages
    device: str = ""
    version: MqttVersion = MqttVersion.V311
    session: int | None = None
    """Its connection; None while it is away."""
    is_over: bool = False
    """The session has ended for good: nothing is kept for it any more."""
    most_packet_bytes: int | None = None
    """The largest packet that it takes (MQTT 5 §3.1.2.11.4); None: any."""
    expiry_s: int = 0
    """How long the session is kept when its connection ends."""
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    """By topic filter, with the QoS that was granted."""
    unreleased: set[int] = field(default_factory=set)
    """Packet ids of QoS 2 messages that have come and whose PUBREL has not."""
    will: PendingWill | None = None
    """Published if the connection ends without a proper DISCONNECT; while the client is away, when its time comes."""
    will_due_us: int | None = None
    """This and `expires_us` count while it is away."""
    expires_us: int | None = None


@dataclass(frozen=True, slots=True)
class HeldPackets:
    """They wait for a CONNECT. `budget`: a connection's, which is a share of what all strangers have."""

    budget: ByteBudget
    packets: list[Envelope] = field(default_factory=list)

    def let_go(self) -> list[Envelope]:
        self.budget.give_back(self.budget.used_bytes)
        return self.packets


@dataclass(slots=True, eq=False)
class ClientConnection:
    """A connection that is open."""

    session: int
    state: ConnectionState = ConnectionState.WAITING
    version: MqttVersion = MqttVersion.V311
    device: str = ""
    client: ClientState | None = None
    wants_reasons: bool = True
    """MQTT 5: reason strings."""
    starts_clean: bool = True
    """What its CONNECT says of a session that there may be."""
    keep_alive_us: int | None = None
    """It is gone after that much silence."""
    heard_us: int = 0
    held: HeldPackets | None = None
    """What has come before its CONNECT, if that is kept."""

    def drop_held(self) -> list[Envelope]:
        """What was held, which is held no longer."""
        held, self.held = self.held, None
        return [] if held is None else held.let_go()

    @property
    def is_v5(self) -> bool:
        return self.version is MqttVersion.V5
