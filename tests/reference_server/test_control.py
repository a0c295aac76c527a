"""The control interface as a function: what it answers, and what it makes of mistakes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from fleetrig.reference_server.clock import LATEST_US, AdjustableClock
from fleetrig.reference_server.control.control import MAX_FAULTS, Control, ControlTarget
from fleetrig.reference_server.control.received_lines import ReceivedLines
from fleetrig.reference_server.control.refusals import SHOWN_LINE_CHARS, Refusals
from fleetrig.reference_server.control.ring import TraceRing
from fleetrig.reference_server.control.trace_cursor import TraceCursor
from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.http_faults import HttpFaults
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import US_PER_S, VIRTUAL_EPOCH_US, to_us
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttConnect, MqttPublish
from fleetrig.simulator.contract.trace import KINDS, Lane, Trace, TraceEvent
from fleetrig.simulator.contract.trace_json import from_line
from tests.reference_server.stores.records import DEVICE, JOB, Device, Job

JSON = ("Content-Type", "application/json")
POLL = HttpRequest("GET", "http://h", "/DEFAULT/controller/v1/dev-1")


class Standing:
    def now_us(self) -> int:
        return VIRTUAL_EPOCH_US


class ControlPanel:
    """A control interface, and the server's parts behind it."""

    def __init__(self, *, is_open: bool = False, max_events: int = 100) -> None:
        self.clock = AdjustableClock(Standing())
        self.faults = FaultPlan(lambda: 0.0)
        received = ReceivedLines()
        self.trace, self.ring, self.refusals = Trace(), TraceRing(max_events), Refusals(received)
        self.trace.listen(self.ring)
        self.trace.listen(received, received.kinds)
        self.trace.listen(self.refusals)
        self.secrets = Secrets()
        self.store = MemoryStore()
        self.target = ControlTarget(
            about={"version": "1.2.3", "profiles": {"hawkbit": "1.1"}},
            urls={"hawkbit": {"http": "http://127.0.0.1:8080"}},
            control_url="http://127.0.0.1:8081",
            store_url="memory:",
            store=self.store,
            clock=self.clock,
            faults=self.faults,
            ring=self.ring,
            refusals=self.refusals,
            secrets=self.secrets,
            is_open=is_open,
        )
        self.control = Control(self.target)

    def send(self, method: str, target: str, body: object = None, headers: Headers = (JSON,)) -> HttpResponse:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        host = () if any(name == "Host" for name, _ in headers) else (("Host", "127.0.0.1:9000"),)
        answer = self.control.handle(HttpRequest(method, "", target, (*host, *headers), raw))
        assert isinstance(answer, HttpResponse)
        return answer

    def ask(self, method: str, target: str, body: object = None, headers: Headers = (JSON,)) -> tuple[int, Any]:
        answer = self.send(method, target, body, headers)
        return answer.status, json.loads(body_bytes(answer.body))

    def cursor(self, query: str = "") -> TraceCursor:
        request = HttpRequest("GET", "", f"/trace{query}", (("Host", "127.0.0.1"),))
        cursor = self.control.handle(request)
        assert isinstance(cursor, TraceCursor), cursor
        return cursor

    def lines(self, query: str = "") -> list[Any]:
        return list(map(json.loads, all_lines(self.cursor(query))))

    def answered(self, device: str, status: int = 200, reason: str = "", token: str = "") -> None:
        """What `server.py` writes of one exchange."""
        headers = (("Authorization", f"TargetToken {token}"),) if token else ()
        request = HttpRequest("GET", "http://h", f"/DEFAULT/controller/v1/{device}", headers)
        self.trace.emit(self.clock.now_us(), Lane.SERVER, "received", device, envelope=request)
        kind = "refused" if reason else "answered"
        self.trace.emit(self.clock.now_us(), Lane.SERVER, kind, device, envelope=HttpResponse(status), reason=reason)


def all_lines(cursor: TraceCursor) -> Iterator[str]:
    while not cursor.is_over and cursor.is_behind:
        yield from cursor.lines()


@pytest.fixture
def panel() -> ControlPanel:
    return ControlPanel()


# What it is


def test_it_says_what_it_is(panel: ControlPanel) -> None:
    for name in ("a", "b"):
        panel.store.put(DEVICE, "T", Device(name, "north"))
    panel.store.put(JOB, "other", Job(1, "a"))
    panel.ask("POST", "/faults", {"fault": "outage", "times": 1})
    panel.ask("POST", "/faults", {"fault": "overload", "for": "0s"})
    status, said = panel.ask("GET", "/")
    assert status == 200
    assert [fault["fault"] for fault in said.pop("faults")] == ["outage"]
    links = said.pop("links")
    assert said == {
        "server": "fleetrig reference server",
        "version": "1.2.3",
        "profiles": {"hawkbit": "1.1"},
        "platforms": ["hawkbit"],
        "urls": {"hawkbit": {"http": "http://127.0.0.1:8080"}, "control": "http://127.0.0.1:8081"},
        "store": "memory:",
        "records": {DEVICE.name: 2, JOB.name: 1},
        "clock": {"now": "2026-01-01T00:00:00.000000Z", "now_us": VIRTUAL_EPOCH_US, "skipped_s": 0},
        "trace": {"last": 0, "forgotten": 0},
    }
    for link in links.values():
        request = HttpRequest("GET", "", link, (("Host", "localhost"),))
        answer = panel.control.handle(request)
        assert isinstance(answer, TraceCursor) or answer.status == 200


def test_nothing_may_be_stored_or_read_by_other_pages(panel: ControlPanel) -> None:
    for method, target in (("GET", "/"), ("OPTIONS", "/faults"), ("GET", "/nowhere")):
        names = [name.lower() for name, _ in panel.send(method, target).headers]
        assert "cache-control" in names
        assert not [name for name in names if name.startswith("access-control")]


# Faults


def test_a_fault_is_added_shown_and_removed(panel: ControlPanel) -> None:
    given = {"fault": "overload", "hits": "GET */dev-1", "at": "0s", "for": "60s", "share": 1.0, "status": 429}
    answer = panel.send("POST", "/faults", given)
    assert (answer.status, answer.header("Location")) == (201, "/faults/1")
    begins = {"begins_us": VIRTUAL_EPOCH_US, "ends_us": VIRTUAL_EPOCH_US + to_us(60)}
    shown = {"id": 1, **given, "state": "on", "bites": 0, **begins}
    assert json.loads(body_bytes(answer.body)) == shown
    for _ in range(3):
        assert HttpFaults(panel.faults).blocking(POLL, panel.clock.now_us()) is not None
    assert panel.ask("GET", "/faults/1") == (200, {**shown, "bites": 3})
    assert panel.ask("GET", "/faults") == (200, {"faults": [{**shown, "bites": 3}]})
    assert panel.ask("DELETE", "/faults/1") == (200, {**shown, "bites": 3})
    assert HttpFaults(panel.faults).blocking(POLL, panel.clock.now_us()) is None
    assert panel.ask("DELETE", "/faults/1")[0] == 404
    assert panel.ask("GET", "/faults") == (200, {"faults": []})


def test_all_faults_are_removed_and_ids_are_not_given_twice(panel: ControlPanel) -> None:
    for kind in ("outage", "lost_reply"):
        panel.ask("POST", "/faults", {"fault": kind})
    status, said = panel.ask("DELETE", "/faults")
    assert (status, [(fault["id"], fault["fault"]) for fault in said["removed"]]) == (
        200, [(1, "outage"), (2, "lost_reply")],
    )  # fmt: skip
    assert panel.ask("POST", "/faults", {"fault": "outage"})[1]["id"] == 3


def test_a_fault_waits_is_on_and_is_over(panel: ControlPanel) -> None:
    panel.ask("POST", "/faults", {"fault": "outage", "at": "10s", "for": "5s"})
    panel.ask("POST", "/faults", {"fault": "outage", "times": 1})

    def states() -> list[str]:
        return [fault["state"] for fault in panel.ask("GET", "/faults")[1]["faults"]]

    assert states() == ["waiting", "on"]
    HttpFaults(panel.faults).blocking(POLL, panel.clock.now_us())
    assert states() == ["waiting", "over"]
    panel.clock.skip(to_us(10))
    assert states() == ["on", "over"]
    panel.clock.skip(to_us(5))
    assert states() == ["over", "over"]


def test_there_is_room_for_so_many_faults(panel: ControlPanel) -> None:
    for _ in range(MAX_FAULTS):
        assert panel.ask("POST", "/faults", {"fault": "outage", "at": "1h"})[0] == 201
    status, said = panel.ask("POST", "/faults", {"fault": "outage"})
    assert (status, "DELETE some" in said["error"]) == (409, True)


def test_a_mistake_in_a_fault_names_field_expectation_and_near_word(panel: ControlPanel) -> None:
    assert panel.ask("POST", "/faults", {"fault": "lost_reply", "shows_as": "rset"}) == (
        400,
        {
            "error": 'shows_as: expected one of refused, reset, silence, closed, got "rset"; did you mean reset?',
            "field": "shows_as",
            "expected": "expected one of refused, reset, silence, closed",
            "near": "reset",
        },
    )
    assert panel.ask("POST", "/faults", {"fault": "outage", "for": 10}) == (
        400,
        {
            "error": "for: expected a time with its unit, such as 500ms, 30s, 5m or 1h, got 10",
            "field": "for",
            "expected": "expected a time with its unit, such as 500ms, 30s, 5m or 1h",
        },
    )
    assert panel.faults.scheduled() == ()


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"outage"', b"\xff\xfe\xfa", b'{"fault": NaN}', b"[" * 60_000])
def test_a_body_that_is_no_object_of_json(panel: ControlPanel, body: bytes) -> None:
    status, said = panel.ask("POST", "/faults", body)
    assert (status, len(said["error"]) < 200) == (400, True)


@pytest.mark.parametrize("sent", [(), (("Content-Type", "text/plain"),), (("Content-Type", "application/x-json"),)])
def test_a_page_in_a_browser_cannot_change_anything(panel: ControlPanel, sent: Headers) -> None:
    for path, body in (("/faults", {"fault": "outage"}), ("/clock", {"skip_s": 1})):
        status, said = panel.ask("POST", path, body, sent)
        assert (status, "expected Content-Type: application/json" in said["error"]) == (415, True)
    assert (panel.faults.scheduled(), panel.clock.skipped_us) == ((), 0)


def test_a_charset_may_be_named(panel: ControlPanel) -> None:
    sent = (("content-type", "Application/JSON; charset=utf-8"),)
    assert panel.ask("POST", "/clock", {"skip_s": 1}, sent)[0] == 200


# Who may ask


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "127.9.9.9:1", "[::1]", "[::1]:9000"])
def test_loopback_names(panel: ControlPanel, host: str) -> None:
    assert panel.ask("GET", "/clock", headers=(("Host", host),))[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:9000", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "[fe80::1]",
     "", "localhost@evil.example", "0.0.0.0"],
)  # fmt: skip
def test_a_name_that_was_made_to_point_here_gets_nothing(panel: ControlPanel, host: str) -> None:
    for method, path in (("GET", "/"), ("GET", "/trace"), ("DELETE", "/faults"), ("GET", "/nowhere")):
        status, said = panel.ask(method, path, headers=(("Host", host),))
        assert (status, list(said)) == (403, ["error"])


def test_beyond_loopback_every_name_will_do() -> None:
    assert ControlPanel(is_open=True).ask("GET", "/clock", headers=(("Host", "bench-7.lab:9000"),))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("POST", "/", "HEAD, GET"), ("PUT", "/faults", "HEAD, GET, POST, DELETE"),
     ("OPTIONS", "/clock", "HEAD, GET, POST"), ("DELETE", "/trace", "HEAD, GET")],
)  # fmt: skip
def test_other_methods(panel: ControlPanel, method: str, path: str, allowed: str) -> None:
    answer = panel.send(method, path)
    assert (answer.status, answer.header("Allow")) == (405, allowed)


@pytest.mark.parametrize(
    ("path", "near"),
    [("/fault", "/faults"), ("/faults/", "/faults"), ("/Trace", "/trace"),
     ("/reason", "/reasons"), ("/faults/1", ""), ("/faults/01", ""),
     ("/zzz", ""), ("*", ""), ("/trace/", "/trace"), ("http://localhost/faults", "")],
)  # fmt: skip
def test_other_paths(panel: ControlPanel, path: str, near: str) -> None:
    status, said = panel.ask("GET", path)
    assert status == 404
    assert said.get("near", "") == near
    assert said["error"].endswith(f"; did you mean {near}?") is bool(near)


# The clock


def test_the_clock_goes_forward(panel: ControlPanel) -> None:
    assert panel.ask("POST", "/clock", {"skip_s": 3600}) == (
        200,
        {"now": "2026-01-01T01:00:00.000000Z", "now_us": VIRTUAL_EPOCH_US + to_us(3600), "skipped_s": 3600},
    )
    assert panel.ask("POST", "/clock", {"skip_s": 0.5})[1]["skipped_s"] == 3600.5
    assert panel.ask("GET", "/clock")[1]["now"] == "2026-01-01T01:00:00.500000Z"
    assert panel.clock.now_us() == VIRTUAL_EPOCH_US + to_us(3600.5)


@pytest.mark.parametrize(
    ("body", "field"),
    [({"skip_s": -1}, "skip_s"), ({"skip_s": 0}, "skip_s"), ({"skip_s": "1h"}, "skip_s"), ({"skip_s": True}, "skip_s"),
     ({"skip_s": 1e300}, "skip_s"), ({"skip_s": 1e308}, "skip_s"), ({"skip_s": 10**400}, "skip_s"),
     ({"skip_s": 100 * 365 * 86_400}, "skip_s"), ({}, "skip_s"), ({"skip": 1}, "skip")],
)  # fmt: skip
def test_the_clock_goes_nowhere_else(panel: ControlPanel, body: dict[str, Any], field: str) -> None:
    status, said = panel.ask("POST", "/clock", body)
    assert (status, said["field"]) == (400, field)
    assert panel.clock.skipped_us == 0


def test_a_number_that_json_cannot_hold_is_no_time(panel: ControlPanel) -> None:
    assert panel.ask("POST", "/clock", b'{"skip_s": 1e999}')[1]["field"] == "skip_s"


def test_the_clock_can_go_to_its_end(panel: ControlPanel) -> None:
    assert panel.ask("POST", "/clock", {"skip_s": (LATEST_US - VIRTUAL_EPOCH_US) // US_PER_S})[0] == 200
    assert panel.ask("POST", "/clock", {"skip_s": 1})[0] == 400
    assert panel.ask("GET", "/")[1]["clock"]["now"] == "2100-01-01T00:00:00.000000Z"


# The trace


def numbers(lines: list[Any]) -> list[int]:
    return [line["number"] for line in lines]


def test_the_trace_is_read_on_from_where_one_was(panel: ControlPanel) -> None:
    for device in ("a", "b", "c"):
        panel.answered(device)
    assert numbers(panel.lines()) == [1, 2, 3, 4, 5, 6]
    assert numbers(panel.lines("?since=4")) == [5, 6]
    assert numbers(panel.lines("?since=1&limit=2")) == [2, 3]
    assert panel.lines("?since=6") == []
    assert numbers(panel.lines("?limit=2")) == [5, 6], "without since the newest"
    assert panel.ask("GET", "/")[1]["trace"] == {"last": 6, "forgotten": 0}


def test_a_line_is_one_of_a_trace_file_with_its_number(panel: ControlPanel) -> None:
    panel.answered("dev-1", 401, "token differs")
    text = list(all_lines(panel.cursor("?kind=refused")))
    event = from_line(text[0])
    assert (event.kind, event.device, event.reason) == ("refused", "dev-1", "token differs")
    assert text[0].startswith('{"number":2,"at_us":')


def test_the_trace_by_lane_kind_and_device(panel: ControlPanel) -> None:
    panel.answered("HB-1")
    panel.answered("HB-2", 401, "unknown")
    panel.trace.emit(0, Lane.NETWORK, "fault", reason="stopped listening")
    assert numbers(panel.lines("?lane=network")) == [5]
    assert numbers(panel.lines("?kind=refused")) == [4]
    assert numbers(panel.lines("?device=HB-1")) == [1, 2]
    assert numbers(panel.lines("?device=HB-*&kind=received")) == [1, 3]
    assert numbers(panel.lines("?device=HB-%2A&kind=received&limit=1")) == [3]
    assert numbers(panel.lines("?device=HB-*&kind=received&limit=1&since=0")) == [1]
    assert panel.lines("?device=hb-1") == []


def test_messages_without_their_bodies(panel: ControlPanel) -> None:
    response = HttpResponse(200, (("ETag", "x"),), b"large")
    panel.trace.emit(0, Lane.SERVER, "answered", "d", envelope=response)
    [whole], [short] = panel.lines(), panel.lines("?bodies=false")
    assert whole["envelope"]["response"].pop("body") == "large"
    assert short == whole


def test_a_poller_learns_how_far_it_has_looked(panel: ControlPanel) -> None:
    panel.answered("a")
    assert panel.cursor("?kind=refused&since=0").last == 2


def test_secrets_are_masked(panel: ControlPanel) -> None:
    panel.secrets.learn("target-token", "super-secret-token")
    panel.answered("dev-1", token="super-secret-token")
    text = "".join(all_lines(panel.cursor()))
    assert "super-secret-token" not in text
    assert "target-token:" in text


@pytest.mark.parametrize(
    ("query", "field"),
    [("since=-1", "since"), ("since=x", "since"), ("since=1", "since"), ("since=", "since"), ("lane=sever", "lane"),
     ("limit=0", "limit"), ("limit=1000000", "limit"), ("follow=yes", "follow"), ("folow=true", "folow"),
     ("bodies=no", "bodies"), ("device=", "device"), ("kind=a&kind=b", "kind"),
     ("since=" + "9" * 30, "since"), ("since=%D9%A3", "since")],
)  # fmt: skip
def test_mistakes_in_the_query(panel: ControlPanel, query: str, field: str) -> None:
    status, said = panel.ask("GET", f"/trace?{query}")
    assert (status, said["field"]) == (400, field)


def test_a_query_where_there_is_none(panel: ControlPanel) -> None:
    assert panel.ask("GET", "/faults?device=x")[0] == 400
    assert panel.ask("GET", "/trace?" + "&".join(f"a{n}=1" for n in range(30)))[0] == 400


def test_near_words_in_the_query(panel: ControlPanel) -> None:
    assert panel.ask("GET", "/trace?folow=true")[1]["near"] == "follow"
    for query, near in (
        ("lane=sever", "server"),
        ("kind=refusd", "refused"),
        ("lane=network&kind=malform", "malformed"),
    ):
        status, said = panel.ask("GET", f"/trace?{query}")
        assert (status, said["near"]) == (400, near)
        assert said["error"].endswith(f"; did you mean {near}?")
        assert "did you mean" not in said["expected"]
    assert panel.ask("GET", "/reasons?devise=a")[1]["near"] == "device"
    assert panel.ask("GET", "/northbound?tennant=a")[1]["near"] == "tenant"
    assert panel.ask("POST", "/clock", {"skip": 3})[1]["near"] == "skip_s"


def test_a_kind_that_the_lane_never_has(panel: ControlPanel) -> None:
    status, said = panel.ask("GET", "/trace?lane=network&kind=answered")
    assert (status, said["field"]) == (400, "kind")
    assert said["expected"] == (
        "expected a kind of the lane network: fault, malformed, refused, handed_on, handing_on_failed"
    )
    assert panel.lines("?lane=server&kind=answered") == []


def test_all_kinds_that_are_asked_for_have_a_meaning() -> None:
    """`TraceEvent` says what each kind of each lane means."""
    said = str(TraceEvent.__doc__)
    for lane, kinds in KINDS.items():
        of_lane = said.partition(f"\n    {lane}:")[2].partition("\n    board:" if lane is Lane.NETWORK else "\n\n")[0]
        assert [kind for kind in kinds if not re.search(rf"\b{kind}\b", of_lane)] == [], lane
        assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "it is empty"),
        (b"{", "expected a key in double quotes at line 1, column 2"),
        (b'{"a": }', "expected a value at line 1, column 7"),
        (b'{"a" 1}', "expected a colon behind the key at line 1, column 6"),
        (b"{} {}", "more comes behind the end of the document at line 1, column 4"),
        (b'{"a": "\xff"}', "it is not UTF-8 text: byte 8 is 0xFF"),
    ],
)
def test_a_body_that_is_no_json_is_told_in_plain_words(panel: ControlPanel, body: bytes, said: str) -> None:
    assert panel.ask("POST", "/faults", body) == (400, {"error": f"the body cannot be read as JSON: {said}"})


def test_who_follows_gets_what_is_new(panel: ControlPanel) -> None:
    panel.answered("a")
    cursor = panel.cursor("?follow=true&limit=3")
    assert (cursor.lines(), cursor.is_behind, cursor.is_over) == ([], False, False)
    panel.answered("b")
    assert numbers(list(map(json.loads, cursor.lines()))) == [3, 4]
    assert not cursor.is_over
    panel.answered("c")
    assert numbers(list(map(json.loads, cursor.lines()))) == [5]
    assert cursor.is_over


def test_who_follows_from_somewhere_gets_what_was_and_what_is_new(panel: ControlPanel) -> None:
    panel.answered("a")
    cursor = panel.cursor("?follow=true&since=1")
    assert numbers(list(map(json.loads, cursor.lines()))) == [2]
    assert not cursor.is_over


def test_who_does_not_follow_is_not_kept_by_what_is_new(panel: ControlPanel) -> None:
    panel.answered("a")
    cursor = panel.cursor("?since=0")
    panel.answered("b")
    assert numbers(list(map(json.loads, all_lines(cursor)))) == [1, 2]


def test_who_is_too_slow_is_told_how_much_was_dropped() -> None:
    panel = ControlPanel(max_events=10)
    cursor = panel.cursor("?follow=true")
    for _ in range(8):
        panel.answered("a")
    lines = list(map(json.loads, cursor.lines()))
    assert lines[0] == {"dropped": 6}
    assert numbers(lines[1:]) == list(range(7, 17))
    panel.answered("a")
    assert numbers(list(map(json.loads, cursor.lines()))) == [17, 18]


def test_what_is_forgotten_before_a_reader_comes_is_said_too() -> None:
    panel = ControlPanel(max_events=4)
    for _ in range(4):
        panel.answered("a")
    assert panel.lines("?since=1&limit=1") == [{"dropped": 3}, *panel.lines("?since=4&limit=1")]
    assert numbers(panel.lines()) == [5, 6, 7, 8], "nobody asked for older ones"


def test_a_long_trace_is_read_in_pieces() -> None:
    panel = ControlPanel(max_events=1_000)
    for _ in range(500):
        panel.answered("a")
    cursor = panel.cursor("?since=0")
    assert len(cursor.lines()) < 500
    assert len(list(all_lines(panel.cursor("?since=0")))) == 1_000


# Reasons


def test_reasons_newest_first(panel: ControlPanel) -> None:
    panel.answered("dev-1", 401, "token differs")
    panel.answered("dev-1")
    panel.clock.skip(to_us(1))
    panel.answered("dev-2", 404, "no action")
    assert panel.ask("GET", "/reasons") == (
        200,
        {
            "reasons": [
                {
                    "at": "2026-01-01T00:00:01.000000Z", "at_us": VIRTUAL_EPOCH_US + US_PER_S,
                    "line": "GET /DEFAULT/controller/v1/dev-2", "status": "404",
                    "device": "dev-2", "reason": "no action",
                },
                {
                    "at": "2026-01-01T00:00:00.000000Z", "at_us": VIRTUAL_EPOCH_US,
                    "line": "GET /DEFAULT/controller/v1/dev-1", "status": "401",
                    "device": "dev-1", "reason": "token differs",
                },
            ]
        },
    )  # fmt: skip
    assert [found["device"] for found in panel.ask("GET", "/reasons?device=*-1")[1]["reasons"]] == ["dev-1"]
    assert [found["device"] for found in panel.ask("GET", "/reasons?limit=1")[1]["reasons"]] == ["dev-2"]
    assert panel.ask("GET", "/reasons?device=dev-9") == (200, {"reasons": []})
    assert panel.ask("GET", "/reasons?limit=0")[1]["field"] == "limit"


def test_reasons_outlive_the_trace(panel: ControlPanel) -> None:
    panel.answered("dev-1", 401, "token differs")
    for _ in range(100):
        panel.answered("dev-2")
    assert panel.lines("?kind=refused") == []
    assert [found["device"] for found in panel.ask("GET", "/reasons")[1]["reasons"]] == ["dev-1"]


def test_the_reason_of_what_could_not_be_read(panel: ControlPanel) -> None:
    panel.answered("dev-1")
    panel.trace.emit(0, Lane.NETWORK, "malformed", envelope=HttpResponse(400), reason="malformed HTTP")
    found = panel.ask("GET", "/reasons")[1]["reasons"]
    assert [(one["line"], one["status"], one["reason"]) for one in found] == [("", "400", "malformed HTTP")]


def test_what_tls_itself_refuses_is_a_reason(panel: ControlPanel) -> None:
    panel.trace.emit(0, Lane.NETWORK, "refused", reason="TLS: no handshake within 60 s", name="https", session=4)
    found = panel.ask("GET", "/reasons")[1]["reasons"]
    assert [(one["line"], one["status"], one["reason"]) for one in found] == [("", "", "TLS: no handshake within 60 s")]


def test_a_refusal_finds_its_question_by_the_session() -> None:
    received, trace = ReceivedLines(), Trace()
    refusals = Refusals(received)
    trace.listen(received, received.kinds)
    trace.listen(refusals, refusals.kinds)
    trace.emit(0, Lane.SERVER, "received", envelope=MqttConnect("gw-1"), session=1)
    trace.emit(0, Lane.SERVER, "received", envelope=HttpRequest("GET", "http://h", "/a?b"), session=2)
    trace.emit(0, Lane.SERVER, "refused", envelope=MqttConnack(5), reason="no", session=1)
    trace.emit(0, Lane.SERVER, "pushed", envelope=MqttPublish("a"), session=2)
    trace.emit(0, Lane.SERVER, "refused", envelope=HttpResponse(401), reason="no", session=2)
    trace.emit(0, Lane.SERVER, "refused", reason="no", session=3)
    found = [(refusal.line, refusal.status) for refusal in refusals.newest_first()]
    assert found == [("", ""), ("GET /a", "401"), ("CONNECT gw-1", "CONNACK 5")]


def test_reasons_hold_no_secret(panel: ControlPanel) -> None:
    panel.secrets.learn("gateway-token", "super-secret-token")
    panel.answered("super-secret-token", 401, "not super-secret-token")
    panel.answered("x" * (SHOWN_LINE_CHARS - 24) + "super-secret-token", 401, "its line is cut in the middle of it")
    assert "super" not in json.dumps(panel.ask("GET", "/reasons")[1])


def test_only_so_many_are_kept() -> None:
    refusals, trace = Refusals(ReceivedLines(), at_most=3), Trace()
    trace.listen(refusals)
    for number in range(5):
        trace.emit(number, Lane.SERVER, "refused", f"d{number}", envelope=HttpResponse(401), reason="r")
    assert [found.device for found in refusals.newest_first()] == ["d4", "d3", "d2"]
