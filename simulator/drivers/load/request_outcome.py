"""A request and its outcome as Locust's statistics speak of them."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.http import HttpRequest, HttpResponse, body_length
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttPublishAck, MqttSuback
from fleetrig.simulator.effects import Ask, Connect, Download, Downloaded, NoReply, Outcome, Reply

FIRST_HTTP_FAILURE: Final = 400
FIRST_MQTT_FAILURE: Final = 0x80

TimedRequest = Ask | Connect | Download
"""Effects that an answer ends, so that there is a time to measure."""


def type_of(effect: TimedRequest) -> str:
    """`GET`, `MQTT`: Locust's request type."""
    request = None if isinstance(effect, Connect) else effect.request
    return request.method if isinstance(request, HttpRequest) else "MQTT"


def failure_of(outcome: Outcome) -> str:
    """Why it counts as an error, in a few words; empty when it does not."""
    match outcome:
        case NoReply(why):
            return f"no answer: {why}"
        case Downloaded(status=status) if status >= FIRST_HTTP_FAILURE:
            return f"HTTP {status}"
        case Downloaded(cut=True):
            return "cut off"
        case Reply(HttpResponse(status=status)) if status >= FIRST_HTTP_FAILURE:
            return f"HTTP {status}"
        case Reply(MqttConnack(code=code) as envelope) if code:
            return envelope.line
        case Reply(MqttPublishAck(code=code) as envelope) if code >= FIRST_MQTT_FAILURE:
            return envelope.line
        case Reply(MqttSuback(codes=codes) as envelope) if any(code >= FIRST_MQTT_FAILURE for code in codes):
            return envelope.line
        case _:
            return ""


def answer_bytes(outcome: Outcome) -> int:
    """The length of the body that came."""
    match outcome:
        case Downloaded(received_bytes=received_bytes):
            return received_bytes
        case Reply(HttpResponse(body=body)):
            return body_length(body)
        case _:
            return 0
