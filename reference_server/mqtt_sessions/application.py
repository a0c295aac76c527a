"""What a platform decides about single clients and messages: `MqttSessions` asks it, and does the rest by the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.simulator.contract.envelope import Output
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPublish, Subscription
from fleetrig.simulator.contract.session import Session


@dataclass(frozen=True, slots=True)
class LogIn:
    """Whether a CONNECT is accepted."""

    code: int = 0
    """A reason code of MQTT 5 that refuses it; `SessionRules.connack_codes_v3` says what MQTT 3 gets."""
    device: str = ""
    scope: str = ""
    """Client ids are unique within it: an account, a tenant."""
    reason: str = ""
    changed: str = ""
    disconnect_code: int = 0
    """Of the DISCONNECT after a refusal, where rules have one and it is not that of the CONNACK."""
    steps: Sequence[str] = ()
    """This and `rollback` mean what they mean in a `Reaction`."""
    rollback: bool = False


@dataclass(frozen=True, slots=True)
class PublishAnswer:
    """What becomes of a message that has come. `outputs` come after its acknowledgement."""

    code: int = 0
    """Of the acknowledgement; MQTT 3 has none."""
    is_acknowledged: bool = True
    ends: bool = False
    """The connection ends, with a DISCONNECT of the same code for MQTT 5."""
    outputs: Sequence[Output] = ()
    reason: str = ""
    changed: str = ""
    device: str = ""
    """Whose connection this has turned out to be; empty: as before."""
    steps: Sequence[str] = ()
    rollback: bool = False


class SessionEnd(StrEnum):
    """How a client's connection has ended."""

    LEFT = "left"
    """By a DISCONNECT, whatever its code."""
    LOST = "lost"
    """By either side, without one."""
    TAKEN_OVER = "taken over"


class MqttApplication(Protocol):
    """The part of a platform above the sessions."""

    def log_in(self, connect: MqttConnect, session: Session, now_us: int) -> LogIn:
        """Nothing of an existing session has been touched yet."""

    def grant(self, client: ClientState, wanted: Subscription, now_us: int) -> int:
        """The QoS that a subscription gets (rules may lower it), or a reason code from 0x80 on."""

    def subscribed(self, client: ClientState, topic_filters: Sequence[str], now_us: int) -> Sequence[Output]:
        """It has got these, anew or again, and has been told. The outputs come before what is retained."""

    def unsubscribed(self, client: ClientState, topic_filters: Sequence[str], now_us: int) -> Sequence[Output]:
        """It has given these up, and has been told. Those that it has when it goes are in `ended` still."""

    def published(self, client: ClientState, publish: MqttPublish, now_us: int) -> PublishAnswer:
        """A message of a client, or its will; for wills only `outputs`, `reason` and `changed` count."""

    def ended(self, client: ClientState, end: SessionEnd, now_us: int) -> Sequence[Output]:
        """Its connection has ended, and `client.session` is None."""
