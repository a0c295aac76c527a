"""What a test asks of a running server: faults, reasons, events, its clock."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any, get_args
from urllib.error import URLError

import pytest

from fleetrig.harness.running_server.control_client import ControlClient
from fleetrig.harness.running_server.events import EventKind, EventQuery, ServerEvent, event_in, time_of
from fleetrig.harness.running_server.faults import FaultName, Faults, FaultWords
from fleetrig.harness.running_server.server import RunningServer
from fleetrig.harness.running_server.waiting import NothingCame, what_came
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.fault_json import WORDS
from fleetrig.simulator.contract.faults import FaultKind
from tests.harness.running_server.asking import status_of

PAGE = (Path(__file__).parents[3] / "docs/control.md").read_text(encoding="utf-8")
NOBODY = "http://127.0.0.1:9"


def test_faults_have_the_words_of_the_control_interface() -> None:
    assert set(get_args(FaultName)) == set(FaultKind)
    assert {word.removesuffix("_") for word in FaultWords.__annotations__} == WORDS.keys() - {"fault"}


def test_events_have_the_kinds_of_the_control_interface() -> None:
    (row,) = re.findall(r"^\| `kind=` \|(.*)\|$", PAGE, re.MULTILINE)
    assert set(re.findall(r"`([a-z_]+)`", row)) <= set(get_args(EventKind))


@pytest.mark.parametrize(
    ("fault", "words", "said"),
    [
        ("outrage", {}, "fault 'outrage': fault: expected one of outage, .*got 'outrage'; did you mean outage?"),
        ("overload", {"staus": 429}, "staus: expected one of fault, hits, .*; did you mean status?"),
        ("outage", {"shows_as": "rest"}, "shows_as: expected one of .*, got 'rest'; did you mean reset?"),
        ("outage", {"for_": "5"}, "for: expected a time with its unit, such as 500ms, .*, got '5'"),
        ("latency", {}, "delay: the fault latency needs it"),
        ("outage", {"status": 500}, "status: is a parameter of the fault .*, not of outage, got 500"),
    ],
)
def test_a_mistake_in_a_fault_is_told_before_anything_is_sent(fault: Any, words: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Faults(ControlClient(NOBODY)).add(fault, **words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"kind": "refusd"}, "kind='refusd': expected .*; did you mean refused?"),
        ({"lane": "sever"}, "lane='sever': expected server or network; did you mean server?"),
        ({"device": ""}, "device and line are globs"),
    ],
)
def test_a_mistake_in_what_is_asked_for_is_told_before_anything_is_sent(words: Any, said: str) -> None:
    server = RunningServer(NOBODY, "", "", control=NOBODY)
    with pytest.raises(UsageError, match=said):
        server.trace(**words)
    with pytest.raises(UsageError, match=said):
        server.wait_for(**words)


@pytest.mark.parametrize("span", ["1 hour", "", "-1h"])
def test_a_span_needs_its_unit(span: str) -> None:
    with pytest.raises(UsageError, match=r"skip\('.*'\): expected a time with its unit"):
        RunningServer(NOBODY, "", "", control=NOBODY).skip(span)


def test_a_server_that_is_gone_is_told_in_a_sentence() -> None:
    server = RunningServer(NOBODY, "", "", control=NOBODY)
    for ask in (server.reasons, server.trace, server.now, server.wait_for, lambda: server.faults.add("outage")):
        with pytest.raises(BrokenBench):
            ask()


def test_without_a_control_interface_it_says_what_is_missing() -> None:
    server = RunningServer(NOBODY, "", "")
    with pytest.raises(UsageError, match="the trace needs the control interface"):
        server.trace()


def test_a_listener_is_a_host_and_a_port() -> None:
    server = RunningServer(NOBODY, "", "", addresses={"http": "127.0.0.1:8080", "mqtt": "[::1]:1883"})
    assert server.host_and_port("mqtt") == ("::1", 1883)
    with pytest.raises(UsageError, match=r"has no listener 'mqtts': expected http or mqtt; did you mean mqtt\?"):
        server.host_and_port("mqtts")


def test_a_password_is_not_printed() -> None:
    assert "s3cret" not in repr(RunningServer(NOBODY, "admin", "s3cret"))


def event(number: int, device: str, kind: str = "received", line: str = "GET /a", reason: str = "") -> ServerEvent:
    return ServerEvent(number, time_of(number), "server", kind, device, line, reason, "", "", 0, None)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([], "no device has come to the server at all: does it use the server's address?"),
        (
            [event(1, "gw-8"), event(2, "gw-8")],
            "nothing came of gw-7, but of gw-8 (2 events); did you mean gw-8?",
        ),
        (
            [event(1, "gw-7"), event(2, "gw-7", "refused", "401", "why")],
            "what came of gw-7:\n  00:00:00.000  received  gw-7  GET /a\n  00:00:00.000  refused   gw-7  401  (why)",
        ),
    ],
)
def test_who_waits_in_vain_hears_what_came(events: list[ServerEvent], said: str) -> None:
    assert what_came(EventQuery("received", "POST *", "gw-7"), events) == said


def test_of_many_events_the_last_are_told() -> None:
    said = what_came(EventQuery(), [event(number, "gw-7") for number in range(50)])
    assert said.startswith("the last 12 of 50 events:\n")
    assert len(said.splitlines()) == 13


@pytest.mark.parametrize("line", ["", "{", "[]", '{"number": 1}', '{"number": 1, "at_us": "x", "kind": "a"}'])
def test_what_is_no_line_of_a_trace_is_told(line: str) -> None:
    with pytest.raises(BrokenBench, match="this is no line of a trace"):
        event_in(line)


def poll(server: RunningServer, device: str, headers: Mapping[str, str]) -> int:
    return status_of(f"{server.url}/{server.tenant}/controller/v1/{device}", headers)


@pytest.mark.slow
class TestWithServer:
    def test_a_fault_bites_and_says_how_often(self, server: RunningServer) -> None:
        gateway = server.register("gw-7")
        with server.faults.on("overload", hits="GET */gw-7", status=429) as fault:
            assert fault.state == "on"
            assert [status_of(gateway.url, gateway.headers) for _ in range(2)] == [429, 429]
            assert fault.bites == 2
        assert status_of(gateway.url, gateway.headers) == 200
        assert (fault.bites, fault.state) == (2, "over")
        fault.remove()

    def test_cleared_faults_are_over(self, server: RunningServer) -> None:
        first, second = server.faults.add("outage", shows_as="closed"), server.faults.add("latency", delay="1s")
        with pytest.raises((URLError, OSError)):
            poll(server, "gw-7", {})
        server.faults.clear()
        assert (first.bites, first.state, second.bites) == (1, "over", 0)
        assert poll(server, "gw-7", {}) == 401

    def test_a_fault_that_somebody_else_removed_is_over(self, server: RunningServer) -> None:
        with server.faults.on("latency", delay="1s") as fault:
            ControlClient(server.control).document("DELETE", f"/faults/{fault.id}")
        assert fault.state == "over"

    def test_reasons_are_those_of_this_test(self, server: RunningServer) -> None:
        poll(server, "early", {})
        later = server.for_test()
        poll(server, "gw-7", {"Authorization": "TargetToken wrong"})
        poll(server, "other", {})
        assert [one.device for one in later.reasons()] == ["other", "gw-7"]
        (refusal,) = later.reasons(device="gw-*")
        assert (refusal.line, refusal.status) == (f"GET /{server.tenant}/controller/v1/gw-7", "401")
        assert "target" in refusal.reason

    def test_events_are_those_of_this_test(self, server: RunningServer) -> None:
        poll(server, "early", {})
        later = server.for_test()
        gateway = server.register("gw-7")
        status_of(gateway.url, gateway.headers)
        received, answered = later.trace(device="gw-7", lane="server")
        assert (received.kind, received.line) == ("received", f"GET /{server.tenant}/controller/v1/gw-7")
        assert (answered.kind, answered.line, answered.session) == ("answered", "200", received.session)
        assert answered.json()["config"]["polling"]["sleep"]
        assert later.trace("received", line="GET */gw-7", after=received) == ()
        assert later.trace("received", device="early") == ()

    def test_waits_for_what_is_still_to_come(self, server: RunningServer) -> None:
        gateway = server.register("gw-7")
        polls = threading.Thread(target=status_of, args=(gateway.url, gateway.headers))
        with server.faults.on("latency", delay="100ms", hits="GET */gw-7"):
            polls.start()
            answered = server.wait_for("answered", device="gw-7", line="200")
        polls.join()
        first = server.wait_for("received", line="GET */gw-7")
        assert first.number < answered.number
        assert server.wait_for("answered", device="gw-7", after=first) == answered

    def test_who_waits_in_vain_fails_and_is_told(self, server: RunningServer) -> None:
        poll(server, "gw-8", {})
        with pytest.raises(NothingCame) as told:
            server.wait_for("received", line="POST */feedback", device="gw-7", within_s=0.05)
        assert str(told.value).startswith("no received «POST */feedback» of gw-7 within 0.05 s\nnothing came of gw-7")

    def test_its_clock_moves_forward(self, server: RunningServer) -> None:
        before = server.now()
        assert before.tzinfo is UTC
        for number, span in enumerate(("1h", 3600, timedelta(hours=1)), 1):
            ahead = server.skip(span) - before
            assert timedelta(hours=number) <= ahead < timedelta(hours=number, minutes=5)
        assert server.skipped_s() == 3 * 3600

    @pytest.mark.parametrize("span", [0, -5, 10**12])
    def test_it_says_why_its_clock_cannot_move_so(self, server: RunningServer, span: float) -> None:
        with pytest.raises(UsageError, match="skip_s: expected a number of seconds above 0"):
            server.skip(span)

    def test_what_a_test_leaves_on_a_server_of_others_is_removed(self, server: RunningServer) -> None:
        used = server.for_test()
        used.faults.add("outage", shows_as="closed")
        foreign = server.faults.add("latency", delay="1ms")
        with server.faults.on("overload", times=1):
            pass
        used.faults.add("latency", delay="1ms").remove()
        used.clean_up()
        used.register("gw-7")
        used.clean_up()
        assert poll(server, "gw-7", {}) == 401
        assert foreign.state == "on"
        server.register("gw-7")

    def test_only_who_started_it_stops_it(self, server: RunningServer) -> None:
        with pytest.raises(UsageError, match="was not started by this test"):
            RunningServer(server.url, "", "").stop()


@pytest.mark.slow
def test_a_stopped_server_is_gone(server: RunningServer) -> None:
    server.stop()
    with pytest.raises(URLError):
        poll(server, "gw-7", {})
    server.stop()
    with pytest.raises(BrokenBench):
        server.now()
