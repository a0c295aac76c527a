"""A request and its outcome as Locust's statistics speak of them."""

from __future__ import annotations

from fleetrig.simulator.contract.failures import FIRST_FAILURE_STATUS, is_failure
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse, body_length
from fleetrig.simulator.effects import Ask, Connect, Download, Downloaded, NoReply, Outcome, Reply

TimedRequest = Ask | Connect | Download
"""Effects that an answer ends, so that there is a time to measure."""


def type_of(effect: TimedRequest) -> str:
    """`GET`, `MQTT`: Locust's request type."""
    request = None if isinstance(effect, Connect) else effect.request
    return request.method if isinstance(request, HttpRequest) else "MQTT"


def failure_of(outcome: Outcome) -> str:
    """Why it counts as an error, in a few words; empty when it does not."""
    match outcome:
        case Reply(HttpResponse(status=status)):  # the most frequent, first
            return f"HTTP {status}" if status >= FIRST_FAILURE_STATUS else ""
        case NoReply(why):
            return f"no answer: {why}"
        case Downloaded(status=status) if status >= FIRST_FAILURE_STATUS:
            return f"HTTP {status}"
        case Downloaded(cut=True):
            return "cut off"
        case Reply(envelope) if is_failure(envelope):
            return str(envelope.line)
        case _:
            return ""


def answer_bytes(outcome: Outcome) -> int:
    """The length of the body that came."""
    match outcome:
        case Reply(HttpResponse(body=body)):
            return body_length(body)
        case Downloaded(received_bytes=received_bytes):
            return received_bytes
        case _:
            return 0
