"""What was said over a wire, in one line: the envelope's own line, and what a reader wants to know besides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Final

from fleetrig.reference_server.mqtt_sessions.reason_codes import REFUSED, MqttReason
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope, payload_of
from fleetrig.simulator.contract.failures import FIRST_FAILURE_STATUS
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse, body_length
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
)
from fleetrig.simulator.contract.undecodable import Undecodable

WORD_ENDS: Final = re.compile(r"[/ :?&=,]")
CONNACK_V3_WORDS: Final = {
    1: "unacceptable protocol version",
    2: "identifier rejected",
    3: "server unavailable",
    4: "bad user name or password",
    5: "not authorized",
}
"""MQTT 3.1.1 §3.2.2.3; from 0x80 on it is a reason code of MQTT 5."""

COAP_WORDS: Final = {
    "2.01": "Created", "2.02": "Deleted", "2.03": "Valid", "2.04": "Changed", "2.05": "Content", "2.31": "Continue",
    "4.00": "Bad Request", "4.01": "Unauthorized", "4.02": "Bad Option", "4.03": "Forbidden", "4.04": "Not Found",
    "4.05": "Method Not Allowed", "4.06": "Not Acceptable", "4.08": "Request Entity Incomplete", "4.09": "Conflict",
    "4.12": "Precondition Failed", "4.13": "Request Entity Too Large", "4.15": "Unsupported Content-Format",
    "4.22": "Unprocessable Entity", "4.29": "Too Many Requests", "5.00": "Internal Server Error",
    "5.01": "Not Implemented", "5.02": "Bad Gateway", "5.03": "Service Unavailable", "5.04": "Gateway Timeout",
    "5.05": "Proxying Not Supported",
}  # fmt: skip
"""RFC 7252 §12.1.2, RFC 7959, RFC 8132, RFC 8516."""


def message_words(envelope: Envelope) -> str:
    """`PUBLISH a/b (QoS 1, id 4, 312 bytes)`, `401 Unauthorized`, `CONNACK 5 not authorized`."""
    more = ", ".join(_details(envelope))
    return f"{_line(envelope)} ({more})" if more else _line(envelope)


def _line(envelope: Envelope) -> str:
    match envelope:
        case HttpRequest(method=method, target=target):
            return f"{method} {target}"
        case HttpResponse(status=status):
            return f"{status} {_phrase(status)}".rstrip() if status >= FIRST_FAILURE_STATUS else str(status)
        case MqttConnack(code=code) | MqttPublishAck(code=code) | MqttDisconnect(code=code) if code:
            return f"{envelope.line} {code_words(code)}"
        case MqttSuback(codes=codes) if any(code >= REFUSED for code in codes):
            return (
                f"SUBACK {', '.join(f'{code} {code_words(code)}' if code >= REFUSED else str(code) for code in codes)}"
            )
        case MqttSubscribe(subscriptions=wanted):
            return f"SUBSCRIBE {', '.join(f'{one.topic_filter} QoS {one.qos}' for one in wanted)}"
        case CoapRequest(target=target):
            return f"{envelope.method} {envelope.origin.partition(':')[0]}:{target}"
        case CoapResponse(code=code) if code in COAP_WORDS:
            return f"{code} {COAP_WORDS[code]}"
        case _:
            return envelope.line


def code_words(code: int) -> str:
    """The name of a return code of MQTT 3, or of a reason code of MQTT 5."""
    if code < REFUSED:
        return CONNACK_V3_WORDS.get(code, "")
    try:
        return MqttReason(code).name.lower().replace("_", " ")
    except ValueError:
        return "refused"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _details(envelope: Envelope) -> Iterator[str]:
    match envelope:
        case MqttConnect():
            yield from _connect_details(envelope)
        case MqttPublish():
            yield from _publish_details(envelope)
        case MqttPublishAck(packet_id=packet_id) if packet_id:
            yield f"id {packet_id}"
        case MqttConnack(session_present=True):
            yield "session present"
        case CoapRequest() | CoapResponse():
            yield from _coap_details(envelope)
        case Undecodable(why=why):
            yield why
        case _:
            pass
    if size_bytes := body_length(payload_of(envelope)):
        yield size_text(size_bytes)


def _connect_details(connect: MqttConnect) -> Iterator[str]:
    if not connect.clean_start:
        yield "keeps its session"
    if connect.will is not None:
        yield f"will on {connect.will.topic}"


def _publish_details(publish: MqttPublish) -> Iterator[str]:
    yield f"QoS {publish.qos}"
    if publish.packet_id:
        yield f"id {publish.packet_id}"
    if publish.retain:
        yield "retained"
    if publish.dup:
        yield "duplicate"


def _coap_details(message: CoapRequest | CoapResponse) -> Iterator[str]:
    match message:
        case CoapRequest(observe=0):
            yield "observes"
        case CoapRequest(observe=1):
            yield "observes no more"
        case CoapResponse(observe=int(number)):
            yield f"notification {number}"
        case _:
            pass
    if isinstance(message, CoapRequest) and not message.confirmable:
        yield "not confirmable"


def spoken_words(envelope: Envelope | None) -> Sequence[str]:
    """The pieces of what was asked for: of a path, a topic, a CONNECT."""
    match envelope:
        case None | HttpResponse() | CoapResponse():
            return ()
        case HttpRequest(target=target):
            return words_in(target)
        case _:
            return words_in(envelope.line)


def words_in(line: str) -> Sequence[str]:
    return WORD_ENDS.split(line)


def size_text(size_bytes: int) -> str:
    return "1 byte" if size_bytes == 1 else f"{size_bytes:,} bytes"
