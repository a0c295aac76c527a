"""Whether an event fits what a check describes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleetrig.harness.checks.matching import MISSING, Pattern, at_path, body_has, same
from fleetrig.simulator.contract.http import FileSlice, HttpRequest, HttpResponse
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
