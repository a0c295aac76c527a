"""The admin client before servers that are none, or answer oddly: one sentence each, never an error of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.servers.no_answer import NoAnswer
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.http import Headers, HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.drivers.virtual import VirtualBench
from tests.simulator.http_only import HttpOnly

URL = "http://h:8080/behind/a/proxy"


class Answering:
    """A server that gives the same answer to everything."""

    def __init__(self, status: int, body: Any = b"", headers: Headers = (), ending: Ending = Ending.WHOLE) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._delivery = Delivery(HttpResponse(status, headers, content), ending)
        self.requests: list[HttpRequest] = []

    def __call__(self, request: HttpRequest, session: Session, now_us: int) -> Delivery:
        self.requests.append(request)
        return self._delivery


def admin(**options: Any) -> HawkbitAdmin:
    return HawkbitAdmin(URL, UserPassword("anna", "pass:word"), **options)


def run(server: Answering, call: AdminCall[Any]) -> Any:
    return VirtualBench(HttpOnly(server), Trace()).run(call)


def test_requests_go_below_the_path_of_the_address_with_the_account() -> None:
    server = Answering(200, {"content": [], "total": 0})
    run(server, admin().targets("name==a b&c"))
    (request,) = server.requests
    assert request.origin == "http://h:8080"
    assert request.target == "/behind/a/proxy/rest/v1/targets?offset=0&limit=500&q=name%3D%3Da%20b%26c"
    assert request.header("Authorization") == "Basic YW5uYTpwYXNzOndvcmQ="


def test_ids_are_encoded() -> None:
    server = Answering(404, {"errorCode": "x"})
    assert run(server, admin().target("a/b c")) is None
    assert server.requests[0].path.endswith("/targets/a%2Fb%20c")


CALLS: dict[str, Callable[[HawkbitAdmin], AdminCall[Any]]] = {
    "greet": lambda admin: admin.greet(),
    "read_config": lambda admin: admin.read_config(),
    "configure": lambda admin: admin.configure({"pollingTime": "00:01:00"}),
    "create_targets": lambda admin: admin.create_targets([{"controllerId": "a"}]),
    "target": lambda admin: admin.target("a"),
    "targets": lambda admin: admin.targets(),
    "update_target": lambda admin: admin.update_target("a", {}),
    "attributes": lambda admin: admin.attributes("a"),
    "create_update": lambda admin: admin.create_update("n", "1", b"x", "f"),
    "assign": lambda admin: admin.assign(1, ["a"]),
    "actions": lambda admin: admin.actions("a"),
    "action_set": lambda admin: admin.action_set("a", 1),
    "cancel_action": lambda admin: admin.cancel_action("a", 1),
    "set_version": lambda admin: admin.set_version("a", "installedDS"),
}
SENTENCES = [
    (Answering(401, {"status": 401}), "does not accept the account 'anna': check user and password"),
    (
        Answering(302, b"", (("Location", "https://h/login"),)),
        "redirects to https://h/login: give that address instead, if it is hawkBit's",
    ),
    (
        Answering(200, b"<html>hello</html>"),
        r"answered 200 with a body, '<html>hello</html>'(: is this a hawkBit server\?|; is there a path before /rest)",
    ),
    (Answering(503, b"busy"), r"answered 503 with a body, 'busy': is hawkBit running behind it\?"),
    (Answering(200, b"", ending=Ending.REFUSED), "nobody listens at .*connection refused"),
    (Answering(200, b"", ending=Ending.SILENCE), "does not answer: is the address right?"),
    (Answering(200, b"", ending=Ending.RESET), r"does not answer HTTP \(reset\): are scheme and port right?"),
]


@pytest.mark.parametrize(("server", "sentence"), SENTENCES, ids=[row[1][:25] for row in SENTENCES])
@pytest.mark.parametrize("name", CALLS)
def test_whatever_is_no_hawkbit_is_one_sentence(name: str, server: Answering, sentence: str) -> None:
    with pytest.raises(BrokenBench, match=sentence) as broken:
        run(server, CALLS[name](admin()))
    assert URL in str(broken.value)
    assert "\n" not in str(broken.value)
    assert "pass:word" not in str(broken.value)


@pytest.mark.parametrize("body", [[], {}, [1], {"content": 7}, "text", 5], ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_json_of_another_shape_is_no_error_of_ours(name: str, body: Any) -> None:
    with suppress(BrokenBench):
        run(Answering(200, body), CALLS[name](admin()))


def test_what_is_missing_is_said() -> None:
    said = r"gives no text as controllerId where hawkBit does: is this a hawkBit server\? It said {}"
    with pytest.raises(BrokenBench, match=said):
        run(Answering(200, {}), admin().target("a"))


def test_no_answer_is_told_apart() -> None:
    with pytest.raises(NoAnswer):
        run(Answering(200, ending=Ending.CLOSED), admin().greet())


def test_settings_of_others_are_not_touched_without_leave() -> None:
    server = Answering(204)
    with pytest.raises(UsageError, match=r"would change pollingTime for everybody on .*--change-tenant-settings"):
        run(server, admin(may_change_settings=False).configure({"pollingTime": "00:01:00"}))
    assert server.requests == []
    run(server, admin(may_change_settings=False).configure({}))
    assert server.requests == []


def test_pages_are_read_to_the_end() -> None:
    pages = {0: [{"id": 1}, {"id": 2}], 2: [{"id": 3}]}
    asked: list[str] = []

    def server(request: HttpRequest, session: Session, now_us: int) -> Delivery:
        asked.append(request.query)
        offset = int(request.query.partition("offset=")[2].partition("&")[0])
        body = {"content": pages[offset], "total": 3, "size": len(pages[offset])}
        return Delivery(HttpResponse(200, (), json.dumps(body).encode()))

    found = VirtualBench(HttpOnly(server), Trace()).run(admin().search("/distributionsets"))
    assert [one["id"] for one in found] == [1, 2, 3]
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("shown", "status", "active"),
    [
        ({"status": "running", "active": True}, "running", True),
        ({"status": "pending", "detailStatus": "running"}, "running", True),
        ({"status": "finished", "detailStatus": "canceled"}, "canceled", False),
    ],
)
def test_actions_of_older_releases_read_like_those_of_now(shown: dict[str, Any], status: str, active: bool) -> None:
    (action,) = run(Answering(200, {"content": [shown], "total": 1}), admin().actions("a"))
    assert (action["status"], action["active"]) == (status, active)
