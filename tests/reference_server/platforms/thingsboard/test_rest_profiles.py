"""Device profiles over the operator's API: strategies, keys, certificate authorities, versions (sections 2 and 4)."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import sha3
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from tests.reference_server.platforms.thingsboard.http_rig import OTHER, HttpRig, document, profile_document, refused

PROFILES = "/api/deviceProfile"
ALLOW = "ALLOW_CREATE_NEW_DEVICES"
CHAIN = "X509_CERTIFICATE_CHAIN"


def pem(text: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{text[:3]}\n{text[3:]}\n-----END CERTIFICATE-----\n"


def chain_document(name: str, certificates: str) -> dict[str, Any]:
    made = profile_document(name, CHAIN) | {"provisionDeviceKey": None}
    made["profileData"]["provisionConfiguration"] = {
        "type": CHAIN,
        "provisionDeviceSecret": certificates,
        "certificateRegExPattern": "(.*)",
        "allowCreateNewDevicesByX509Certificate": True,
    }
    return made


def test_a_profile_is_read_as_it_was_made() -> None:
    rig = HttpRig()

    made = rig.profile("A", ALLOW)

    assert rig.get(f"{PROFILES}/{made['id']['id']}") == made
    assert made["id"]["entityType"] == "DEVICE_PROFILE"
    assert (made["provisionType"], made["provisionDeviceKey"]) == (ALLOW, "KA")
    assert made["profileData"]["provisionConfiguration"] == {"type": ALLOW, "provisionDeviceSecret": "SA"}
    assert made["default"] is False


def test_a_new_profile_is_disabled_and_has_no_key() -> None:
    body = profile_document("plain", ALLOW)
    data = {name: body["profileData"][name] for name in ("configuration", "transportConfiguration")}
    plain = {"name": "plain", "type": "DEFAULT", "transportType": "DEFAULT", "profileData": data}

    made = document(HttpRig().ask("POST", PROFILES, plain))

    assert (made["provisionType"], made["provisionDeviceKey"]) == ("DISABLED", None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "B"}, "Device profile with such provision device key already exists!"),
        ({"provisionDeviceKey": "KB"}, "Device profile with such name already exists!"),
        ({"name": ""}, "Device profile name should be specified!"),
        ({"type": None, "name": "B"}, "Device profile type should be specified!"),
        ({"transportType": None, "name": "B"}, "Device profile transport type should be specified!"),
        ({"name": "B", "default": True}, "Another default device profile is present in scope of current tenant!"),
    ],
)
def test_a_bad_profile_is_refused(change: dict[str, Any], message: str) -> None:
    rig = HttpRig()
    rig.profile("A")

    assert refused(rig.ask("POST", PROFILES, profile_document("A", ALLOW) | change)) == (400, 31, message)


def test_a_key_is_unique_over_all_tenants() -> None:
    rig = HttpRig()
    rig.profile("A")

    same = rig.ask("POST", PROFILES, profile_document("A", ALLOW), account=OTHER)

    assert refused(same)[2] == "Device profile with such provision device key already exists!"


def test_a_profile_is_changed_by_whoever_has_seen_its_last_version() -> None:
    rig = HttpRig()
    made = rig.profile("A")
    change = profile_document("A", "DISABLED") | {"id": made["id"], "version": made["version"]}

    saved = document(rig.ask("POST", PROFILES, change))
    stale = rig.ask("POST", PROFILES, change)
    without = rig.ask("POST", PROFILES, profile_document("A", ALLOW) | {"id": made["id"]})

    assert (saved["provisionType"], saved["version"]) == ("DISABLED", made["version"] + 1)
    assert refused(stale) == (409, 35, "Device profile was already changed by someone else")
    assert document(without)["provisionType"] == ALLOW


def test_an_authority_is_kept_bare_and_its_hash_is_the_key() -> None:
    rig = HttpRig()

    made = document(rig.ask("POST", PROFILES, chain_document("X", pem("QUJDRA"))))

    assert made["provisionDeviceKey"] == sha3("QUJDRA")
    assert made["profileData"]["provisionConfiguration"]["provisionDeviceSecret"] == "QUJDRA"
    assert made["profileData"]["transportConfiguration"] == {"type": "DEFAULT"}
    again = rig.ask("POST", PROFILES, chain_document("Y", pem("QUJDRA")))
    assert refused(again) == (400, 31, "Device profile with such certificate already exists!")


@pytest.mark.parametrize(("generation", "status"), [(Profile.PREVIOUS, 200), (Profile.OLD, 500)])
def test_the_oldest_generation_knows_no_chains(generation: Profile, status: int) -> None:
    """1.7: before 3.5."""
    rig = HttpRig(Settings(generation))

    answer = rig.ask("POST", PROFILES, chain_document("X", pem("QUJDRA")))

    assert answer.response.status == status


def test_of_several_authorities_the_first_is_the_key_and_all_keep_their_armour() -> None:
    made = document(HttpRig().ask("POST", PROFILES, chain_document("X", pem("QUJDRA") + pem("RUZHSA"))))

    assert made["provisionDeviceKey"] == sha3("QUJDRA")
    assert made["profileData"]["provisionConfiguration"]["provisionDeviceSecret"] == (
        "-----BEGIN CERTIFICATE-----\nQUJDRA\n-----END CERTIFICATE-----\n"
        "-----BEGIN CERTIFICATE-----\nRUZHSA\n-----END CERTIFICATE-----"
    )


def test_profiles_come_in_pages() -> None:
    rig = HttpRig()
    for name in "ABC":
        rig.profile(name)

    first = rig.get("/api/deviceProfiles?pageSize=2&page=0&sortProperty=name")
    second = rig.get("/api/deviceProfiles?pageSize=2&page=1&sortProperty=name")
    found = rig.get("/api/deviceProfiles?pageSize=2&page=0&textSearch=b")
    downwards = rig.get("/api/deviceProfiles?pageSize=9&page=0&sortProperty=name&sortOrder=DESC")

    assert [each["name"] for each in first["data"] + second["data"]] == ["A", "B", "C", "default"]
    assert (first["totalPages"], first["totalElements"], first["hasNext"]) == (2, 4, True)
    assert second["hasNext"] is False
    assert rig.get("/api/deviceProfiles?pageSize=1&page=3")["totalPages"] == 4
    by_time = rig.get("/api/deviceProfiles?pageSize=9&page=0&sortProperty=createdTime")
    assert len(by_time["data"]) == 4
    assert [each["name"] for each in found["data"]] == ["B"]
    assert [each["name"] for each in rig.get("/api/deviceProfile/names")] == ["A", "B", "C", "default"]
    assert [each["name"] for each in downwards["data"]] == ["default", "C", "B", "A"]


@pytest.mark.parametrize(
    "query",
    [
        "?pageSize=0&page=0",
        "?pageSize=1&page=-1",
        "?pageSize=x&page=0",
        "?pageSize=2147483648&page=0",
        "?pageSize=1&page=0&sortProperty=x",
    ],
)
def test_a_page_that_is_none_is_refused(query: str) -> None:
    assert refused(HttpRig().ask("GET", f"/api/deviceProfiles{query}"))[:2] == (400, 31)


@pytest.mark.parametrize("query", ["", "?pageSize=2"])
def test_a_page_has_a_size_and_a_number(query: str) -> None:
    assert refused(HttpRig().ask("GET", f"/api/deviceProfiles{query}"))[:2] == (500, 2)


@pytest.mark.parametrize("size", ["%2B2", "+2", "0x2", "%232", "02"])
def test_numbers_are_read_as_spring_does(size: str) -> None:
    rig = HttpRig()
    for name in "ABC":
        rig.profile(name)

    assert len(rig.get(f"/api/deviceProfiles?pageSize={size}&page=0")["data"]) == 2


def test_a_profile_with_devices_and_the_default_one_stay() -> None:
    rig = HttpRig()
    profile = rig.profile("A")["id"]["id"]
    device = rig.device("d", "A")["id"]["id"]
    default = rig.get("/api/deviceProfileInfo/default")["id"]["id"]

    in_use = rig.ask("DELETE", f"{PROFILES}/{profile}")
    rig.ask("DELETE", f"/api/device/{device}")

    assert refused(in_use)[2] == "The device profile referenced by the devices cannot be deleted!"
    assert rig.ask("DELETE", f"{PROFILES}/{profile}").response.status == 200
    assert refused(rig.ask("GET", f"{PROFILES}/{profile}"))[:2] == (404, 32)
    assert refused(rig.ask("DELETE", f"{PROFILES}/{default}"))[2] == "Deletion of Default Device Profile is prohibited!"


def test_another_tenants_profile_is_forbidden() -> None:
    rig = HttpRig()
    profile = rig.profile("A")["id"]["id"]

    assert refused(rig.ask("GET", f"{PROFILES}/{profile}", account=OTHER))[:2] == (403, 20)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"profileData": {"transportConfiguration": {}, "provisionConfiguration": []}}, 400),
        ({"provisionType": "FOO"}, 500),
        ({"profileData": []}, 500),
        ({"profileData": {}}, 400),
        ({"id": "x"}, 500),
        ({"name": {}}, 500),
        ({"version": "x"}, 500),
    ],
)
def test_a_document_of_another_form_is_refused(change: dict[str, Any], status: int) -> None:
    rig = HttpRig()
    body = profile_document("A", ALLOW) | {"id": rig.profile("A")["id"]} | change

    assert refused(rig.ask("POST", PROFILES, body))[0] == status
