"""Records and the rules between them: ids, names, versions, what goes with what, and who hears of it."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platforms.thingsboard.state import attributes, claims, devices, events, people, profiles
from fleetrig.reference_server.platforms.thingsboard.state.claims import ClaimResult
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import (
    basic_id,
    basic_value,
    formed,
    sha3,
    stripped_certificate,
)
from fleetrig.reference_server.platforms.thingsboard.state.devices import NewDevice
from fleetrig.reference_server.platforms.thingsboard.state.errors import RuleBroken
from fleetrig.reference_server.platforms.thingsboard.state.events import MOST_KEPT, EventType
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    CREDENTIALS,
    INSTALLATION,
    TENANT,
    CredentialsType,
    Scope,
)
from fleetrig.reference_server.platforms.thingsboard.state.registry import NoticeKind, Registry
from fleetrig.reference_server.platforms.thingsboard.state.settings import Account, Settings
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.clock import US_PER_MS, US_PER_S, VIRTUAL_EPOCH_US
from tests.reference_server.platforms.thingsboard.provision_bench import ProvisionBench

NOW_US = VIRTUAL_EPOCH_US
SERVER_TOKEN = formed(CredentialsType.ACCESS_TOKEN, "token-1", None)


@pytest.fixture
def bench() -> ProvisionBench:
    return ProvisionBench()


# ids and words


def test_ids_are_time_based_and_words_are_of_letters_and_digits(bench: ProvisionBench) -> None:
    made = [uuid.UUID(bench.registry.new_id(NOW_US)) for _ in range(100)]
    words = [bench.registry.new_word() for _ in range(100)]

    assert len(set(made)) == len(set(words)) == 100
    assert {(one.version, one.variant) for one in made} == {(1, uuid.RFC_4122)}
    assert {(one.time - 0x01B21DD213814000) // 10 for one in made} == {NOW_US}
    assert all(len(word) == 20 and word.isalnum() and word.isascii() for word in words)


# credentials


def test_vectors_of_credentials_ids() -> None:
    assert sha3("testHash") == "57f6600424d6553263f1f32e0117012894a36fbf07e3e9c3c556272f86b7d985"
    expected = "b9f1b0bf238dddae689babba0a210fe42bc97ddb07620b5a07d7208dd5528db2"
    assert basic_id("test_clientId", "test_username") == expected
    assert basic_id("", "u") == basic_id(None, "u") == "u"
    assert basic_id("c", None) == sha3("c")
    assert basic_id(None, "") == ""
    assert stripped_certificate("-----BEGIN CERTIFICATE-----\r\nAB\nCD\n-----END CERTIFICATE-----\n") == "ABCD"


@pytest.mark.parametrize("value", [None, "", "{", "[]", "null", '{"clientId":1}'])
def test_a_value_that_is_no_mqtt_basic(value: str | None) -> None:
    with pytest.raises(RuleBroken, match="Invalid credentials body for simple mqtt credentials!"):
        formed(CredentialsType.MQTT_BASIC, None, value)


def test_credentials_are_unique_over_the_installation(bench: ProvisionBench) -> None:
    bench.imported("one", credentials=SERVER_TOKEN)
    other = bench.imported("two", "B")
    stored = devices.credentials_of(bench.registry, other.id)
    assert stored is not None

    with pytest.raises(RuleBroken, match="already assigned to another device") as caught:
        devices.save_credentials(bench.registry, stored, SERVER_TOKEN)
    assert caught.value.thrown == "DeviceCredentialsValidationException"
    assert devices.credentials_of(bench.registry, other.id) == stored


def test_changed_credentials_are_told_and_same_ones_are_not(bench: ProvisionBench) -> None:
    device = bench.imported("one", credentials=SERVER_TOKEN)
    stored = devices.credentials_of(bench.registry, device.id)
    assert stored is not None

    assert devices.save_credentials(bench.registry, stored, SERVER_TOKEN) is stored
    assert not bench.registry.has_notices

    value = basic_value("c", "u", "p-secret")
    saved = devices.save_credentials(bench.registry, stored, formed(CredentialsType.MQTT_BASIC, None, value), 1)
    assert (saved.id, saved.version, saved.credentials_id) == (stored.id, 2, sha3("c|u"))
    assert [notice.kind for notice in bench.registry.take_notices()] == [NoticeKind.CREDENTIALS_CHANGED]
    assert devices.credentials_by_id(bench.registry, "token-1") is None
    assert ("mqtt-password", "p-secret") in bench.registry.new_secrets

    with pytest.raises(RuleBroken, match="already changed by someone else") as caught:
        devices.save_credentials(bench.registry, saved, SERVER_TOKEN, 1)
    assert (caught.value.status, caught.value.code) == (409, 35)


# devices


def test_a_refused_device_leaves_nothing(bench: ProvisionBench) -> None:
    bench.imported("one", credentials=SERVER_TOKEN)
    before = bench.registry.store.totals()

    for name, credentials in (("one", None), ("two", SERVER_TOKEN), (" ", None), ("<i>", None)):
        with pytest.raises(RuleBroken):
            bench.imported(name, credentials=credentials)
    assert bench.registry.store.totals() == before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "Device name should be specified!"),
        (" ", "Device name should be specified!"),
        ("<b>x", "Validation error: name is malformed"),
        ("x" * 256, "Validation error: name length must be equal or less than 255"),
        ("<b>" + "x" * 256, "Validation error: name is malformed, name length must be equal or less than 255"),
        ("a\0", "Device name should not contain 0x00 symbol!"),
    ],
)
def test_what_is_said_of_names(bench: ProvisionBench, name: str, said: str) -> None:
    with pytest.raises(RuleBroken) as caught:
        bench.imported(name)
    assert (str(caught.value), caught.value.thrown) == (said, "DataValidationException")


def test_a_renamed_device_is_found_by_its_new_name(bench: ProvisionBench) -> None:
    device = bench.imported("one")
    bench.imported("two")

    with pytest.raises(RuleBroken, match="Device with such name already exists!"):
        devices.save_device(bench.registry, replace(device, name="two"))
    saved = devices.save_device(bench.registry, replace(device, name="three", profile_id=bench.profiles["A"].id), 1)

    assert (saved.id, saved.type, saved.version) == (device.id, "profile A", 2)
    assert bench.find("one") is None
    assert bench.find("three") == saved
    with pytest.raises(RuleBroken, match="changed by someone else"):
        devices.save_device(bench.registry, saved, 1)


def test_a_deleted_device_takes_all_it_has_along(bench: ProvisionBench) -> None:
    empty = bench.registry.store.totals()
    device = bench.imported("one")
    for scope in Scope:
        attributes.put_attributes(bench.registry, device.id, scope, {"a": 1}, NOW_US)
    attributes.put_telemetry(bench.registry, device.id, {"t": 1}, 1)
    claims.offer(bench.registry, device, "k", None, NOW_US)
    events.note(bench.registry, device.id, EventType.PROVISION_FAILURE, {}, NOW_US)
    bench.registry.take_notices()

    devices.delete_device(bench.registry, device)

    assert bench.registry.store.totals() == empty
    assert [(notice.kind, notice.device_id) for notice in bench.registry.take_notices()] == [
        (NoticeKind.DEVICE_DELETED, device.id)
    ]


def test_nobody_hears_of_what_was_undone(bench: ProvisionBench) -> None:
    device = bench.imported("one")

    def half_done() -> None:
        with bench.registry.store.transaction():
            devices.delete_device(bench.registry, device)
            assert not bench.registry.has_notices, "not before it is committed"
            raise LookupError

    with pytest.raises(LookupError):
        half_done()

    assert not bench.registry.has_notices
    assert bench.find("one") == device


# attributes and telemetry


def test_attributes_have_scopes_times_and_versions(bench: ProvisionBench) -> None:
    device = bench.imported("one")
    attributes.put_attributes(bench.registry, device.id, Scope.SERVER, {"b": 1, "a": "x"}, NOW_US)
    attributes.put_attributes(bench.registry, device.id, Scope.SERVER, {"b": 2}, NOW_US + US_PER_S)
    attributes.put_attributes(bench.registry, device.id, Scope.CLIENT, {"a": "mine"}, NOW_US)

    found = attributes.attributes_of(bench.registry, device.id, Scope.SERVER)
    assert [(one.key, one.value, one.version) for one in found] == [("a", "x", 1), ("b", 2, 2)]
    assert found[1].updated_at_ms - found[0].updated_at_ms == 1_000
    assert [one.value for one in attributes.attributes_of(bench.registry, device.id, Scope.CLIENT, ["a", "b"])] == [
        "mine"
    ]
    assert attributes.delete_attributes(bench.registry, device.id, Scope.SERVER, ["b", "c"]) == ["b"]
    assert not bench.registry.has_notices, "a device never hears of them"


def test_a_device_hears_of_shared_attributes(bench: ProvisionBench) -> None:
    device = bench.imported("one")
    attributes.put_attributes(bench.registry, device.id, Scope.SHARED, {"a": 1}, NOW_US)
    attributes.delete_attributes(bench.registry, device.id, Scope.SHARED, ["a", "b"])

    heard = [(notice.kind, notice.body) for notice in bench.registry.take_notices()]
    assert heard == [
        (NoticeKind.ATTRIBUTES_UPDATED, {"a": 1}),
        (NoticeKind.ATTRIBUTES_DELETED, {"deleted": ["a"]}),
    ]


def test_the_latest_telemetry_counts(bench: ProvisionBench) -> None:
    device = bench.imported("one")
    for at_ms, value in ((5, "new"), (4, "old")):
        attributes.put_telemetry(bench.registry, device.id, {"t": value}, at_ms)

    assert [(one.value, one.at_ms) for one in attributes.latest_of(bench.registry, device.id)] == [("new", 5)]


# profiles


def test_keys_of_profiles_are_unique_over_the_installation(bench: ProvisionBench) -> None:
    with pytest.raises(RuleBroken, match="Device profile with such provision device key already exists!"):
        bench.save("B", provision_device_key="KA")
    with pytest.raises(RuleBroken, match="Device profile with such name already exists!"):
        bench.save("C", name="profile A")
    bench.save("B", name="profile A")


def test_a_renamed_profile_renames_the_type_of_its_devices(bench: ProvisionBench) -> None:
    bench.imported("one", "A")

    bench.save("A", name="Model A")

    assert bench.device("one").type == "Model A"


def test_profiles_in_use_stay(bench: ProvisionBench) -> None:
    default = profiles.default_profile(bench.registry, bench.profiles["A"].tenant_id)
    bench.imported("one", "A")

    for profile in (default, bench.profiles["A"]):
        with pytest.raises(RuleBroken):
            profiles.delete_profile(bench.registry, profile)
    profiles.delete_profile(bench.registry, bench.profiles["C"])
    assert profiles.profile_by_key(bench.registry, "KC") is None


def test_an_unknown_type_becomes_a_profile_that_provisions_nobody(bench: ProvisionBench) -> None:
    made = profiles.find_or_create(bench.registry, bench.profiles["A"].tenant_id, "Model Z", NOW_US)

    assert (made.name, made.provision_type, made.provision_device_key) == ("Model Z", "DISABLED", None)
    assert profiles.find_or_create(bench.registry, made.tenant_id, "Model Z", NOW_US) == made


# people and claims


def test_the_installation_is_opened_once() -> None:
    second = Account("second@example.org", "second-password")
    registry = Registry(MemoryStore(), SeededEntropy(1), Settings(accounts=(Account(), second)))
    for _ in range(2):
        people.open_installation(registry, NOW_US)

    assert registry.store.count(TENANT, INSTALLATION) == 1
    users = [people.user_by_email(registry, email) for email in ("tenant@thingsboard.org", "second@example.org")]
    assert all(user is not None and user.authority == "TENANT_ADMIN" for user in users)
    assert users[0] is not None
    assert people.has_password(users[0], "tenant")
    assert not people.has_password(users[0], "second-password")
    assert not people.has_password(replace(users[0], password_hash=None), "tenant")
    assert registry.new_secrets == [("password", "second-password")], "everybody knows the demo tenant's"


@pytest.mark.parametrize(
    ("secret", "later_ms", "result"),
    [
        ("k", 1_000, ClaimResult.SUCCESS),
        ("k", 1_001, ClaimResult.FAILURE),
        ("wrong", 0, ClaimResult.FAILURE),
    ],
)
def test_an_offer_has_a_secret_and_an_end(
    bench: ProvisionBench, secret: str, later_ms: int, result: ClaimResult
) -> None:
    device = bench.imported("one")
    assert claims.offer(bench.registry, device, "k", 1_000, NOW_US)

    assert claims.claim(bench.registry, device, "customer", secret, NOW_US + later_ms * US_PER_MS) is result
    after = bench.device("one")
    assert after.customer_id == ("customer" if result is ClaimResult.SUCCESS else None)
    again = claims.claim(bench.registry, after, "customer", "k", NOW_US)
    assert again is (ClaimResult.CLAIMED if result is ClaimResult.SUCCESS else ClaimResult.FAILURE)

    claims.reclaim(bench.registry, after)
    assert bench.device("one").customer_id is None


def test_claiming_may_be_off() -> None:
    registry = Registry(MemoryStore(), SeededEntropy(1), Settings(claiming_by_default=False))
    people.open_installation(registry, NOW_US)
    user = people.user_by_email(registry, Account().email)
    assert user is not None
    device = devices.create_device(
        registry, profiles.default_profile(registry, user.tenant_id), NewDevice("one"), NOW_US
    )

    assert not claims.offer(registry, device, "k", None, NOW_US)
    attributes.put_attributes(registry, device.id, Scope.SERVER, {"claimingAllowed": True}, NOW_US)
    assert claims.offer(registry, device, "k", None, NOW_US)


def test_one_record_of_credentials_for_each_device(bench: ProvisionBench) -> None:
    for name in ("one", "two"):
        bench.imported(name)

    assert bench.registry.store.count(CREDENTIALS, INSTALLATION) == 2


def test_the_latest_events_are_kept(bench: ProvisionBench) -> None:
    device = bench.imported("one")
    for number in range(MOST_KEPT + 2):
        events.note(bench.registry, device.id, EventType.PROVISION_FAILURE, {"number": number}, NOW_US)

    numbers = [event.body["number"] for event in events.events_of(bench.registry, device.id)]
    assert numbers == list(range(2, MOST_KEPT + 2))
