"""The ring forgets the oldest, by number and by bytes."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.control.ring import TraceRing
from fleetrig.simulator.contract.http import Body, FileSlice, HttpResponse
from fleetrig.simulator.contract.mqtt import (
    MqttConnect,
    MqttPacket,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    MqttUnsubscribe,
    MqttWill,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.contract.trace import Lane, TraceEvent


def event(number: int, body: Body = b"") -> TraceEvent:
    return TraceEvent(number, number, "", Lane.SERVER, "answered", HttpResponse(200, (), body))


def test_events_are_numbered_and_read_on_from_a_number() -> None:
    ring = TraceRing(max_events=3)
    assert (ring.last, ring.forgotten, ring.after(0, 10), list(ring.newest_first())) == (0, 0, [], [])
    for number in range(1, 6):
        ring(event(number))
    assert (ring.last, ring.forgotten) == (5, 2)
    assert [(number, found.at_us) for number, found in ring.after(0, 2)] == [(3, 3), (4, 4)]
    assert [number for number, _ in ring.after(4, 10)] == [5]
    assert ring.after(5, 10) == []
    assert [(number, found.at_us) for number, found in ring.newest_first()] == [(5, 5), (4, 4), (3, 3)]


def numbers(ring: TraceRing) -> list[int]:
    return [event.at_us for event in ring.events()]


def test_by_number() -> None:
    ring = TraceRing(max_events=3)
    for number in range(10):
        ring(event(number))
    assert numbers(ring) == [7, 8, 9]


def test_by_the_bytes_of_bodies() -> None:
    ring = TraceRing(max_body_bytes=100)
    bodies: list[Body] = [b"x" * 60, FileSlice("f", 0, 10**9), (b"x" * 30, FileSlice("f", 0, 9)), b"x" * 11]
    for number, body in enumerate(bodies):
        ring(event(number, body))
    assert numbers(ring) == [1, 2, 3]
    ring(event(4, b"x" * 101))
    assert numbers(ring) == []
    ring(TraceEvent(5, 5, "", Lane.BENCH, "note"))
    assert numbers(ring) == [5]


MANY_PROPERTIES = (("user_property", ("", "")),) * 1_000


@pytest.mark.parametrize(
    "packet",
    [
        MqttPublish("a", properties=MANY_PROPERTIES),
        MqttPublish("\u20ac" * 30_000),
        MqttPublishAck(PublishAckKind.PUBACK, 1, properties=MANY_PROPERTIES),
        MqttSubscribe((Subscription("a"),) * 1_000),
        MqttUnsubscribe(("a",) * 1_000),
        MqttConnect("gw-1", user_name="x" * 60_000, password=b"x" * 60_000),
        MqttConnect("gw-1", will=MqttWill("a", b"x" * 60_000, properties=MANY_PROPERTIES)),
    ],
    ids=["properties", "wide", "ack", "filters", "unsubscribed", "credentials", "will"],
)
def test_packets_take_more_than_their_payload(packet: MqttPacket) -> None:
    ring = TraceRing(max_body_bytes=500_000)
    for number in range(100):
        ring(TraceEvent(number, number, "", Lane.SERVER, "received", packet))
    assert len(ring.events()) <= 10
