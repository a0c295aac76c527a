"""What workers tell their master of their devices: events as lists of plain values, made to be cheap.

The common envelopes have a form of their own; all others travel as the JSON of a trace. Nothing here is pickled: a
master believes no worker.
"""

from __future__ import annotations

import json
from typing import Any, Final

from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.envelope_json import envelope_from_json, envelope_to_json
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttPublish, MqttPublishAck, PublishAckKind
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent

MASKS_NOTHING: Final = Secrets()
"""The master masks what it writes."""

WireEvent = list[Any]
"""At which time, device, kind, stage, reason, name, how long it took, envelope."""


def to_wire(event: TraceEvent) -> WireEvent:
    """An event of the device lane."""
    envelope = None if event.envelope is None else envelope_to_wire(event.envelope)
    return [
        event.at_us, event.device, event.kind, str(event.stage), event.reason, event.name, event.took_us, envelope
    ]  # fmt: skip


def emit_from_wire(trace: Trace, given: WireEvent) -> None:
    """Emits it here. Raises ValueError, TypeError, LookupError for what is none."""
    at_us, device, kind, stage, reason, name, took_us, envelope = given
    trace.emit(
        at_us,
        Lane.DEVICE,
        kind,
        device,
        envelope=None if envelope is None else envelope_from_wire(envelope),
        stage=stage,
        reason=reason,
        name=name,
        took_us=took_us,
    )


def envelope_to_wire(envelope: Envelope) -> list[Any]:
    """Its form and its values; bodies that are no plain bytes stay where they are."""
    match envelope:
        case HttpRequest(method, origin, target, headers, body):
            return ["request", method, origin, target, headers, body if isinstance(body, bytes) else b""]
        case HttpResponse(status, headers, body):
            return ["response", status, headers, body if isinstance(body, bytes) else b""]
        case MqttPublish(topic, payload, qos, retain, dup, packet_id, ()):
            return ["publish", topic, payload, qos, retain, dup, packet_id]
        case MqttPublishAck(kind, packet_id, code, ()):
            return ["ack", int(kind), packet_id, code]
        case MqttConnack(code, session_present, ()):
            return ["connack", code, session_present]
        case _:
            return ["json", json.dumps(envelope_to_json(envelope, MASKS_NOTHING))]


def envelope_from_wire(given: list[Any]) -> Envelope:
    match given:
        case ["request", method, origin, target, headers, body]:
            return HttpRequest(method, origin, target, pairs(headers), body)
        case ["response", status, headers, body]:
            return HttpResponse(status, pairs(headers), body)
        case ["publish", topic, payload, qos, retain, dup, packet_id]:
            return MqttPublish(topic, payload, qos, retain, dup, packet_id)
        case ["ack", kind, packet_id, code]:
            return MqttPublishAck(PublishAckKind(kind), packet_id, code)
        case ["connack", code, session_present]:
            return MqttConnack(code, session_present)
        case ["json", text]:
            return envelope_from_json(json.loads(text))
        case _:
            raise ValueError("a worker sent an envelope of no known form")


def pairs(headers: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in headers)
