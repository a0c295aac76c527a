"""Whether an event fits what a check describes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleetrig.harness.checks.matching import MISSING, Pattern, at_path, body_has, has_fields, same
from fleetrig.simulator.contract.coap import CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.failures import is_failure
from fleetrig.simulator.contract.http import FileSlice, HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    PublishAckKind,
)
from fleetrig.simulator.contract.trace import Lane, TraceEvent


@pytest.mark.parametrize(
    ("got", "wanted", "fits"),
    [
        ("success", "success", True),
        ("success", "succ*", True),
        ("Success", "success", False),
        (1, 1, True),
        (1.0, 1, True),
        (True, 1, False),
        (1, True, False),
        (False, 0, False),
        (True, True, True),
        pytest.param("1", 1, False, id="text is no number"),
        pytest.param(1, "1", False, id="a number is no text"),
        (MISSING, None, True),
        (None, None, True),
        ("", None, False),
        (["a", "b"], ["a", "*"], True),
        (["a"], ["a", "b"], False),
        ({"a": 1}, {"a": 1}, True),
        ({"a": True}, {"a": 1}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ("a", ["a"], False),
    ],
)
def test_same(got: object, wanted: object, fits: bool) -> None:
    assert same(got, wanted) is fits


DOCUMENT = {"status": {"result": {"finished": "none"}}, "chunks": [{"part": "os"}], "data": {"hw.revision": "2"}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("status.result.finished", "none"),
        ("chunks.0.part", "os"),
        ("chunks.1.part", MISSING),
        ("chunks.x", MISSING),
        ("data.hw.revision", "2"),
        ("status.result.finished.x", MISSING),
        ("nothing", MISSING),
    ],
)
def test_at_path(path: str, found: object) -> None:
    assert at_path(DOCUMENT, path) == found


def request(body: Any = b"", **headers: str) -> HttpRequest:
    content = body if isinstance(body, bytes | FileSlice) else json.dumps(body).encode()
    return HttpRequest("PUT", "http://h", "/DEFAULT/controller/v1/A/configData?c=1", tuple(headers.items()), content)


def event(envelope: Any, kind: str = "sent", **words: Any) -> TraceEvent:
    given = {"device": "A", "lane": Lane.DEVICE, "name": "configData", "stage": "online", **words}
    return TraceEvent(0, 1, kind=kind, envelope=envelope, **given)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        (Pattern("sent"), True),
        (Pattern("received"), False),
        (Pattern("sent", name="config*"), True),
        (Pattern("sent", name="poll"), False),
        (Pattern("sent", method="PUT"), True),
        (Pattern("sent", method="POST"), False),
        (Pattern("sent", path="*/configData"), True),
        (Pattern("sent", path="*/configData?c=*"), True),
        (Pattern("sent", path="/configData"), False),
        (Pattern("sent", device="A"), True),
        (Pattern("sent", device="B*"), False),
        (Pattern("sent", stage="online"), True),
        (Pattern("sent", stage="refused"), False),
        (Pattern("sent", header={"x-tag": "a*"}), True),
        (Pattern("sent", header={"X-Tag": "b*"}), False),
        (Pattern("sent", header={"X-Other": "*"}), False),
        (Pattern("sent", body_has={"mode": "merge", "data.a": 1}), True),
        (Pattern("sent", body_has={"mode": "merge", "data.a": 2}), False),
        (Pattern("sent", body_has={"data.b": None}), True),
    ],
)
def test_a_pattern_fits_a_request(pattern: Pattern, fits: bool) -> None:
    assert pattern.fits(event(request({"mode": "merge", "data": {"a": 1}}, **{"X-Tag": "abc"}))) is fits


def test_a_pattern_fits_an_answer() -> None:
    answer = HttpResponse(200, (("Retry-After", "7"),), b'{"config": {}}')
    assert Pattern("received", status=200, header={"Retry-After": "7"}).fits(event(answer, "received"))
    assert not Pattern("received", status=401).fits(event(answer, "received"))


def test_only_the_device_lane_counts() -> None:
    assert not Pattern("sent").fits(event(request(), lane=Lane.SERVER))


def test_an_event_without_an_envelope_fits_only_what_asks_for_none() -> None:
    assert Pattern("no_reply", name="configData").fits(event(None, "no_reply"))
    assert not Pattern("no_reply", body_has={"a": 1}).fits(event(None, "no_reply"))


@pytest.mark.parametrize("body", [b"", b"no JSON", b"\xff\xfe", b"[1, 2]", FileSlice("x", 0, 9)])
def test_a_body_that_is_no_object_holds_nothing(body: Any) -> None:
    assert not body_has(request(body), {"a": 1})


def test_a_pattern_says_what_it_looks_for() -> None:
    pattern = Pattern("sent", "feedback-*", "POST", "*/feedback", header={"Accept": "*"}, body_has={"status.code": 1})
    assert str(pattern) == "sends feedback-* POST */feedback Accept: * status.code = 1"
    assert str(Pattern("entered", stage="online")) == "reaches online"


def sent(envelope: Envelope) -> TraceEvent:
    return TraceEvent(0, 0, "d1", Lane.DEVICE, "sent", envelope)


@pytest.mark.parametrize(
    ("envelope", "line", "fits"),
    [
        (HttpRequest("GET", "http://h", "/a/b?c=1"), "GET /a/b", True),
        (HttpRequest("GET", "http://h", "/a/b"), "GET /a", False),
        (HttpResponse(503), "5*", True),
        (MqttPublish("v1/devices/me/telemetry", b"{}"), "PUBLISH v1/devices/me/*", True),
        (MqttPublish("v1/devices/me/telemetry", b"{}"), "PUBLISH v1/gateway/*", False),
        (MqttConnack(5), "CONNACK 5", True),
        (CoapResponse("2.05"), "2.*", True),
    ],
)
def test_every_protocol_is_matched_by_its_line(envelope: Envelope, line: str, fits: bool) -> None:
    assert Pattern("sent", line=line).fits(sent(envelope)) is fits


def test_a_payload_is_looked_into_whatever_the_protocol() -> None:
    publish = sent(MqttPublish("provision", b'{"status": "SUCCESS"}'))
    assert Pattern("sent", body_has={"status": "SUCC*"}).fits(publish)
    assert not Pattern("sent", body_has={"status": "FAILURE"}).fits(publish)


@pytest.mark.parametrize("wanted", [{"method": "GET"}, {"path": "*"}, {"status": 200}, {"header": {"A": "*"}}], ids=str)
def test_what_only_http_has_fits_nothing_else(wanted: dict[str, Any]) -> None:
    assert not Pattern("sent", **wanted).fits(sent(MqttConnack(0)))


@pytest.mark.parametrize(
    ("envelope", "failed"),
    [
        (None, False),
        (HttpRequest("GET", "http://h", "/"), False),
        (HttpResponse(399), False),
        (HttpResponse(400), True),
        (MqttConnack(0), False),
        (MqttConnack(5), True),
        (MqttPublishAck(PublishAckKind.PUBACK, 1), False),
        (MqttPublishAck(PublishAckKind.PUBACK, 1, 0x87), True),
        (MqttSuback(1, (0, 1)), False),
        (MqttSuback(1, (0, 0x80)), True),
        (CoapResponse("2.05"), False),
        (CoapResponse("4.01"), True),
        (CoapResponse("5.03"), True),
    ],
)
def test_what_counts_as_a_failed_try(envelope: Envelope | None, failed: bool) -> None:
    assert is_failure(envelope) is failed


@pytest.mark.parametrize(
    ("envelope", "wanted", "fits"),
    [
        (MqttConnect("", "provision"), {"user_name": "provision", "password": None, "client_id": None}, True),
        (MqttConnect("c", "u", b"p1"), {"password": "p?", "version": "4", "clean_start": "True"}, True),
        (MqttConnect("c", "u", b"p1"), {"password": None}, False),
        (MqttConnect("c"), {"user_name": "*"}, False),
        (MqttConnect("c"), {"user_name": None}, True),
        (MqttPublish("t", qos=1), {"qos": "1", "retain": "False"}, True),
        (MqttPublish("t", qos=0), {"qos": None}, False),
        (HttpRequest("GET", "http://h", "/"), {"qos": "*"}, False),
        (HttpRequest("GET", "http://h", "/"), {"qos": None}, True),
    ],
)
def test_fields(envelope: Envelope, wanted: dict[str, str | None], fits: bool) -> None:
    assert has_fields(envelope, wanted) is fits


def test_a_pattern_says_its_fields() -> None:
    pattern = Pattern("sent", name="login", fields={"user_name": "x*", "password": None})
    assert str(pattern) == "sends login user_name x* password (none)"
    assert not pattern.fits(TraceEvent(0, 0, "d", Lane.DEVICE, "sent", name="login"))
