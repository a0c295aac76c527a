"""What the two real registries of generation 2 and generation 1 do otherwise (spec 1 and 6)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from fleetrig.reference_server.platforms.hono.state.devices import create_device, device_of, mark_notification_sent
from fleetrig.reference_server.platforms.hono.state.generations import TRAITS, Profile
from fleetrig.reference_server.platforms.hono.state.tenants import existing_tenant, tenant_of
from tests.reference_server.platforms.hono.registry_rig import RegistryRig, document_of, public_key_of, rig_of, told

REAL = ("2-jdbc", "2-mongodb")
ANCHOR = {
    "subject-dn": "CN=x",
    "public-key": public_key_of(ec.generate_private_key(ec.SECP256R1())),
    "algorithm": "EC",
    "not-before": "2020-01-01T00:00:00Z",
    "not-after": "2040-01-01T00:00:00Z",
}
PSK = [{"type": "psk", "auth-id": "a", "secrets": [{"key": "AAAA"}]}]
ENDS_FIRST = {"not-before": "2030-01-01T00:00:00Z", "not-after": "2020-01-01T00:00:00Z"}


def statuses(method: str, target: str, document: Any, prepare: Any = None) -> dict[str, int]:
    found = {}
    for profile in Profile:
        rig = rig_of(profile)
        rig.done("POST", "/v1/tenants/t", {})
        if prepare:
            prepare(rig)
        found[profile.value] = rig.ask(method, target, document).response.status
    return found


def test_every_profile_has_its_ways() -> None:
    assert TRAITS.keys() == set(Profile)


@pytest.mark.parametrize("body", [[], [{}], True, 5, "x"])
def test_a_body_of_another_kind_is_a_crash_of_the_real_ones(body: Any) -> None:
    assert statuses("POST", "/v1/tenants/u", body) == {"2": 400, "2-jdbc": 500, "2-mongodb": 500, "1": 400}
    answer = rig_of("2-jdbc").ask("POST", "/v1/tenants/u", [])
    assert told(answer)[1].startswith("class io.vertx.core.json.JsonArray cannot be cast")


def test_what_is_wrong_beside_a_password_that_has_to_be_hashed_is_a_crash() -> None:
    def with_device(rig: RegistryRig) -> None:
        rig.done("POST", "/v1/devices/t/d", {})

    plain = [{"type": "hashed-password", "auth-id": "a", "secrets": [{"pwd-plain": "x", **ENDS_FIRST}]}]
    hashed = [{**plain[0], "secrets": [{"hash-function": "sha-256", "pwd-hash": "AAAA", **ENDS_FIRST}]}]
    target = "/v1/credentials/t/d"
    crashes = {"2": 400, "2-jdbc": 500, "2-mongodb": 500, "1": 400}
    assert statuses("PUT", target, plain, with_device) == crashes
    assert set(statuses("PUT", target, hashed, with_device).values()) == {400}
    no_hash = [{**plain[0], "secrets": [{"hash-function": "bcrypt"}]}]
    assert statuses("PUT", target, no_hash, with_device) == crashes


def test_an_auth_id_that_another_device_has() -> None:
    def taken(rig: RegistryRig) -> None:
        rig.with_device("t", "d").with_device("t", "e").done("PUT", "/v1/credentials/t/d", PSK)

    expected = {"2": 409, "2-jdbc": 500, "2-mongodb": 409, "1": 409}
    assert statuses("PUT", "/v1/credentials/t/e", PSK, taken) == expected


def test_authorities_of_several_tenants() -> None:
    def trusted(rig: RegistryRig) -> None:
        rig.done("PUT", "/v1/tenants/t", {"trusted-ca": [ANCHOR], "trust-anchor-group": "g"})

    sharing = {"trusted-ca": [ANCHOR], "trust-anchor-group": "g"}
    assert statuses("POST", "/v1/tenants/u", sharing, trusted) == {"2": 201, "2-jdbc": 409, "2-mongodb": 201, "1": 409}
    twice = {"trusted-ca": [ANCHOR, ANCHOR]}
    assert statuses("PUT", "/v1/tenants/t", twice) == {"2": 204, "2-jdbc": 409, "2-mongodb": 204, "1": 409}


def test_conflicts_have_one_text_where_the_database_tells_them() -> None:
    for profile, error in [
        ("2-jdbc", "an object with the same identifier already exists"),
        ("2", "tenant already exists"),
    ]:
        rig = rig_of(profile)
        rig.done("POST", "/v1/tenants/t", {})
        assert told(rig.ask("POST", "/v1/tenants/t", {})) == (409, error)


def test_an_alias_means_nothing_to_the_jdbc_registry() -> None:
    rig = rig_of("2-jdbc")
    for tenant in "ab":
        rig.done("POST", f"/v1/tenants/{tenant}", {"alias": "same"})
    assert rig.shown("/v1/tenants/a") == {"alias": "same"}
    assert tenant_of(rig.registry, "same") is None


def test_a_device_and_its_credentials_have_two_versions_in_mongodb() -> None:
    rig = rig_of("2-mongodb").with_device()
    device, credentials = (
        rig.send("GET", f"/v1/{kind}/t/d").response.header("etag") for kind in ("devices", "credentials")
    )
    assert device != credentials
    rig.done("PUT", "/v1/credentials/t/d", PSK)
    assert rig.send("GET", "/v1/devices/t/d").response.header("etag") == device
    rig.done("PUT", "/v1/devices/t/d", {})
    assert rig.send("GET", "/v1/credentials/t/d").response.header("etag") != device


@pytest.mark.parametrize(
    ("profile", "kept"), [("2", (True, True)), ("2-jdbc", (True, False)), ("2-mongodb", (False, False))]
)
def test_flags_after_an_operators_put(profile: str, kept: tuple[bool, bool]) -> None:
    rig = rig_of(profile)
    rig.done("POST", "/v1/tenants/t", {})
    tenant = existing_tenant(rig.registry, "t")
    made = create_device(rig.registry, tenant, "d", {}, rig.now_us, is_auto_provisioned=True)
    mark_notification_sent(rig.registry, made, rig.now_us)
    rig.done("PUT", "/v1/devices/t/d", {})
    device = device_of(rig.registry, "t", "d")
    assert device is not None
    assert (device.is_auto_provisioned, device.is_notification_sent) == kept


def test_credentials_of_another_version_are_refused_without_a_text_by_jdbc() -> None:
    rig = rig_of("2-jdbc").with_device()
    assert told(rig.ask("PUT", "/v1/credentials/t/d", [], If_Match="x")) == (412, "Error Code: 412")


def test_ids_that_do_not_fit_into_columns() -> None:
    long = "l" * 257
    assert statuses("POST", f"/v1/devices/t/{long}", {}) == {"2": 201, "2-jdbc": 500, "2-mongodb": 201, "1": 201}
    assert statuses("POST", f"/v1/tenants/{long}", {})["2-jdbc"] == 500
    rig = rig_of("2-jdbc").with_device()
    for entry in ({**PSK[0], "auth-id": long}, {**PSK[0], "type": "t" * 65, "secrets": [{}]}):
        assert rig.ask("PUT", "/v1/credentials/t/d", [entry]).response.status == 500


class TestGenerationOne:
    @pytest.fixture
    def rig(self) -> RegistryRig:
        return rig_of("1")

    def test_it_looks_over_members_that_it_does_not_know(self, rig: RegistryRig) -> None:
        anchor = {**ANCHOR, "id": "mine", "auth-id-template": "no placeholder", "foo": 1}
        rig.done("POST", "/v1/tenants/t", {"foo": 1, "alias": "My_Alias", "trusted-ca": [anchor]})
        assert rig.shown("/v1/tenants/t") == {"trusted-ca": [{**ANCHOR, "auto-provisioning-enabled": False}]}
        rig.done("POST", "/v1/devices/t/d", {"foo": 1, "memberOf": ["g"], "via": ["a"], "viaGroups": ["b"]})
        assert rig.shown("/v1/devices/t/d") == {"via": ["a"]}

    def test_a_new_tenant_or_device_needs_a_body(self, rig: RegistryRig) -> None:
        assert told(rig.ask("POST", "/v1/tenants")) == (400, "missing body")
        assert told(rig.ask("POST", "/v1/devices/t/d")) == (400, "missing body")

    def test_ids_and_tenants_are_not_looked_at(self, rig: RegistryRig) -> None:
        rig.done("POST", "/v1/devices/nobody/a%20b", {})
        assert rig.shown("/v1/devices/nobody/a%20b") == {}
        rig.done("PUT", "/v1/credentials/nobody/a%20b", PSK)

    def test_it_shows_secrets_and_has_no_ids_for_them(self, rig: RegistryRig) -> None:
        rig.with_device()
        hashed = {"hash-function": "sha-256", "pwd-hash": "AAAA", "salt": "BBBB"}
        entries = [{"type": "hashed-password", "auth-id": "a", "secrets": [{**hashed, "id": "x"}]}, *PSK]
        rig.done("PUT", "/v1/credentials/t/d", entries)
        assert rig.shown("/v1/credentials/t/d") == [{**entries[0], "secrets": [hashed]}, *PSK]

    def test_it_has_no_searches(self, rig: RegistryRig) -> None:
        rig.with_device()
        for method, target, allow in [
            ("GET", "/v1/tenants", "POST"),
            ("GET", "/v1/devices/t", "POST"),
            ("DELETE", "/v1/devices/t", "POST"),
        ]:
            response = rig.ask(method, target).response
            assert (response.status, response.header("allow")) == (405, allow)
        assert document_of(rig.ask("GET", "/v1/devices/t/d")) == {}


def test_a_search_that_finds_nothing() -> None:
    def answer(profile: str) -> tuple[int, str]:
        rig = rig_of(profile)
        rig.done("POST", "/v1/tenants/t", {})
        return told(rig.ask("GET", "/v1/devices/t"))

    assert answer("2") == answer("2-jdbc") == (404, "no devices matching searching criteria")
    assert answer("2-mongodb") == (404, "Error Code: 404")
