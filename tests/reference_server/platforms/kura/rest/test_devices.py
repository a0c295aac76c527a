"""Devices, connections, events, certificates and settings of accounts over REST (spec 5.5)."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.reference_server.platforms.kura.state.device_records import DeviceEvent
from fleetrig.reference_server.platforms.kura.state.devices import needed_device
from fleetrig.reference_server.platforms.kura.state.events import Peer, audit, record_event
from fleetrig.reference_server.platforms.kura.state.registry import NoticeKind
from fleetrig.simulator.certificates.authority import CertificateAuthority
from tests.reference_server.platforms.kura.rest_rig import ACCOUNT, RestRig


class TestDevices:
    def test_made_read_changed_deleted(self) -> None:
        rig = RestRig()
        path = f"/v1/{rig.scope()}/devices"
        extended = [{"groupName": "g", "name": "n", "value": "v"}]
        made = rig.done("POST", path, {"clientId": "gw", "serialNumber": "S", "extendedProperties": extended})
        assert (made["status"], made["serialNumber"]) == ("ENABLED", "S")
        changed = rig.done("PUT", f"{path}/{made['id']}", {**made, "displayName": "D", "clientId": "other"})
        assert (changed["clientId"], changed["displayName"], changed["serialNumber"]) == ("gw", "D", "S")
        assert changed["extendedProperties"][0]["value"] == "v"
        assert rig.refused("PUT", f"{path}/{made['id']}", made) == (500, "OPTIMISTIC_LOCKING")
        assert rig.refused("POST", path, {"clientId": "gw"}) == (409, "DUPLICATE_NAME")
        assert rig.done("GET", f"{path}?clientId=gw")["size"] == 1
        assert rig.done("GET", f"{path}?clientId=GW")["size"] == 0
        assert rig.done("GET", f"{path}?status=DISABLED")["size"] == 0
        rig.done("DELETE", f"{path}/{made['id']}")
        assert rig.refused("GET", f"{path}/{made['id']}") == (404, "ENTITY_NOT_FOUND")

    @pytest.mark.parametrize("client_id", ["", "a/b", "a#", "a+", "a*", "a&", "a,", "a?", "a>", "a::b", "a\nb"])
    def test_client_ids_that_are_none(self, client_id: str) -> None:
        """5.1."""
        rig = RestRig()

        assert rig.refused("POST", f"/v1/{rig.scope()}/devices", {"clientId": client_id})[0] == 400

    def test_an_account_is_full(self) -> None:
        rig = RestRig()
        child = rig.done("POST", "/v1/_/accounts", {"name": "child"})

        refused = rig.refused("POST", f"/v1/{child['id']}/devices", {"clientId": "gw"})
        assert refused == (403, "MAX_NUMBER_OF_ITEMS_REACHED")
        pid = "org.eclipse.kapua.service.device.registry.DeviceRegistryService"
        properties = [{"name": "maxNumberChildEntities", "type": "Integer", "value": ["1"]}]
        rig.done(
            "PUT",
            f"/v1/{child['id']}/serviceConfigurations/{pid}",
            {"id": pid, "properties": {"property": properties}},
            status=204,
        )
        rig.done("POST", f"/v1/{child['id']}/devices", {"clientId": "gw"})
        assert rig.refused("POST", f"/v1/{child['id']}/devices", {"clientId": "gx"})[0] == 403

    def test_queries(self) -> None:
        rig = RestRig()
        path = f"/v1/{rig.scope()}/devices"
        for number in range(3):
            rig.done("POST", path, {"clientId": f"gw-{number}", "modelId": "m" if number else "n"})
        named = {"type": "attributePredicate", "attributeName": "modelId", "attributeValue": "m"}
        other = {"attributeName": "clientId", "operator": "STARTS_WITH", "attributeValue": "gw-2"}
        both = {"type": "andPredicate", "predicates": [named, other]}

        assert rig.done("POST", f"{path}/_query", {"predicate": named, "limit": 1}, status=200)["limitExceeded"]
        assert rig.done("POST", f"{path}/_query", {"predicate": both}, status=200)["size"] == 1
        either = {"type": "orPredicate", "predicates": [both, {**named, "operator": "NOT_EQUAL"}]}
        assert rig.done("POST", f"{path}/_count", {"predicate": either}, status=200)["count"] == 2
        assert rig.done("POST", f"{path}/_count", {}, status=200)["count"] == 3

    @pytest.mark.parametrize(
        "asked",
        [
            {"limit": 0}, {"offset": -1}, {"limit": "x"}, {"predicate": {"type": "matchPredicate"}}, {"predicate": []},
            {"predicate": {"attributeName": "a", "operator": "GREATER_THAN"}},
            {"predicate": {"type": "andPredicate", "predicates": [1]}},
        ],
    )  # fmt: skip
    def test_queries_that_are_none(self, asked: dict[str, Any]) -> None:
        rig = RestRig()

        assert rig.refused("POST", f"/v1/{rig.scope()}/devices/_query", asked)[0] == 400


class TestConnections:
    def test_read_and_found(self) -> None:
        rig = RestRig()
        rig.connect("gw")
        path = f"/v1/{rig.scope()}/deviceconnections"

        found = rig.done("GET", f"{path}?clientId=gw&status=CONNECTED")["items"][0]
        assert (found["status"], found["userCouplingMode"], found["clientIp"]) == (
            "CONNECTED",
            "INHERITED",
            "127.0.0.1",
        )
        assert rig.done("GET", f"{path}/{found['id']}") == found
        assert rig.done("GET", f"{path}?status=MISSING")["size"] == 0
        assert rig.done("POST", f"{path}/_count", {}, status=200)["count"] == 1

    def test_options(self) -> None:
        rig = RestRig()
        rig.connect("gw")
        rig.connect("other")
        user_id = rig.user("dev")
        listed = rig.done("GET", f"/v1/{rig.scope()}/deviceconnections")["items"]
        first, second = (f"/v1/{rig.scope()}/deviceconnections/{one['id']}/options" for one in listed)
        options = rig.done("GET", first)
        assert options["type"] == "deviceConnectionOption"
        changed = rig.done("PUT", first, {**options, "reservedUserId": user_id, "userCouplingMode": "STRICT"})
        assert (changed["reservedUserId"], changed["userCouplingMode"]) == (user_id, "STRICT")
        assert rig.refused("PUT", first, options) == (500, "OPTIMISTIC_LOCKING")
        taken = {**rig.done("GET", second), "reservedUserId": user_id}
        assert rig.refused("PUT", second, taken) == (500, "USER_ALREADY_RESERVED_BY_ANOTHER_CONNECTION")
        assert rig.refused("PUT", second, {**taken, "reservedUserId": "nobody"}) == (404, "ENTITY_NOT_FOUND")
        freed = rig.done("PUT", first, {**changed, "reservedUserId": None})
        assert "reservedUserId" not in freed

    def test_closed(self) -> None:
        rig = RestRig()
        rig.connect("gw")
        found = rig.done("GET", f"/v1/{rig.scope()}/deviceconnections")["items"][0]
        rig.done("POST", f"/v1/{rig.scope()}/deviceconnections/{found['id']}/_disconnect", status=204)

        (notice,) = rig.registry.take_notices()
        assert (notice.kind, notice.scope_id, notice.client_id) == (NoticeKind.CONNECTION_CLOSED, rig.scope(), "gw")
        assert rig.refused("POST", f"/v1/{rig.scope()}/deviceconnections/x/_disconnect") == (404, "ENTITY_NOT_FOUND")


class TestEvents:
    def test_of_a_device(self) -> None:
        rig = RestRig()
        device = needed_device(rig.registry, rig.scope(), rig.connect("gw"))
        for resource in ("BIRTH", "PROVISIONED"):
            device = record_event(rig.registry, device, DeviceEvent(0, "", "", rig.now_us, resource))
        path = f"/v1/{rig.scope()}/devices/{device.id}/events"

        found = rig.done("GET", path)["items"]
        assert [one["resource"] for one in found] == ["BIRTH", "PROVISIONED"]
        assert found[0]["responseCode"] == "ACCEPTED"
        assert rig.done("GET", f"{path}?resource=BIRTH")["size"] == 1
        assert rig.done("GET", f"{path}/{found[1]['id']}") == found[1]
        assert rig.refused("GET", f"{path}/AAAA") == (404, "ENTITY_NOT_FOUND")
        assert rig.refused("GET", f"{path}/!") == (404, "ENTITY_NOT_FOUND")
        shown = rig.done("GET", f"/v1/{rig.scope()}/devices/{device.id}")
        assert shown["lastEventId"] == found[1]["id"]

    def test_the_audit_is_of_ones_own_account(self) -> None:
        """S-37: time, client id, user, address, stage, reason."""
        rig = RestRig()
        peer = Peer("gw", "dev", "127.0.0.1", rig.scope())
        audit(rig.registry, peer, "connect", "no provision request", rig.now_us, "req")
        audit(rig.registry, Peer("x" * 9_999, remote_address="::1"), "connect", "nobody", rig.now_us)

        own = rig.done("GET", "/v1/_/audit", user=ACCOUNT.user)["items"]
        assert [{name: one[name] for name in one if name not in ("id", "type")} for one in own] == [
            {
                "scopeId": rig.scope(), "createdOn": "2026-01-01T00:00:00.000Z", "stage": "connect",
                "reason": "no provision request", "clientId": "gw", "username": "dev", "remoteAddress": "127.0.0.1",
                "provisionRequestId": "req",
            }
        ]  # fmt: skip
        everything = rig.done("GET", "/v1/AQ/audit")["items"]
        assert [len(one["clientId"]) for one in everything] == [2, 256]
        assert rig.done("GET", "/v1/AQ/audit?clientId=gw")["size"] == 1


class TestCertificates:
    def test_made_inherited_revoked(self) -> None:
        rig = RestRig()
        path = f"/v1/{rig.scope()}/certificateInfos"
        assert [one["name"] for one in rig.done("GET", f"{path}?usage=DEVICE_MANAGEMENT")["items"]] == ["dm-1"]
        made = rig.done("POST", path, {"name": "own", "certificateUsages": [{"name": "DEVICE_MANAGEMENT"}]})
        assert made["certificate"].count("BEGIN CERTIFICATE") == 3
        assert "PRIVATE" not in str(made)
        assert rig.done("GET", f"{path}?usage=DEVICE_MANAGEMENT")["items"][0] == made
        revoked = rig.done("PUT", f"{path}/{made['id']}", {**made, "status": "REVOKED"})
        assert revoked["status"] == "REVOKED"
        rig.done("DELETE", f"{path}/{made['id']}")
        assert rig.refused("GET", f"{path}/{made['id']}") == (404, "ENTITY_NOT_FOUND")

    @pytest.mark.parametrize(
        "document",
        [
            {}, {"name": "x"}, {"name": "x", "certificateUsages": [{"name": "NONE"}]},
            {"name": "x", "certificateUsages": []},
            {"name": "x", "certificateUsages": [{"name": "TLS"}], "certificate": "none"},
            {"name": "x" * 49, "certificateUsages": [{"name": "TLS"}]},
        ],
    )  # fmt: skip
    def test_what_is_refused(self, document: dict[str, Any]) -> None:
        rig = RestRig()

        assert rig.refused("POST", f"/v1/{rig.scope()}/certificateInfos", document)[0] == 400


class TestSettings:
    DEVICES = "org.eclipse.kapua.service.device.registry.DeviceRegistryService"
    CONNECTIONS = "org.eclipse.kapua.service.device.registry.connection.DeviceConnectionService"

    def test_kapuas_own_defaults(self) -> None:
        """5.1, 5.4: of an account that somebody has just made."""
        rig = RestRig()
        child = rig.done("POST", "/v1/_/accounts", {"name": "child"})
        shown = rig.done("GET", f"/v1/{child['id']}/serviceConfigurations")["configuration"]

        said = {one["name"]: one["value"][0] for part in shown for one in part["properties"]["property"]}
        assert said == {
            "infiniteChildEntities": "false", "maxNumberChildEntities": "0", "allowNewUnprovisionedDevices": "true",
            "deviceConnectionUserCouplingDefaultMode": "LOOSE", "deviceConnectionAuthenticationType": "USER_PASS",
            "lockoutPolicy.enabled": "true", "lockoutPolicy.maxFailures": "3", "lockoutPolicy.resetAfter": "3600",
            "lockoutPolicy.lockDuration": "10800",
        }  # fmt: skip

    def test_all_at_once(self) -> None:
        rig = RestRig()
        coupling = [{"name": "deviceConnectionUserCouplingDefaultMode", "value": ["STRICT"]}]
        parts = [
            {"id": self.CONNECTIONS, "properties": {"property": coupling}},
            {"id": "org.eclipse.kapua.service.user.UserService", "properties": {"property": []}},
        ]
        rig.done("PUT", f"/v1/{rig.scope()}/serviceConfigurations", {"configuration": parts}, status=204)

        shown = rig.done("GET", f"/v1/{rig.scope()}/serviceConfigurations/{self.CONNECTIONS}")
        assert shown["properties"]["property"][0]["value"] == ["STRICT"]

    @pytest.mark.parametrize(
        ("name", "value"),
        [("infiniteChildEntities", "perhaps"), ("maxNumberChildEntities", "-1"), ("maxNumberChildEntities", "many")],
    )
    def test_values_that_are_none(self, name: str, value: str) -> None:
        rig = RestRig()
        document = {"properties": {"property": [{"name": name, "value": [value]}]}}

        path = f"/v1/{rig.scope()}/serviceConfigurations/{self.DEVICES}"
        assert rig.refused("PUT", path, document) == (400, "ILLEGAL_ARGUMENT")


def test_endpoints_are_the_listeners() -> None:
    rig = RestRig()
    rig.registry.listeners = {"mqtt": "mqtt://127.0.0.1:1", "mqtts": "mqtts://kura.test:8883", "http": "http://x"}

    found = rig.done("GET", "/v1/_/endpointInfos")["items"]
    assert [(one["schema"], one["dns"], one["port"], one["secure"]) for one in found] == [
        ("mqtt", "127.0.0.1", 1, False), ("mqtts", "kura.test", 8883, True),
    ]  # fmt: skip


def test_the_private_key_of_a_certificate_is_masked() -> None:
    rig = RestRig()
    root = CertificateAuthority("elsewhere", rig.now_us, seed="1")
    pem = (root.certificate_pem + root.key_pem).decode()
    usages = [{"name": "DEVICE_MANAGEMENT"}]
    document = {"name": "own", "certificate": pem, "certificateUsages": usages}
    rig.done("POST", f"/v1/{rig.scope()}/certificateInfos", document)

    learnt = {value for kind, value in rig.registry.new_secrets if kind == "private-key"}
    assert learnt == set(root.key_pem.decode().splitlines()[1:-1])
