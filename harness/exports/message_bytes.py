"""The bytes of a message, made again from its envelope, so that foreign dissectors can read it.

A trace holds envelopes, not packets: the bytes are one form of the message, not always the one that was sent. Secrets
are masked in it and long bodies cut; lengths are those of what is left, `remarks` say what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote_to_bytes

from fleetrig.reference_server.coap_messages import wire
from fleetrig.reference_server.mqtt_codec.encoder import encode
from fleetrig.reference_server.mqtt_codec.fields import binary_bytes, text_bytes, variable_bytes
from fleetrig.reference_server.mqtt_codec.properties import properties_bytes
from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.http import Body, Headers, HttpRequest, HttpResponse, body_length, parts_of
from fleetrig.simulator.contract.mqtt import (
    MqttConnect,
    MqttDisconnect,
    MqttPacket,
    MqttPingreq,
    MqttPublish,
    MqttSubscribe,
    MqttUnsubscribe,
    MqttVersion,
    Properties,
)
from fleetrig.simulator.contract.undecodable import Undecodable

FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
"""Headers that would no longer be true."""
NO_BODY: Final = frozenset({204, 304})
OBSERVE, URI_PATH, URI_QUERY = 6, 11, 15
CODES: Final = {name: code for code, name in wire.METHODS.items()}
UNKNOWN: Final = "data"


@dataclass(frozen=True, slots=True)
class MessageBytes:
    """`dissector` is Wireshark's name of the protocol."""

    dissector: str
    content: bytes
    remarks: tuple[str, ...] = ()


def message_bytes(envelope: Envelope, version: MqttVersion | None, message_id: int) -> MessageBytes:
    """`version` is that of the MQTT connection, `message_id` what a CoAP message gets: envelopes have none.

    What has no form in its protocol stands there as text, with the reason.
    """
    try:
        match envelope:
            case HttpRequest() | HttpResponse():
                return _http(envelope)
            case CoapRequest() | CoapResponse() | CoapReset():
                return MessageBytes("coap", _coap(envelope, message_id), ("its message id is made up",))
            case Undecodable(why=why, head=head):
                return MessageBytes(UNKNOWN, head, (f"unreadable: {why}",))
            case _:
                return _mqtt(envelope, version)
    except (ModelError, ValueError, OverflowError) as wrong:
        return MessageBytes(UNKNOWN, envelope.line.encode("utf-8", "replace"), (f"cannot be made again: {wrong}",))


def _http(message: HttpRequest | HttpResponse) -> MessageBytes:
    content, missing_bytes = _held(message.body)
    lines = [_first_line(message), *(f"{name}: {value}" for name, value in _headers(message))]
    has_body = not isinstance(message, HttpResponse) or message.status not in NO_BODY
    if has_body and (content or isinstance(message, HttpResponse)):
        lines.append(f"Content-Length: {len(content)}")
    head = "".join(f"{' '.join(line.splitlines())}\r\n" for line in lines) + "\r\n"
    remarks = (f"{missing_bytes:,} bytes of its body are not in the trace",) if missing_bytes else ()
    return MessageBytes("http", head.encode("utf-8", "replace") + (content if has_body else b""), remarks)


def _first_line(message: HttpRequest | HttpResponse) -> str:
    if isinstance(message, HttpRequest):
        return f"{message.method} {message.target} HTTP/1.1"
    return f"HTTP/1.1 {message.status} "


def _headers(message: HttpRequest | HttpResponse) -> Headers:
    kept = tuple(pair for pair in message.headers if pair[0].lower() not in FRAMING)
    if isinstance(message, HttpResponse) or message.header("Host") is not None:
        return kept
    return (("Host", message.origin.partition("://")[2]), *kept)


def _held(body: Body) -> tuple[bytes, int]:
    """What the trace has of a body, and how many bytes it has not."""
    content = b"".join(part for part in parts_of(body) if isinstance(part, bytes))
    return content, body_length(body) - len(content)


def _mqtt(packet: MqttPacket, version: MqttVersion | None) -> MessageBytes:
    if isinstance(packet, MqttPublish) and not packet.qos and packet.packet_id:
        packet = replace(packet, packet_id=0)
    elif isinstance(packet, MqttPublish) and packet.qos and not packet.packet_id:
        return MessageBytes("mqtt", encode(replace(packet, packet_id=1), version), ("its packet id is made up",))
    written = _of_client(packet, version)
    return MessageBytes("mqtt", encode(packet, version) if written is None else written)


def _of_client(packet: MqttPacket, version: MqttVersion | None) -> bytes | None:
    """What only clients send; None for all else."""

    def said(properties: Properties) -> bytes:
        return properties_bytes(properties) if version is MqttVersion.V5 else b""

    match packet:
        case MqttConnect():
            return _packet(0x10, _connect(packet))
        case MqttSubscribe(subscriptions, packet_id, properties):
            options = b"".join(text_bytes(one.topic_filter) + bytes((
                one.qos | one.no_local << 2 | one.retain_as_published << 3 | one.retain_handling << 4,))
                for one in subscriptions)  # fmt: skip
            return _packet(0x82, (packet_id or 1).to_bytes(2, "big") + said(properties) + options)
        case MqttUnsubscribe(filters, packet_id, properties):
            topics = b"".join(map(text_bytes, filters))
            return _packet(0xA2, (packet_id or 1).to_bytes(2, "big") + said(properties) + topics)
        case MqttPingreq():
            return b"\xc0\0"
        case MqttDisconnect() if version is not MqttVersion.V5:
            return b"\xe0\0"
        case _:
            return None


def _connect(connect: MqttConnect) -> bytes:
    """MQTT 5.0 §3.1 and MQTT 3.1.1 §3.1; 3.1 has another name of the protocol."""
    is_v5, will = connect.version is MqttVersion.V5, connect.will
    flags = bool(connect.clean_start) << 1 | (connect.user_name is not None) << 7 | (connect.password is not None) << 6
    if will is not None:
        flags |= 1 << 2 | will.qos << 3 | will.retain << 5
    write: Callable[[Properties], bytes] = properties_bytes if is_v5 else lambda _: b""
    name = "MQIsdp" if connect.version is MqttVersion.V31 else "MQTT"
    head = text_bytes(name) + bytes((connect.version, flags)) + connect.keep_alive_s.to_bytes(2, "big")
    parts = [head, write(connect.properties), text_bytes(connect.client_id)]
    if will is not None:
        parts += (write(will.properties), text_bytes(will.topic), binary_bytes(will.payload))
    if connect.user_name is not None:
        parts.append(text_bytes(connect.user_name))
    if connect.password is not None:
        parts.append(binary_bytes(connect.password))
    return b"".join(parts)


def _packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + variable_bytes(len(body)) + body


def _coap(message: CoapRequest | CoapResponse | CoapReset, message_id: int) -> bytes:
    if isinstance(message, CoapReset):
        return wire.encode(wire.WireMessage(wire.MessageType.RST, wire.EMPTY, message_id))
    options = list(message.options)
    if message.observe is not None:
        options.append((OBSERVE, message.observe.to_bytes((message.observe.bit_length() + 7) // 8, "big")))
    if isinstance(message, CoapRequest):
        kind = wire.MessageType.CON if message.confirmable else wire.MessageType.NON
        code = CODES[message.method] if message.method in CODES else wire.code_number(message.method)
        options += ((URI_PATH, unquote_to_bytes(word)) for word in message.path.split("/")[1:] if word)
        options += ((URI_QUERY, unquote_to_bytes(word)) for word in message.query.split("&") if word)
    else:
        is_alone = message.separate or message.observe is not None
        kind = wire.MessageType.NON if is_alone else wire.MessageType.ACK
        kind = wire.MessageType.CON if message.confirmable else kind
        code = wire.code_number(message.code)
    return wire.encode(wire.WireMessage(kind, code, message_id, message.token, tuple(options), message.payload))
