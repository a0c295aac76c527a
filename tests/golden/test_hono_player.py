"""The player of Hono's recordings by itself, against canned answers: it agrees with them and with nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.golden.hono_player.canned import CannedWire
from tests.golden.hono_player.damage import KINDS, damaged, every_leaf
from tests.golden.hono_player.judging import Answers, Given, judge
from tests.golden.hono_player.names import Differs, Names
from tests.golden.hono_player.player import Player
from tests.golden.hono_player.recording import KINDS as STEP_KINDS
from tests.golden.hono_player.recording import Step, read_steps, rows_of, step_of

FOLDER = Path(__file__).parent / "hono"
FILES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))
STEPS = {name: read_steps(FOLDER / f"{name}.jsonl") for name in FILES}
ID, OTHER_ID = "5a2e0000-0000-4000-8000-000000000001", "5a2e0000-0000-4000-8000-000000000002"


def wire_of(steps: list[Step]) -> CannedWire:
    return CannedWire({(step.row, step.number): step for step in steps})


@cache
def canned(name: str, answers: Answers = Answers.RECORDED) -> Player:
    player = Player(lambda: wire_of(STEPS[name]), answers)
    player.play(STEPS[name])
    return player


def is_refused(step: Step, got: Any, names: dict[str, str], answers: Answers = Answers.RECORDED) -> bool:
    try:
        judge(step, got, Names("r1", dict(names)), answers)
    except Differs:
        return True
    return False


# -- Whole recordings


@pytest.mark.parametrize("answers", Answers)
@pytest.mark.parametrize("name", FILES)
def test_a_recording_agrees_with_itself(name: str, answers: Answers) -> None:
    player = canned(name, answers)
    assert set(player.verdicts.values()) == {""}, player.verdicts
    assert len(player.played) == len(STEPS[name])
    assert player.given().keys() <= {Given.RECORDED, Given.NOT_COMPARED}


def test_recordings_have_every_kind_of_step() -> None:
    assert {step.kind for steps in STEPS.values() for step in steps} == STEP_KINDS


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_no_leaf_of_an_expectation_can_be_changed(name: str) -> None:
    tried = 0
    for one in canned(name).played:
        if one.step.is_cleanup:
            continue
        for expected in changed(one.step):
            tried += 1
            step = replace(one.step, expected=expected)
            assert is_refused(step, one.got, one.names), f"{step.place}: {expected}"
    assert tried > len(STEPS[name])


def changed(step: Step) -> list[Any]:
    """Members of an answer over HTTP that the format does not know are no part of it."""
    if step.kind not in ("management", "adapter-http") or "tls_alert" in step.expected:
        return list(every_leaf(step.expected))
    return [{**step.expected, part: one} for part, value in step.expected.items() for one in every_leaf(value)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_near_miss_is_refused_where_it_is(kind: str) -> None:
    places = 0
    for name in FILES:
        for row, steps in rows_of(STEPS[name]).items():
            place = next((place for place, step in enumerate(steps) if damaged(step, kind)), None)
            if place is None:
                continue
            places += 1
            copy = [damaged(step, kind) or step if at == place else step for at, step in enumerate(steps)]
            player = Player(lambda steps=steps: wire_of(steps))  # type: ignore[misc]
            player.play(copy)
            assert player.verdicts[row].startswith(steps[place].place), (name, row, kind)
    assert places


# -- Names


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ({"a": "${id}"}, {"a": "x"}),
        ({"a": "${id}"}, {"a": ID.upper()}),
        ({"a": "${id}", "b": "${id}"}, {"a": ID, "b": OTHER_ID}),
        ({"a": "${id}", "b": "${id2}"}, {"a": ID, "b": ID}),
        ({"a": "${time}"}, {"a": "2026-01-01T00:00:00+00:00"}),
        ({"a": "${time}", "b": "${time}"}, {"a": "2026-01-01T00:00:00Z", "b": "2026-01-01T00:00:01Z"}),
        ({"a": "at ${time}"}, {"a": "at noon"}),
        ({"a": "${number}"}, {"a": "3"}),
        ({"a": "${number}"}, {"a": True}),
        ({"a": "${creation}"}, {"a": 1790000000123}),
        ({"a": "${text}"}, {"a": ""}),
        ({"a": "${known}"}, {"a": "other"}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": True}),
        ({"a": None}, {}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ([1, 2], [2, 1]),
        ({"result": [1, 2]}, {"result": [2, 2]}),
        ({"result": [{"id": "${id}"}, {"id": "${id}"}]}, {"result": [{"id": ID}, {"id": OTHER_ID}]}),
        ({"result": [{"id": "a", "status": {}}]}, {"result": [{"id": "a"}]}),
        ({"result": []}, {"result": [1]}),
    ],
)
def test_what_differs(expected: Any, got: Any) -> None:
    with pytest.raises(Differs):
        Names("r1", {"known": "some"}).compare(expected, got, "$")


def test_what_is_seen_first_binds() -> None:
    names = Names("r1")
    expected = {"id": "${id}", "v": "${etag}", "any": "${any}", "n": "${number}"}
    names.compare(expected, {"id": ID, "v": OTHER_ID, "any": [1], "n": 3}, "$")
    names.compare("/v1/tenants/${id}", f"/v1/tenants/{ID}", "$")
    assert names.fill({"${id}": ["${tenant}", 1], "x": "a ${tenant} b"}) == {ID: ["tenantr1", 1], "x": "a tenantr1 b"}
    with pytest.raises(Differs, match="id2 is new"):
        names.compare("${id2}", ID, "$")


def test_nobody_chooses_what_only_a_server_can_give() -> None:
    with pytest.raises(Differs, match="nothing has bound"):
        Names("r1").fill("/v1/devices/${id}")


def test_entries_of_a_result_come_in_any_order() -> None:
    names = Names("r1")
    expected = {"result": [{"id": "${id}", "n": 1}, {"id": "${id2}", "n": 2}, {"id": "known", "n": 3}]}
    got = {"result": [{"id": "known", "n": 3}, {"id": OTHER_ID, "n": 2}, {"id": ID, "n": 1}]}
    names.compare(expected, got, "$")
    assert names.values == {"id": ID, "id2": OTHER_ID}


def test_an_order_that_there_is_not_is_not_sought_for_ever() -> None:
    expected = {"result": [{"id": "${id%d}" % number} for number in range(20)]}  # noqa: UP031
    ids = [{"id": ID[:-2] + f"{number:02d}"} for number in range(19)]
    with pytest.raises(Differs):
        Names("r1").compare(expected, {"result": [*ids, ids[0]]}, "$")


# -- What the format accepts


def step(expected: dict[str, Any], **more: Any) -> Step:
    return step_of({"row": "X01", "step": 1, "name": "x", "request": {}, "response": expected, **more})


def answer(status: int = 200, text: str = "", **headers: str) -> dict[str, Any]:
    return {"status": status, "text": text, "headers": {name: [value] for name, value in headers.items()}}


NO_TENANT = {"status": 404, "headers": {}, "body": {"error": "no such tenant"}}


@pytest.mark.parametrize(
    ("text", "is_alike"),
    [
        ('{"error": "other words"}', True),
        ('{"error": "other words", "subject-dn": "CN=x"}', True),
        ('{"error": ""}', False),
        ('{"error": 1}', False),
        ("{}", False),
        ("", False),
        ("no such tenant", False),
    ],
)
def test_an_error_needs_only_some_text(text: str, is_alike: bool) -> None:
    assert is_refused(step(NO_TENANT), answer(404, text), {}, Answers.GOOD) is not is_alike
    assert is_refused(step(NO_TENANT), answer(404, text), {})
    assert not is_refused(step(NO_TENANT), answer(404, json.dumps(NO_TENANT["body"])), {})


def test_other_statuses_that_are_accepted() -> None:
    recorded = step({"status": 500, "headers": {"ETag": "${etag}"}, "body": {"error": "${text}"}}, accept=[400])
    better = answer(400, "anything at all")
    assert judge(recorded, better, Names("r1"), Answers.GOOD) is Given.BETTER
    assert judge(recorded, answer(500, '{"error": "x"}', etag=ID), Names("r1"), Answers.GOOD) is Given.RECORDED
    assert is_refused(recorded, better, {})
    assert is_refused(recorded, answer(404, '{"error": "x"}', etag=ID), {}, Answers.GOOD)


def test_a_connack_that_is_accepted() -> None:
    recorded = step({"connack": 5, "session_present": 0}, kind="mqtt-connect", accept=[202])
    assert judge(recorded, {"connack": 0, "session_present": 0}, Names("r1"), Answers.GOOD) is Given.BETTER
    assert is_refused(recorded, {"connack": 4, "session_present": 0}, {}, Answers.GOOD)
    assert is_refused(recorded, {"connack": 0, "session_present": 0}, {})


def test_headers() -> None:
    expected = {
        "Content-Type": "application/json; charset=utf-8",
        "Allow": "DELETE,POST,GET,PUT",
        "WWW-Authenticate": 'Bearer realm="Hono", Basic realm="Hono"',
        "ETag": "${etag}",
    }
    recorded = step({"status": 200, "headers": expected, "body": None}, free=["ETag"])
    came: dict[str, list[str]] = {
        "content-type": ["application/JSON"],
        "allow": ["GET, PUT", "POST,DELETE"],
        "www-authenticate": ['Basic realm="Hono"', 'Bearer realm="Hono"'],
        "etag": [OTHER_ID],
        "server": ["unlisted"],
    }
    good = {"status": 200, "text": "", "headers": came}
    known = {"etag": ID}
    assert not is_refused(recorded, good, known, Answers.GOOD)
    assert is_refused(recorded, good, known)
    for name in expected:
        less = {other: value for other, value in came.items() if other != name.lower()}
        assert is_refused(recorded, {**good, "headers": less}, known, Answers.GOOD), name
    for name, value in {"content-type": "text/html", "allow": "GET", "www-authenticate": 'Basic realm="Hono"'}.items():
        assert is_refused(recorded, {**good, "headers": {**came, name: [value]}}, known, Answers.GOOD), name


def test_what_is_not_compared_binds_all_the_same() -> None:
    recorded = step({"status": 200, "headers": {"ETag": "${etag}"}, "body": None}, compare=False)
    names = Names("r1")
    assert judge(recorded, answer(200, etag=ID), names, Answers.GOOD) is Given.RECORDED
    assert names.values == {"etag": ID}
    assert judge(recorded, answer(404, etag=ID), names, Answers.GOOD) is Given.NOT_COMPARED
    assert is_refused(recorded, answer(404, etag=ID), {})


def test_after_a_difference_a_row_is_only_cleaned_up() -> None:
    lines: list[dict[str, Any]] = [
        {"row": "X1", "step": 1, "name": "a", "request": {"path": "/a"}, "response": NO_TENANT},
        {"row": "X1", "step": 2, "name": "b", "request": {"path": "/b"}, "response": NO_TENANT},
        {"row": "X1", "step": 3, "name": "c", "request": {"path": "/c"}, "response": NO_TENANT, "cleanup": True},
        {"row": "X2", "step": 1, "name": "d", "request": {"path": "/d"}, "response": NO_TENANT},
    ]
    asked = []

    class Broken(CannedWire):
        def perform(self, step: Step, request: dict[str, Any]) -> Any:
            asked.append(request["path"])
            if request["path"] == "/a":
                raise ConnectionResetError
            return super().perform(step, request)

    steps = [step_of(line) for line in lines]
    player = Player(lambda: Broken({(step.row, step.number): step for step in steps}))
    player.play(steps)
    assert asked == ["/a", "/c", "/d"]
    assert player.verdicts == {"X1": "X1 step 1 (a): ConnectionResetError", "X2": ""}


# -- Files


def test_a_line_with_a_word_that_nobody_knows_is_refused() -> None:
    line = json.loads((FOLDER / "registry.jsonl").read_text(encoding="utf-8").splitlines()[0])
    with pytest.raises(AssertionError, match="unknown keys"):
        step_of({**line, "responce": {}})
    with pytest.raises(AssertionError, match="unknown kind"):
        step_of({**line, "kind": "adaptor-http"})
    with pytest.raises(KeyError):
        step_of({key: value for key, value in line.items() if key != "row"})


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    text = (FOLDER / "registry.jsonl").read_text(encoding="utf-8")
    (tmp_path / "cut.jsonl").write_text(text[: len(text) // 2], encoding="utf-8")
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        read_steps(tmp_path / "cut.jsonl")
