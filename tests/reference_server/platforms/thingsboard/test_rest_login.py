"""The operator's login: what it gives, how long that is good for, and who is not let in (section 4)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from fleetrig.simulator.contract.clock import US_PER_S
from tests.reference_server.platforms.thingsboard.http_rig import ORIGIN, HttpRig, document, refused, text

LOGIN = "/api/auth/login"
ACCOUNT = {"username": "tenant@thingsboard.org", "password": "tenant"}
SOMETHING = "/api/tenant/devices?pageSize=10&page=0"


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def logged_in(rig: HttpRig) -> dict[str, Any]:
    pair: dict[str, Any] = document(rig.post(LOGIN, ACCOUNT))
    return pair


def test_a_login_gives_two_tokens_with_their_times() -> None:
    rig = HttpRig()

    pair = logged_in(rig)

    access, renewing = claims_of(pair["token"]), claims_of(pair["refreshToken"])
    assert access["sub"] == ACCOUNT["username"]
    assert access["scopes"] == ["TENANT_ADMIN"]
    assert access["exp"] - access["iat"] == 9000
    assert renewing["scopes"] == ["REFRESH_TOKEN"]
    assert renewing["exp"] - renewing["iat"] == 604_800


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (ACCOUNT | {"password": "nope"}, "Invalid username or password"),
        (ACCOUNT | {"username": "nobody@example.org"}, "Invalid username or password"),
        ({"username": "", "password": "tenant"}, "Authentication failed"),
        ({"username": "tenant@thingsboard.org"}, "Authentication failed"),
        ([], "Authentication failed"),
    ],
)
def test_a_bad_login_is_refused(body: Any, message: str) -> None:
    assert refused(HttpRig().post(LOGIN, body)) == (401, 10, message)


@pytest.mark.parametrize("header", ["X_Authorization", "Authorization"])
def test_a_token_goes_in_either_header(header: str) -> None:
    rig = HttpRig()

    answer = rig.send("GET", SOMETHING, b"", **{header: f"Bearer {rig.token()}"})

    assert answer.response.status == 200


def test_who_shows_no_token_is_refused() -> None:
    assert refused(HttpRig().send("GET", SOMETHING)) == (401, 10, "Authentication failed")


@pytest.mark.parametrize("header", ["Basic eDp5", "bearer x", ""])
def test_another_scheme_is_sent_to_a_page(header: str) -> None:
    answer = HttpRig().send("GET", SOMETHING, Authorization=header)
    assert (answer.response.status, text(answer)) == (302, "")
    assert dict(answer.response.headers)["Location"] == f"{ORIGIN}/oauth2Login"


def test_an_api_key_is_nobodys() -> None:
    answer = HttpRig().send("GET", SOMETHING, X_Authorization="ApiKey tb_x")

    assert refused(answer) == (401, 10, "Invalid username or password")


def test_a_refresh_token_is_no_token() -> None:
    rig = HttpRig()
    token = logged_in(rig)["refreshToken"]

    answer = rig.send("GET", SOMETHING, X_Authorization=f"Bearer {token}")

    assert refused(answer) == (401, 10, "Authentication failed")


def test_a_token_expires_and_is_renewed() -> None:
    rig = HttpRig()
    pair = logged_in(rig)
    rig.now_us += 9000 * US_PER_S

    stale = rig.send("GET", SOMETHING, X_Authorization=f"Bearer {pair['token']}")
    renewed = document(rig.post("/api/auth/token", {"refreshToken": pair["refreshToken"]}))
    fresh = rig.send("GET", SOMETHING, X_Authorization=f"Bearer {renewed['token']}")

    assert refused(stale) == (401, 11, "Token has expired")
    assert fresh.response.status == 200


def test_a_refresh_token_expires_too() -> None:
    rig = HttpRig()
    pair = logged_in(rig)
    rig.now_us += 604_800 * US_PER_S

    assert refused(rig.post("/api/auth/token", {"refreshToken": pair["refreshToken"]}))[:2] == (401, 11)


def test_a_token_renews_nothing() -> None:
    rig = HttpRig()

    assert refused(rig.post("/api/auth/token", {"refreshToken": rig.token()}))[:2] == (401, 10)


def test_a_token_of_another_installation_counts_as_expired() -> None:
    other = HttpRig()
    other.registry.entropy.token_hex(64)

    answer = HttpRig().send("GET", SOMETHING, X_Authorization=f"Bearer {other.token()}")

    assert refused(answer) == (401, 11, "Token has expired")


def test_tokens_and_passwords_are_secrets() -> None:
    """But for the demo tenant's, which everybody knows."""
    rig = HttpRig()

    pair = logged_in(rig)

    learnt = {value for _, value in rig.registry.new_secrets}
    assert {pair["token"], pair["refreshToken"], "other-pass"} <= learnt
    assert "tenant" not in learnt


def customer_user(rig: HttpRig, email: str = "u@example.org") -> str:
    """A customer's user, not active yet; the token that activates."""
    customer = document(rig.ask("POST", "/api/customer", {"title": "c"}))
    body = {"email": email, "authority": "CUSTOMER_USER", "customerId": customer["id"]}
    user = document(rig.ask("POST", "/api/user?sendActivationMail=false", body))
    link = text(rig.ask("GET", f"/api/user/{user['id']['id']}/activationLink"))
    base, _, token = link.partition("activateToken=")
    assert base == f"{ORIGIN}/api/noauth/activate?"
    return token


def test_an_account_is_brought_to_life_by_its_link_once() -> None:
    rig = HttpRig()
    token = customer_user(rig)
    login = {"username": "u@example.org", "password": "Secret-123"}
    activation = {"activateToken": token, "password": "Secret-123"}

    before = rig.post(LOGIN, login)
    activated = rig.post("/api/noauth/activate", activation)
    again = rig.post("/api/noauth/activate", activation)

    assert before.response.status == 401
    assert claims_of(document(activated)["token"])["scopes"] == ["CUSTOMER_USER"]
    assert rig.post(LOGIN, login).response.status == 200
    assert refused(again)[:2] == (400, 31)


def test_a_customers_user_may_not_do_what_the_tenant_does() -> None:
    rig = HttpRig()
    pair = document(rig.post("/api/noauth/activate", {"activateToken": customer_user(rig), "password": "Secret-123"}))

    answer = rig.send("GET", SOMETHING, X_Authorization=f"Bearer {pair['token']}")

    assert refused(answer)[:2] == (403, 20)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [("x", 200), ("text/plain", 200), ("application/json;charset=bogus", 200),
     ("application/x-www-form-urlencoded", 401), ("multipart/form-data; boundary=x", 401)],
)  # fmt: skip
def test_a_login_looks_at_no_type_but_the_containers_own(content_type: str, status: int) -> None:
    body = {"username": "tenant@thingsboard.org", "password": "tenant"}
    assert HttpRig().post("/api/auth/login", body, Content_Type=content_type).response.status == status


@pytest.mark.parametrize(
    "body", [b'{"username":"tenant@thingsboard.org","password":"tenant","x":1}', b"\xef\xbb\xbf{}"]
)
def test_a_login_with_anything_else_is_refused(body: bytes) -> None:
    assert refused(HttpRig().send("POST", "/api/auth/login", body))[:2] == (401, 10)
