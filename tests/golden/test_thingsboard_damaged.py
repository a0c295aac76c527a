"""Copies of each recording with a near miss of each kind that it has: played anew, they differ there and only there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from tests.golden.test_thingsboard_recordings import FILES, FOLDER, STEPS
from tests.golden.thingsboard_player.player import Player
from tests.golden.thingsboard_player.recording import Step, read_steps, step_of
from tests.golden.thingsboard_player.served import served

pytestmark = pytest.mark.slow

Damage = Callable[[Any], Any]
"""An expectation -> the same with a near miss; None where there is nothing of this kind."""
BINDS: Final = re.compile(r"\$\{[\w.]+:")
ONLY_LISTENS: Final = frozenset({"await", "await_close", "ping", "disconnect"})


def at(*path: str, miss: Damage) -> Damage:
    """The value at this path changed."""

    def damage(expected: Any) -> Any:
        if not path:
            return miss(expected)
        name, *rest = path
        if not isinstance(expected, dict) or name not in expected:
            return None
        inner = at(*rest, miss=miss)(expected[name])
        return None if inner is None else {**expected, name: inner}

    return damage


def number(found: Any) -> Any:
    """One more."""
    return found + 1 if isinstance(found, int) and not isinstance(found, bool) else None


def flag(found: Any) -> Any:
    return not found if isinstance(found, bool) else None


def letter(found: Any) -> Any:
    """The last letter of a text that is no template."""
    return (
        f"{found[:-1]}{'x' if found[-1] != 'x' else 'y'}"
        if isinstance(found, str) and found and "$" not in found
        else None
    )


def leaf(found: Any) -> Any:
    """The last member of an object, however deep."""
    if not isinstance(found, dict):
        return number(found) if isinstance(found, int) else letter(found)
    for name, value in reversed(found.items()):
        if (changed := leaf(value)) is not None:
            return {**found, name: changed}
    return None


def member_more(found: Any) -> Any:
    return {**found, "neverThere": 1} if isinstance(found, dict) and found and "..." not in found else None


def member_less(found: Any) -> Any:
    names = [name for name in found if name != "..."] if isinstance(found, dict) and "..." not in found else []
    return {name: found[name] for name in found if name != names[-1]} if names else None


def nothing_there(found: Any) -> Any:
    """A member that is null has a value."""
    return 50 if found is None else None


def either(*damages: Damage) -> Damage:
    return lambda expected: next((one for damage in damages if (one := damage(expected)) is not None), None)


def expects_nothing(expected: Any) -> Any:
    """A packet, where silence was recorded."""
    return {"pingresp": True} if expected == {"nothing": True} else None


def expects_silence(expected: Any) -> Any:
    """Silence, where a packet was recorded."""
    return {"nothing": True} if isinstance(expected, dict) and "publish" in expected else None


def expects_open(expected: Any) -> Any:
    """A connection that goes on, where its end was recorded."""
    return (
        {"nothing": True}
        if isinstance(expected, dict) and expected.get("closed") is True and "received" not in expected
        else None
    )


def reply_first(expected: Any) -> Any:
    """What should come after the PUBACK in its place."""
    is_puback = isinstance(expected, dict) and expected.keys() == {"puback"}
    return (
        {"publish": {"topic": "/provision/response", "qos": 1, "retain": False, "payload": {}}} if is_puback else None
    )


def six_seconds_off(found: Any) -> Any:
    """No slack of a recording is as large."""
    return found - 6 if isinstance(found, int | float) else None


def first_number(codes: Any) -> Any:
    return [number(codes[0]), *codes[1:]]


def true_code(found: Any) -> Any:
    """A reason code, where a PUBACK has none."""
    return 16 if found is True else None


KINDS: Final[dict[str, Damage]] = {
    "status": at("status", miss=number),
    "body": at("body", miss=leaf),
    "a member more": either(at("body", miss=member_more), at("payload", miss=member_more)),
    "a member less": either(at("body", miss=member_less), at("payload", miss=member_less)),
    "header": at("headers", miss=leaf),
    "text": at("text", miss=lambda text: f"{text} " if isinstance(text, str) else None),
    "tally": at("tally", miss=leaf),
    "distinct credentials": at("distinct_credentials", miss=number),
    "CONNACK": at("connack", miss=number),
    "session present": at("session_present", miss=flag),
    "SUBACK": at(
        "suback", miss=lambda codes: [number(codes[0]), *codes[1:]] if isinstance(codes, list) and codes else None
    ),
    "UNSUBACK": at("unsuback", miss=lambda codes: [*codes, 0] if isinstance(codes, list) else flag(codes)),
    "PUBACK's code": at("puback", miss=either(true_code, number)),
    "PINGRESP": at("pingresp", miss=flag),
    "topic": at("publish", "topic", miss=letter),
    "QoS": at("publish", "qos", miss=number),
    "retain": at("publish", "retain", miss=flag),
    "payload": either(at("publish", "payload", miss=leaf), at("payload", miss=leaf)),
    "order": reply_first,
    "silence": expects_silence,
    "a packet": expects_nothing,
    "close": expects_open,
    "DISCONNECT's code": at("disconnect", miss=either(number, nothing_there)),
    "time of the close": at("after_s", miss=six_seconds_off),
    "bytes": at("received", miss=lambda digits: f"{digits}00" if isinstance(digits, str) else None),
    "close of a bare connection": at("closed", miss=flag),
    "handshake": at("handshake_failed", miss=flag),
    "CoAP code": at("code", miss=lambda code: "4.05" if code == "4.00" else "4.00" if isinstance(code, str) else None),
    "content format": at("content_format", miss=either(number, nothing_there)),
}


def damaged(step: Step, kind: str) -> Step | None:
    if kind == "close of a bare connection" and step.do != "raw":
        return None
    found = KINDS[kind](step.expected)
    return None if found is None or found == step.expected else replace(step, expected=found)


def kinds_in(steps: list[Step]) -> list[str]:
    return [kind for kind in KINDS if any(damaged(step, kind) for step in steps)]


def may_end_its_row(place: int, steps: list[Step]) -> bool:
    """No later row needs what this step binds, or what the rest of its row does."""
    rest = [step for step in steps[place + 1 :] if step.row == steps[place].row]
    told = json.dumps([step.expected for step in (steps[place], *rest)])
    return not BINDS.search(told) and all(step.do in ONLY_LISTENS for step in rest)


def places(steps: list[Step]) -> dict[str, int]:
    """Kind -> where, each in a row of its own, as far as they can be together in one copy."""
    found: dict[str, int] = {}
    taken: set[str] = {"setup"}
    for kind in sorted(kinds_in(steps), key=lambda kind: sum(damaged(step, kind) is not None for step in steps)):
        for place, step in enumerate(steps):
            if step.row not in taken and damaged(step, kind) is not None and may_end_its_row(place, steps):
                taken.add(step.row)
                found[kind] = place
                break
    return found


def rest(steps: list[Step]) -> list[str]:
    """The kinds that need a copy of their own."""
    placed = places(steps)
    return [kind for kind in kinds_in(steps) if kind not in placed]


def copy_of(steps: list[Step], kind: str, place: int) -> list[Step]:
    changed = damaged(steps[place], kind)
    assert changed is not None
    return [*steps[:place], changed, *steps[place + 1 :]]


def differing(steps: list[Step]) -> dict[str, str]:
    """Row -> what its first difference is about."""
    with served() as bench:
        player = Player(bench)
        player.play(steps)
    return {row: said for row, said in player.verdicts.items() if said}


def is_said_of(steps: list[Step], said: dict[str, str]) -> bool:
    return said.keys() == {step.row for step in steps} and all(said[step.row].startswith(step.place) for step in steps)


@pytest.mark.parametrize("name", FILES)
def test_near_misses_are_refused_and_nothing_else(name: str) -> None:
    steps = STEPS[name]
    for kind, place in places(STEPS[name]).items():
        steps = copy_of(steps, kind, place)
    said = differing(steps)
    assert is_said_of([steps[place] for place in places(STEPS[name]).values()], said), said


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name in FILES for kind in rest(STEPS[name])])
def test_a_near_miss_is_refused_where_it_is(name: str, kind: str) -> None:
    """Later steps need what this one binds or does: the copy is played so far."""
    place = next(place for place, step in enumerate(STEPS[name]) if damaged(step, kind))
    said = differing(copy_of(STEPS[name], kind, place)[: place + 1])
    assert is_said_of([STEPS[name][place]], said), said


def test_each_kind_is_damaged_somewhere() -> None:
    assert {kind for name in FILES for kind in kinds_in(STEPS[name])} == set(KINDS)


def test_a_line_with_a_word_that_nobody_knows_is_refused() -> None:
    line = json.loads((FOLDER / f"{FILES[0]}.jsonl").read_text(encoding="utf-8").splitlines()[0])
    with pytest.raises(AssertionError, match="unknown keys"):
        step_of({**line, "responce": {}})
    with pytest.raises(KeyError):
        step_of({key: value for key, value in line.items() if key != "row"})


def test_a_file_that_is_cut_off_is_refused(tmp_path: Any) -> None:
    text = (FOLDER / f"{FILES[0]}.jsonl").read_text(encoding="utf-8")
    (tmp_path / "cut.jsonl").write_text(text[: len(text) // 2], encoding="utf-8")
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        read_steps(tmp_path / "cut.jsonl")
