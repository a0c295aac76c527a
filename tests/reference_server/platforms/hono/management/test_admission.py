"""Who may use the management API, and from which pages (spec 1.0)."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platforms.hono.state.settings import Account, Settings
from fleetrig.simulator.contract.header_text import basic_credentials
from tests.reference_server.platforms.hono.registry_rig import RegistryRig, told

CHALLENGE = 'Basic realm="Hono"'
TENANT = "/v1/tenants/t"
PAGE = "http://a.b"


@pytest.fixture
def guarded() -> RegistryRig:
    return RegistryRig(Settings(accounts=(Account("admin", "pass:word ü"),)))


def test_who_has_the_account_may_do_everything(guarded: RegistryRig) -> None:
    authorization = f"Basic {basic_credentials('admin', 'pass:word ü')}"
    assert guarded.ask("POST", TENANT, {}, Authorization=authorization).response.status == 201
    assert guarded.ask("GET", TENANT, Authorization=authorization.replace("Basic", "bAsIc")).response.status == 200


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        f"Basic {basic_credentials('admin', 'wrong')}",
        f"Basic {basic_credentials('nobody', 'pass:word ü')}",
        "Basic YWRtaW4=",
        "Bearer abc",
    ],
)
def test_who_has_none_is_asked_for_one(guarded: RegistryRig, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for target in (TENANT, "/nosuch"):
        answer = guarded.ask("GET", target, **headers)
        assert told(answer) == (401, "Unauthorized")
        assert answer.response.header("www-authenticate") == CHALLENGE
    answer = guarded.ask("GET", TENANT, **headers, X_Requested_With="XMLHttpRequest")
    assert (answer.response.status, answer.response.header("www-authenticate")) == (401, None)


@pytest.mark.parametrize("authorization", ["Basic", "", "Basic !", "Basic /w=="])
def test_what_is_no_account_at_all(guarded: RegistryRig, authorization: str) -> None:
    answer = guarded.ask("GET", TENANT, Authorization=authorization)
    assert told(answer) == (400, "Bad Request")
    assert answer.response.header("www-authenticate") is None


def test_a_browser_may_ask_whether_it_may_send_an_account(guarded: RegistryRig) -> None:
    asks = {"Origin": PAGE, "Access_Control_Request_Method": "PUT"}
    allowed = guarded.ask("OPTIONS", TENANT, **asks, Access_Control_Request_Headers="x,Authorization")
    assert allowed.response.status == 204
    assert guarded.ask("OPTIONS", TENANT, **asks, Access_Control_Request_Headers="x").response.status == 401


@pytest.mark.parametrize(
    ("target", "methods"),
    [
        ("/v1/tenants", "POST"),
        (TENANT, "POST,PUT,GET,DELETE"),
        ("/v1/devices/t", "POST"),
        ("/v1/devices/t/d", "POST,PUT,GET,DELETE"),
        ("/v1/credentials/t/d", "GET,PUT"),
    ],
)
def test_what_a_browser_is_told_before_it_asks(target: str, methods: str) -> None:
    response = RegistryRig().ask("OPTIONS", target, Origin=PAGE, Access_Control_Request_Method="PUT").response
    assert response.status == 204
    assert dict(response.headers) == {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": methods,
        "access-control-allow-headers": "content-type,authorization,if-match",
    }


def test_a_page_of_another_origin() -> None:
    rig = RegistryRig()
    for method, target, status in [("GET", TENANT, 404), ("PATCH", TENANT, 405), ("POST", "/v1/devices/t", 404)]:
        response = rig.ask(method, target, Origin=PAGE).response
        assert response.status == status
        assert response.header("access-control-allow-origin") == "*"
        assert response.header("access-control-expose-headers") == "etag"
    assert rig.ask("GET", "/nosuch", Origin=PAGE).response.header("access-control-allow-origin") is None
    assert rig.ask("GET", TENANT).response.header("access-control-allow-origin") is None


def test_only_pages_of_the_origin_that_is_allowed() -> None:
    rig = RegistryRig(Settings(cors_allowed_origin=r"http://a\.b"))
    response = rig.ask("GET", TENANT, Origin=PAGE).response
    assert (response.status, response.header("access-control-allow-origin")) == (404, PAGE)
    answer = rig.ask("GET", TENANT, Origin="http://a.bc")
    assert told(answer) == (403, "CORS Rejected - Invalid origin")
    assert rig.ask("GET", TENANT).response.status == 404
