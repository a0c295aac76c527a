"""Paths, queries and pages that few clients send: answered as Hono 2.7 was seen to do it."""

from __future__ import annotations

import base64

import pytest

from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.simulator.contract.http import Headers
from tests.reference_server.platforms.hono.adapter_rig import JSON_TYPE, PASSWORD, TENANT, AdapterRig, of_profile
from tests.reference_server.platforms.hono.http_requests import answered, ask, post, put, reasons_of, said

PAGE = "<html><body><h1>Resource not found</h1></body></html>"
FOREIGN = "not authorized to upload data for device from other tenant"
BROWSER = (("Origin", "http://a.example"),)
PREFLIGHT = (*BROWSER, ("Access-Control-Request-Method", "PUT"))
ANYWHERE = ("access-control-allow-origin", "*")
READABLE = ("access-control-expose-headers", "hono-command,hono-cmd-req-id")
STUMBLED = (503, "temporarily unavailable")
BROKEN = "the query has an escape that is none"
SLASHES = "path must not start with an empty segment"


def no_response(request_id: str) -> tuple[int, str]:
    return 400, f"command-request-id [{request_id}] or status code [null] is missing/invalid"


def signed_up(rig: AdapterRig) -> AdapterRig:
    rig.tenant()
    rig.password("gw")
    rig.device("e1", via=["gw"])
    rig.told()
    return rig


@pytest.fixture
def rig() -> AdapterRig:
    return signed_up(AdapterRig())


@pytest.fixture
def stumbling() -> AdapterRig:
    return signed_up(of_profile(Profile.JDBC))


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("PUT", "/telemetry", (404, PAGE)),
        ("PUT", "/telemetry//", (404, PAGE)),
        ("PUT", "/telemetry/.", (404, PAGE)),
        ("PUT", "/%74elemetry", (404, PAGE)),
        ("PUT", f"/telemetry%2F{TENANT}%2Fe1", (404, PAGE)),
        ("PUT", f"/telemetry/{TENANT}%2Fe1", (202, "")),
        ("PUT", f"/telemetry/{TENANT}/e%31", (202, "")),
        ("PUT", "/telemetry//e1/", (202, "")),
        ("PUT", "/telemetry//e1//x", (403, FOREIGN)),
        ("PUT", "/telemetry//x/e1", (403, FOREIGN)),
        ("PUT", f"/telemetry/./{TENANT}/e1", (404, "device is disabled or not registered")),
        ("PUT", f"/telemetry/nope/e1?tenant_id={TENANT}", (202, "")),
        ("PUT", f"/telemetry/{TENANT}/e1?tenant_id=nope", (403, FOREIGN)),
        ("PUT", f"/telemetry/{TENANT}/e1?a=%zz", (400, "Bad Request")),
        ("PUT", "/telemetry/x/", (404, "request URI must contain device ID")),
        ("PUT", f"/telemetry/{TENANT}/%zz", (400, "Invalid escape sequence: %zz")),
        ("POST", "/telemetry/.", (202, "")),
        ("POST", "/event/../telemetry", (202, "")),
        ("POST", "/command/res//x", no_response("x")),
        ("POST", "/command//res/x", no_response("x")),
        ("POST", "/command/res/x?cmd_req_id=y", no_response("y")),
        ("POST", "/command/res/x?a=%zz", (400, "Bad Request")),
        ("PUT", "/command//res/x", (404, "request URI must contain tenant, device and request ID")),
        (
            "PUT", f"/command/res/x/e1/1?tenant_id={TENANT}",
            no_response("1"),
        ),
    ],
)  # fmt: skip
def test_a_path_has_its_route_when_it_is_normal(
    rig: AdapterRig, method: str, target: str, expected: tuple[int, str]
) -> None:
    assert said(answered(ask(rig, method, target, user="gw"))) == expected
    assert all(reasons_of(rig))


@pytest.mark.parametrize(
    ("method", "target", "slip", "better"),
    [
        ("POST", "//telemetry", (500, SLASHES), (400, SLASHES)),
        ("PUT", "//command/res/x", (500, SLASHES), (400, SLASHES)),
        ("POST", "/x/../telemetry", STUMBLED, (400, "Bad Request")),
        ("POST", "/telemetry?a=%", STUMBLED, (400, "Bad Request")),
        ("PUT", "/telemetry//e1?hono-ttd=%zz", STUMBLED, (400, "Bad Request")),
        ("PUT", "/command/res//e1/x?a=%zz", (500, BROKEN), (400, BROKEN)),
    ],
)  # fmt: skip
def test_where_the_real_adapter_stumbles(
    rig: AdapterRig, stumbling: AdapterRig, method: str, target: str, slip: tuple[int, str], better: tuple[int, str]
) -> None:
    assert said(answered(ask(stumbling, method, target, user="gw"))) == slip
    assert said(answered(ask(rig, method, target, user="gw"))) == better


def test_credentials_are_looked_at_before_two_slashes(stumbling: AdapterRig) -> None:
    assert said(post(stumbling, "//telemetry")) == (401, "Unauthorized")
    malformed = (JSON_TYPE, ("Authorization", "Basic %%%"))
    assert said(post(stumbling, "//telemetry", headers=malformed)) == (400, "Bad Request")


def test_a_query_that_nobody_asks_may_be_broken(rig: AdapterRig) -> None:
    told = (JSON_TYPE, ("hono-ttd", "0"))
    assert post(rig, "/telemetry?%zz", user="gw", headers=told).status == 202
    assert post(rig, "/event?%zz", user="gw", headers=told).status == 400
    assert post(rig, "/event?%zz", user="gw", headers=(*told, ("hono-ttl", "3"))).status == 202


def test_what_is_wrong_with_a_path_comes_before_a_body_that_is_too_large(rig: AdapterRig) -> None:
    large = b"x" * 3000
    assert put(rig, "/telemetry", large, user="gw").status == 404
    assert put(rig, "/telemetry/nope/e1", large, user="gw").status == 403
    assert put(rig, "/telemetry/x", large, user="gw").status == 413


@pytest.mark.parametrize(("target", "status"), [("/telemetry", 405), ("/command/res/x", 405), ("/nosuch", 404)])
def test_a_head_is_told_nothing_but_the_status(rig: AdapterRig, target: str, status: int) -> None:
    response = answered(ask(rig, "HEAD", target, b""))
    assert (response.status, response.headers, response.body) == (status, (), b"")


@pytest.mark.parametrize(
    ("target", "methods", "headers"),
    [
        ("/telemetry/", "POST", "QoS-Level,hono-ttd,authorization,content-type"),
        ("/telemetry/x", "PUT", "QoS-Level,hono-ttd,authorization,content-type"),
        ("/event", "POST", "hono-ttd,authorization,content-type"),
        (f"/event/{TENANT}/d", "PUT", "hono-ttd,authorization,content-type"),
        ("/command/res", "PUT,POST", "hono-cmd-status,authorization,content-type"),
    ],
)
def test_what_a_browser_may_send(rig: AdapterRig, target: str, methods: str, headers: str) -> None:
    response = answered(ask(rig, "OPTIONS", target, b"", headers=PREFLIGHT))
    assert (response.status, response.headers) == (
        204,
        (ANYWHERE, ("access-control-allow-methods", methods), ("access-control-allow-headers", headers)),
    )


@pytest.mark.parametrize(
    ("method", "target", "status", "told"),
    [
        ("POST", "/telemetry", 202, (ANYWHERE, READABLE)),
        ("GET", "/telemetry", 405, (("Allow", "POST,PUT"), ANYWHERE, READABLE)),
        ("PUT", "//telemetry", 400, (ANYWHERE, READABLE)),
        ("POST", "/command/res/x", 400, (ANYWHERE,)),
        ("POST", "/nosuch", 404, ()),
        ("POST", "/telemetry/%zz", 400, ()),
    ],
)
def test_what_a_page_in_a_browser_may_read(
    rig: AdapterRig, method: str, target: str, status: int, told: Headers
) -> None:
    response = answered(ask(rig, method, target, user="gw", headers=(JSON_TYPE, *BROWSER)))
    shown = tuple((name, value) for name, value in response.headers if name != "Content-Type")
    assert (response.status, shown) == (status, told)


def test_a_page_may_read_an_answer_that_comes_late(rig: AdapterRig) -> None:
    ask(rig, "POST", "/telemetry?hono-ttd=3", user="gw", headers=(JSON_TYPE, *BROWSER))
    late = rig.server.advance(rig.now_us + 4_000_000)
    assert [READABLE[0] in str(one) for one in late] == [True]


def test_padding_of_base64_may_be_left_out(rig: AdapterRig) -> None:
    full = base64.b64encode(f"gw@{TENANT}:{PASSWORD}".encode()).decode()
    bare = full.rstrip("=")
    assert full != bare
    assert post(rig, headers=(JSON_TYPE, ("Authorization", f"Basic {bare}"))).status == 202
    assert said(post(rig, headers=(JSON_TYPE, ("Authorization", f"Basic {full}x")))) == (400, "Bad Request")
