"""What three real servers decide about MQTT sessions, as far as fact sheets and sources say, and a broker's rules.

Platforms to come state their own; these show that the rules can say what they need.
"""

from __future__ import annotations

from fleetrig.reference_server.mqtt_sessions.reason_codes import CONNACK_CODES_V3, MqttReason
from fleetrig.reference_server.mqtt_sessions.session_rules import (
    BadClientId,
    SessionPresent,
    SessionRules,
    UnknownLevel,
)
from fleetrig.simulator.contract.undecodable import Flaw

BROKER = SessionRules(first_packet_s=30.0, keeps_sessions=True, retains=True, reason_strings=True)
"""Everything that the standards have, as mosquitto does it."""

THINGSBOARD_LIKE = SessionRules(
    first_packet_s=None,
    holds_early_packets=True,  # fact sheet 1.4, recording S90/noconnect
    second_connect_logs_in=True,  # MqttTransportHandler.processMqttMsg: every CONNECT goes to processConnect
    unknown_level=UnknownLevel.CLOSE,  # the same, channelRead: what the decoder refuses ends the connection
    flaw_codes=dict.fromkeys(Flaw, MqttReason.MALFORMED_PACKET),  # 1.4: larger or malformed -> close, v5 0x81
    bad_client_id=BadClientId.CLOSE,  # 1.4: MQTT 3.1 needs 1 to 23 characters, else closed without CONNACK
    empty_id_needs_clean=False,  # 1.4
    connack_codes_v3={**CONNACK_CODES_V3, MqttReason.BAD_USER_NAME_OR_PASSWORD: 5},  # 3.1
    disconnects_after_refusal=True,  # 3.1: a DISCONNECT with the same code follows
    session_present=SessionPresent.UNLESS_CLEAN,  # 1.4, row S91
    takes_over=False,  # 1.4, 3.1
    tells_limits=False,  # recordings: its CONNACK has no properties
    keep_alive_factor=None,  # 1.4, row S89
    publishes_wills=False,
    granted_qos=1,  # 1.4, recording S56
    takes_qos_2_as_1=True,  # 1.4, row S87
    redelivers=False,  # 1.4: no wait for PUBACK, no retransmission
)

HONO_LIKE = SessionRules(
    first_packet_s=90.0,  # vertx-mqtt: MqttServerOptions.DEFAULT_TIMEOUT_ON_CONNECT
    session_present=SessionPresent.NEVER,  # fact sheet 4.2
    takes_over=False,
    tells_limits=False,
    publishes_wills=False,  # 4.2
    granted_qos=1,  # 4.2
    takes_qos_2_as_1=False,
    redelivers=False,
)

KURA_LIKE = SessionRules(
    first_packet_s=60.0,
    keeps_sessions=True,
    retains=True,
    tells_limits=False,  # it speaks MQTT 3 only: Kura's protocol-version is 3 or 4 (fact sheet 4.1)
)
"""A broker that takes over and publishes wills then too (fact sheet 5.2)."""

RULE_SETS = {"broker": BROKER, "thingsboard": THINGSBOARD_LIKE, "hono": HONO_LIKE, "kura": KURA_LIKE}
