"""The operator's account: none where none is wanted, all devices whichever way a registry counts its pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fleetrig.harness.platforms.hono.admin import PAGE, HonoAdmin
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.effects import Ask, Outcome, Reply

NOBODY = UserPassword("", "")


def admin(account: UserPassword = NOBODY) -> HonoAdmin:
    return HonoAdmin("http://h", account, "t")


def answered(status: int, document: object) -> HttpResponse:
    return HttpResponse(status, (), json.dumps(document).encode())


def play(call: AdminCall[Any], server: Callable[[HttpRequest], HttpResponse]) -> tuple[Any, list[HttpRequest]]:
    """What the call returns, and what it asked for."""
    asked: list[HttpRequest] = []
    outcome: Outcome | None = None
    while True:
        try:
            effect = call.send(outcome) if outcome is not None else next(call)
        except StopIteration as end:
            return end.value, asked
        assert isinstance(effect, Ask)
        assert isinstance(effect.request, HttpRequest)
        asked.append(effect.request)
        outcome = Reply(server(effect.request), 0.0)


class Registry:
    """Answers searches over so many devices; `page_by` is how far one step of `pageOffset` leads."""

    def __init__(self, devices: int, page_by: int) -> None:
        self.ids = [f"d-{number}" for number in range(devices)]
        self._page_by = page_by

    def __call__(self, request: HttpRequest) -> HttpResponse:
        query: Mapping[str, list[str]] = parse_qs(urlsplit(request.target).query)
        size, offset = int(query["pageSize"][0]), int(query.get("pageOffset", ["0"])[0])
        found = self.ids[offset * self._page_by :][:size]
        if not found:
            return answered(404, {"error": "nothing"})
        return answered(200, {"total": len(self.ids), "result": [{"id": one} for one in found]})


@pytest.mark.parametrize("devices", [0, 1, PAGE, PAGE + 1, 3 * PAGE, 1001])
@pytest.mark.parametrize("page_by", [1, PAGE], ids=["counts devices", "counts pages"])
def test_all_devices_are_found_whichever_way_pages_are_counted(devices: int, page_by: int) -> None:
    registry = Registry(devices, page_by)
    found, asked = play(admin().device_ids(), registry)
    assert sorted(found) == sorted(registry.ids)
    assert len(asked) <= devices // PAGE + 2


def test_without_an_account_none_is_sent() -> None:
    _, (request,) = play(admin().greet(), lambda _: answered(404, {"error": "no such tenant"}))
    assert request.header("Authorization") is None
    assert [*admin().secrets()] == []


def test_with_an_account_it_is_sent_and_masked() -> None:
    operator = admin(UserPassword("anna", "pass"))
    _, (request,) = play(operator.greet(), lambda _: answered(404, {"error": "no such tenant"}))
    assert request.header("Authorization") == "Basic YW5uYTpwYXNz"
    assert {secret for _, secret in operator.secrets()} == {"pass", "YW5uYTpwYXNz"}


def test_an_account_that_is_not_accepted_is_named() -> None:
    with pytest.raises(BrokenBench, match="wants to know who asks: name user and password"):
        play(admin().greet(), lambda request: answered(401, {}))
    with pytest.raises(BrokenBench, match="does not accept the account 'anna'"):
        play(admin(UserPassword("anna", "pass")).greet(), lambda _: answered(401, {"error": "x"}))


@pytest.mark.parametrize("page", [b"<html><body><h1>Resource not found</h1></body></html>", b""])
def test_a_page_that_is_no_answer_of_a_registry_is_not_taken_for_one(page: bytes) -> None:
    """Of a server without search (1.1), or of another path, nobody learns that there are no devices."""
    with pytest.raises(BrokenBench, match="Hono"):
        play(admin().device_ids(), lambda _: HttpResponse(404, (), page))


def test_a_device_that_is_not_there_is_none() -> None:
    found, (request,) = play(admin().device("a/b c"), lambda _: answered(404, {"error": "no such device"}))
    assert found is None
    assert request.target == "/v1/devices/t/a%2Fb%20c"


class OldRegistry:
    """Deletes devices one by one alone; `lists`: it can be searched."""

    def __init__(self, *ids: str, lists: bool = True, refuses_with: int = 405) -> None:
        self.ids, self._lists, self._refuses_with = [*ids], lists, refuses_with

    def __call__(self, request: HttpRequest) -> HttpResponse:
        device_id = urlsplit(request.target).path.removeprefix("/v1/devices/t").strip("/")
        if request.method == "DELETE" and not device_id:
            return HttpResponse(self._refuses_with, (), b"")
        if request.method == "DELETE":
            self.ids.remove(device_id)
            return HttpResponse(204, (), b"")
        if not self._lists:
            return HttpResponse(404, (), b"<html><body><h1>Resource not found</h1></body></html>")
        if not self.ids:
            return answered(404, {"error": "nothing"})
        return answered(200, {"total": len(self.ids), "result": [{"id": one} for one in self.ids]})


@pytest.mark.parametrize("status", [404, 405])
def test_devices_are_deleted_one_by_one_where_they_cannot_be_at_once(status: int) -> None:
    registry = OldRegistry("a", "b", refuses_with=status)
    assert play(admin().delete_devices(), registry)[0] is True
    assert registry.ids == []


def test_devices_that_nobody_lists_are_not_said_to_be_gone() -> None:
    registry = OldRegistry("a", lists=False)
    assert play(admin().delete_devices(), registry)[0] is False
    assert registry.ids == ["a"]


@pytest.mark.parametrize("response", [HttpResponse(204, (), b""), answered(404, {"error": "no such tenant"})])
def test_devices_are_deleted_at_once(response: HttpResponse) -> None:
    is_done, asked = play(admin().delete_devices(), lambda _: response)
    assert (is_done, len(asked)) == (True, 1)


def test_devices_that_a_registry_would_not_delete_are_told() -> None:
    with pytest.raises(BrokenBench, match="answered 500"):
        play(admin().delete_devices(), lambda _: answered(500, {"error": "x"}))


def test_an_address_with_the_path_of_the_api_is_named() -> None:
    page = HttpResponse(404, (), b"<html>Resource not found</html>")
    with pytest.raises(BrokenBench, match="its management API without /v1"):
        play(HonoAdmin("http://h/v1", NOBODY, "t").greet(), lambda request: page)
    with pytest.raises(
        BrokenBench, match="is no device registry: GET /v1/tenants/fleetrig-is-there-a-registry answered 404"
    ):
        play(admin().greet(), lambda request: page)
