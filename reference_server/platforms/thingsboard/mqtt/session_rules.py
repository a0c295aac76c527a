"""What this server decides about MQTT sessions, as data (spec 1.4 and 3; MqttTransportHandler of the real server)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.mqtt_limits import MqttLimits
from fleetrig.reference_server.mqtt_sessions.reason_codes import CONNACK_CODES_V3, MqttReason
from fleetrig.reference_server.mqtt_sessions.session_rules import (
    BadClientId,
    SessionPresent,
    SessionRules,
    UnknownLevel,
)
from fleetrig.simulator.contract.undecodable import Flaw

SESSION_RULES: Final = SessionRules(
    first_packet_s=None,
    holds_early_packets=True,  # S90
    second_connect_logs_in=True,  # processMqttMsg: every CONNECT goes to processConnect
    unknown_level=UnknownLevel.CLOSE,  # channelRead: what the decoder refuses ends the connection
    flaw_codes=dict.fromkeys(Flaw, MqttReason.MALFORMED_PACKET),  # S67, M05
    bad_client_id=BadClientId.CLOSE,  # MQTT 3.1 needs 1 to 23 characters
    empty_id_needs_clean=False,
    password_needs_user_name=False,  # 3.1: exactly one of both is a login like any other
    connack_codes_v3={**CONNACK_CODES_V3, MqttReason.BAD_USER_NAME_OR_PASSWORD: 5},  # S20, L01
    disconnects_after_refusal=True,
    session_present=SessionPresent.UNLESS_CLEAN,  # S91
    takes_over=False,  # L08
    tells_limits=False,
    keep_alive_factor=None,  # S89
    answers_disconnects=True,  # closeCtx: every end tells MQTT 5 its code, a wanted one too
    publishes_wills=False,
    granted_qos=1,  # S56
    shared_subscription_code=MqttReason.TOPIC_FILTER_INVALID,  # as any other filter that is not offered
    takes_qos_2_as_1=True,  # S87
    redelivers=False,
)

FIXED_HEADER_BYTES: Final = 4
"""Of a packet whose length is written in three bytes, as that of the largest one is."""


def mqtt_limits(payload_bytes: int) -> MqttLimits:
    """`payload_bytes` counts what follows the fixed header, as the real server's decoder counts it."""
    return MqttLimits(packet_bytes=payload_bytes + FIXED_HEADER_BYTES)
