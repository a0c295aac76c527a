"""Thresholds of load: each holds for a run that is good enough, tells one that is not, and ends it where it is to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from fleetrig.harness.checks.evaluators import FleetSnapshot, fold_of
from fleetrig.harness.checks.fold import Fold, Status
from fleetrig.harness.scenario_file.threshold_words import AnsweredWithin, Dropped, Errors, TimeToOnline
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.trace import Lane, TraceEvent

S = 1_000_000
FLEET = FleetSnapshot("", {"HB-1": "", "HB-2": "", "HB-3": "", "HB-4": ""})
OPEN, MET, VIOLATED = Status.OPEN, Status.MET, Status.VIOLATED


def event(at_s: float, kind: str, device: str = "HB-1", **more: Any) -> TraceEvent:
    return TraceEvent(int(at_s * S), 1, device, Lane.DEVICE, kind, **more)


def after(fold: Fold, events: Sequence[TraceEvent]) -> Fold:
    for one in events:
        fold.step(one)
    return fold


def answer(status: int, name: str = "poll") -> TraceEvent:
    return event(1, "received", envelope=HttpResponse(status), name=name)


def errors(statuses: Sequence[int], **arguments: Any) -> Fold:
    fold = fold_of(FLEET, Errors.model_validate(arguments))
    return after(fold, [answer(status) for status in statuses])


@pytest.mark.parametrize(
    ("good", "bad", "at_most", "stop", "status"),
    [
        (99, 1, "1%", False, MET),
        (98, 2, "1%", False, OPEN),
        (98, 2, "1%", True, VIOLATED),
        (10, 2, "1%", True, OPEN),  # too few to tell
        (10, 2, 2, True, MET),
        (10, 3, 2, False, OPEN),
        (10, 3, 2, True, VIOLATED),  # no later answer makes it less
        (5, 0, 0, True, MET),
        (993, 7, "0.7%", False, MET),  # though 0.007 * 1000 is a little less than 7
    ],
)
def test_errors(good: int, bad: int, at_most: Any, stop: bool, status: Status) -> None:
    fold = errors([*[200] * good, *[503] * bad], at_most=at_most, stop=stop)
    assert fold.status() is status
    text = fold.measured() if status is MET else fold.finding().got
    assert text == f"{bad} of {good + bad:,} failed ({bad / (good + bad):.2%})"


def test_what_came_to_nothing_is_an_error_and_a_refused_download_too() -> None:
    fold = fold_of(FLEET, Errors.model_validate({"at_most": 0}))
    after(fold, [answer(200), event(1, "no_reply", name="poll", reason="timeout"),
                 event(2, "downloaded", name="download", reason="404: 0 bytes"),
                 event(3, "downloaded", name="download", reason="200: 5 bytes, cut"),
                 event(4, "downloaded", name="download", reason="206: 5 bytes")])  # fmt: skip
    assert fold.finding().got == "3 of 5 failed (60.00%)"
    assert len(fold.finding().evidence) == 3


def test_errors_of_other_exchanges_do_not_count() -> None:
    fold = fold_of(FLEET, Errors.model_validate({"of": "poll", "at_most": 0}))
    assert after(fold, [answer(200), answer(500, "configData")]).status() is MET


def starts(at_s: Sequence[float], interval_s: float = 10) -> list[TraceEvent]:
    """A device that waits the interval before each but the first."""
    polls = [event(one, "sent", name="poll", envelope=HttpRequest("GET", "http://h", "/")) for one in at_s]
    waits = [event(one, "paused", reason="poll interval", took_us=int(interval_s * S)) for one in at_s[1:]]
    return sorted([*waits, *polls], key=lambda one: (one.at_us, one.kind))


@pytest.mark.parametrize(
    ("at_s", "lost"),
    [
        ([0, 10, 20], 0),
        ([0, 10.1, 20.3, 30.4], 0),
        ([0, 19, 30], 0),  # late, and less than a whole interval
        ([0, 20, 30], 1),
        ([0, 45], 3),
    ],
)
def test_dropped(at_s: Sequence[float], lost: int) -> None:
    fold = after(fold_of(FLEET, Dropped.model_validate({"at_most": 0})), starts(at_s))
    assert fold.status() is (OPEN if lost else MET)
    all_starts = len(at_s) + lost
    measured = f"{lost} of {all_starts} fell out ({lost / all_starts:.2%})"
    assert (fold.finding().got if lost else fold.measured()) == measured


def test_a_device_that_backs_off_or_was_off_has_no_schedule() -> None:
    fold = fold_of(FLEET, Dropped.model_validate({"at_most": 0}))
    poll = event(0, "sent", name="poll")
    backoff = event(30, "paused", reason="backoff", took_us=30 * S)
    after(fold, [poll, backoff, event(30, "sent", name="poll"), event(40, "power_cut"), event(99, "sent", name="poll")])
    assert fold.status() is MET
    installed = [event(160, "applied", took_us=60 * S), event(170, "paused", reason="poll interval", took_us=10 * S)]
    after(fold, [event(100, "sent", name="poll"), *installed, event(170, "sent", name="poll")])
    assert fold.status() is MET, fold.measured()


def test_dropped_ends_the_run_where_it_is_to() -> None:
    fold = fold_of(FLEET, Dropped.model_validate({"at_most": "10%", "stop": True}))
    assert after(fold, starts([0, 100])).status() is OPEN, "two starts are too few to tell"
    assert after(fold, starts([200 + 20 * n for n in range(100)])).status() is VIOLATED


def online(fold: Fold, *took_s: float | None) -> Fold:
    """Switches on as many devices at 0 s; None never comes."""
    devices = [f"HB-{n}" for n in range(1, len(took_s) + 1)]
    after(fold, [event(0, "power_on", device) for device in devices])
    came = sorted((at_s, device) for at_s, device in zip(took_s, devices, strict=True) if at_s is not None)
    return after(fold, [event(at_s, "entered", device, stage="online") for at_s, device in came])


def time_to_online(**arguments: Any) -> Fold:
    return fold_of(FLEET, TimeToOnline.model_validate(arguments))


def test_time_to_online() -> None:
    fold = online(time_to_online(p50="2s", p99="5s"), 1, 2, 3, 5)
    assert fold.status() is MET
    assert fold.measured() == "4 of 4 devices online: p50 3 s, p99 5 s, 5 s at most"


@pytest.mark.parametrize(
    ("limits", "took_s"),
    [
        ({"p50": "2s"}, (1, 3, 3, 3)),
        ({"p99": "2s"}, (1, 1, 1, 3)),
        ({"at_most": "2s"}, (1, 1, 1, 3)),
        ({"at_most": "2s"}, (1, 1, 1, None)),
    ],
)
def test_devices_that_are_late_are_told_and_end_the_run_where_they_are_to(limits: dict[str, str], took_s: Any) -> None:
    over = TraceEvent(9 * S, 1, "", Lane.BENCH, "over")
    fold = after(online(time_to_online(**limits), *took_s), [over])
    assert fold.status() is OPEN
    assert "3 s" in fold.finding().got or "not online: HB-4" in fold.finding().got
    assert after(online(time_to_online(**limits, stop=True), *took_s), [over]).status() is VIOLATED


def test_half_of_the_devices_are_enough_for_p50() -> None:
    assert online(time_to_online(p50="2s"), 1, 1, 60, None).status() is MET


def test_devices_that_are_on_count_from_the_beginning_of_the_phase_and_those_online_do_not() -> None:
    fleet = FleetSnapshot("", {"HB-1": "backing_off", "HB-2": "online"}, began_us=10 * S)
    fold = fold_of(fleet, TimeToOnline.model_validate({"at_most": "2s"}))
    assert fold.status() is OPEN
    assert after(fold, [event(11, "entered", stage="online")]).measured().startswith("1 of 1 device online: p50 1 s")


@pytest.mark.parametrize("model", [Errors, Dropped])
@pytest.mark.parametrize("wrong", [-1, 1.5, True, "1", "x%", "100%", "-1%", "1.2.3%", "٣%", None])
def test_a_share_is_a_number_or_a_part_of_a_hundred(model: Any, wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"expected a number, or a share|always holds"):
        model.model_validate({"at_most": wrong})


def test_a_time_to_online_needs_a_limit() -> None:
    with pytest.raises(ValueError, match="expected p50, p99 or at_most"):
        TimeToOnline.model_validate({})


def test_slow_answers_end_the_run_where_they_are_to() -> None:
    def slow(count: int, *, stop: bool) -> Status:
        fold = fold_of(FLEET, AnsweredWithin.model_validate({"p99": "1s", "stop": stop}))
        late = event(1, "received", envelope=HttpResponse(200), name="poll", took_us=2 * S)
        return after(fold, [late] * count).status()

    assert [slow(99, stop=True), slow(100, stop=True), slow(100, stop=False)] == [OPEN, VIOLATED, OPEN]
