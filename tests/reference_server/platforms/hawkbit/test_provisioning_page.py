"""The requests of hawkBit's page on device provisioning, in its order, against the profile that answers as it says."""

from __future__ import annotations

from typing import Any, Final

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.properties import settings_from_properties
from fleetrig.reference_server.platforms.hawkbit.state.settings import Profile, Settings
from tests.reference_server.platforms.hawkbit.rig import ORIGIN, Rig, document, error_code, status

PROPERTIES: Final = {
    "hawkbit.server.ddi.security.authentication.targettoken.enabled": "true",
    "hawkbit.server.ddi.security.authentication.gatewaytoken.enabled": "true",
    "hawkbit.server.ddi.security.authentication.anonymous.enabled": "false",
}
TARGET: Final = {
    "controllerId": "device-12345",
    "name": "Production Device 12345",
    "description": "Temperature sensor - Building A",
    "address": "https://192.168.1.100",
    "securityToken": "myCustomToken123456",
    "requestAttributes": True,
    "targetType": 1,
}
BY_TARGET: Final = {"mode": "merge", "data": {"hwRevision": "2", "VIN": "JH4TB2H26CC000000"}}
BY_GATEWAY: Final = {
    "mode": "merge",
    "data": {
        "hw_revision": "1.2",
        "os_version": "Linux 5.10.0",
        "serial_number": "SN123456789",
        "mac_address": "00:1A:2B:3C:4D:5E",
    },
}


@pytest.fixture
def rig() -> Rig:
    """Started as the page says."""
    return Rig(settings_from_properties(PROPERTIES, Settings(profile=Profile.AS_DOCUMENTED)))


def poll_answer(controller_id: str) -> Any:
    href = f"{ORIGIN}/DEFAULT/controller/v1/{controller_id}/configData"
    return {"config": {"polling": {"sleep": "00:05:00"}}, "_links": {"configData": {"href": href}}}


def test_a_target_type_has_to_be_there_first(rig: Rig) -> None:
    """The page's `targetType: 1` is a 404 on a new server, which has no types of targets."""
    refused = rig.mgmt("POST", "/targets", [TARGET])

    assert (status(refused), error_code(refused)) == (404, "repo.entityNotFound")
    assert rig.read("/targets")["total"] == 0


def test_provisioning_and_registration_via_the_management_api(rig: Rig) -> None:
    (kind,) = document(rig.mgmt("POST", "/targettypes", [{"name": "sensor"}]))
    assert kind["id"] == TARGET["targetType"]

    answer = rig.mgmt("POST", "/targets", [TARGET])

    assert status(answer) == 201
    (created,) = document(answer)
    url = f"{ORIGIN}/rest/v1/targets/device-12345"
    times = {"createdAt": created["createdAt"], "lastModifiedAt": created["lastModifiedAt"]}
    documented = {
        "createdBy": "admin",
        "lastModifiedBy": "admin",
        **times,
        "controllerId": "device-12345",
        "name": "Production Device 12345",
        "description": "Temperature sensor - Building A",
        "updateStatus": "registered",
        "address": "https://192.168.1.100",
        "lastControllerRequestAt": 0,
        "installedAt": 0,
    }
    assert documented.items() <= created.items()
    rels = {"self": url, **{rel: f"{url}/{rel}" for rel in ("assignedDS", "installedDS", "attributes", "actions")}}
    links = {rel: link["href"] for rel, link in created["_links"].items() if rel != "targetType"}
    assert links == rels
    # The page sends one token and shows another; a token that is given is kept.
    assert created["securityToken"] == TARGET["securityToken"]
    assert documented.items() <= rig.read("/targets/device-12345").items()

    token = created["securityToken"]
    assert document(rig.poll("device-12345", token)) == poll_answer("device-12345")
    assert rig.read("/targets/device-12345")["lastControllerRequestAt"] > 0
    stored = rig.device("PUT", "device-12345", "/configData", token, BY_TARGET)
    assert (status(stored), stored.response.body) == (200, b"")
    assert rig.read("/targets/device-12345/attributes") == BY_TARGET["data"]


def test_direct_registration(rig: Rig) -> None:
    key = rig.read("/system/configs/authentication.gatewaytoken.key")
    times = {when: key[when] for when in ("createdAt", "lastModifiedAt")}
    path = f"{ORIGIN}/rest/v1/system/configs/authentication.gatewaytoken.key"
    assert key == {
        "value": key["value"],
        "global": False,
        **times,
        "createdBy": "admin",
        "lastModifiedBy": "admin",
        "_links": {"self": {"href": path}},
    }
    assert len(key["value"]) == 32

    gateway = {"Authorization": f"GatewayToken {key['value']}"}
    first = rig.poll("device-abc-001", headers=gateway)

    assert document(first) == poll_answer("device-abc-001")
    made = rig.read("/targets/device-abc-001")
    assert (made["createdBy"], made["updateStatus"]) == ("system", "registered")
    assert len(made["securityToken"]) == 32
    stored = rig.device("PUT", "device-abc-001", "/configData", body=BY_GATEWAY, headers=gateway)
    assert (status(stored), stored.response.body) == (200, b"")
    assert rig.read("/targets/device-abc-001/attributes") == BY_GATEWAY["data"]


def test_every_tenant_has_a_gateway_key_of_its_own_unless_the_server_names_one() -> None:
    documented = Settings(profile=Profile.AS_DOCUMENTED)
    first, named = Rig(documented), Rig(settings_from_properties(
        {"hawkbit.server.ddi.security.authentication.gatewaytoken.key": "the-one"}, documented))  # fmt: skip
    path = "/system/configs/authentication.gatewaytoken.key"

    key = first.read(path)["value"]
    assert ("gateway-token", key) in first.platform.secrets()
    assert named.read(path)["value"] == "the-one"
    assert Rig().read(path)["value"] == ""


@pytest.mark.parametrize("text", ["true", "maybe"])
def test_nobody_can_be_let_in_without_a_credential(text: str) -> None:
    with pytest.raises(ValueError, match=r"anonymous\.enabled.*expected (false: no server since 0\.8|true or false)"):
        settings_from_properties({"hawkbit.server.ddi.security.authentication.anonymous.enabled": text})
