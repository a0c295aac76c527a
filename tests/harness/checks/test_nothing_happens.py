"""Every check, when what it speaks of never happens: nothing at all, or only other things. That is no pass."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.checks.evaluators import QUERIES, FleetSnapshot, fold_of
from fleetrig.harness.checks.fold import Fold, Status, is_over_nothing
from fleetrig.harness.scenario_file.platform_models import models_for
from fleetrig.harness.scenario_file.words import CHECK_WORDS
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from tests.harness.bench_fixture import BenchFixture

S = 1_000_000
SERIALS = ("HB-1", "HB-2")
CHECK = models_for("hawkbit").check
OTHER = "configData"


def event(kind: str, device: str = "HB-1", lane: Lane = Lane.DEVICE, **more: Any) -> TraceEvent:
    return TraceEvent(S, 1, device, lane, kind, **more)


REQUEST, ANSWER = HttpRequest("GET", "http://h", "/a"), HttpResponse(200)
POWER_ON = event("power_on", stage="blank")
OTHERS = [
    POWER_ON,
    event("entered", stage="enrolling"),
    event("sent", envelope=REQUEST, name=OTHER),
    event("received", envelope=ANSWER, name=OTHER),
    event("answered", lane=Lane.SERVER, envelope=ANSWER),
    event("over", "", Lane.BENCH),
]
"""What a device does that lives, but never polls."""


def fold(check: Any, *, lane: Lane = Lane.DEVICE, on: Sequence[str] = (), heard: Sequence[str] = ()) -> Fold:
    """Watching a fleet of two, of which those in `on` are on."""
    stages = {serial: "online" if serial in on else "" for serial in SERIALS}
    fleet = FleetSnapshot("", stages, lane, on=frozenset(on), heard=frozenset(heard), began_us=0)
    return fold_of(fleet, CHECK.model_validate(check).arguments)


def after(watching: Fold, events: Sequence[TraceEvent] = ()) -> Status:
    for one in events:
        watching.step(one)
    return watching.status()


NEVER_ON = "it could not have happened: HB-1, HB-2 were never on"
NOT_MEASURED = "none were seen, so there is nothing to measure"
FAILED_TWICE = "none failed twice in a row, so there is nothing to measure"
POSITIVE: list[tuple[Any, str | tuple[str, ...]]] = [
    ({"sends": {"name": "poll"}}, "2 of 2 did not: HB-1, HB-2"),
    ({"receives": {"name": "poll", "status": 200}}, "2 of 2 did not: HB-1, HB-2"),
    ({"no_reply": {"name": "poll"}}, "2 of 2 did not: HB-1, HB-2"),
    ({"reaches": {"stage": "online"}}, "0 did; not these: HB-1, HB-2"),
    ({"order": [{"sends": {"name": "poll"}}, {"sends": {"name": OTHER}}]}, "2 of 2 did not; HB-1 waits for step 1"),
    ({"refused": {}}, "never"),
    ({"steps": {"in_order": ["looked_up"]}}, "never; it told no step at all"),
    ({"fault": {"kind": "outage"}}, "never"),
    ({"gap": {"between": "poll", "at_least": "1s"}}, "no two of them were seen, so there is nothing to measure"),
    ({"gap": {"between": "poll", "at_most": "1s"}}, "no two of them were seen, so there is nothing to measure"),
    ({"rate": {"of": "poll", "at_most": 5}}, NOT_MEASURED),
    ({"rate": {"of": "poll", "at_most": 5, "curve": True}}, NOT_MEASURED),
    ({"answered_within": {"of": "poll", "p99": "1s"}}, NOT_MEASURED),
    ({"errors": {"of": "poll", "at_most": 1}}, NOT_MEASURED),
    ({"errors": {"of": "poll", "at_most": "1%", "stop": True}}, NOT_MEASURED),
    ({"dropped": {"of": "poll", "at_most": 1}}, NOT_MEASURED),
    ({"time_to_online": {"p99": "5s"}}, ("none of 2 devices was switched on", "0 of 2 devices online")),
    ({"attempts": {"of": "poll", "at_most": 1}}, "none were tried, so there is nothing to measure"),
    ({"attempts": {"of": "poll", "at_least": 1}}, "none were tried, so there is nothing to measure"),
    ({"spread": {"of": "poll", "peak_at_most": 2}}, NOT_MEASURED),
    ({"spread": {"of": "poll", "peak_at_most": 2, "first": True}}, NOT_MEASURED),
    ({"backs_off": {"of": "poll"}}, FAILED_TWICE),
    ({"jitter": {"of": "poll"}}, "no two devices failed, so there is nothing to compare"),
    ("one_address", "no request came with an address, so there is nothing to compare"),
    ({"prints": {"line": "GATEWAY-READY"}}, "it said nothing at all, so it could not have"),
    ({"prints": {"line": "Kernel panic", "times": 0}}, "it said nothing at all, so it could not have"),
]
"""Checks of what is to be seen, and what they say when it is not."""
NEGATIVE: list[dict[str, Any]] = [
    {"never": {"sends": {"name": "poll"}}},
    {"never": {"receives": {"status": 401}}},
    {"never": {"no_reply": {}}},
    {"never": {"reaches": {"stage": "online"}}},
    {"sends": {"name": "poll", "times": 0}},
    {"receives": {"name": "poll", "times": {"at_most": 3}}},
    {"no_reply": {"name": "poll", "times": 0}},
    {"refused": {"times": 0}},
    {"steps": {"in_order": ["looked_up"], "times": 0}},
    {"refused": {"times": {"at_most": 2}}},
    {"fault": {"kind": "outage", "times": 0}},
]
"""Checks of what is not to be seen: true of devices that lived, and of nobody else."""


@pytest.mark.parametrize(("check", "got"), POSITIVE)
@pytest.mark.parametrize("events", [[], [POWER_ON], OTHERS], ids=["nothing", "power", "others"])
def test_what_is_not_seen_does_not_hold(check: Any, got: str | tuple[str, ...], events: list[TraceEvent]) -> None:
    watching = fold(check)
    assert after(watching, events) is Status.OPEN
    assert watching.finding().got.startswith(got)
    measures = isinstance(got, str) and ("so there is nothing to" in got or "could not have" in got)
    assert is_over_nothing(watching.finding()) is measures


@pytest.mark.parametrize("check", NEGATIVE)
def test_what_is_not_to_be_seen_is_true_only_of_devices_that_lived(check: Any) -> None:
    watching = fold(check)
    assert after(watching) is Status.OPEN
    assert watching.finding().got == NEVER_ON
    assert is_over_nothing(watching.finding())
    stranger = event("sent", "HB-9", envelope=REQUEST, name=OTHER)
    assert after(watching, [stranger, event("over", "", Lane.BENCH)]) is Status.OPEN
    assert after(watching, OTHERS) is Status.MET
    assert watching.measured() == "never, while 1 device of 2 sent 1 request"
    assert after(fold(check, on=["HB-2"])) is Status.MET, "one that is on lives, though it does nothing now"


@pytest.mark.parametrize("check", NEGATIVE)
def test_a_program_lives_once_the_server_has_heard_it(check: Any) -> None:
    mute = fold(check, lane=Lane.SERVER, on=SERIALS)
    assert after(mute, [event("power_on")]) is Status.OPEN
    assert mute.finding().got == "it could not have happened: the server heard nothing of HB-1, HB-2"
    assert after(mute, [event("sent", lane=Lane.SERVER, envelope=REQUEST, name=OTHER)]) is Status.MET
    assert after(fold(check, lane=Lane.SERVER, on=SERIALS, heard=["HB-1"])) is Status.MET, "heard in an earlier phase"
    assert after(fold(check, lane=Lane.SERVER, heard=["HB-1"])) is Status.OPEN, "heard once, but off now"


@pytest.mark.parametrize("check", NEGATIVE[:7])
def test_devices_that_are_not_meant_do_not_live_for_others(check: dict[str, Any]) -> None:
    ((word, arguments),) = check.items()
    inner = arguments if word != "never" else next(iter(arguments.values()))
    inner_only = {**inner, "only": "HB-2"}
    only = {word: inner_only if word != "never" else {next(iter(arguments)): inner_only}}
    watching = fold(only, on=["HB-1"])
    assert after(watching, OTHERS) is Status.OPEN
    assert watching.finding().got == "it could not have happened: HB-2 was never on"


def test_no_program_exits_where_none_ran() -> None:
    asked = fold("keeps_running")
    assert after(asked, [event("sent", "HB-1", Lane.SERVER)]) is Status.OPEN
    assert asked.finding().got == "none was ever on, so none could"
    assert after(asked, [POWER_ON]) is Status.MET
    assert asked.measured() == "1 device ran, none ended"
    assert after(asked, [event("ended", reason="exit code 1")]) is Status.VIOLATED


@pytest.mark.parametrize("events", [[], [POWER_ON], OTHERS], ids=["nothing", "power", "others"])
def test_nobody_follows_a_model_of_whom_the_server_has_seen_nothing(events: list[TraceEvent]) -> None:
    watching = fold("follows_model")
    assert after(watching, events) is Status.OPEN
    assert watching.finding().got == "no message of any of them was seen, so there is nothing to compare"


def test_keeps_running_is_about_the_devices_it_selects() -> None:
    only = fold({"keeps_running": {"only": "HB-2"}}, on=["HB-2"])
    assert after(only, [event("ended", "HB-1")]) is Status.MET
    assert after(only, [event("ended", "HB-2")]) is Status.VIOLATED


NOBODY = FleetSnapshot("", {})


@pytest.mark.parametrize("check", [check for check, _ in POSITIVE] + NEGATIVE + ["keeps_running"])
def test_nothing_holds_of_an_empty_fleet(check: Any) -> None:
    watching = fold_of(NOBODY, CHECK.model_validate(check).arguments)
    assert after(watching, OTHERS) is Status.OPEN
    assert watching.finding().got


def test_every_word_has_its_rows_here() -> None:
    checks = [*(check for check, _ in POSITIVE), *NEGATIVE]
    rows = {check if isinstance(check, str) else str(next(iter(check))) for check in checks}
    asked = {word for word, model in CHECK_WORDS.items() if QUERIES.keys() & set(model.__mro__)}
    assert rows | {"keeps_running", "follows_model"} | asked == set(CHECK_WORDS)
    assert asked == {"registry", "record", "keeps_secrets", "unit"}, "they have rows below, `unit` in test_board_runs"


@pytest.mark.parametrize(
    ("word", "arguments", "got"),
    [
        ("registry", {"in_state": "registered"}, "there is no such record (HB-2 differ too)"),
        ("registry", {"devices": 2}, "0"),
        ("registry", {"absent": True}, "nothing was done that could have given them one"),
        ("registry", {"tokens_differ": True}, "0 to compare"),
        ("registry", {"devices": 0}, "nothing was done that could have given them one"),
        ("registry", {"absent": True, "only": "HB-9"}, "there is no such device"),
        ("registry", {"in_state": "registered", "only": "HB-9"}, "there is no such device"),
        ("record", {}, "0; not these: HB-1, HB-2"),
        ("keeps_secrets", {}, "none of their programs was ever on, so none could write one"),
    ],
)
def test_questions_where_nothing_was_done(tmp_path: Path, word: str, arguments: dict[str, Any], got: str) -> None:
    finding = BenchFixture(tmp_path).ask(word, **arguments)
    assert finding is not None
    assert finding.got == got


@pytest.mark.parametrize("word", ["delete", "power_cut", "set_attributes"])
def test_what_makes_no_device_known_proves_no_absence(tmp_path: Path, word: str) -> None:
    bench = BenchFixture(tmp_path)
    bench.do(word, **({"attributes": {"a": "b"}} if word == "set_attributes" else {}))
    finding = bench.ask("registry", absent=True)
    assert finding is not None
    assert finding.got == "nothing was done that could have given them one"
    bench.do("power_cycle")
    bench.do("preregister", only="HB-1")
    assert bench.ask("registry", absent=True, only="HB-2") is None


def test_no_two_tokens_are_the_same_where_there_is_only_one(tmp_path: Path) -> None:
    bench = BenchFixture(tmp_path)
    bench.do("preregister")
    finding = bench.ask("registry", tokens_differ=True, only="HB-1")
    assert finding is not None
    assert finding.got == "1 to compare"
    assert bench.ask("registry", tokens_differ=True) is None


def test_one_request_has_no_spread() -> None:
    watching = fold({"spread": {"of": "poll", "peak_at_most": 9}})
    assert after(watching, [event("sent", name="poll")]) is Status.OPEN
    assert watching.finding().got == "only 1 came: too few to tell"
    assert after(watching, [event("sent", "HB-2", name="poll")]) is Status.MET


def test_the_first_of_each_device_are_judged_when_all_have_come() -> None:
    watching = fold({"spread": {"of": "poll", "peak_at_most": 9, "first": True}})
    assert after(watching, [event("sent", name="poll")] * 3) is Status.OPEN
    assert watching.finding().got == "only 1 of 2 came: too few to tell"
    assert after(watching, [event("sent", "HB-2", name="poll")]) is Status.MET


def at(seconds: float, kind: str = "sent", device: str = "HB-1") -> TraceEvent:
    lane = Lane.BENCH if kind == "over" else Lane.DEVICE
    return TraceEvent(int(seconds * S), 1, device, lane, kind, name="poll")


@pytest.mark.parametrize(
    ("events", "got"),
    [
        ([at(1), at(2), at(9, "over", "")], "HB-1 did not for the last 7.000 s"),
        ([at(1), at(2), at(2.5, device="HB-2"), at(4, "over", "")], ""),
        ([at(1), at(2), at(3), at(4), at(5.5, "over", "")], "HB-2 did not for the last 5.500 s"),
        ([at(1), at(2), at(2.5, "power_cut"), at(3, "power_cut", "HB-2"), at(9, "over", "")], ""),
        ([at(0, "power_cut", "HB-2"), at(1), at(2), at(3, "power_on", "HB-2"), at(4, "over", "")], ""),
    ],
)
def test_a_device_that_falls_silent_breaks_an_upper_bound(events: list[TraceEvent], got: str) -> None:
    watching = fold({"gap": {"at_most": "3s"}}, on=SERIALS)
    assert after(watching, events) is (Status.VIOLATED if got else Status.MET)
    if got:
        assert watching.finding().got == got
    else:
        assert watching.measured() == "1 s in 1 gap"


@pytest.mark.parametrize(("again_s", "status"), [(8.0, Status.MET), (10.5, Status.VIOLATED)])
def test_a_device_that_was_off_is_late_only_since_it_is_on_again(again_s: float, status: Status) -> None:
    watching = fold({"gap": {"at_most": "3s"}}, on=["HB-1"])
    assert after(watching, [at(1), at(2), at(2.5, "power_cut"), at(7, "power_on"), at(again_s)]) is status


def test_a_gap_over_a_time_without_power_counts_whole_against_a_lower_bound() -> None:
    watching = fold({"gap": {"at_least": "3s"}}, on=["HB-1"])
    assert after(watching, [at(2), at(2.5, "power_cut"), at(7, "power_on"), at(7.5)]) is Status.MET
    assert watching.measured() == "5.5 s in 1 gap"
