"""What a packet leads to in each state of a connection: one table (MQTT 3.1.1 §4.8, MQTT 5 §4.13)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from fleetrig.reference_server.mqtt_sessions.session_rules import SessionRules
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    PublishAckKind,
)
from fleetrig.simulator.contract.undecodable import Undecodable


class ConnectionState(StrEnum):
    WAITING = "waiting"
    """For its CONNECT."""
    CONNECTED = "connected"
    ENDED = "ended"
    """The server has closed it, or the client has said DISCONNECT; the front has yet to say that it is gone."""


class Step(StrEnum):
    """What happens next."""

    LOG_IN = "log in"
    LOG_IN_AGAIN = "log in again"
    SECOND_CONNECT = "end: a second CONNECT"
    HOLD = "hold until CONNECT"
    TOO_EARLY = "end: before CONNECT"
    RECEIVE = "receive a message"
    ACKNOWLEDGED = "take an acknowledgement"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    PING = "answer a ping"
    LEAVE = "end: the client leaves"
    NOT_FOR_SERVERS = "end: no client sends this"
    BROKEN = "end: cannot be decoded"
    IGNORE = "ignore"
    BY_RULE = "as the rules say"
    """Only in the table: `step_of` looks into the rules."""


class Steps(NamedTuple):
    """The step in each state, in the order of `ConnectionState`."""

    waiting: Step
    connected: Step
    ended: Step


PacketKey = type | PublishAckKind
"""The type of an envelope; of acknowledgements, which share one, their kind."""

TABLE: Final[Mapping[PacketKey, Steps]] = {
    # packet                        waiting               connected             ended
    MqttConnect:             Steps(Step.LOG_IN,           Step.BY_RULE,          Step.IGNORE),
    MqttConnack:             Steps(Step.NOT_FOR_SERVERS,  Step.NOT_FOR_SERVERS,  Step.IGNORE),
    MqttPublish:             Steps(Step.BY_RULE,          Step.RECEIVE,          Step.IGNORE),
    PublishAckKind.PUBACK:   Steps(Step.BY_RULE,          Step.ACKNOWLEDGED,     Step.IGNORE),
    PublishAckKind.PUBREC:   Steps(Step.BY_RULE,          Step.ACKNOWLEDGED,     Step.IGNORE),
    PublishAckKind.PUBREL:   Steps(Step.BY_RULE,          Step.ACKNOWLEDGED,     Step.IGNORE),
    PublishAckKind.PUBCOMP:  Steps(Step.BY_RULE,          Step.ACKNOWLEDGED,     Step.IGNORE),
    MqttSubscribe:           Steps(Step.BY_RULE,          Step.SUBSCRIBE,        Step.IGNORE),
    MqttSuback:              Steps(Step.NOT_FOR_SERVERS,  Step.NOT_FOR_SERVERS,  Step.IGNORE),
    MqttUnsubscribe:         Steps(Step.BY_RULE,          Step.UNSUBSCRIBE,      Step.IGNORE),
    MqttUnsuback:            Steps(Step.NOT_FOR_SERVERS,  Step.NOT_FOR_SERVERS,  Step.IGNORE),
    MqttPingreq:             Steps(Step.BY_RULE,          Step.PING,             Step.IGNORE),
    MqttPingresp:            Steps(Step.NOT_FOR_SERVERS,  Step.NOT_FOR_SERVERS,  Step.IGNORE),
    MqttDisconnect:          Steps(Step.BY_RULE,          Step.LEAVE,            Step.IGNORE),
    MqttAuth:                Steps(Step.NOT_FOR_SERVERS,  Step.NOT_FOR_SERVERS,  Step.IGNORE),
    Undecodable:             Steps(Step.BROKEN,           Step.BROKEN,           Step.IGNORE),
}  # fmt: skip
"""AUTH is for clients that a server has asked for more, which no platform here does (MQTT 5 §4.12)."""

STRANGE: Final = Steps(Step.NOT_FOR_SERVERS, Step.NOT_FOR_SERVERS, Step.IGNORE)
"""For envelopes of other protocols."""


def key_of(envelope: Envelope) -> PacketKey:
    return envelope.kind if isinstance(envelope, MqttPublishAck) else type(envelope)


def step_of(state: ConnectionState, envelope: Envelope, rules: SessionRules) -> Step:
    """What an envelope leads to under these rules; never BY_RULE."""
    steps = TABLE.get(key_of(envelope), STRANGE)
    if state is ConnectionState.ENDED:
        return steps.ended
    is_waiting = state is ConnectionState.WAITING
    step = steps.waiting if is_waiting else steps.connected
    if step is not Step.BY_RULE:
        return step
    if is_waiting:
        return Step.HOLD if rules.holds_early_packets else Step.TOO_EARLY
    return Step.LOG_IN_AGAIN if rules.second_connect_logs_in else Step.SECOND_CONNECT
