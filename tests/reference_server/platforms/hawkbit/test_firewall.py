"""Paths and hosts that are refused before anybody looks at credentials (§0, S122)."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.settings import Settings
from tests.reference_server.platforms.hawkbit.rig import Rig, basic, document, status

PATH = "/DEFAULT/controller/v1/"
MISREAD = [";v=1", "%3Bv", "%3b", "%25b", "//x", "/./x", "/../x", "%2e", "%2E%2e/x", "%0a", "%0D", "/.", "/.."]
NO_PATH = ["%2Fb", "%2fb", "%5Cb", "\\b", "%00", "%FF", "%C3", "\u00e4", "<b>", '"', "^", "%zz", "%", "{a}", "[a]"]


@pytest.mark.parametrize("end", MISREAD)
def test_what_could_be_misread_gets_the_framework_body(rig: Rig, end: str) -> None:
    answer = rig.send("GET", PATH + "dev" + end)
    assert status(answer) == 400
    body = document(answer)
    assert (body["status"], body["error"], set(body)) == (400, "Bad Request", {"timestamp", "status", "error"})
    assert answer.response.header("X-Content-Type-Options") is None
    assert answer.response.header("Connection") == "close"


@pytest.mark.parametrize("end", NO_PATH)
def test_what_is_no_path_gets_a_page(rig: Rig, end: str) -> None:
    answer = rig.send("GET", PATH + "dev" + end)
    assert status(answer) == 400
    assert answer.response.header("Content-Type") == "text/html;charset=utf-8"
    assert answer.response.header("X-Content-Type-Options") is None


@pytest.mark.parametrize("end", ["%7F", "%3C", "%22", "a..b", ".b", "%20", "~", "a+b", "(x)", "'", "!", "$&", "="])
def test_odd_but_harmless_paths_reach_the_authentication(rig: Rig, end: str) -> None:
    assert status(rig.send("GET", PATH + "dev" + end)) == 401


def test_a_query_may_hold_what_a_path_may_not(rig: Rig) -> None:
    assert rig.read("/targets?q=name==%25%2F%5C;name==a//b")["total"] == 0


@pytest.mark.parametrize(("method", "expected"), [("TRACE", 405), ("FOO", 400), ("get", 400)])
def test_methods_that_are_not_let_through(rig: Rig, method: str, expected: int) -> None:
    assert status(rig.send(method, PATH + "dev")) == expected


def test_tracing_is_told_what_there_is_instead(rig: Rig) -> None:
    assert rig.send("TRACE", "/rest/v1/targets").response.header("Allow") == "HEAD, DELETE, POST, GET, OPTIONS, PUT"


@pytest.mark.parametrize("path", ["/rest/v1/targets", "/rest/v1/nowhere"])
def test_a_browser_that_asks_across_origins_is_answered_by_the_container(rig: Rig, path: str) -> None:
    asks = {"Origin": "http://evil.test", "Access-Control-Request-Method": "GET"}
    assert status(rig.send("OPTIONS", path, asks)) == 401
    answer = rig.send("OPTIONS", path, {**asks, "Authorization": basic("admin", "admin")})
    assert (status(answer), answer.response.header("Accept-Patch")) == (200, None)
    assert answer.response.header("Allow") == "GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, PATCH"
    assert answer.response.header("Access-Control-Allow-Origin") is None


def test_hosts_can_be_limited() -> None:
    rig = Rig(Settings(allowed_host_names=("other.test",)))
    answer = rig.send("GET", PATH + "dev")
    assert (status(answer), answer.response.body) == (400, b"")
    assert "hawkbit.test" in answer.reason
    assert status(Rig(Settings(allowed_host_names=("hawkbit.test",))).send("GET", PATH + "dev")) == 401
