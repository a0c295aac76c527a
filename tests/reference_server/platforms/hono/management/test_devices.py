"""Devices over the management API. What is made of odd values is what Hono 2.7 makes."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.reference_server.platforms.hono.state.devices import (
    create_device,
    device_of,
    mark_notification_sent,
    members_of,
)
from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.registry import Notice, NoticeKind
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.reference_server.platforms.hono.state.tenants import existing_tenant
from fleetrig.simulator.contract.clock import US_PER_S
from tests.reference_server.platforms.hono.registry_rig import RegistryRig, document_of, rig_of, told

INVALID = (400, "request does not contain a valid Device object")
DEVICE = "/v1/devices/t/d"
CREATED = {"created": "2026-01-01T00:00:00Z"}


@pytest.fixture
def rig() -> RegistryRig:
    made = RegistryRig()
    made.done("POST", "/v1/tenants/t", {})
    return made


def test_a_device_is_made_with_an_empty_set_of_credentials(rig: RegistryRig) -> None:
    answer = rig.ask("POST", DEVICE, {"ext": {"a": 1}})
    assert (answer.response.status, document_of(answer)) == (201, {"id": "d"})
    assert answer.response.header("location") == DEVICE
    assert (answer.device, answer.changed) == ("d", "device d created")
    assert rig.shown(DEVICE) == {"ext": {"a": 1}, "status": CREATED}
    credentials = rig.send("GET", "/v1/credentials/t/d")
    assert document_of(credentials) == []
    assert credentials.response.header("etag") == answer.response.header("etag")


def test_a_device_without_an_id_gets_one(rig: RegistryRig) -> None:
    named = document_of(rig.ask("POST", "/v1/devices/t"))["id"]
    assert len(named) == 36
    assert rig.status(f"/v1/devices/t/{named}") == 200
    assert told(rig.ask("POST", f"/v1/devices/t/{named}", {})) == (409, "device already exists")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"via": "g"}, {"via": ["g"]}),
        ({"via": 5, "viaGroups": []}, {"via": ["5"]}),
        ({"memberOf": ["x", "x"]}, {"memberOf": ["x", "x"]}),
        ({"authorities": ["a", "a"]}, {"authorities": ["a"]}),
        ({"memberOf": [], "via": ["g"]}, {"via": ["g"]}),
        ({"status": {"auto-provisioned": True}}, {}),
        ({"status": 5, "enabled": False}, {"enabled": False}),
        ({"downstream-message-mapper": 5, "upstream-message-mapper": None}, {"downstream-message-mapper": "5"}),
        ({"command-endpoint": {}}, {"command-endpoint": {}}),
        (
            {"command-endpoint": {"uri": "u", "headers": {"a": 1}, "payload-properties": {"b": True}}},
            {"command-endpoint": {"uri": "u", "headers": {"a": "1"}, "payload-properties": {"b": "true"}}},
        ),
    ],
)
def test_what_is_shown_of_what_was_given(rig: RegistryRig, document: Any, expected: Any) -> None:
    rig.done("POST", DEVICE, document)
    assert rig.shown(DEVICE) == {**expected, "status": CREATED}
    rig.done("PUT", DEVICE, rig.shown(DEVICE))
    assert rig.shown(DEVICE) == {**expected, "status": {**CREATED, "updated": CREATED["created"]}}


@pytest.mark.parametrize(
    "document",
    [
        {"foo": 1},
        {"id": "d"},
        {"via": ["g"], "memberOf": ["x"]},
        {"viaGroups": ["g"], "memberOf": ["x"]},
        {"via": {}},
        {"via": [["g"]]},
        {"ext": []},
        {"enabled": "maybe"},
        {"command-endpoint": None},
        {"command-endpoint": {"x": 1}},
        {"command-endpoint": {"payload-properties": {"a": {}}}},
        {"downstream-message-mapper": []},
    ],
)
def test_what_is_no_device(rig: RegistryRig, document: Any) -> None:
    assert told(rig.ask("POST", DEVICE, document)) == INVALID
    assert rig.status(DEVICE) == 404


@pytest.mark.parametrize("named", ["a%20b", "a%24b", "a%2Cb", "a+b", "a%2Fb", "%C3%A4"])
def test_what_is_no_device_id(rig: RegistryRig, named: str) -> None:
    status, error = told(rig.ask("POST", f"/v1/devices/t/{named}", {}))
    assert status == 400
    assert error.endswith(r"value does not match pattern [^[a-zA-Z0-9-_\.:=]+$]")


def test_an_id_of_all_letters_that_it_may_have(rig: RegistryRig) -> None:
    rig.done("POST", "/v1/devices/t/aZ0-_.:=", {})
    assert rig.status("/v1/devices/t/aZ0-_.:=") == 200


def test_a_put_replaces_all_but_the_flags(rig: RegistryRig) -> None:
    tenant = existing_tenant(rig.registry, "t")
    device = create_device(rig.registry, tenant, "d", {"ext": {"a": 1}}, rig.now_us, is_auto_provisioned=True)
    mark_notification_sent(rig.registry, device, rig.now_us)
    rig.now_us += 60 * US_PER_S
    rig.done("PUT", DEVICE, {"enabled": False})
    assert rig.shown(DEVICE) == {
        "enabled": False,
        "status": {
            **CREATED,
            "updated": "2026-01-01T00:01:00Z",
            "auto-provisioned": True,
            "auto-provisioning-notification-sent": True,
        },
    }


def test_versions(rig: RegistryRig) -> None:
    first = rig.done("POST", DEVICE, {})
    assert told(rig.ask("PUT", DEVICE, {}, If_Match="x")) == (412, "resource version mismatch")
    assert told(rig.ask("DELETE", DEVICE, If_Match="x")) == (412, "resource version mismatch")
    answer = rig.ask("PUT", DEVICE, {}, If_Match=first)
    assert answer.response.status == 204
    assert rig.ask("DELETE", DEVICE, If_Match=first).response.status == 412
    assert rig.ask("DELETE", DEVICE, If_Match=answer.response.header("etag") or "").response.status == 204
    assert told(rig.ask("PUT", DEVICE, {}, If_Match="x")) == (404, "no such object")


def test_what_is_not_there(rig: RegistryRig) -> None:
    for method, error in [("GET", "device"), ("PUT", "object"), ("DELETE", "device")]:
        assert told(rig.ask(method, DEVICE, {})) == (404, f"no such {error}")
    for method in ("GET", "PUT", "POST"):
        assert told(rig.ask(method, "/v1/devices/nobody/d", {})) == (404, "tenant does not exist")


def test_credentials_go_with_their_device(rig: RegistryRig) -> None:
    rig.with_device()
    rig.done("PUT", "/v1/credentials/t/d", [{"type": "psk", "auth-id": "a", "secrets": [{"key": "AAAA"}]}])
    rig.done("DELETE", DEVICE)
    assert (rig.status(DEVICE), rig.status("/v1/credentials/t/d")) == (404, 404)
    rig.with_device(device="e")
    rig.done("PUT", "/v1/credentials/t/e", [{"type": "psk", "auth-id": "a", "secrets": [{"key": "AAAA"}]}])


def test_all_devices_of_a_tenant_at_once(rig: RegistryRig) -> None:
    for device in "abc":
        rig.with_device(device=device)
    rig.with_device("other", "a")
    assert rig.ask("DELETE", "/v1/devices/t").changed == "all devices of t deleted (3)"
    assert rig.status("/v1/devices/t") == 404
    assert rig.status("/v1/devices/other/a") == 200
    assert rig.ask("DELETE", "/v1/devices/nobody").response.status == 204


def test_the_limit_of_a_tenant_counts_before_that_of_the_installation() -> None:
    rig = RegistryRig(Settings(devices_per_tenant=1))
    rig.with_device("small").with_device("t")
    rig.done("PUT", "/v1/tenants/t", {"registration-limits": {"max-devices": 2}})
    rig.with_device("t", "e")
    for tenant, most in (("t", 2), ("small", 1)):
        error = f"configured device limit reached [tenant-id: {tenant}, max devices: {most}]"
        assert told(rig.ask("POST", f"/v1/devices/{tenant}/f", {})) == (403, error)


def test_a_device_may_be_made_for_a_disabled_tenant(rig: RegistryRig) -> None:
    rig.done("PUT", "/v1/tenants/t", {"enabled": False})
    rig.with_device()
    assert rig.status(DEVICE) == 200


def test_adapters_hear_of_changes(rig: RegistryRig) -> None:
    rig.done("POST", DEVICE, {})
    rig.done("PUT", DEVICE, {})
    rig.done("PUT", DEVICE, {"enabled": False})
    rig.done("PUT", "/v1/credentials/t/d", [])
    rig.done("DELETE", DEVICE)
    rig.done("DELETE", "/v1/devices/t")
    assert rig.registry.take_notices() == [
        Notice(NoticeKind.DEVICE_CHANGED, "t", "d"),
        Notice(NoticeKind.DEVICE_DISABLED, "t", "d"),
        Notice(NoticeKind.CREDENTIALS_CHANGED, "t", "d"),
        Notice(NoticeKind.DEVICE_DELETED, "t", "d"),
        Notice(NoticeKind.DEVICE_DELETED, "t"),
    ]


def test_gateways_are_found_by_their_group(rig: RegistryRig) -> None:
    rig.done("POST", "/v1/devices/t/gw", {"memberOf": ["g"], "authorities": ["auto-provisioning-enabled"]})
    rig.done("POST", "/v1/devices/t/d", {"viaGroups": ["g"], "via": "gw9"})
    (gateway,) = members_of(rig.registry, "t", "g")
    assert (gateway.device_id, gateway.may_provision, gateway.member_of) == ("gw", True, ("g",))
    device = device_of(rig.registry, "t", "d")
    assert device is not None
    assert (device.via, device.via_groups, device.may_provision, device.is_enabled) == (("gw9",), ("g",), False, True)


def test_an_id_that_a_template_made_is_refused(rig: RegistryRig) -> None:
    with pytest.raises(Refused) as refused:
        create_device(rig.registry, existing_tenant(rig.registry, "t"), "CN=a,O=b", {}, rig.now_us)
    assert (refused.value.status, refused.value.error) == (400, "invalid device ID: CN=a,O=b")


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"memberOf": [], "via": ["g"]}, 201),
        ({"via": ["g"], "memberOf": []}, 400),
        ({"via": ["g"], "memberOf": None}, 400),
        ({"viaGroups": ["g"], "memberOf": []}, 400),
        ({"memberOf": ["m"], "via": []}, 400),
        ({"memberOf": ["m"], "viaGroups": None}, 400),
        ({"via": [], "memberOf": ["m"]}, 201),
        ({"via": ["g"], "viaGroups": ["h"]}, 201),
        ({"memberOf": None}, 201),
    ],
)
def test_gateways_and_devices_behind_them_are_told_apart_in_the_order_of_the_members(
    rig: RegistryRig, document: dict[str, Any], status: int
) -> None:
    assert rig.ask("POST", DEVICE, document).response.status == status


@pytest.mark.parametrize("name", ["via", "viaGroups", "memberOf", "authorities"])
def test_a_null_among_ids(rig: RegistryRig, name: str) -> None:
    assert told(rig.ask("POST", DEVICE, {name: [None, "a"]})) == INVALID
    keeping = rig_of("2-mongodb").with_device()
    keeping.done("PUT", DEVICE, {name: [None, "a", None] if name != "authorities" else [None, None, "a"]})
    assert None in keeping.shown(DEVICE)[name]
    device = device_of(keeping.registry, "t", "d")
    assert device is not None
    assert None not in (*device.via, *device.via_groups, *device.member_of)


def test_the_database_takes_no_null_for_a_group() -> None:
    rig = rig_of("2-jdbc").with_device()
    assert told(rig.ask("POST", "/v1/devices/t/e", {"memberOf": [None]}))[0] == 500
    assert told(rig.ask("POST", "/v1/devices/t/e", {"memberOf": None}))[0] == 500
    assert told(rig.ask("PUT", DEVICE, {"memberOf": [None]}))[0] == 500
    assert rig.status("/v1/devices/t/e") == 404
    assert told(rig.ask("POST", DEVICE, {"memberOf": [None]}))[0] == 409
    assert told(rig.ask("POST", DEVICE, {"memberOf": None}))[0] == 409
    assert rig.ask("PUT", DEVICE, {"memberOf": None}).response.status == 204
