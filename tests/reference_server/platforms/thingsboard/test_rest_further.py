"""Further questions of an operator: keys and telemetry of a device, devices of a customer, defaults, passwords."""

from __future__ import annotations

import pytest

from fleetrig.simulator.contract.clock import US_PER_S
from tests.reference_server.platforms.thingsboard.http_rig import HttpRig, document, refused, text

TELEMETRY = "/api/plugins/telemetry/DEVICE"


@pytest.fixture
def rig() -> HttpRig:
    return HttpRig()


def test_keys_of_a_device(rig: HttpRig) -> None:
    device = rig.device("d", token="mine")["id"]["id"]
    rig.ask("POST", f"{TELEMETRY}/{device}/SERVER_SCOPE", {"s": 1})
    rig.post("/api/v1/mine/attributes", {"c": 1})
    rig.post("/api/v1/mine/telemetry", {"t": 1, "u": 2})
    assert rig.get(f"{TELEMETRY}/{device}/keys/attributes") == ["c", "s"]
    assert rig.get(f"{TELEMETRY}/{device}/keys/attributes/CLIENT_SCOPE") == ["c"]
    assert rig.get(f"{TELEMETRY}/{device}/keys/timeseries") == ["t", "u"]


def test_an_operator_writes_and_deletes_telemetry(rig: HttpRig) -> None:
    path = f"{TELEMETRY}/{rig.device('d')['id']['id']}"
    answer = rig.ask("POST", f"{path}/timeseries/ANY", [{"ts": 7, "values": {"a": "1.50", "b": 2}}, {"c": 3}])
    assert (answer.response.status, text(answer)) == (200, "")
    values = rig.get(f"{path}/values/timeseries")
    assert values["a"] == [{"ts": 7, "value": "1.5"}]
    assert values.keys() == {"a", "b", "c"}
    rig.ask("DELETE", f"{path}/timeseries/delete?keys=a,b&startTs=8&endTs=9")
    assert rig.get(f"{path}/keys/timeseries") == ["a", "b", "c"], "none of them is of that time"
    rig.ask("DELETE", f"{path}/timeseries/delete?keys=a&startTs=7&endTs=9")
    rig.ask("DELETE", f"{path}/timeseries/delete?keys=c&deleteAllDataForKeys=true")
    assert rig.get(f"{path}/keys/timeseries") == ["b"]


@pytest.mark.parametrize(
    ("method", "target", "body", "said"),
    [
        ("POST", "timeseries/ANY", [1], "Unable to parse time series payload. Invalid JSON body: Can't parse value: 1"),
        ("POST", "timeseries/ANY", {}, "No time series data found in request body!"),
        ("DELETE", "timeseries/delete?keys=", None, "Empty keys: []"),
        (
            "DELETE", "timeseries/delete?keys=a&startTs=1", None,
            "When deleteAllDataForKeys is false, start and end timestamp values shouldn't be empty",
        ),
    ],
    ids=["no telemetry", "no values", "no keys", "no time"],
)  # fmt: skip
def test_what_is_no_telemetry(rig: HttpRig, method: str, target: str, body: object, said: str) -> None:
    answer = rig.ask(method, f"{TELEMETRY}/{rig.device('d')['id']['id']}/{target}", body)
    assert (answer.response.status, text(answer)) == (400, said)


def test_devices_of_a_customer_and_by_their_ids(rig: HttpRig) -> None:
    one, two = (rig.device(name)["id"]["id"] for name in ("one", "two"))
    customer = document(rig.ask("POST", "/api/customer", {"title": "c"}))["id"]["id"]
    rig.ask("POST", f"/api/customer/{customer}/device/{one}")
    owned = rig.get(f"/api/customer/{customer}/devices?pageSize=10&page=0")
    assert [each["name"] for each in owned["data"]] == ["one"]
    assert rig.get(f"/api/customer/{customer}/devices?pageSize=10&page=0&type=none")["data"] == []
    found = rig.get(f"/api/devices?deviceIds={two},{one},{customer}")
    assert sorted(each["name"] for each in found) == ["one", "two"]
    assert rig.get("/api/tenant/device?deviceName=one")["id"]["id"] == one


def test_a_default_profile_is_chosen_anew(rig: HttpRig) -> None:
    made = rig.profile("B")["id"]["id"]
    assert document(rig.ask("POST", f"/api/deviceProfile/{made}/default"))["default"] is True
    assert rig.get("/api/deviceProfileInfo/default")["name"] == "B"
    assert rig.get(f"/api/deviceProfileInfo/{made}")["name"] == "B"
    assert document(rig.ask("POST", "/api/device", {"name": "d"}))["type"] == "B"
    refusal = rig.ask("DELETE", f"/api/deviceProfile/{made}")
    assert refused(refusal)[2] == "Deletion of Default Device Profile is prohibited!"


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


def test_what_everybody_may_know(rig: HttpRig) -> None:
    policy = document(rig.send("GET", "/api/noauth/userPasswordPolicy"))
    assert (policy["minimumLength"], policy["maximumLength"]) == (6, 72)


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
