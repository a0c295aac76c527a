"""Every check over the stream: a stream that meets it, one that leaves it open, one that no future can mend."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from fleetrig.harness.checks.event_folds import (
    AttemptsFold,
    NeverFold,
    OrderFold,
    ReachesFold,
    ServerEventsFold,
    TimesPerDeviceFold,
)
from fleetrig.harness.checks.fold import Fold, Status, curves_of
from fleetrig.harness.checks.lives import Lives
from fleetrig.harness.checks.matching import Pattern
from fleetrig.harness.checks.time_folds import GapFold, RateFold, SpreadFold
from fleetrig.harness.scenario_file.values import Times
from fleetrig.harness.verdict import Curve
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.trace import Lane, TraceEvent

S = 1_000_000
A, B = "HB-1", "HB-2"
POLL = Pattern("sent", name="poll")


def sent(at_s: float, device: str = A, name: str = "poll", body: Any = None, **headers: str) -> TraceEvent:
    content = b"" if body is None else json.dumps(body).encode()
    request = HttpRequest("GET", "http://h", f"/DEFAULT/controller/v1/{device}", tuple(headers.items()), content)
    return TraceEvent(int(at_s * S), 1, device, Lane.DEVICE, "sent", request, "online", name=name)


def received(at_s: float, status: int, device: str = A, name: str = "poll", body: Any = None) -> TraceEvent:
    response = HttpResponse(status, (("Retry-After", "7"),), json.dumps(body).encode())
    return TraceEvent(int(at_s * S), 2, device, Lane.DEVICE, "received", response, "online", name=name)


def silent(at_s: float, device: str = A) -> TraceEvent:
    return TraceEvent(int(at_s * S), 3, device, Lane.DEVICE, "no_reply", None, "online", reason="reset", name="poll")


def entered(at_s: float, stage: str, device: str = A) -> TraceEvent:
    return TraceEvent(int(at_s * S), 4, device, Lane.DEVICE, "entered", None, stage)


def told(kind: str, reason: str = "", fault: str = "", device: str = A) -> TraceEvent:
    return TraceEvent(0, 5, device, Lane.SERVER, kind, None, reason=reason, fault=fault)


def lives(*alive: str) -> Lives:
    return Lives([A, B], alive)


def after(fold: Fold, events: Sequence[TraceEvent]) -> Status:
    for event in events:
        fold.step(event)
    return fold.status()


MET, OPEN, VIOLATED = Status.MET, Status.OPEN, Status.VIOLATED
ONCE = Times(at_least=1, at_most=1)


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([], OPEN),
        ([sent(0)], OPEN),
        ([sent(0), sent(1, B)], MET),
        ([sent(0), sent(1, B), sent(2)], VIOLATED),
        ([sent(0), sent(1, "HB-3"), sent(2, B, name="configData")], OPEN),
    ],
)
def test_times_count_each_device_by_itself(events: list[TraceEvent], status: Status) -> None:
    assert after(TimesPerDeviceFold(POLL, [A, B], ONCE, lives()), events) is status


def test_never_happening_is_met_from_the_start_by_who_lives() -> None:
    assert after(TimesPerDeviceFold(POLL, [A], Times(at_most=0), lives(A)), []) is MET
    assert after(TimesPerDeviceFold(POLL, [A], Times(at_most=0), lives(A)), [sent(0)]) is VIOLATED
    assert after(NeverFold(POLL, lives()), [sent(0, name="configData")]) is MET
    assert after(NeverFold(POLL, lives()), [sent(0)]) is VIOLATED


def test_order_allows_others_in_between_but_no_other_order() -> None:
    steps = [POLL, Pattern("received", name="poll", status=200), Pattern("entered", stage="online")]
    assert (
        after(OrderFold(steps, [A]), [sent(0), entered(1, "enrolled"), received(2, 200), entered(3, "online")]) is MET
    )
    assert after(OrderFold(steps, [A]), [received(0, 200), sent(1), entered(2, "online")]) is OPEN
    assert after(OrderFold(steps, [A, B]), [sent(0), received(2, 200), entered(3, "online")]) is OPEN


def test_order_says_which_step_is_missing() -> None:
    fold = OrderFold([POLL, Pattern("received", status=401)], [A])
    after(fold, [sent(0), received(1, 200)])
    assert "receives 401" in fold.finding().got


def test_reaches_counts_those_that_are_there_already() -> None:
    assert after(ReachesFold("online", {A: "online", B: ""}, 2), []) is OPEN
    assert after(ReachesFold("online", {A: "online", B: ""}, 2), [entered(1, "online", B)]) is MET
    assert after(ReachesFold("refused", {A: "", B: ""}, 1), [entered(1, "online", B)]) is OPEN


@pytest.mark.parametrize(
    ("times_s", "status"), [([], OPEN), ([0], OPEN), ([0, 2], MET), ([0, 1.9], VIOLATED), ([0, 2, 5.1], VIOLATED)]
)
def test_gap(times_s: list[float], status: Status) -> None:
    assert after(GapFold(POLL, 2.0, 3.0), [sent(at_s) for at_s in times_s]) is status


def test_gap_is_of_one_device() -> None:
    assert after(GapFold(POLL, 2.0, None), [sent(0), sent(1, B), sent(2), sent(3, B)]) is MET


def test_rate_looks_at_every_window() -> None:
    assert after(RateFold(POLL, 2, 1.0), [sent(0), sent(0.5, B), sent(1.0)]) is MET
    assert after(RateFold(POLL, 2, 1.0), [sent(0), sent(0.5, B), sent(0.999)]) is VIOLATED


def test_a_rate_that_does_not_stop_the_run_is_judged_at_its_end() -> None:
    fold = RateFold(POLL, 2, 1.0, stops=False)
    assert after(fold, [sent(0), sent(0.5, B), sent(0.999), sent(5.0)]) is OPEN
    assert fold.finding().got == "3 in 1 s"


def test_rate_draws_how_many_came_in_each_window_if_asked() -> None:
    fold = RateFold(POLL, 9, 2.0, drawn_from_us=1 * S)
    after(fold, [sent(1), sent(2.9, B), sent(3), sent(9, B, name="other"), sent(9.5)])
    assert fold.curve() == Curve("polls", 2.0, ((0, 2), (1, 1), (4, 1)))
    assert RateFold(POLL, 9, 2.0, drawn_from_us=0).curve() is None, "there is nothing to draw"
    unasked = RateFold(POLL, 9, 2.0)
    after(unasked, [sent(1)])
    assert curves_of([fold, unasked, GapFold(POLL, 1.0, None)]) == (fold.curve(),)


def test_spread_compares_the_fullest_window_with_the_mean() -> None:
    even = [sent(at) for at in range(10)]
    herd = [sent(0.1 * at) for at in range(10)] + [sent(9.5)]
    assert after(SpreadFold(POLL, 3.0, 1.0), even) is MET
    assert after(SpreadFold(POLL, 3.0, 1.0), herd) is OPEN
    assert after(SpreadFold(POLL, 3.0, 1.0), []) is OPEN


def test_attempts_are_the_longest_row_of_failures() -> None:
    three = [silent(0), received(1, 503), silent(2), received(3, 200), silent(4)]
    assert after(AttemptsFold("poll", "*", Times(at_least=3, at_most=3)), three) is MET
    assert after(AttemptsFold("poll", "*", Times(at_most=2)), three) is VIOLATED
    assert after(AttemptsFold("poll", "*", Times(at_least=4)), three) is OPEN
    assert after(AttemptsFold("poll", B, Times(at_most=2)), three) is OPEN, "nobody asked for B"


def test_told_reads_the_server_lane_only() -> None:
    fold = ServerEventsFold("refused", Times(at_least=1), lives(), reason_has="TOKEN differs")
    assert after(fold, [sent(0), told("refused", "no such target")]) is OPEN
    assert "no such target" in fold.finding().got
    assert after(fold, [told("refused", "target exists, token differs")]) is MET
    outages = [told("fault", fault="outage")] * 2
    assert after(ServerEventsFold("fault", ONCE, lives(), fault="outage"), outages) is VIOLATED


@pytest.mark.parametrize(("polls", "got"), [(0, "HB-1 did not"), (1, "HB-1 did so once"), (2, "HB-1 did so 2 times")])
def test_it_says_how_often_a_device_did_so(polls: int, got: str) -> None:
    fold = TimesPerDeviceFold(POLL, [A], Times(at_least=3), lives())
    after(fold, [sent(at_s) for at_s in range(polls)])
    assert fold.finding().got == got


def test_a_fault_that_never_came_tells_what_could_not_be_read() -> None:
    fold = ServerEventsFold("fault", Times(at_least=1), lives(), fault="lost_reply")
    unreadable = TraceEvent(0, 1, "", Lane.NETWORK, "malformed", None, reason="no request line: b'MQTT'")

    assert after(fold, [unreadable, unreadable]) is OPEN

    assert fold.finding().got == "never; the server could not read 2 messages: no request line: b'MQTT'"


def test_a_finding_points_to_events() -> None:
    fold = TimesPerDeviceFold(POLL, [A], ONCE, lives())
    after(fold, [sent(0), sent(1)])
    finding = fold.finding()
    assert finding.expected == "every device sends poll, exactly once"
    assert finding.got == "HB-1 did so 2 times"
    assert [(one.lane, one.seq) for one in finding.evidence] == [("device", 1), ("device", 1)]


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        (Pattern("sent", name="po*"), True),
        (Pattern("sent", method="PUT"), False),
        (Pattern("sent", path="*/controller/v1/HB-?"), True),
        (Pattern("sent", path="*/configData"), False),
        (Pattern("sent", device="HB-2"), False),
        (Pattern("sent", header={"authorization": "TargetToken *"}), True),
        (Pattern("sent", header={"Authorization": "GatewayToken *"}), False),
        (Pattern("sent", header={"X-Other": "*"}), False),
        (Pattern("sent", body_has={"status.result.finished": "succ*"}), True),
        (Pattern("sent", body_has={"status.result.finished": "failure"}), False),
        (Pattern("sent", body_has={"status.details.1": "b", "status.code": None}), True),
        (Pattern("sent", body_has={"status.details": None}), False),
        (Pattern("received", status=200), False),
    ],
)
def test_patterns(pattern: Pattern, fits: bool) -> None:
    body = {"status": {"result": {"finished": "success"}, "details": ["a", "b"]}}
    assert pattern.fits(sent(0, body=body, Authorization="TargetToken t")) is fits


def test_a_body_that_is_no_json_has_nothing() -> None:
    event = sent(0)._replace(envelope=HttpResponse(200, (), b"\xff<html>"), kind="received")
    assert not Pattern("received", body_has={"a": 1}).fits(event)


def test_who_did_it_too_often_is_all_that_is_shown() -> None:
    fold = TimesPerDeviceFold(POLL, [A, B], ONCE, lives())
    after(fold, [sent(0), sent(1, B), sent(2, B)])
    assert fold.finding().got == f"{B} did so 2 times"
    assert {one.device for one in fold.finding().evidence} == {B}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"t": 21.5}, "t is the number 21.5"),
        ({"t": True}, "t is true"),
        ({"t": "a-secret"}, "t is another text"),
        ({"t": [1]}, "t is a list"),
        ({"t": {}}, "t is a mapping"),
        ({"t": None}, "t is null"),
        ({"u": "21.5"}, "t is not there"),
    ],
)
def test_a_body_that_nearly_fits_says_what_it_has(body: Any, said: str) -> None:
    fold = TimesPerDeviceFold(Pattern("sent", name="poll", body_has={"t": "21.5"}), [A], ONCE, lives())
    after(fold, [sent(0, name="other", body={"t": 1}), sent(1, body=body)])
    assert fold.finding().got == f"{A} did not; in another of {A} (#1) {said}"


def test_a_body_that_is_no_document_is_not_spoken_of() -> None:
    fold = TimesPerDeviceFold(Pattern("sent", name="poll", body_has={"t": "21.5"}), [A], ONCE, lives())
    after(fold, [sent(0)])
    assert fold.finding().got == f"{A} did not"


def test_the_longest_row_of_failures_is_shown_by_events_of_its_device() -> None:
    fold = AttemptsFold("poll", "*", Times(at_least=3))
    after(fold, [silent(0), silent(1, B), silent(2, B), silent(3)])
    assert fold.finding().got == "2 in a row"
    assert {one.device for one in fold.finding().evidence} == {B}


def test_a_row_of_answers_is_no_row_of_failures() -> None:
    fold = AttemptsFold("poll", "*", Times(at_least=3))
    after(fold, [received(0, 200), received(1, 200)])
    assert fold.finding().got == "none of 2 tries failed"


def test_what_all_devices_do_together_is_one_sentence_about_all() -> None:
    fold = RateFold(POLL, 1, 5.0)
    after(fold, [sent(0), sent(1, B)])
    assert fold.finding().expected == "all devices together: at most 1 poll in any 5 s"
    assert fold.finding().of_all


def test_a_reply_that_nothing_is_said_of() -> None:
    assert str(Pattern("no_reply")) == "gets no reply"
    assert str(Pattern("no_reply", name="poll")) == "gets no reply to poll"
