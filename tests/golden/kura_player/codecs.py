"""Both KuraPayload codecs in one shape: a recording is held to the server's and to the gateway's alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.payload import codec as server_codec
from fleetrig.reference_server.platforms.kura.payload import gzip_rule
from fleetrig.reference_server.platforms.kura.payload import payload as server_payload
from fleetrig.simulator.flows.kura import codec as flow_codec
from fleetrig.simulator.flows.kura import json_payload, protobuf
from fleetrig.simulator.flows.kura import payload as flow_payload
from tests.golden.kura_player.contents import Content, neutral, plain_number

POSITION_NAMES: Final = ("latitude", "longitude", "altitude", "precision", "heading", "speed", "satellites", "status")
NOT_FINITE: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


@dataclass(frozen=True)
class Codec:
    """`decode`: what is no payload has nothing but a body, which is all of it. `encode` raises ValueError."""

    name: str
    encode: Callable[[Content], bytes]
    decode: Callable[[bytes], Content]
    packed: Callable[[bytes], bytes]
    """The bytes as they are sent with gzip switched on."""


def content_of(payload: Any, time_of_position: str) -> Content:
    """Of either side's payload: their fields are called the same, but for that one."""
    content: Content = {}
    if payload.timestamp_ms is not None:
        content["timestamp"] = payload.timestamp_ms
    if payload.position is not None:
        names = {**{name: name for name in POSITION_NAMES}, "timestamp": time_of_position}
        values = {name: getattr(payload.position, attribute) for name, attribute in names.items()}
        content["position"] = {name: plain_number(value) for name, value in values.items() if value is not None}
    content["metrics"] = {
        name: [metric.type.name, neutral(metric.type.name, metric.value)] for name, metric in payload.metrics.items()
    }
    if payload.body is not None:
        content["body"] = payload.body.hex()
    return content


def value_of(kind: str, value: Any) -> Any:
    """A metric's value as payloads have it."""
    match kind:
        case "BYTES":
            return bytes.fromhex(value)
        case "DOUBLE" | "FLOAT":
            return NOT_FINITE.get(value, value)
        case _:
            return value


def _of_server(content: Content) -> server_payload.KuraPayload:
    position = content.get("position")
    if position is not None:
        named = {"timestamp_ms" if name == "timestamp" else name: value for name, value in position.items()}
        position = server_payload.KuraPosition(**named)
    metrics = {
        name: server_payload.Metric(server_payload.ValueType[kind], value_of(kind, value))
        for name, (kind, value) in content["metrics"].items()
    }
    return server_payload.KuraPayload(content.get("timestamp"), position, metrics, body_of(content))


def of_flow(content: Content) -> flow_payload.KuraPayload:
    position = content.get("position")
    metrics = {
        name: flow_payload.Metric(flow_payload.MetricType[kind], value_of(kind, value))
        for name, (kind, value) in content["metrics"].items()
    }
    where = None if position is None else flow_payload.Position(**position)
    return flow_payload.KuraPayload(content.get("timestamp"), where, metrics, body_of(content))


def body_of(content: Content) -> bytes | None:
    return bytes.fromhex(content["body"]) if "body" in content else None


def _flow_decodes(data: bytes) -> Content:
    read = flow_codec.from_wire(data, encoding="kura-protobuf")
    assert read is not None
    return content_of(read, "timestamp")


def json_content(text: str) -> Content | None:
    """What the gateway reads in JSON; None: the message is lost."""
    read = json_payload.decode(text.encode())
    return None if read is None else content_of(read, "timestamp")


def json_text(content: Content) -> str:
    return json_payload.encode(of_flow(content)).decode()


SERVER: Final = Codec(
    "server",
    lambda content: server_codec.encode(_of_server(content)),
    lambda data: content_of(server_codec.decode(data), "timestamp_ms"),
    gzip_rule.compressed_if_shorter,
)
FLOW: Final = Codec("flow", lambda content: protobuf.encode(of_flow(content)), _flow_decodes, flow_codec.shorter)
