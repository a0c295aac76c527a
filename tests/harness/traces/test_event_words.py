"""Every kind of event has words of its own, and those that matter say what a reader wants to know."""

from __future__ import annotations

import pytest

from fleetrig.harness.traces.event_words import RULE, TO_DEVICE, TO_SERVER, WORDS, WRONG, span_text, words_of
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttConnect, MqttPublish
from fleetrig.simulator.contract.trace import KINDS, Lane, TraceEvent
from tests.harness.traces.told import exchange, poll, seen, told

OF_SERIAL_LINES = (Lane.BOARD, "note")
"""What stands beside the bytes of a board."""


def test_every_kind_has_words_and_no_other() -> None:
    assert {(lane, kind) for lane, kinds in KINDS.items() for kind in kinds} == set(WORDS) - {OF_SERIAL_LINES}


@pytest.mark.parametrize(("lane", "kind"), WORDS)
def test_no_kind_needs_more_than_its_name(lane: Lane, kind: str) -> None:
    words = words_of(told(lane, 1, kind), None)
    assert words.mark in "→←!·─"
    assert words.is_wrong or words.mark != WRONG


def test_a_kind_of_tomorrow_is_shown_by_its_name() -> None:
    event = told(Lane.SERVER, 1, "sent_back", name="x", reason="why")
    assert words_of(event, None).text == "sent back x: why"


def texts(*events: TraceEvent) -> list[tuple[str, str]]:
    """Mark and text, where every question is shown."""
    found = []
    for one in seen(*events):
        words = words_of(one.event, one.question)
        if one.question is not None:
            one.question.is_shown = True
        found.append((words.mark, words.text))
    return found


def test_a_request_and_its_answer() -> None:
    assert texts(*exchange("gw-1", answer=HttpResponse(200, (), b"{}"))) == [
        (TO_SERVER, "GET /DEFAULT/controller/v1/gw-1 [poll]"),
        (TO_SERVER, "GET /DEFAULT/controller/v1/gw-1"),
        (TO_DEVICE, "200 (2 bytes) to #1"),
        (TO_DEVICE, "200 (2 bytes) to #1 after 2 ms [poll]"),
    ]


def test_a_refusal_says_why() -> None:
    refused = exchange("gw-1", answer=HttpResponse(401), reason="target exists, token differs")
    words = [words_of(one.event, one.question) for one in seen(*refused)]
    assert words[2].text == (
        "401 Unauthorized to #1 GET /DEFAULT/controller/v1/gw-1 refused: target exists, token differs"
    )
    assert [one.is_wrong for one in words] == [False, False, True, True]


def test_a_fault_and_what_becomes_of_the_answer() -> None:
    request = told(Lane.SERVER, 1, "received", envelope=poll(), session=4, reason="10.0.0.3")
    fault = told(Lane.SERVER, 2, "fault", envelope=poll(), fault="overload", session=4, reason="status 503")
    nothing = told(Lane.SERVER, 3, "delivered", ms=1500, reason="silence", session=4)
    instead = told(Lane.SERVER, 4, "delivered", envelope=HttpResponse(503), session=4)
    alone = fault._replace(session=0)
    assert texts(request, fault, nothing, instead, alone) == [
        (TO_SERVER, "GET /DEFAULT/controller/v1/gw-1 from 10.0.0.3"),
        (WRONG, "fault overload to #1: status 503"),
        (WRONG, "no answer to #1 after 1.5 s: silence"),
        (TO_DEVICE, "arrives as 503 Service Unavailable to #1"),
        (WRONG, "fault overload hits GET /DEFAULT/controller/v1/gw-1: status 503"),
    ]


def test_mqtt_sessions() -> None:
    events = [
        told(Lane.SERVER, 1, "opened", name="mqtts", reason="127.0.0.1", session=1),
        told(Lane.SERVER, 2, "received", envelope=MqttConnect("gw-7", "u"), session=1),
        told(Lane.SERVER, 3, "refused", envelope=MqttConnack(5), session=1, reason="no such device"),
        told(Lane.SERVER, 4, "pushed", envelope=MqttPublish("a/b", b"xyz", 1, packet_id=4), session=1),
        told(Lane.SERVER, 5, "closed", reason="by the peer", session=1),
        told(Lane.SERVER, 6, "refused", name="handshake: bad_certificate", reason="it has expired", session=2),
    ]
    assert [text for _, text in texts(*events)] == [
        "a connection on mqtts from 127.0.0.1",
        "CONNECT gw-7 u",
        "CONNACK 5 not authorized to #2 refused: no such device",
        "PUBLISH a/b (QoS 1, id 4, 3 bytes), unasked",
        "the connection ends: by the peer",
        "handshake: bad_certificate refused: it has expired",
    ]


def test_what_a_device_does() -> None:
    events = [
        told(Lane.DEVICE, 1, "power_on", "d", stage="blank"),
        told(Lane.DEVICE, 2, "entered", "d", stage="online", reason="first accepted poll"),
        told(Lane.DEVICE, 3, "paused", "d", took_us=2_000_000, reason="poll interval"),
        told(Lane.DEVICE, 4, "sent", "d", envelope=HttpRequest("GET", "http://h", "/f?a=1"), name="download"),
        told(Lane.DEVICE, 5, "downloaded", "d", reason="200: 7 bytes, cut", name="download", took_us=250),
        told(Lane.DEVICE, 6, "no_reply", "d", reason="timeout", name="poll", took_us=10_000_000),
        told(Lane.DEVICE, 7, "remembered", "d", name="action stage"),
    ]
    assert texts(*events) == [
        ("·", "switched on (blank)"),
        ("·", "is online: first accepted poll"),
        ("·", "has paused for 2 s: poll interval"),
        ("→", "GET /f?a=1 [download]"),
        ("←", "200: 7 bytes, cut to #4 after 250 µs [download]"),
        ("!", "no reply after 10 s [poll]: timeout"),
        ("·", "stores action stage"),
    ]


def test_phases_are_rules_and_failed_ones_are_wrong() -> None:
    events = [
        told(Lane.BENCH, 1, "phase", name="first contact"),
        told(Lane.BENCH, 2, "verdict", name="first contact", reason="failed"),
        told(Lane.BENCH, 3, "ended", name="failed"),
        told(Lane.BENCH, 4, "asked", name="registry {devices: 3}", reason="expected 3, got 2"),
    ]
    words = [words_of(event, None) for event in events]
    assert [(one.mark, one.is_wrong) for one in words] == [(RULE, False), (RULE, True), (RULE, True), (WRONG, True)]
    assert [one.text for one in words] == [
        "phase «first contact»",
        "failed: phase «first contact»",
        "the run is over: failed",
        "asked the server: registry {devices: 3}: expected 3, got 2",
    ]


@pytest.mark.parametrize(
    ("us", "text"),
    [(7, "7 µs"), (2000, "2 ms"), (999_999, "1 s"), (1_250_000, "1.25 s"), (119_990_000, "119.99 s"),
     (120_000_000, "2 min"), (3_725_000_000, "62 min 5 s")],
)  # fmt: skip
def test_spans(us: int, text: str) -> None:
    assert span_text(us) == text
