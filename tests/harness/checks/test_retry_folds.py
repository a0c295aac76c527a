"""Do pauses grow, do devices differ: over rows of failures written by hand."""

from __future__ import annotations

from fleetrig.harness.checks.fold import Status
from fleetrig.harness.checks.matching import Pattern
from fleetrig.harness.checks.retry_folds import BacksOffFold, JitterFold, PauseRows
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.trace import Lane, TraceEvent

POLL = HttpRequest("GET", "http://h", "/x")


def rows() -> PauseRows:
    return PauseRows(*(Pattern(kind, name="poll") for kind in ("sent", "received", "no_reply")))


def failing(device: str, *pauses_s: float, answer: int | None = 500, recovers: bool = True) -> list[TraceEvent]:
    """A device that fails, waits, fails …; the pauses lie between a failure and the next try."""
    events, at_s, seq = [], 100.0, 0
    for pause_s in (*pauses_s, None):
        seq += 2
        events.append(TraceEvent(to_us(at_s), seq, device, Lane.DEVICE, "sent", POLL, name="poll"))
        at_s += 0.1
        if pause_s is None and recovers:
            good = HttpResponse(200)
            events.append(TraceEvent(to_us(at_s), seq + 1, device, Lane.DEVICE, "received", good, name="poll"))
            break
        kind, envelope = ("no_reply", None) if answer is None else ("received", HttpResponse(answer))
        events.append(TraceEvent(to_us(at_s), seq + 1, device, Lane.DEVICE, kind, envelope, name="poll"))
        at_s += pause_s or 0.0
    return events


def grows(*rows_of_events: list[TraceEvent], by: float = 1.5) -> BacksOffFold:
    fold = BacksOffFold(rows(), by)
    for events in rows_of_events:
        for event in events:
            fold.step(event)
    return fold


def differ(*rows_of_events: list[TraceEvent], at_least: float = 0.1) -> JitterFold:
    fold = JitterFold(rows(), at_least)
    for events in rows_of_events:
        for event in events:
            fold.step(event)
    return fold


def test_doubling_is_growth() -> None:
    for answer in (500, 429, 404, None):
        assert grows(failing("d1", 1, 2, 4, 8, answer=answer)).status() is Status.MET


def test_growth_up_to_a_cap_is_growth() -> None:
    assert grows(failing("d1", 1, 2, 4, 4, 4, 4)).status() is Status.MET


def test_jitter_does_not_hide_growth() -> None:
    assert grows(failing("d1", 1.0, 1.0, 2.5, 2.1, 6.0, 5.0)).status() is Status.MET


def test_the_same_delay_for_ever_is_none() -> None:
    fold = grows(failing("d1", 1, 1, 1, 1, 1))
    assert fold.status() is Status.OPEN
    finding = fold.finding()
    assert finding.expected == fold.expected
    assert finding.got == "1.0 times: d1 paused 1.0, 1.0, 1.0, 1.0, 1.0 s"
    assert len(finding.evidence) == 1


def test_every_device_must_grow() -> None:
    fold = grows(failing("d1", 1, 2, 4, 8), failing("d2", 1, 1, 1, 1))
    assert fold.status() is Status.OPEN
    assert "d2 paused" in fold.finding().got


def test_too_few_pauses_say_nothing() -> None:
    assert grows(failing("d1", 1, 2, 4)).finding().got == (
        "d1 paused only 3 times (1.0, 2.0, 4.0 s): too few to tell, that takes 4; shorter first pauses show more"
    )
    assert "nothing to measure" in grows(failing("d1")).finding().got
    assert grows().status() is Status.OPEN


def test_a_success_ends_the_row_and_the_longest_counts() -> None:
    fold = grows(failing("d1", 1, 1), failing("d1", 1, 2, 4, 8), failing("d1", 3, 3))
    assert fold.status() is Status.MET


def test_other_exchanges_do_not_count() -> None:
    events = [event._replace(name="feedback-closed") for event in failing("d1", 1, 1, 1, 1)]
    assert "nothing to measure" in grows(events).finding().got


def test_devices_that_differ_more_often_than_not_have_jitter() -> None:
    assert differ(failing("d1", 1, 1, 1), failing("d2", 1, 1.5, 1.2)).status() is Status.MET


def test_a_hiccup_of_the_machine_is_no_jitter() -> None:
    assert differ(failing("d1", 1, 1, 1, 1), failing("d2", 1, 2, 1, 1)).status() is Status.OPEN


def test_devices_in_lockstep_have_none() -> None:
    fold = differ(failing("d1", 1, 2, 4), failing("d2", 1.02, 2.1, 4.1), failing("d3", 1, 2, 4))
    assert fold.status() is Status.OPEN
    finding = fold.finding()
    assert finding.got == "2.5%: d1 paused 1.0, 2.0, 4.0 s; d2 paused 1.0, 2.1, 4.1 s"
    assert finding.expected == fold.expected


def test_one_device_alone_cannot_be_compared() -> None:
    assert "nothing to compare" in differ(failing("d1", 1, 2, 4)).finding().got
    assert "nothing to compare" in differ(failing("d1", 1), failing("d2")).finding().got
