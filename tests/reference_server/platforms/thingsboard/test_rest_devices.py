"""Devices, their credentials and attributes over the operator's API (section 4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import sha3
from fleetrig.reference_server.platforms.thingsboard.state.registry import NoticeKind
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from tests.reference_server.platforms.thingsboard.http_rig import OTHER, HttpRig, document, refused, text

NOT_THERE = "11111111-1111-1111-1111-111111111111"
TELEMETRY = "/api/plugins/telemetry/DEVICE"


def credentials_of(rig: HttpRig, device: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = rig.get(f"/api/device/{device['id']['id']}/credentials")
    return found


def test_a_device_is_found_by_its_id_and_by_its_name() -> None:
    rig = HttpRig()

    made = rig.device("d 1", "A")
    rig.device("d 2", "B")

    assert rig.get(f"/api/device/{made['id']['id']}") == made
    assert rig.get("/api/tenant/devices?deviceName=d%201") == made
    assert rig.get("/api/tenant/devices?pageSize=5&page=0&type=A")["data"] == [made]
    assert (made["type"], made["additionalInfo"]) == ("A", None)
    assert [each["type"] for each in rig.get("/api/device/types")] == ["A", "B"]


def test_an_unknown_type_makes_a_profile_and_none_is_the_default_one() -> None:
    rig = HttpRig()

    rig.device("d1", "new")
    second = document(rig.ask("POST", "/api/device", {"name": "d2"}))

    assert {each["name"] for each in rig.get("/api/deviceProfiles?pageSize=9&page=0")["data"]} == {"default", "new"}
    assert second["type"] == "default"


def test_without_a_token_a_device_gets_one() -> None:
    rig = HttpRig()

    credentials = credentials_of(rig, rig.device("d"))

    assert len(credentials["credentialsId"]) == 20
    assert credentials["credentialsId"].isalnum()
    assert (credentials["credentialsType"], credentials["credentialsValue"]) == ("ACCESS_TOKEN", None)


def test_a_token_of_ones_own_is_kept_and_not_changed_with_the_device() -> None:
    rig = HttpRig()
    made = rig.device("d", token="mine")

    changed = rig.ask("POST", "/api/device?accessToken=other", made | {"label": "l"})

    assert document(changed)["label"] == "l"
    assert credentials_of(rig, made)["credentialsId"] == "mine"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"name": "d"}, "Device with such name already exists!"),
        ({"name": ""}, "Device name should be specified!"),
        ({}, "Device name should be specified!"),
        ({"name": "<b>x</b>"}, "Validation error: name is malformed"),
        ({"name": "x" * 256}, "Validation error: name length must be equal or less than 255"),
    ],
)
def test_a_bad_device_is_refused(body: dict[str, Any], message: str) -> None:
    rig = HttpRig()
    rig.device("d")

    assert refused(rig.ask("POST", "/api/device", body)) == (400, 31, message)


def test_a_token_in_use_is_refused_and_no_device_remains() -> None:
    rig = HttpRig()
    rig.device("d", token="mine")

    refusal = rig.ask("POST", "/api/device?accessToken=mine", {"name": "e"})

    assert refused(refusal)[2] == "Device credentials are already assigned to another device!"
    assert rig.ask("GET", "/api/tenant/devices?deviceName=e").response.status == 404


def test_a_tenant_with_all_its_devices_gets_no_other() -> None:
    """S82."""
    rig = HttpRig(Settings(tenant_configuration={"maxDevices": 1}))
    rig.device("d")

    said = document(rig.ask("POST", "/api/device", {"name": "e"}))

    assert (said["status"], said["errorCode"], said["message"]) == (403, 41, "Devices limit reached")
    assert (said["entityType"], said["limit"]) == ("DEVICE", 1)


def test_what_there_is_not_is_not_found() -> None:
    rig = HttpRig()

    by_name = rig.ask("GET", "/api/tenant/devices?deviceName=nobody")
    by_id = rig.ask("GET", f"/api/device/{NOT_THERE}")

    assert refused(by_name) == (404, 32, "Requested item wasn't found!")
    assert refused(rig.ask("GET", "/api/tenant/devices?deviceName=")) == (404, 32, "Requested item wasn't found!")
    assert refused(rig.ask("GET", "/api/device/"))[:2] == (404, 32)
    assert refused(by_id) == (404, 32, f"Device with id [{NOT_THERE}] is not found")
    assert refused(rig.ask("GET", "/api/device/nobody")) == (400, 31, "Invalid UUID string: nobody")


def test_another_tenants_device_is_not_there() -> None:
    rig = HttpRig()
    device = rig.device("d")["id"]["id"]

    assert refused(rig.ask("GET", f"/api/device/{device}", account=OTHER))[:2] == (404, 32)
    assert rig.ask("GET", "/api/tenant/devices?deviceName=d", account=OTHER).response.status == 404


def test_another_tenants_people_are_forbidden() -> None:
    rig = HttpRig()
    user = rig.get("/api/auth/user")["id"]["id"]
    customer = document(rig.ask("POST", "/api/customer", {"title": "c"}))["id"]["id"]

    for path in (f"/api/user/{user}", f"/api/customer/{customer}"):
        assert rig.ask("GET", path).response.status == 200
        assert refused(rig.ask("GET", path, account=OTHER))[:2] == (403, 20)
        assert refused(rig.ask("GET", f"{path[:-36]}{NOT_THERE}"))[:2] == (404, 32)


def test_a_deleted_device_is_gone_with_its_credentials() -> None:
    rig = HttpRig()
    made = rig.device("d", token="mine")

    deleted = rig.ask("DELETE", f"/api/device/{made['id']['id']}")

    assert (deleted.response.status, text(deleted)) == (200, "")
    assert rig.ask("GET", f"/api/device/{made['id']['id']}").response.status == 404
    assert rig.device("e", token="mine")
    assert NoticeKind.DEVICE_DELETED in [notice.kind for notice in rig.registry.take_notices()]


def test_a_device_comes_with_credentials() -> None:
    rig = HttpRig()
    credentials = {"credentialsType": "X509_CERTIFICATE", "credentialsValue": "testHash"}

    made = document(
        rig.ask("POST", "/api/device-with-credentials", {"device": {"name": "d"}, "credentials": credentials})
    )

    assert credentials_of(rig, made)["credentialsId"] == sha3("testHash")


BASIC = {"clientId": "c", "userName": "u", "password": "p"}


def test_credentials_are_changed_and_sessions_hear_of_it_once() -> None:
    rig = HttpRig()
    made = rig.device("d")
    stored = credentials_of(rig, made)
    change = stored | {"credentialsType": "MQTT_BASIC", "credentialsId": None, "credentialsValue": json.dumps(BASIC)}

    saved = document(rig.ask("POST", "/api/device/credentials", change))
    again = rig.ask("POST", "/api/device/credentials", saved)

    assert saved["credentialsId"] == sha3("c|u")
    assert json.loads(saved["credentialsValue"]) == BASIC
    assert again.response.status == 200
    assert [notice.kind for notice in rig.registry.take_notices()] == [NoticeKind.CREDENTIALS_CHANGED]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"credentialsId": "taken"}, 400),
        ({"credentialsId": ""}, 400),
        ({"credentialsId": "a\tb"}, 400),
        ({"credentialsType": None}, 400),
        ({"credentialsType": "FOO"}, 500),
        ({"credentialsType": "MQTT_BASIC", "credentialsValue": "{"}, 400),
        ({"id": {"id": NOT_THERE}}, 400),
        ({"deviceId": None}, 400),
        ({"version": 77}, 409),
    ],
)
def test_bad_credentials_are_refused(change: dict[str, Any], status: int) -> None:
    rig = HttpRig()
    rig.device("e", token="taken")
    made = rig.device("d", token="mine")

    answer = rig.ask("POST", "/api/device/credentials", credentials_of(rig, made) | change)

    assert refused(answer)[0] == status
    assert credentials_of(rig, made)["credentialsId"] == "mine"


def test_attributes_are_written_read_and_deleted() -> None:
    rig = HttpRig()
    path = f"{TELEMETRY}/{rig.device('d')['id']['id']}"

    written = rig.ask("POST", f"{path}/SERVER_SCOPE", {"provisionState": "x", "n": "1.0"})
    read = rig.get(f"{path}/values/attributes/SERVER_SCOPE?keys=n,provisionState,none")
    rig.ask("DELETE", f"{path.replace('/DEVICE', '')}/SERVER_SCOPE?keys=provisionState")

    assert (written.response.status, text(written)) == (200, "")
    assert [(each["key"], each["value"]) for each in read] == [("n", 1.0), ("provisionState", "x")]
    assert rig.get(f"{path}/values/attributes/SERVER_SCOPE?keys=provisionState") == []
    assert [each["key"] for each in rig.get(f"{path}/values/attributes")] == ["n"]


def test_attributes_are_read_as_leniently_as_those_of_devices() -> None:
    rig = HttpRig()
    path = f"{TELEMETRY}/{rig.device('d')['id']['id']}"
    bearer = f"Bearer {rig.token()}"

    written = rig.send("POST", f"{path}/SERVER_SCOPE", b"{a:'x',b:1e3,c:null}", X_Authorization=bearer)

    assert written.response.status == 200
    found = rig.get(f"{path}/values/attributes/SERVER_SCOPE")
    assert [(each["key"], each["value"]) for each in found] == [("a", "x"), ("b", 1000)]


def test_shared_attributes_are_heard_of() -> None:
    rig = HttpRig()
    device = rig.device("d")["id"]["id"]

    rig.ask("POST", f"{TELEMETRY}/{device}/attributes/SHARED_SCOPE", {"interval": 5})
    rig.ask("POST", f"{TELEMETRY.removesuffix('/DEVICE')}/{device}/SERVER_SCOPE", {"hidden": 5})

    (notice,) = rig.registry.take_notices()
    assert (notice.kind, notice.body) == (NoticeKind.ATTRIBUTES_UPDATED, {"interval": 5})


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("POST", "/SERVER_SCOPE", "[]", 400, "Request is not a JSON object"),
        ("POST", "/SERVER_SCOPE", "{bad", 400, "Invalid JSON"),
        ("POST", "/SERVER_SCOPE", "{}", 400, "No attributes data found in request body!"),
        ("POST", "/SERVER_SCOPE", '{"a":null}', 400, "No attributes data found in request body!"),
        ("POST", "/SERVER_SCOPE", '{" ":1}', 400, "Key cannot be blank"),
        ("POST", "/CLIENT_SCOPE", '{"a":1}', 400, "Invalid scope: CLIENT_SCOPE"),
        ("DELETE", "/SERVER_SCOPE", "", 400, "Empty keys: []"),
    ],
)
def test_bad_attributes_are_refused_without_a_document(
    method: str, path: str, body: str, status: int, said: str
) -> None:
    rig = HttpRig()
    device = rig.device("d")["id"]["id"]
    bearer = f"Bearer {rig.token()}"

    answer = rig.send(method, f"{TELEMETRY}/{device}{path}", body.encode(), X_Authorization=bearer)

    assert (answer.response.status, text(answer)) == (status, said)
    assert answer.reason


def test_attributes_of_an_unknown_device_are_not_found() -> None:
    answer = HttpRig().ask("GET", f"{TELEMETRY}/{NOT_THERE}/values/attributes/SERVER_SCOPE")

    assert (answer.response.status, text(answer)) == (404, "Device with requested id wasn't found!")


def test_a_body_has_to_say_that_it_is_json() -> None:
    rig = HttpRig()

    answer = rig.send("POST", "/api/device", b"{}", Content_Type="text/plain", X_Authorization=f"Bearer {rig.token()}")

    assert refused(answer)[:2] == (500, 2)


def test_a_path_that_there_is_not_asks_for_a_login_first() -> None:
    rig = HttpRig()

    assert rig.send("GET", "/api/nothing").response.status == 401
    assert refused(rig.ask("GET", "/api/nothing"))[:2] == (404, 32)
    assert refused(rig.ask("PATCH", "/api/device"))[:2] == (405, 31)


def test_nothing_of_a_refused_request_is_kept() -> None:
    rig = HttpRig()
    rig.device("d", token="mine")

    rig.ask("POST", "/api/device?accessToken=mine", {"name": "e", "type": "unheard-of"})

    assert [each["name"] for each in rig.get("/api/deviceProfiles?pageSize=9&page=0")["data"]] == ["default"]
