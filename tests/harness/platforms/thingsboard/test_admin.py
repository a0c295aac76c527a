"""The operator's account: it logs in by itself, once more when its token has run out; no line goes without a name."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from fleetrig.harness.platforms.thingsboard.admin import ThingsBoardAdmin
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.effects import Ask, Outcome, Reply


def admin() -> ThingsBoardAdmin:
    return ThingsBoardAdmin("http://h", UserPassword("anna", "pass"), "Tenant")


def answered(status: int, document: object) -> HttpResponse:
    return HttpResponse(status, (), json.dumps(document).encode())


def play(call: AdminCall[object], server: Callable[[HttpRequest], HttpResponse]) -> list[HttpRequest]:
    asked: list[HttpRequest] = []
    outcome: Outcome | None = None
    while True:
        try:
            effect = call.send(outcome) if outcome is not None else next(call)
        except StopIteration:
            return asked
        assert isinstance(effect, Ask)
        assert isinstance(effect.request, HttpRequest)
        asked.append(effect.request)
        outcome = Reply(server(effect.request), 0.0)


def token_of(request: HttpRequest) -> str | None:
    return request.header("X-Authorization")


def test_a_token_that_has_run_out_is_renewed_once_and_masked() -> None:
    operator, tokens = admin(), iter(("first", "second"))
    operator.masks = Secrets()

    def server(request: HttpRequest) -> HttpResponse:
        if request.target == "/api/auth/login":
            return answered(200, {"token": next(tokens)})
        if token_of(request) == "Bearer first":
            return answered(401, {"message": "Token has expired"})
        return answered(200, {"data": [], "hasNext": False})

    asked = play(operator.devices(), server)
    assert [token_of(one) for one in asked] == [None, "Bearer first", None, "Bearer second"]
    assert "second" not in operator.masks.hide("a second")


def test_an_account_that_is_not_accepted_is_named() -> None:
    with pytest.raises(BrokenBench, match="does not accept the account 'anna'"):
        play(admin().greet(), lambda _: answered(401, {}))


def test_a_line_without_a_name_is_never_sent() -> None:
    with pytest.raises(BrokenBench, match="overwrite another device"):
        play(admin().import_devices("p", [{"serial": " "}]), lambda _: answered(200, {"token": "t"}))


def test_a_list_is_imported_into_the_profile_with_the_columns_that_it_has() -> None:
    def server(request: HttpRequest) -> HttpResponse:
        return answered(200, {"token": "t", "errors": 0, "errorsList": []})

    lines = [{"serial": "a", "token": "x,y"}, {"serial": "b"}]
    document = json.loads(body_bytes(play(admin().import_devices("p", lines), server)[-1].body))
    assert document["file"] == 'name,type,token\na,p,"x,y"\nb,p,\n'
    assert [one["type"] for one in document["mapping"]["columns"]] == ["NAME", "TYPE", "ACCESS_TOKEN"]


def test_a_line_that_the_server_refuses_breaks_the_run() -> None:
    refusal = {"token": "t", "errors": 1, "errorsList": ["Line 2: taken"]}
    with pytest.raises(BrokenBench, match="Line 2: taken"):
        play(admin().import_devices("p", [{"serial": "a"}]), lambda _: answered(200, refusal))
