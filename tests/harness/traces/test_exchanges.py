"""An answer finds its question by session, whatever stands between them."""

from __future__ import annotations

from fleetrig.harness.traces.exchanges import Exchanges
from fleetrig.harness.traces.trace_filter import TraceFilter
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttConnect, MqttPublish
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from tests.harness.traces.told import exchange, poll, seen, told


def pairs(*events: TraceEvent) -> list[tuple[int, int]]:
    """(answer, question) of the answers that have one."""
    exchanges = Exchanges()
    found = ((event.seq, exchanges.take(event)) for event in events)
    return [(seq, question.seq) for seq, question in found if question is not None and question.seq != seq]


def test_two_sessions_are_told_apart() -> None:
    first, second = exchange("gw-1", session=1), exchange("gw-2", session=2, at=11)
    mixed = [one for pair in zip(first, second, strict=True) for one in pair]
    assert pairs(*mixed) == [(2, 1), (12, 11), (2, 1), (12, 11)]


def test_without_sessions_an_answer_comes_in_the_same_moment() -> None:
    assert pairs(*exchange("gw-1"), *exchange("gw-2", ms=5, at=3)) == [(2, 1), (2, 1), (4, 3), (4, 3)]


def test_a_held_request_is_answered_to_its_device() -> None:
    held = [told(Lane.SERVER, at, "received", f"gw-{at}", envelope=poll()) for at in (1, 2)]
    late = [told(Lane.SERVER, 2 + at, "answered", f"gw-{at}", ms=2000, envelope=HttpResponse(202)) for at in (1, 2)]
    again = told(Lane.SERVER, 5, "answered", "gw-1", ms=3000, envelope=HttpResponse(202))
    assert pairs(*held, *late, again) == [(3, 1), (4, 2)]


def test_a_fault_and_what_arrives_belong_to_the_question() -> None:
    events = [
        told(Lane.SERVER, 1, "received", envelope=poll(), session=4),
        told(Lane.SERVER, 2, "fault", envelope=poll(), fault="outage", session=4),
        told(Lane.SERVER, 3, "delivered", reason="closed", session=4),
    ]
    assert pairs(*events) == [(2, 1), (3, 1)]


def test_what_is_pushed_answers_nobody_but_a_late_coap_response() -> None:
    asked = told(Lane.SERVER, 1, "received", "d", envelope=CoapRequest("POST", "coap://h", "/t"), session=3)
    late = told(Lane.SERVER, 2, "pushed", "d", ms=9, envelope=CoapResponse("2.04"), session=3)
    told_of = told(Lane.SERVER, 3, "pushed", "d", ms=9, envelope=CoapResponse("2.05", observe=4), session=3)
    message = told(Lane.SERVER, 4, "pushed", "d", ms=9, envelope=MqttPublish("a"), session=3)
    assert pairs(asked, told_of, message, late, late._replace(seq=5)) == [(2, 1)]


def test_a_device_waits_for_one_answer_under_each_name() -> None:
    events = [
        told(Lane.DEVICE, 1, "sent", "d", envelope=MqttConnect("d"), name="login"),
        told(Lane.DEVICE, 2, "sent", "e", envelope=MqttConnect("e"), name="login"),
        told(Lane.DEVICE, 3, "received", "d", envelope=MqttConnack(), name="login"),
        told(Lane.DEVICE, 4, "no_reply", "e", reason="timeout", name="login"),
        told(Lane.DEVICE, 5, "received", "d", envelope=MqttPublish("a"), name="idle"),
    ]
    assert pairs(*events) == [(3, 1), (4, 2)]


def test_a_session_keeps_its_device() -> None:
    events = [
        told(Lane.SERVER, 1, "received", envelope=MqttConnect("x"), session=3),
        told(Lane.SERVER, 2, "answered", "gw-1", envelope=MqttConnack(), session=3),
        told(Lane.SERVER, 3, "received", envelope=MqttPublish("a"), session=3),
        told(Lane.NETWORK, 1, "malformed", reason="odd", session=3),
        told(Lane.SERVER, 4, "received", envelope=MqttPublish("a"), session=5),
    ]
    assert [one.device for one in seen(*events)] == ["", "gw-1", "gw-1", "gw-1", ""]


def test_a_connection_of_http_belongs_to_nobody() -> None:
    """An operator works on one device after the other, and on what is of none, over one connection."""
    of_device = [
        told(Lane.SERVER, 1, "received", "gw-1", envelope=poll(), session=3),
        told(Lane.SERVER, 2, "step", "gw-1", name="found", session=3),
        told(Lane.SERVER, 3, "answered", "gw-1", envelope=HttpResponse(200), session=3),
    ]
    others = HttpRequest("GET", "http://h", "/rest/v1/targets")
    of_nobody = [
        told(Lane.SERVER, 4, "received", envelope=others, session=3),
        told(Lane.SERVER, 5, "answered", envelope=HttpResponse(200), session=3),
    ]
    assert [one.device for one in seen(*of_device, *of_nobody)] == ["gw-1"] * 3 + [""] * 2
    wanted = TraceFilter(devices=("gw-1",), sessions={3})
    assert [one.event.seq for one in seen(*of_device, *of_nobody) if wanted.fits(one)] == [1, 2, 3]


def test_what_a_fault_kept_from_the_platform_has_the_device_of_its_path() -> None:
    events = [
        told(Lane.DEVICE, 1, "sent", "gw-1", envelope=poll(), name="poll"),
        told(Lane.SERVER, 1, "received", envelope=poll()),
        told(Lane.SERVER, 2, "fault", envelope=poll(), fault="outage"),
        told(Lane.SERVER, 3, "received", envelope=poll("gw-9")),
    ]
    assert [one.device for one in seen(*events)] == ["gw-1", "gw-1", "gw-1", ""]
