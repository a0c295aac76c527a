"""What a reader gets to see: at any width, with and without a terminal, of anything that is in a trace."""

from __future__ import annotations

import pytest

from fleetrig.harness.traces.event_point import EventPoint
from fleetrig.harness.traces.trace_end import end_lines, what_is_missing
from fleetrig.harness.traces.trace_filter import TraceFilter
from fleetrig.harness.traces.trace_layout import TraceLayout, spelt_for
from fleetrig.harness.traces.trace_records import read_record
from fleetrig.harness.traces.trace_view import TraceAsked, TraceView
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.trace import Lane
from tests.harness.traces.told import RUN, exchange, lines_of, shown, told

RUN_LINES = [
    RUN,
    *lines_of(
        told(Lane.BENCH, 1, "begun"),
        told(Lane.BENCH, 2, "phase", name="first contact", ms=40),
        *exchange("gw-1", ms=40, answer=HttpResponse(401), reason="target exists, token differs"),
        told(Lane.BENCH, 3, "verdict", name="first contact", reason="failed", ms=61_044),
        told(Lane.BENCH, 4, "ended", name="failed", ms=61_044),
    ),
]


def view_of(lines: list[str], asked: TraceAsked | None = None) -> tuple[TraceView, list[str]]:
    view = TraceView(asked or TraceAsked(), TraceLayout())
    return view, list(view.lines(read_record(line, number) for number, line in enumerate(lines, 1)))


def test_a_run() -> None:
    _, said = view_of(RUN_LINES)
    assert said == [
        "a/b[n=1], seed 3, virtual time, by fleetrig 0.1.0; begins 2026-01-01 00:00:00.000 UTC",
        " 0:00.000  bench:1               · the run begins",
        "── 0:00.040 ── phase «first contact» ───────────────────────────────────────────",
        " 0:00.040  device:1    gw-1      → GET /DEFAULT/controller/v1/gw-1 [poll]",
        " 0:00.040  server:1    gw-1        → GET /DEFAULT/controller/v1/gw-1",
        " 0:00.040  server:2    gw-1        ← 401 Unauthorized to #1 refused: target exists, token differs",
        " 0:00.042  device:2    gw-1      ← 401 Unauthorized to #1 after 2 ms [poll]",
        "── 1:01.044 ── failed: phase «first contact» ───────────────────────────────────",
        "── 1:01.044 ── the run is over: failed ─────────────────────────────────────────",
    ]


def test_the_phase_is_told_where_a_part_begins_within_one() -> None:
    asked = TraceAsked(around=(EventPoint(2, Lane.SERVER),), context=1)
    assert shown(RUN_LINES, asked, shows_looked_for=True, shows_device=False) == [
        "── 0:00.040 ── phase «first contact» ───────────────────────────────────────────",
        "   0:00.040  server:1      → GET /DEFAULT/controller/v1/gw-1",
        ">  0:00.040  server:2      ← 401 Unauthorized to #1 refused: target exists, token differs",
        "   0:00.042  device:2    ← 401 Unauthorized to #1 GET /DEFAULT/controller/v1/gw-1 after 2 ms [poll]",
    ]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_nothing_is_wider_than_the_terminal_and_nothing_is_lost(width: int) -> None:
    reason = " ".join(f"because-{number}" for number in range(40))
    device = "a-device-with-a-name-that-nobody-would-give-to-one"
    lines = lines_of(*exchange(device, answer=HttpResponse(401), reason=reason))
    said = shown(lines, TraceAsked(verbose=True), width=width)
    assert max(map(len, said)) <= width
    assert all(word in " ".join(said) for word in reason.split())
    assert len(said) > len(lines)


def test_colours_are_for_terminals_and_never_alone() -> None:
    plain, coloured = shown(RUN_LINES), shown(RUN_LINES, colour=True)
    assert not any("\x1b" in line for line in plain)
    bare = [line for line in coloured if "the run is over" in line]
    assert bare[0].startswith("\x1b[31m")
    for code in ("\x1b[2m", "\x1b[31m", "\x1b[1m", "\x1b[33m", "\x1b[0m"):
        coloured = [line.replace(code, "") for line in coloured]
    assert coloured == plain


def test_a_terminal_that_knows_few_signs_gets_what_it_knows() -> None:
    line = "── 0:01 ── phase «ä» … → µ ← ·"
    assert spelt_for("utf-8", line) == line
    assert spelt_for("latin-1", line) == '-- 0:01 -- phase "ä" ... -> µ <- *'
    assert spelt_for("ascii", line) == '-- 0:01 -- phase "?" ... -> ? <- *'


def test_what_controls_a_terminal_does_not_get_there() -> None:
    event = told(Lane.SERVER, 1, "refused", "gw\x1b[2J", reason="no\nsuch\u2028thing \x9b31m")
    [line] = shown(lines_of(event))
    assert "gw?[2J" in line
    assert line.endswith("refused: no?such?thing ?31m")


def test_the_clock_names_the_day_once() -> None:
    night = [told(Lane.DEVICE, 1, "power_on", "d", ms=0), told(Lane.DEVICE, 2, "power_cut", "d", ms=86_400_000)]
    assert shown(lines_of(*night), clock=True, shows_device=False) == [
        "── 00:00:00.000 ── 2026-01-01 (UTC) ────────────────────────────────────────────",
        "00:00:00.000  device:1    · switched on",
        "── 00:00:00.000 ── 2026-01-02 (UTC) ────────────────────────────────────────────",
        "00:00:00.000  device:2    ! its power is cut",
    ]


def test_hours_and_what_came_before_the_beginning() -> None:
    layout = TraceLayout()
    assert layout.time(VIRTUAL_EPOCH_US + 3_723_456_000, VIRTUAL_EPOCH_US) == "1:02:03.456"
    assert layout.time(VIRTUAL_EPOCH_US - 1_500_000, VIRTUAL_EPOCH_US) == "-0:01.500"
    assert layout.time(0, VIRTUAL_EPOCH_US) == "-"


def test_raw_lines_are_those_of_the_file() -> None:
    asked = TraceAsked(TraceFilter(kinds=frozenset({"refused"})), raw=True)
    assert shown([*RUN_LINES, "damaged", '{"dropped": 3}'], asked) == [RUN_LINES[5]]


def test_verbose_shows_what_was_said() -> None:
    said = shown(lines_of(exchange("gw-1", answer=HttpResponse(200, (("ETag", "7"),), b'{"a": 1}'))[2]),
                 TraceAsked(verbose=True))  # fmt: skip
    assert [line.strip() for line in said[1:]] == ["ETag: 7", "{", '"a": 1', "}"]


def test_each_run_of_a_file_has_its_own_heading_and_times() -> None:
    other = [RUN.replace("a/b[n=1]", "c/d"), *lines_of(told(Lane.DEVICE, 1, "power_on", "x", ms=500_000))]
    _, said = view_of([*RUN_LINES, *other])
    assert said[-2:] == [
        "c/d, seed 3, virtual time, by fleetrig 0.1.0; begins 2026-01-01 00:08:20.000 UTC",
        " 0:00.000  device:1    x         · switched on",
    ]
    _, only = view_of([*RUN_LINES, *other], TraceAsked(TraceFilter(run="C/")))
    assert only == said[-2:]


def test_what_is_damaged_or_gone_is_said_where_it_stands() -> None:
    damaged = [f"damage {number}" for number in range(5)]
    view, said = view_of([RUN_LINES[1], *damaged, '{"dropped": 1200}', RUN_LINES[2]])
    assert said[2:6] == [
        *(f"line {number} is no line of a trace: 'damage {number - 2}'" for number in (2, 3, 4)),
        "… 1,200 events are missing here: the server had forgotten them",
    ]
    assert list(end_lines(view, "half")) == [
        "5 lines are no lines of a trace, and left out",
        "the last line is only half written: what wrote this trace was ended, or still writes",
        "2 events",
    ]


def end_of(asked: TraceAsked, lines: list[str] | None = None) -> str:
    view, _ = view_of(lines or RUN_LINES, asked)
    return what_is_missing(view, "t.jsonl") or list(end_lines(view, ""))[-1]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (TraceAsked(), "8 events"),
        (TraceAsked(TraceFilter(kinds=frozenset({"refused"}))), "1 of 8 events"),
        (TraceAsked(TraceFilter(kinds=frozenset({"pushed"}))), "none of 8 events fits"),
        (TraceAsked(around=(EventPoint(1, Lane.SERVER),)), "8 events; --context N shows more or less"),
        (TraceAsked(TraceFilter(devices=("GW-1",))),
         "no event in t.jsonl is of a device 'GW-1'; did you mean 'gw-1'?"),
        (TraceAsked(TraceFilter(devices=("4711",))), "no event in t.jsonl is of a device '4711'; it has gw-1"),
        (TraceAsked(TraceFilter(phase="fist")), "t.jsonl has no phase 'fist'; it has first contact"),
        (TraceAsked(TraceFilter(run="c/d")), "t.jsonl holds no run 'c/d'; it has a/b[n=1]"),
        (TraceAsked(around=(EventPoint(99, Lane.SERVER),)),
         "t.jsonl has no event server:99: the last ones are server:2"),
        (TraceAsked(around=(EventPoint(99),)),
         "t.jsonl has no event number 99: the last ones are bench:4, device:2, server:2"),
        (TraceAsked(TraceFilter(devices=("other",)), around=(EventPoint(2, Lane.DEVICE),)),
         "no event in t.jsonl is of a device 'other'; it has gw-1"),
        (TraceAsked(TraceFilter(kinds=frozenset({"sent"})), around=(EventPoint(2),)),
         "device:2 is of gw-1, and is left out by the other options"),
        (TraceAsked(TraceFilter(kinds=frozenset({"sent"})), around=(EventPoint(2, Lane.DEVICE),)),
         "2 events; --context N shows more or less"),
        (TraceAsked(begins=EventPoint(77)),
         "t.jsonl has no event number 77: the last ones are bench:4, device:2, server:2"),
        (TraceAsked(ends=EventPoint(3, Lane.BOARD)),
         "t.jsonl has no event board:3: it has the lanes bench, device, server"),
    ],
)  # fmt: skip
def test_the_end_says_how_much_there_was_and_what_is_not_there(asked: TraceAsked, said: str) -> None:
    assert end_of(asked) == said


def test_a_sampled_trace_says_why_an_event_is_not_in_it() -> None:
    lines = [RUN.replace('"seed"', '"one_of": 64, "seed"'), *RUN_LINES[1:]]
    said = end_of(TraceAsked(around=(EventPoint(99, Lane.DEVICE),)), lines)
    assert said.endswith("are device:2. It has one device in 64; a run with --trace F keeps all of them")


def test_what_nobody_reads_is_to_be_narrowed() -> None:
    many = lines_of(*(told(Lane.DEVICE, seq, "paused", "d") for seq in range(1, 1001)))
    assert end_of(TraceAsked(), many).startswith("1,000 events; --device ID, --phase NAME")


def test_nothing_is_said_of_a_device_that_is_not_there() -> None:
    view, said = view_of(RUN_LINES, TraceAsked(TraceFilter(devices=("x",))))
    assert said == []
    assert view.shown == 0
