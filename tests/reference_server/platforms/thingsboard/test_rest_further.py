"""Further questions of an operator: keys and telemetry of a device, devices of a customer, defaults, passwords."""

from __future__ import annotations

import pytest

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


def test_what_everybody_may_know(rig: HttpRig) -> None:
    policy = document(rig.send("GET", "/api/noauth/userPasswordPolicy"))
    assert (policy["minimumLength"], policy["maximumLength"]) == (6, 72)
