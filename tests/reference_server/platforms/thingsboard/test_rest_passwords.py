"""The end of logins before their time: a new password, a logout."""

from __future__ import annotations

import pytest

from fleetrig.simulator.contract.clock import US_PER_S
from tests.reference_server.platforms.thingsboard.http_rig import HttpRig, document, refused, text


@pytest.fixture
def rig() -> HttpRig:
    return HttpRig()


def test_a_password_is_changed(rig: HttpRig) -> None:
    new = "another-password"
    for body, said in (
        ({"currentPassword": "wrong", "newPassword": new}, "Current password doesn't match!"),
        ({"currentPassword": "tenant", "newPassword": "short"}, "Password must be 6 or more characters in length."),
        (
            {"currentPassword": "tenant", "newPassword": "x" * 73},
            "Password must be no more than 72 characters in length.",
        ),
        ({"currentPassword": "tenant", "newPassword": "tenant"}, "New password should be different from existing!"),
    ):
        assert refused(rig.ask("POST", "/api/auth/changePassword", body)) == (400, 31, said)
    before = rig.token()
    rig.now_us += US_PER_S
    pair = document(rig.ask("POST", "/api/auth/changePassword", {"currentPassword": "tenant", "newPassword": new}))
    user = "/api/auth/user"
    assert rig.send("GET", user, X_Authorization=f"Bearer {pair['token']}").response.status == 200
    old = rig.send("GET", user, X_Authorization=f"Bearer {before}")
    assert refused(old) == (401, 11, "Token has expired")
    login = {"username": "tenant@thingsboard.org", "password": new}
    assert rig.post("/api/auth/login", login).response.status == 200
    assert rig.post("/api/auth/login", login | {"password": "tenant"}).response.status == 401


def test_who_has_logged_out_logs_in_again(rig: HttpRig) -> None:
    account = {"username": "tenant@thingsboard.org", "password": "tenant"}
    gone, other = (document(rig.post("/api/auth/login", account)) for _ in range(2))
    said = f"Bearer {gone['token']}"
    rig.now_us += US_PER_S
    answer = rig.send("POST", "/api/auth/logout", X_Authorization=said)
    assert (answer.response.status, text(answer)) == (200, "")
    assert refused(rig.send("GET", "/api/auth/user", X_Authorization=said)) == (401, 11, "Token has expired")
    renewed = rig.post("/api/auth/token", {"refreshToken": gone["refreshToken"]})
    assert refused(renewed) == (401, 10, "Token is outdated")
    stays = rig.send("GET", "/api/auth/user", X_Authorization=f"Bearer {other['token']}")
    assert stays.response.status == 200
