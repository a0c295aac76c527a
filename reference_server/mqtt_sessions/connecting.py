"""What the rules say to a CONNECT, before and after the platform has judged its credentials."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from fleetrig.reference_server.mqtt_sessions.client_state import ClientConnection, PendingWill
from fleetrig.reference_server.mqtt_sessions.reason_codes import NOT_AUTHORIZED_V3, MqttReason
from fleetrig.reference_server.mqtt_sessions.session_rules import FOREVER_S, BadClientId, SessionPresent, SessionRules
from fleetrig.reference_server.mqtt_sessions.topic_filters import topic_flaw
from fleetrig.reference_server.mqtt_sessions.violation import Violation
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPacket,
    MqttPublish,
    MqttVersion,
    Properties,
    PropertyValue,
)

REASON_CHARS: Final = 200
"""Of a reason string; longer ones are cut."""
ROOMY_BYTES: Final = 1_024
"""A packet of so many bytes has room for a reason string, whatever its characters [MQTT-3.14.2-3]."""


def refusal_of(connect: MqttConnect, rules: SessionRules) -> Violation | None:
    """What is wrong with a CONNECT, whoever sends it."""
    if why := _client_id_flaw(connect, rules):
        is_silent = rules.bad_client_id is BadClientId.CLOSE
        return Violation(MqttReason.CLIENT_IDENTIFIER_NOT_VALID, why, is_silent)
    if rules.password_needs_user_name and _has_password_alone(connect):
        return Violation(MqttReason.PROTOCOL_ERROR, "there is a password without a user name", is_silent=True)
    if property_of(connect.properties, "authentication_method") is not None:
        return Violation(MqttReason.BAD_AUTHENTICATION_METHOD, "extended authentication is not offered")
    if connect.will is None or not rules.publishes_wills:
        return None
    if flaw := topic_flaw(connect.will.topic):
        return Violation(MqttReason.TOPIC_NAME_INVALID, f"no topic for a will: {flaw}")
    if connect.will.retain and connect.version is MqttVersion.V5 and rules.tells_limits and not rules.retains:
        return Violation(MqttReason.RETAIN_NOT_SUPPORTED, "nothing is retained here, no will either")
    return None


def _has_password_alone(connect: MqttConnect) -> bool:
    """MQTT 5 allows it (§3.1.2.9)."""
    return connect.version is not MqttVersion.V5 and connect.password is not None and connect.user_name is None


def _client_id_flaw(connect: MqttConnect, rules: SessionRules) -> str:
    length = len(connect.client_id)
    match connect.version:
        case MqttVersion.V31 if not 1 <= length <= 23:
            return "a client id of MQTT 3.1 has 1 to 23 characters"
        case MqttVersion.V311 if not length and not connect.clean_start and rules.empty_id_needs_clean:
            return "without a client id the clean-session flag must be set"
        case _ if length > rules.limits.client_id_chars.most:
            return f"the client id is too long, expected {rules.limits.client_id_chars}"
        case _:
            return ""


def refused(
    violation: Violation, connection: ClientConnection, rules: SessionRules, disconnect_code: int = 0
) -> list[MqttPacket]:
    """What a client hears whose CONNECT is not accepted; `disconnect_code` 0: the same as that of the CONNACK."""
    is_present = rules.session_present is SessionPresent.UNLESS_CLEAN and not connection.starts_clean
    if not connection.is_v5:
        return [MqttConnack(rules.connack_codes_v3.get(violation.code, NOT_AUTHORIZED_V3), is_present)]
    connack = MqttConnack(violation.code, is_present, reason_string(violation, connection, rules))
    return (
        [connack, MqttDisconnect(disconnect_code or violation.code)] if rules.disconnects_after_refusal else [connack]
    )


def reason_string(violation: Violation, connection: ClientConnection, rules: SessionRules) -> Properties:
    """For an MQTT 5 client that has not declined it."""
    if not (rules.reason_strings and connection.wants_reasons and violation.reason):
        return ()
    return (("reason_string", violation.reason[:REASON_CHARS]),)


def accepted(connect: MqttConnect, rules: SessionRules, client_id: str, expiry_s: int, *, is_kept: bool) -> MqttConnack:
    """`is_kept`: there was a session of the client, and it goes on."""
    tells = connect.version is MqttVersion.V5 and rules.tells_limits
    properties = tuple(_told(connect, rules, client_id, expiry_s)) if tells else ()
    return MqttConnack(0, _is_present(connect, rules, is_kept), properties)


def _is_present(connect: MqttConnect, rules: SessionRules, is_kept: bool) -> bool:
    match rules.session_present:
        case SessionPresent.NEVER:
            return False
        case SessionPresent.WHEN_KEPT:
            return is_kept
        case SessionPresent.UNLESS_CLEAN:
            return not connect.clean_start


def _told(
    connect: MqttConnect, rules: SessionRules, client_id: str, expiry_s: int
) -> Iterator[tuple[str, PropertyValue]]:
    """Properties of a CONNACK (MQTT 5 §3.2.2.3): what differs from what the client takes for granted."""
    if expiry_s != number_of(connect.properties, "session_expiry_interval", 0):
        yield "session_expiry_interval", expiry_s
    yield "receive_maximum", rules.limits.receive_maximum.most
    if not rules.retains:
        yield "retain_available", 0
    if rules.packet_bytes is not None:
        yield "maximum_packet_size", rules.packet_bytes
    if rules.topic_aliases:
        yield "topic_alias_maximum", rules.topic_aliases
    if not connect.client_id:
        yield "assigned_client_identifier", client_id
    yield "subscription_identifier_available", 0
    yield "shared_subscription_available", 0
    if keep_alive_s(connect, rules) != connect.keep_alive_s:
        yield "server_keep_alive", keep_alive_s(connect, rules)


def session_expiry_s(connect: MqttConnect, rules: SessionRules) -> int:
    """How long the session is kept after its connection: what the client wants, within the rules."""
    if not rules.keeps_sessions:
        return 0
    if connect.version is MqttVersion.V5:
        wanted_s = number_of(connect.properties, "session_expiry_interval", 0)
    else:
        wanted_s = 0 if connect.clean_start else FOREVER_S
    return min(wanted_s, rules.limits.session_expiry_s.most)


def keep_alive_s(connect: MqttConnect, rules: SessionRules) -> int:
    """0: the client may be silent for ever."""
    most_s = rules.server_keep_alive_s
    if connect.version is not MqttVersion.V5 or most_s is None:
        return connect.keep_alive_s
    return min(connect.keep_alive_s or most_s, most_s)


def silence_us(connect: MqttConnect, rules: SessionRules) -> int | None:
    """After how much silence the client is gone (§3.1.2.10)."""
    factor = rules.keep_alive_factor or 0
    unheard_s = keep_alive_s(connect, rules) * factor
    spans_s = (ceil(unheard_s) if rules.counts_whole_seconds else unheard_s, rules.silence_s or 0)
    return min((to_us(span_s) for span_s in spans_s if span_s), default=None)


def will_of(connect: MqttConnect, rules: SessionRules) -> PendingWill | None:
    if connect.will is None or not rules.publishes_wills:
        return None
    will = connect.will
    properties = tuple(pair for pair in will.properties if pair[0] != "will_delay_interval")
    publish = MqttPublish(will.topic, will.payload, will.qos, will.retain, properties=properties)
    return PendingWill(publish, number_of(will.properties, "will_delay_interval", 0))


def wants_reasons(connect: MqttConnect) -> bool:
    """It has not declined reason strings (MQTT 5 §3.1.2.11.7), and takes packets that have room for them."""
    is_asked = number_of(connect.properties, "request_problem_information", 1) != 0
    return is_asked and number_of(connect.properties, "maximum_packet_size", ROOMY_BYTES) >= ROOMY_BYTES


def property_of(properties: Properties, name: str) -> PropertyValue | None:
    return next((value for one, value in properties if one == name), None)


def number_of(properties: Properties, name: str, default: int) -> int:
    value = property_of(properties, name) if properties else None
    return value if isinstance(value, int) else default
