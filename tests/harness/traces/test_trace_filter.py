"""What is wanted of a trace, and what is not."""

from __future__ import annotations

import pytest

from fleetrig.harness.traces.trace_filter import TraceFilter
from fleetrig.simulator.contract.coap import CoapResponse
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import MqttConnack
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from tests.harness.traces.told import exchange, poll, seen, told

EVENTS = [
    told(Lane.BENCH, 1, "phase", name="First Contact"),
    told(Lane.BENCH, 2, "action", name="power_on"),
    *exchange("gw-1", session=1, at=1),
    *exchange("gw-2", session=2, at=11, answer=HttpResponse(401), reason="who are you?"),
    told(Lane.BENCH, 3, "verdict", name="First Contact", reason="failed"),
    told(Lane.SERVER, 20, "opened", session=3),
    told(Lane.SERVER, 21, "answered", "gw-1", envelope=MqttConnack(0), session=3),
    told(Lane.SERVER, 22, "answered", envelope=CoapResponse("4.04"), session=4),
    told(Lane.NETWORK, 1, "malformed", reason="\u00c4h", session=5),
]


def fitting(wanted: TraceFilter, events: list[TraceEvent] | None = None) -> list[str]:
    return [f"{one.event.lane}:{one.event.seq}" for one in seen(*(events or EVENTS)) if wanted.fits(one)]


ALL_OF_GW_1 = ["device:1", "server:1", "server:2", "device:2"]


def test_a_device_with_what_says_where_one_is() -> None:
    wanted = TraceFilter(devices=("gw-1",))
    assert fitting(wanted) == ["bench:1", *ALL_OF_GW_1, "bench:3", "server:21"]
    assert wanted.names_one_device
    assert not TraceFilter(devices=("gw-*",)).names_one_device
    assert not TraceFilter(devices=("gw-1", "gw-2")).names_one_device


def test_sessions_that_are_known_to_be_of_a_device() -> None:
    assert "server:20" in fitting(TraceFilter(devices=("gw-1",), sessions={3}))


def test_several_devices_and_globs() -> None:
    both = fitting(TraceFilter(devices=("gw-1", "gw-2")))
    assert both == fitting(TraceFilter(devices=("gw-?",)))
    assert {"device:11", "device:1"} <= set(both)


def test_what_an_operator_does_with_a_device_belongs_to_it() -> None:
    request = HttpRequest("GET", "http://h", "/rest/v1/targets/gw-1?limit=3")
    events = [
        told(Lane.SERVER, 1, "received", envelope=request),
        told(Lane.SERVER, 2, "answered", envelope=HttpResponse(200)),
        told(Lane.SERVER, 3, "received", ms=1, envelope=HttpRequest("GET", "http://h", "/rest/v1/targets/gw-11")),
    ]
    assert fitting(TraceFilter(devices=("gw-1",)), events) == ["server:1", "server:2"]


def test_an_operator_who_names_a_device_behind_a_question_mark_gets_an_answer() -> None:
    request = HttpRequest("GET", "http://h", "/api/tenant/devices?deviceName=gw-1")
    events = [
        told(Lane.SERVER, 1, "received", envelope=request),
        told(Lane.SERVER, 2, "refused", envelope=HttpResponse(404), reason="no such device"),
    ]
    assert fitting(TraceFilter(devices=("gw-1",)), events) == ["server:1", "server:2"]


def test_where_one_is_is_left_out_when_events_are_looked_for() -> None:
    assert fitting(TraceFilter(devices=("gw-2",), kinds=frozenset({"refused"}))) == ["server:12"]
    assert fitting(TraceFilter(lanes=frozenset({Lane.NETWORK}))) == ["network:1"]


def test_refusals_are_told_by_servers_seen_by_devices_and_read_off_answers() -> None:
    assert fitting(TraceFilter(is_refused=True)) == ["server:12", "device:12", "server:22", "network:1"]


def test_what_went_wrong_is_what_is_shown_as_wrong() -> None:
    events = [
        *exchange("gw-1"),
        told(Lane.SERVER, 5, "fault", envelope=poll(), fault="outage", session=1),
        told(Lane.DEVICE, 5, "no_reply", "gw-1", reason="timeout", name="poll"),
        told(Lane.DEVICE, 6, "entered", "gw-1", stage="backing_off"),
        told(Lane.BENCH, 9, "verdict", name="p", reason="failed"),
        told(Lane.BENCH, 10, "verdict", name="q", reason="passed"),
    ]
    assert fitting(TraceFilter(is_wrong=True), events) == ["server:5", "device:5", "bench:9"]
    assert fitting(TraceFilter(is_wrong=True)) == ["server:12", "device:12", "bench:3", "server:22", "network:1"]
    assert fitting(TraceFilter(is_wrong=True, devices=("gw-2",))) == ["server:12", "device:12"]


@pytest.mark.parametrize(
    ("status", "found"),
    [("401", ["server:12", "device:12"]), ("4xx", ["server:12", "device:12", "server:22"]), ("4.04", ["server:22"]),
     ("0", ["server:21"]), ("2xx", ["server:2", "device:2"]), ("4", [])],
)  # fmt: skip
def test_statuses(status: str, found: list[str]) -> None:
    assert fitting(TraceFilter(statuses=(status,))) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [("WHO ARE", ["server:12"]), ("\u00c4h", ["network:1"]), ('"gw-2"', 4), ("no such", [])],
)
def test_text_anywhere_in_the_line(text: str, found: list[str] | int) -> None:
    fits = fitting(TraceFilter(text=text))
    assert fits == found if isinstance(found, list) else len(fits) == found


def test_a_phase_by_a_part_of_its_name() -> None:
    assert fitting(TraceFilter(phase="contact"))[0] == "bench:1"
    assert fitting(TraceFilter(phase="contact"))[-1] == "bench:3"
    assert fitting(TraceFilter(phase="second")) == []


def test_nothing_is_left_out_without_options() -> None:
    assert not TraceFilter().leaves_out
    assert TraceFilter(text="a").leaves_out
    assert len(fitting(TraceFilter())) == len(EVENTS)


def test_an_answer_of_somebody_else_stays_out() -> None:
    events = [*exchange("gw-2", session=2), told(Lane.SERVER, 9, "step", envelope=poll("gw-3"), session=2)]
    assert fitting(TraceFilter(devices=("gw-3",)), events) == ["server:9"]
