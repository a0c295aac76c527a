"""Lists over more records than are looked at in one go: the same answers, in steps between which devices are served."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.reference_server.platform import HeldRequest, HttpAnswer
from fleetrig.reference_server.platforms.hawkbit.request.replies import finished
from fleetrig.reference_server.platforms.hawkbit.search import sources
from fleetrig.reference_server.platforms.hawkbit.search.looking_through import FoundPage, Wanted, looked_through
from fleetrig.reference_server.platforms.hawkbit.state.records import TARGET
from fleetrig.reference_server.stores.interface import StoreFailed
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session
from tests.reference_server.platforms.hawkbit.rig import ADMIN, ORIGIN, Rig, basic

FEW = 3
COUNT = 20


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    """Twenty targets, of which three are looked at in one go."""
    monkeypatch.setattr(sources, "BATCH", FEW)
    monkeypatch.setattr("fleetrig.reference_server.platforms.hawkbit.search.listing.BATCH", FEW)
    found = Rig()
    names = [f"t{n:02}" for n in range(COUNT)]
    Random(1).shuffle(names)
    body = [{"controllerId": name, "name": f"n{name[-1]}", "description": name[1]} for name in names]
    assert found.mgmt("POST", "/targets", body).response.status == 201
    return found


def ask(rig: Rig, path: str) -> HttpAnswer | HeldRequest:
    headers = (("Host", "h"), ("Authorization", basic(ADMIN.user, ADMIN.password)))
    request = HttpRequest("GET", ORIGIN, f"/rest/v1{path}", headers)
    with rig.store.transaction():
        return rig.platform.handle(request, Session("127.0.0.1", id=7), rig.now_us)


def names(answer: HttpAnswer) -> list[str]:
    assert isinstance(answer.response.body, bytes)
    return [target["controllerId"] for target in json.loads(answer.response.body)["content"]]


def total(answer: HttpAnswer) -> int:
    assert isinstance(answer.response.body, bytes)
    found: int = json.loads(answer.response.body)["total"]
    return found


def steps_until_answered(rig: Rig) -> Iterator[HttpAnswer | None]:
    while rig.platform.next_due_us() is not None:
        with rig.store.transaction():
            reactions = rig.platform.advance(rig.now_us)
        answers = [output.delivery.response for one in reactions for output in one.outputs]  # type: ignore[union-attr]
        yield HttpAnswer(answers[0]) if answers and answers[0] is not None else None


@pytest.mark.parametrize("path", ["/targets?limit=5", "/targets?offset=7&limit=5", "/targets?sort=controllerId:DESC"])
def test_a_page_by_key_is_answered_at_once(rig: Rig, path: str) -> None:
    answer = ask(rig, path)
    assert isinstance(answer, HttpAnswer)
    everybody = [f"t{n:02}" for n in range(COUNT)]
    expected = everybody[::-1] if "DESC" in path else everybody[7:12] if "7" in path else everybody[:5]
    assert (names(answer), total(answer)) == (expected, COUNT)


def test_a_search_is_held_and_looks_at_a_few_at_a_time(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    after = rig.store.after

    def counted(*args, **kwargs):
        found = after(*args, **kwargs)
        looked.append(len(found))
        return found

    monkeypatch.setattr(rig.store, "after", counted)
    held = ask(rig, "/targets?q=" + quote("name==n3"))
    assert isinstance(held, HeldRequest)
    *waiting, last = steps_until_answered(rig)
    assert len(waiting) >= COUNT // FEW
    assert last is not None
    assert (names(last), total(last)) == (["t03", "t13"], 2)
    assert max(looked) == FEW
    assert sum(looked) == COUNT


@pytest.mark.parametrize(
    ("path", "status"),
    [("/targets?q=nonsense==1", 400), ("/targets?q=name==n3&sort=x:ASC", 400), ("/targets?q=((", 400)],
)
def test_what_is_wrong_is_refused_at_once(rig: Rig, path: str, status: int) -> None:
    answer = ask(rig, path)
    assert isinstance(answer, HttpAnswer)
    assert answer.response.status == status


def test_records_that_come_and_go_meanwhile(rig: Rig) -> None:
    ask(rig, "/targets?limit=500&sort=description:DESC")
    steps = steps_until_answered(rig)
    next(steps)
    rig.mgmt("DELETE", "/targets/t01")  # was seen
    rig.mgmt("DELETE", "/targets/t19")  # was not
    rig.mgmt("POST", "/targets", [{"controllerId": "t18a", "description": "0"}, {"controllerId": "a"}])
    *_, last = steps
    assert last is not None
    expected = [f"t{n:02}" for n in range(10, 19)] + [f"t{n:02}" for n in range(10)] + ["t18a"]
    assert (names(last), total(last)) == (expected, COUNT)


def test_nobody_works_for_a_client_that_has_left(rig: Rig) -> None:
    held = ask(rig, "/targets?q=" + quote("name==n3"))
    assert isinstance(held, HeldRequest)
    rig.platform.left(held.held_id, rig.now_us)
    assert rig.platform.next_due_us() is None
    rig.platform.left(held.held_id, rig.now_us)


def test_two_lists_take_turns(rig: Rig) -> None:
    ask(rig, "/targets?q=" + quote("name==n3"))
    ask(rig, "/targets?q=" + quote("name==n4"))
    *rest, first, second = steps_until_answered(rig)
    assert all(one is None for one in rest)
    assert first is not None
    assert second is not None
    assert (names(first), names(second)) == (["t03", "t13"], ["t04", "t14"])


def test_a_store_that_fails_on_the_way_is_told_to_whom_it_concerns(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(rig, "/targets?q=" + quote("name==n3"))

    def fails(*_: object, **__: object) -> None:
        raise StoreFailed("the disk is gone")

    monkeypatch.setattr(rig.store, "after", fails)
    *_, last = steps_until_answered(rig)
    assert last is not None
    assert last.response.status == 500


def test_polls_between_two_steps_are_answered(rig: Rig) -> None:
    ask(rig, "/targets?q=" + quote("name==n3"))
    steps = steps_until_answered(rig)
    next(steps)
    token = rig.store.get(TARGET, "DEFAULT", "t05")
    assert token is not None
    rig.mgmt("PUT", "/system/configs/authentication.targettoken.enabled", {"value": True})
    poll = rig.send("GET", "/DEFAULT/controller/v1/t05", {"Authorization": f"TargetToken {token.token}"})
    assert poll.response.status == 200


@given(
    st.lists(st.integers(0, 9), max_size=40),
    st.integers(0, 12),
    st.integers(1, 12),
    st.sampled_from([None, lambda n: n % 5, lambda n: -n]),
    st.sampled_from([None, lambda n: n % 3 != 0]),
    st.booleans(),
)
def test_steps_find_what_one_look_at_all_would(items, offset, limit, sort_key, match, turned_round) -> None:
    wanted = Wanted(offset, limit, match, sort_key, turned_round=turned_round and sort_key is None)
    steps = looked_through([items[at : at + 4] for at in range(0, len(items), 4)], wanted)
    found = finished(steps)
    fitting = [item for item in items if match is None or match(item)]
    ordered = sorted(fitting, key=sort_key) if sort_key else fitting[::-1] if wanted.turned_round else fitting
    assert found == FoundPage(ordered[offset : offset + limit], len(fitting))
