"""What the server saw tells the same story as the device itself, faults included."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from fleetrig.harness.external.view import ServerView, device_view, view_for
from fleetrig.harness.platforms.hawkbit.device_call import call_in
from fleetrig.harness.platforms.thingsboard.device_call import call_in as thingsboard_call
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPingreq,
    MqttPublish,
    MqttPublishAck,
    PublishAckKind,
)
from fleetrig.simulator.contract.trace import Lane, TraceEvent

SCENARIOS = Path(__file__).parents[3] / "scenarios"
EXCHANGES = ("sent", "received", "no_reply")

TOLD_BY_BOTH = [
    "hawkbit/attributes",
    "hawkbit/first_contact_update",
    "hawkbit/cancelled_before_install",
    "hawkbit/cancelled_during_install",
    "hawkbit/deleted_for_good",
    "hawkbit/overload_retry_after[status=503]",
    "hawkbit/lost_reply",
    "hawkbit/outage_backoff[shows_as=reset]",
    "external/hawkbit/odd_documents",
    "external/hawkbit/redirect[status=307]",
    "external/hawkbit/framing[framed=chunked]",
]

Story = dict[str, list[tuple[str, str, str]]]


def story(events: list[TraceEvent], lane: Lane) -> Story:
    """For each device: kind, name, and target or status, in order. Downloads end in another way on the device."""
    told: Story = {}
    for event in events:
        if event.lane is lane and event.kind in EXCHANGES and not event.name.startswith("download"):
            match event.envelope:
                case HttpRequest() as request:
                    what = f"{request.method} {request.target}"
                case HttpResponse() as response if event.kind == "received":
                    what = str(response.status)
                case _:
                    what = ""
            told.setdefault(event.device, []).append((event.kind, event.name, what))
    return told


@pytest.mark.parametrize("name", TOLD_BY_BOTH)
def test_device_and_server_tell_the_same(name: str, tmp_path: Path) -> None:
    (expanded,) = plan([name], SCENARIOS)
    events: list[TraceEvent] = []
    report = asyncio.run(run(expanded, RunOptions(results=tmp_path, own_device=True, listener=events.append)))
    assert report.verdict is Verdict.PASSED
    view = ServerView(call_in)
    seen = [derived for event in events for derived in view(event)]
    by_device, by_server = story(events, Lane.DEVICE), story(seen, Lane.SERVER)
    assert by_device.keys() == by_server.keys()
    for device, told in by_device.items():
        # The run may end while an answer is on its way.
        assert by_server[device][: len(told)] == told
        assert len(by_server[device]) <= len(told) + 1
        assert len(told) > 4


POLL = HttpRequest("GET", "http://h", "/DEFAULT/controller/v1/d1")


def server(kind: str, **fields: object) -> TraceEvent:
    return TraceEvent(1, 7, str(fields.pop("device", "")), Lane.SERVER, kind, **fields)  # type: ignore[arg-type]


def kinds(*events: TraceEvent) -> list[tuple[str, str, str]]:
    view = ServerView(call_in)
    return [(seen.kind, seen.device, seen.name) for event in events for seen in view(event)]


def test_a_refusal_is_both_a_refusal_and_an_answer() -> None:
    refused = server("refused", envelope=HttpResponse(401), reason="token differs")
    assert kinds(server("received", envelope=POLL), refused) == [
        ("sent", "d1", "poll"), ("refused", "d1", ""), ("received", "d1", "poll"),
    ]  # fmt: skip


def test_a_step_of_the_server_is_of_the_device_that_it_is_about() -> None:
    step = server("step", name="looked_up")
    assert kinds(server("received", envelope=POLL), step, step._replace(device="d2")) == [
        ("sent", "d1", "poll"), ("step", "d1", "looked_up"), ("step", "d2", "looked_up"),
    ]  # fmt: skip


def test_an_answer_that_was_spoilt_counts_as_it_was_delivered() -> None:
    spoilt = [
        server("received", envelope=POLL), server("fault", envelope=POLL, fault="rewrite"),
        server("answered", device="d1", envelope=HttpResponse(200)), server("delivered", envelope=HttpResponse(500)),
    ]  # fmt: skip
    view = ServerView(call_in)
    seen = [derived for event in spoilt for derived in view(event)]
    assert [event.kind for event in seen] == ["sent", "fault", "received"]
    assert seen[1].device == "d1"
    assert seen[2].envelope == HttpResponse(500)
    assert seen[2].seq == 7
    assert kinds(*spoilt[:3], server("delivered", reason="silence"))[-1] == ("no_reply", "d1", "poll")


def test_exchanges_of_two_sessions_do_not_mix() -> None:
    other = replace(POLL, target="/DEFAULT/controller/v1/d2/configData", method="PUT")
    assert kinds(
        server("received", envelope=POLL, session=1),
        server("received", envelope=other, session=2),
        server("fault", envelope=other, fault="latency", session=2),
        server("answered", envelope=HttpResponse(200), session=1),
        server("answered", envelope=HttpResponse(200), session=2),
        server("delivered", envelope=HttpResponse(200), session=2),
    ) == [
        ("sent", "d1", "poll"), ("sent", "d2", "configData"), ("fault", "d2", ""),
        ("received", "d1", "poll"), ("received", "d2", "configData"),
    ]  # fmt: skip


def test_what_operators_do_is_not_the_devices_business() -> None:
    request = HttpRequest("POST", "http://h", "/rest/v1/targets")
    assert kinds(server("received", envelope=request), server("answered", envelope=HttpResponse(201))) == []


def test_other_lanes_are_seen_as_they_are() -> None:
    events = [TraceEvent(1, 1, "d1", lane, "sent") for lane in (Lane.DEVICE, Lane.BENCH, Lane.NETWORK)]
    view = ServerView(call_in)
    assert [list(view(event)) for event in events] == [[event] for event in events]
    assert device_view(events[0]) == (events[0],)


# Sessions that last


def in_session(*events: TraceEvent, alone: str = "") -> list[tuple[str, str, str]]:
    view = ServerView(thingsboard_call, alone)
    return [(seen.kind, seen.device, seen.name) for event in events for seen in view(event)]


ASKS = MqttPublish("/provision/request", b'{"deviceName":"d1"}')
SESSION = [
    server("received", envelope=MqttConnect("", "provision"), session=1),
    server("answered", envelope=MqttConnack(), session=1),
    server("received", envelope=ASKS, session=1),
    server("answered", envelope=MqttPublishAck(PublishAckKind.PUBACK, 1), session=1),
    server("answered", envelope=MqttPublish("/provision/response", b"{}"), session=1),
    server("received", envelope=MqttPingreq(), session=1),
    server("closed", reason="by the peer", session=1),
]
TOLD = [
    ("sent", "provision-connect"), ("received", "provision-connect"), ("sent", "provision-request"),
    ("received", "provision-request"), ("received", "provision"), ("sent", "ping"), ("sent", "hang-up"),
]  # fmt: skip


def test_a_session_is_that_of_the_device_that_it_has_named() -> None:
    devices = ["", "", *["d1"] * 5]
    assert in_session(*SESSION) == [(kind, device, name) for (kind, name), device in zip(TOLD, devices, strict=True)]


def test_the_only_device_is_meant_where_none_is_named() -> None:
    begun = TraceEvent(1, 1, "", Lane.BENCH, "begun", name="run-1-")
    assert in_session(begun, *SESSION, alone="d1")[1:4] == [
        ("sent", "run-1-d1", "provision-connect"),
        ("received", "run-1-d1", "provision-connect"),
        ("sent", "d1", "provision-request"),
    ]


def test_a_session_that_the_server_ends_is_no_hang_up() -> None:
    assert in_session(SESSION[0], server("closed", reason="closed", session=1)) == [("sent", "", "provision-connect")]


def test_only_external_devices_need_a_lens() -> None:
    (own,) = plan(["hawkbit/first_contact"], SCENARIOS)
    (external,) = plan(["external/hawkbit/update"], SCENARIOS)
    assert view_for(own.scenario) is device_view
    assert isinstance(view_for(external.scenario), ServerView)
