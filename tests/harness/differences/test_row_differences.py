"""DeviceRows laid on each other: each kind of change is found, named as such, and told once."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.harness.differences.exchange_rows import ExchangeRow, plain
from fleetrig.harness.differences.row_differences import MOST_ROWS, RowChangeKind, changes_between, shortened
from fleetrig.harness.differences.run_difference import RunRows, difference_of
from fleetrig.harness.differences.verdict_rows import FAILS, HOLDS, VerdictRow


def rows(text: str, answer: str = "200", every_us: int = 1_000_000, took_us: int = 2_000) -> list[ExchangeRow]:
    """A letter for each question; `!` behind it: refused."""
    found: list[ExchangeRow] = []
    for letter in text:
        if letter == "!":
            found[-1].answer = "503"
        else:
            found.append(ExchangeRow(letter, f"GET /{letter}", answer, len(found) * every_us, took_us, len(found) + 1))
    return found


def changes(first: str, second: str) -> list[tuple[str, str]]:
    found = changes_between(shortened(rows(first)), shortened(rows(second)))
    told = [(one.change, one.first or one.second) for one in found]
    return [(str(change), "" if one is None else one.row.name) for change, one in told]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("abc", "abc", []),
        ("abc", "ac", [("removed", "b")]),
        ("ac", "abc", [("added", "b")]),
        ("abc", "ab!c", [("answer", "b")]),
        ("abcd", "acbd", [("order", "c")]),
        ("abbbc", "abc", [("times", "b")]),
        ("abc", "", [("removed", "a"), ("removed", "b"), ("removed", "c")]),
        ("abcd", "bd!e", [("removed", "a"), ("removed", "c"), ("answer", "d"), ("added", "e")]),
        ("ab!c", "abc!", [("answer", "b"), ("answer", "c")]),
    ],
)
def test_each_change_has_its_word(first: str, second: str, expected: Sequence[tuple[str, str]]) -> None:
    assert changes(first, second) == expected


@given(st.text("abc!", max_size=30).map(lambda text: text.lstrip("!")), st.integers(0, 9))
def test_a_run_is_like_itself_and_unlike_one_that_lacks_a_row(text: str, seed: int) -> None:
    assert changes(text, text) == []
    if text.strip("!"):
        at = Random(seed).choice([n for n, letter in enumerate(text) if letter != "!"])
        other = text[:at] + text[at + 1 :].lstrip("!")
        assert (changes(text, other) != []) == (rows(text) != rows(other) and _keys(text) != _keys(other))


def _keys(text: str) -> list[tuple[str, str]]:
    return [(row.asked, row.answer) for row in rows(text)]


def test_long_lives_are_compared_in_a_moment() -> None:
    first, second = "ab" * 3 * MOST_ROWS, "ab" * MOST_ROWS + "c" + "ab" * 2 * MOST_ROWS
    assert changes(first, second) == [("added", "c")]


def run(
    lives: dict[str, str], verdicts: Sequence[VerdictRow] = (), every_us: int = 1_000_000, took_us: int = 2_000
) -> RunRows:
    by_device = {name: rows(text, every_us=every_us, took_us=took_us) for name, text in lives.items()}
    return RunRows("a/b", "", verdicts, by_device)


def test_what_many_devices_do_otherwise_is_one_change() -> None:
    found = difference_of(run({f"d{n}": "abc" for n in range(9)}), run({f"d{n}": "ac" for n in range(9)}))
    assert [(one.change.change, len(one.devices)) for one in found.rows] == [(RowChangeKind.REMOVED, 9)]
    assert found.is_other


def test_devices_of_one_run_alone_are_told_and_strangers_are_paired_in_order() -> None:
    found = difference_of(run({"x": "a", "y": "a"}), run({"y": "a", "z": "a"}))
    assert (found.lacking, found.new, found.paired_by_order) == (["x"], ["z"], False)
    strangers = difference_of(run({"x": "ab", "y": "a"}), run({"p": "a"}))
    assert (strangers.paired_by_order, strangers.lacking, len(strangers.rows)) == (True, ["y"], 1)


def test_verdicts_that_came_went_and_changed() -> None:
    ours = [VerdictRow("p", "x", HOLDS), VerdictRow("p", "y", HOLDS), VerdictRow("p", "z", HOLDS)]
    theirs = [VerdictRow("p", "x", HOLDS, "else"), VerdictRow("p", "y", FAILS), VerdictRow("q", "z", HOLDS)]
    found = difference_of(run({}, ours), run({}, theirs)).verdicts
    assert [(one.text, one.first and one.first.verdict, one.second and one.second.verdict) for one in found] == [
        ("p: y", HOLDS, FAILS),
        ("p: z", HOLDS, None),
        ("q: z", None, HOLDS),
    ]


@pytest.mark.parametrize(
    ("took_us", "within", "told"), [(2_000, 0.2, 0), (4_000, 0.2, 0), (9_000, 0.2, 1), (9_000, 9, 0)]
)
def test_answers_that_take_longer(took_us: int, within: float, told: int) -> None:
    found = difference_of(run({"x": "ab"}), run({"x": "ab"}, took_us=took_us), within)
    assert len(found.timings) == 2 * told
    assert not found.is_other, "another time alone is no other behaviour"


def test_a_rhythm_that_changed() -> None:
    found = difference_of(run({"x": "aaaa"}), run({"x": "aaaa"}, every_us=2_000_000))
    assert [(one.subject, one.what, one.first_us, one.second_us) for one in found.timings] == [
        ("a GET /a", "comes every", 1_000_000, 2_000_000)
    ]


@pytest.mark.parametrize(
    ("text", "device", "expected"),
    [
        ("GET /v1/gw-1/deploymentBase/17", "gw-1", "GET /v1/{device}/deploymentBase/{n}"),
        ("GET /gw-1/gw-12", "gw-1", "GET /{device}/gw-{n}"),
        ("PUBLISH v1/devices/me/rpc/request/3", "", "PUBLISH v1/devices/me/rpc/request/{n}"),
        ("POST /v1/devices/784f394c-42b6-435a-983c-b7beff2784f9", "", "POST /v1/devices/{uuid}"),
        ("GET /deadbeef00/feedback", "", "GET /{hex}/feedback"),
        ("GET /feedback/1.10", "", "GET /feedback/1.10"),
    ],
)  # fmt: skip
def test_what_servers_make_up_is_left_out(text: str, device: str, expected: str) -> None:
    assert plain(text, device) == expected
