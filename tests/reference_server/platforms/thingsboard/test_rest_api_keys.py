"""API keys: a program of a user works with one in place of a login (section 4), from 4.3 on."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from fleetrig.simulator.contract.clock import US_PER_S
from tests.reference_server.platforms.thingsboard.http_rig import OTHER, HttpRig, document, refused
from tests.reference_server.platforms.thingsboard.test_rest_tenants import DENIED, NOBODY

DEVICES = "/api/tenant/devices?pageSize=10&page=0"


def new_key(rig: HttpRig, **members: Any) -> dict[str, Any]:
    me = rig.get("/api/auth/user")["id"]
    body = {"userId": me, "description": "a program", "enabled": True} | members
    made: dict[str, Any] = document(rig.ask("POST", "/api/apiKey", body))
    return made


def test_a_key_is_as_good_as_a_login() -> None:
    rig = HttpRig()
    rig.device("d")
    key = new_key(rig)
    assert key["value"].startswith("tb_")
    assert len(key["value"]) == 3 + 86
    said = f"ApiKey {key['value']}"
    for answer in (rig.send("GET", DEVICES, X_Authorization=said), rig.send("GET", DEVICES, Authorization=said)):
        assert [each["name"] for each in document(answer)["data"]] == ["d"]


def test_its_value_is_told_once() -> None:
    rig = HttpRig()
    key = new_key(rig)
    listed = rig.get(f"/api/apiKeys/{key['userId']['id']}?pageSize=10&page=0")["data"]
    assert listed == [{name: value for name, value in key.items() if name != "value"}]
    changed = document(rig.ask("POST", "/api/apiKey", key | {"description": "another"}))
    assert (changed["value"], changed["description"]) == (None, "another")


def test_a_key_is_switched_off_expires_and_is_deleted() -> None:
    rig = HttpRig()
    key = new_key(rig, expirationTime=rig.now_us // 1000 + 60_000)
    path, said = f"/api/apiKey/{key['id']['id']}", f"ApiKey {key['value']}"
    rig.ask("PUT", f"{path}/enabled/false")
    assert refused(rig.send("GET", DEVICES, X_Authorization=said)) == (401, 10, "User account is not active")
    rig.ask("PUT", f"{path}/enabled/true")
    assert rig.send("GET", DEVICES, X_Authorization=said).response.status == 200
    rig.now_us += 61 * US_PER_S
    assert refused(rig.send("GET", DEVICES, X_Authorization=said)) == (401, 10, "API key is expired")
    assert rig.get(f"/api/apiKeys/{key['userId']['id']}?pageSize=10&page=0")["data"][0]["expired"] is True
    assert document(rig.ask("PUT", f"{path}/description", "renamed"))["description"] == '"renamed"', "as it stands"
    assert rig.ask("DELETE", path).response.status == 200
    assert refused(rig.send("GET", DEVICES, X_Authorization=said)) == (401, 10, "Invalid username or password")
    assert refused(rig.ask("DELETE", path))[:2] == (404, 32)


@pytest.mark.parametrize(
    ("members", "answer"),
    [
        ({"userId": None}, (400, 31, "Invalid entity id")),
        ({"userId": {"entityType": "USER", "id": NOBODY}}, (404, 32, f"User with id [{NOBODY}] is not found")),
        ({"description": " "}, (400, 31, "Validation error: description must not be blank")),
    ],
    ids=["no user", "nobody", "no description"],
)
def test_what_is_no_key(members: dict[str, Any], answer: tuple[int, int, str]) -> None:
    rig = HttpRig()
    body = {"userId": rig.get("/api/auth/user")["id"], "description": "x"} | members
    assert refused(rig.ask("POST", "/api/apiKey", body)) == answer


def test_a_key_is_its_tenants() -> None:
    rig = HttpRig()
    key = new_key(rig)
    assert refused(rig.ask("DELETE", f"/api/apiKey/{key['id']['id']}", account=OTHER)) == (403, 20, DENIED)


def test_keys_go_with_their_user() -> None:
    rig = HttpRig()
    body = {"email": "b@example.org", "authority": "TENANT_ADMIN"}
    user = document(rig.ask("POST", "/api/user?sendActivationMail=false", body))["id"]
    key = new_key(rig, userId=user)
    rig.ask("DELETE", f"/api/user/{user['id']}")
    answer = rig.send("GET", DEVICES, X_Authorization=f"ApiKey {key['value']}")
    assert refused(answer) == (401, 10, "Invalid username or password")


@pytest.mark.parametrize("profile", [Profile.PREVIOUS, Profile.OLD])
def test_older_servers_know_no_keys(profile: Profile) -> None:
    answer = HttpRig(Settings(profile=profile)).send("GET", DEVICES, X_Authorization="ApiKey a-key-of-somebody")
    assert answer.response.status == 302  # another scheme than Bearer leads to the login page
