"""Events reach the master as they were."""

from __future__ import annotations

import json

import pytest

from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    PublishAckKind,
)
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent
from fleetrig.simulator.drivers.load.event_wire import emit_from_wire, envelope_from_wire, to_wire

ENVELOPES: list[Envelope | None] = [
    None,
    HttpRequest("GET", "http://host", "/a?b=1", (("Accept", "*/*"),), b""),
    HttpResponse(200, (("Content-Type", "a"), ("Content-Type", "b")), b"\x00body"),
    MqttPublish("v1/devices/me/telemetry", b"{}", 1, packet_id=7),
    MqttPublish("t", b"", properties=(("topic_alias", 3),)),
    MqttPublishAck(PublishAckKind.PUBACK, 7),
    MqttConnack(5),
    MqttConnect("id", "user"),
    MqttSuback(1, (0, 128)),
]


@pytest.mark.parametrize("envelope", ENVELOPES, ids=lambda envelope: envelope.line if envelope else "none")
def test_an_event_comes_back_as_it_went(envelope: Envelope | None) -> None:
    event = TraceEvent(12, 1, "HB-1", Lane.DEVICE, "sent", envelope, "online", reason="r", name="poll", took_us=5)
    seen: list[TraceEvent] = []
    trace = Trace()
    trace.listen(seen.append)

    # Locust's messages know lists, no tuples.
    wire = to_wire(event)
    plain = [json.loads(json.dumps(value, default=list)) if not has_bytes(value) else value for value in wire]
    emit_from_wire(trace, plain)

    assert seen == [event]


def has_bytes(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(part, bytes) for part in value)


def test_an_envelope_of_no_known_form_is_refused() -> None:
    with pytest.raises(ValueError, match="no known form"):
        envelope_from_wire(["pickle", b"cos\nsystem\n"])
