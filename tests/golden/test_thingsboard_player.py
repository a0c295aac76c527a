"""The player refuses what is not the recorded answer: every leaf of every expectation, and damaged copies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.golden.payloads import payload_bytes, payload_value
from tests.golden.test_thingsboard_recordings import FILES, NOT_YET, STEPS, played
from tests.golden.thingsboard_player.player import Player, judge
from tests.golden.thingsboard_player.recording import Step
from tests.golden.thingsboard_player.served import served
from tests.golden.thingsboard_player.values import MORE, Differs, Names

pytestmark = pytest.mark.slow

ELSE = {str: "something else", int: 9_999, float: 0.123, bool: "neither", type(None): "not nothing"}
"""Type of a leaf -> what is expected in its place, to no avail."""


def damaged(expected: Any) -> Iterator[Any]:
    """The same with one leaf changed, one member too many or an item missing; each place in turn."""
    match expected:
        case dict():
            for key, value in expected.items():
                if (key, value) != MORE:
                    yield from ({**expected, key: one} for one in damaged(value))
            yield {**expected, "a member that": "never comes"}
        case list():
            for number, value in enumerate(expected):
                yield from ([*expected[:number], one, *expected[number + 1 :]] for one in damaged(value))
            yield [*expected, "an item that never comes"]
        case _:
            yield ELSE[type(expected)]


def damaged_step(step: Step) -> Iterator[Step]:
    """Of HTTP only status, headers, body and text are compared."""
    if step.over != "http" or step.parallel:
        for expected in damaged(step.expected):
            yield replace(step, expected=expected)
        return
    for part, value in step.expected.items():
        for one in damaged(value):
            yield replace(step, expected={**step.expected, part: one})


def is_refused(step: Step, got: Any, names: dict[str, Any]) -> bool:
    try:
        judge(step, got, Names(dict(names)))
    except Differs:
        return True
    return False


@pytest.mark.parametrize("name", FILES)
def test_no_leaf_of_an_expectation_can_be_changed(name: str) -> None:
    tried = 0
    for one in played(name).played:
        if (name, one.step.row) in NOT_YET:
            continue
        assert not is_refused(one.step, one.got, one.names)
        for step in damaged_step(one.step):
            tried += 1
            assert is_refused(step, one.got, one.names), f"{one.step.place}: {step.expected}"
    assert tried > len(STEPS[name])


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_copy_is_refused_where_it_is_damaged(name: str) -> None:
    """Played anew, with one expectation changed in the middle: that row differs, rows before it do not."""
    steps = STEPS[name]
    place = next(number for number in range(len(steps) // 2, len(steps)) if steps[number].expected)
    copy = [*steps[:place], next(damaged_step(steps[place])), *steps[place + 1 :]]
    with served() as bench:
        player = Player(bench)
        player.play(copy[: place + 1])
    assert player.verdicts[steps[place].row].startswith(steps[place].place)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ({"a": "${n:int}"}, {"a": "x"}),
        ({"a": "${n:int}"}, {"a": True}),
        ({"a": "${n:int}"}, {"a": None}),
        ({"a": "${n:uuid}"}, {"a": "0" * 36}),
        ({"a": "${known}"}, {"a": "other"}),
        ({"a": "x${known|hex}"}, {"a": "xsome"}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1, "...": "more"}, {"b": 2}),
        ([1], [1, 1]),
        ({"a": "${x:any}-${x}"}, {"a": "b-c"}),
    ],
)
def test_what_differs(expected: Any, got: Any) -> None:
    with pytest.raises(Differs):
        Names({"known": "some"}).compare(expected, got)


def test_what_is_seen_first_binds() -> None:
    names = Names({"run": "r1"})
    names.compare({"a": "${t:alnum20}", "b": ["${n:int}"], "...": "more"}, {"a": "x" * 20, "b": [7], "c": 1})
    names.compare(
        {"a": "t-${run}-${t}", "b": "${n}", "h": "00${run|hex}"}, {"a": "t-r1-" + "x" * 20, "b": 7, "h": "007231"}
    )
    assert names.fill({"${run}": ["${n}", "n is ${n}"]}) == {"r1": [7, "n is 7"]}


@pytest.mark.parametrize("payload", [None, "{", "hello", {"a": [1]}, [], {"hex": "0802"}, {"hex": "ff"}, "two\nlines"])
def test_payloads_come_back(payload: Any) -> None:
    assert payload_value(payload_bytes(payload)) == payload


def test_every_step_of_the_recordings_is_played() -> None:
    unplayed = {name: len(STEPS[name]) - len(played(name).played) for name in FILES}
    assert unplayed == dict.fromkeys(FILES, 0)
