"""One conversation over MQTT as the device has it: what is sent is handed in, every packet that comes is a line."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, Final

from fleetrig.harness.conformance.exact_mqtt import PACKET_ID, ExactMqtt
from fleetrig.harness.conformance.expect import Mismatch
from fleetrig.harness.conformance.handshakes import HandshakeRefused
from fleetrig.harness.conformance.mqtt_bytes import DISCONNECT, packet, subscribe
from fleetrig.harness.platforms.thingsboard.doctor.facts import Heard, Said
from fleetrig.harness.platforms.thingsboard.doctor.replies import Reply, read_reply
from fleetrig.harness.platforms.thingsboard.doctor.way import Way
from fleetrig.simulator.contract.errors import BrokenBench

V3_1_1: Final = 4
MOST_PACKETS: Final = 8
SILENCE: Final = "nothing"
HANDSHAKE_REFUSED: Final = "TLS handshake refused"
SHOWN_BYTES: Final = 12
LIMITS_TOPIC: Final = "v1/devices/me/rpc/request/1"
LIMITS_ANSWERS: Final = "v1/devices/me/rpc/response/+"
ASK_LIMITS: Final = b'{"method":"getSessionLimits","params":{}}'
"""The transport answers it itself, and nothing is stored of it (spec 3.2)."""


@dataclass(frozen=True, slots=True)
class Login:
    """The words of a CONNECT."""

    client_id: str = ""
    user_name: str | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """What is subscribed and published once the CONNECT was accepted."""

    topic: str
    answers: str
    payload: bytes


def provision(way: Way, payload: bytes, tls: ssl.SSLContext | None, within_s: float) -> Heard:
    """A request in a session of the device's words. `nothing` stands for what never came."""
    login = Login(way.client_id, way.user_name)
    return converse(way, login, Talk(way.topic, way.response_topic, payload), tls, within_s)


def log_in(way: Way, login: Login, tls: ssl.SSLContext | None, within_s: float) -> Heard:
    """A login, and the question for the session's limits, which goes through the whole session."""
    talk = Talk(LIMITS_TOPIC, LIMITS_ANSWERS, ASK_LIMITS)
    return converse(way, login, talk, tls, within_s)


def converse(way: Way, login: Login, talk: Talk, tls: ssl.SSLContext | None, within_s: float) -> Heard:
    """Never raises for what a server does."""
    began_s = monotonic()
    try:
        connection = ExactMqtt(way.host, way.port, V3_1_1, tls, within_s)
    except (BrokenBench, HandshakeRefused) as error:
        if isinstance(error, HandshakeRefused):
            return Heard(Said.REFUSED, (f"{HANDSHAKE_REFUSED}: {error}",))
        return Heard(Said.SILENCE, (f"no connection: {error}",))
    with closing(connection):
        heard = _talk(connection, login, talk)
    return replace(heard, after_s=monotonic() - began_s)


def _talk(connection: ExactMqtt, login: Login, talk: Talk) -> Heard:
    lines = [
        _line(lambda: connection.connect(login.client_id, login.user_name, login.password), connection, is_first=True)
    ]
    if lines[0] != "CONNACK 0":
        return Heard(_said_of_login(lines[0]), tuple(lines))
    reply = _request(connection, talk, lines)
    connection.send(packet(DISCONNECT, b""))
    return Heard(_said(lines, reply), tuple(lines), document=reply.document)


def _request(connection: ExactMqtt, talk: Talk, lines: list[str]) -> Reply:
    """SUBSCRIBE and PUBLISH at once, as devices do it: the order of what comes tells whether both are answered."""
    connection.send(subscribe(connection.level, talk.answers, 1, PACKET_ID))
    connection.publish(talk.topic, talk.payload)
    for _ in range(MOST_PACKETS):
        payload: list[bytes] = []

        def hear() -> str:
            heard = connection.hear()
            payload.append(heard.payload)  # noqa: B023 (called within the same turn)
            return heard.line

        lines.append(_line(hear, connection))
        if lines[-1].startswith("PUBLISH "):
            return read_reply(payload[0])
        if lines[-1] in ("closed", SILENCE) or not payload:
            break
    return Reply()


def _line(hear: Callable[[], str], connection: ExactMqtt, *, is_first: bool = False) -> str:
    """`nothing` for silence; the first bytes of what is no MQTT."""
    try:
        line = hear()
    except Mismatch as mismatch:
        is_silent = mismatch.finding.got == "nothing" and not (is_first and connection.first)
        return SILENCE if is_silent else _no_mqtt(connection.first)
    if line == "closed" and is_first and connection.alert:
        return f"{HANDSHAKE_REFUSED}: {connection.alert}"
    return line if line.startswith(("CONNACK", "SUBACK", "PUBACK", "PUBLISH", "closed")) else _no_mqtt(connection.first)


def _no_mqtt(data: bytes) -> str:
    """No more of it than an echo of our own words could have before the first secret."""
    return f"no MQTT: {data[:SHOWN_BYTES]!r}"


def _said_of_login(line: str) -> Said:
    if line.startswith(("CONNACK ", HANDSHAKE_REFUSED)):
        return Said.REFUSED
    return {"closed": Said.CLOSED, SILENCE: Said.SILENCE}.get(line, Said.NOT_UNDERSTOOD)


def _said(lines: list[str], reply: Reply) -> Said:
    if reply.said is not None:
        return reply.said
    if lines[-1].startswith("PUBLISH "):
        return Said.LET_IN if reply.document else Said.NOT_UNDERSTOOD
    return {"closed": Said.CLOSED, SILENCE: Said.SILENCE}.get(lines[-1], Said.NOT_UNDERSTOOD)


def rates(document: Any) -> dict[str, str]:
    """The limits that getSessionLimits told: name -> `capacity:seconds`."""
    told = document.get("rateLimits") if isinstance(document, dict) else None
    return {str(name): str(value) for name, value in told.items() if value} if isinstance(told, dict) else {}
