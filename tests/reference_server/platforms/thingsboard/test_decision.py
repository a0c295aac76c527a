"""Who is provisioned, with what, and what remains of a refusal: rows of the sheet at the level of the decision."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fleetrig.reference_server.platforms.thingsboard.provisioning.answers import protobuf_answer
from fleetrig.reference_server.platforms.thingsboard.provisioning.decision import Decision, Status
from fleetrig.reference_server.platforms.thingsboard.state import devices
from fleetrig.reference_server.platforms.thingsboard.state.attributes import attribute
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import basic_value, formed, sha3
from fleetrig.reference_server.platforms.thingsboard.state.events import events_of
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.records import CredentialsType, ProvisionType, Scope
from fleetrig.simulator.flows.thingsboard.credentials import ProvisionKey
from fleetrig.simulator.flows.thingsboard.protobuf import encode_request
from tests.reference_server.platforms.thingsboard.provision_bench import ProvisionBench

ALNUM20 = re.compile(r"[A-Za-z0-9]{20}")
FAILURE = {"errorMsg": "Failed to provision device!", "status": "FAILURE"}
NOT_FOUND = {"errorMsg": "Provision data was not found!", "status": "NOT_FOUND"}


@pytest.fixture
def bench() -> ProvisionBench:
    return ProvisionBench()


def refused(decision: Decision) -> Status | None:
    """The status of a refusal, which tells a person why and gives nothing away."""
    assert decision.reason
    assert decision.credentials is None
    assert not decision.changed
    return decision.status


# ALLOW_CREATE_NEW_DEVICES


def test_a_free_name_becomes_a_device_with_a_token(bench: ProvisionBench) -> None:
    """S01, S02."""
    decision = bench.ask()

    answer = bench.said(decision)
    assert ALNUM20.fullmatch(answer["credentialsValue"])
    assert answer == {"credentialsValue": bench.credentials("dev").credentials_id} | {
        "credentialsType": "ACCESS_TOKEN",
        "status": "SUCCESS",
    }
    assert list(answer) == ["credentialsValue", "credentialsType", "status"]
    assert bench.device("dev").profile_id == bench.profiles["A"].id
    assert bench.device("dev").type == "profile A"
    assert bench.device("dev").additional_info is None
    assert bench.state("dev") == "provisioned"
    assert bench.events("dev") == ["ENTITY_CREATED", "PROVISION_SUCCESS"]
    assert ("access-token", answer["credentialsValue"]) in bench.registry.new_secrets


def test_the_same_request_again_fails(bench: ProvisionBench) -> None:
    """S04."""
    bench.ask()
    before = bench.credentials("dev")

    assert bench.said(again := bench.ask()) == FAILURE
    assert refused(again) is Status.FAILURE
    assert bench.credentials("dev") == before
    assert bench.events("dev")[-1] == "PROVISION_FAILURE"


@pytest.mark.parametrize("name", [None, ""])
def test_without_a_name_each_request_makes_a_device(bench: ProvisionBench, name: str | None) -> None:
    """S05, S06, S09."""
    decisions = [bench.ask(name=name) for _ in range(2)]

    names = [decision.device.name for decision in decisions if decision.device is not None]
    assert len(set(names)) == 2
    assert all(ALNUM20.fullmatch(made) for made in names)


def test_blanks_around_a_name_go(bench: ProvisionBench) -> None:
    """S07."""
    bench.ask(name=" \t dev\n ")

    assert bench.find("dev") is not None


def test_a_name_of_blanks_fails_before_the_key_is_looked_at(bench: ProvisionBench) -> None:
    """S08."""
    assert refused(bench.ask(name="  ", provisionDeviceKey="none")) is Status.FAILURE


@pytest.mark.parametrize(
    "members",
    [
        {"provisionDeviceKey": "none"},
        {"provisionDeviceSecret": "wrong"},
        {"provisionDeviceSecret": "SC"},
        {"provisionDeviceKey": ""},
        {"provisionDeviceSecret": ""},
        {"provisionDeviceKey": "ka"},
    ],
    ids=["S10", "S11", "S13", "S14 key", "S14 secret", "case of the key"],
)
def test_a_wrong_key_or_secret_is_not_found(bench: ProvisionBench, members: dict[str, str]) -> None:
    assert bench.said(decision := bench.ask(**members)) == NOT_FOUND
    assert refused(decision) is Status.NOT_FOUND
    assert bench.find("dev") is None


def test_a_wrong_secret_is_not_found_for_a_known_name(bench: ProvisionBench) -> None:
    """S12: nothing is heard of it either."""
    bench.ask()

    assert refused(bench.ask(provisionDeviceSecret="wrong")) is Status.NOT_FOUND
    assert bench.events("dev") == ["ENTITY_CREATED", "PROVISION_SUCCESS"]


def test_a_disabled_profile_is_not_found(bench: ProvisionBench) -> None:
    """S15."""
    assert refused(bench.ask("N")) is Status.NOT_FOUND


@pytest.mark.parametrize("letter", ["A", "C", "N", "X"])
def test_a_profile_without_a_secret_is_not_found(bench: ProvisionBench, letter: str) -> None:
    bench.save(letter, profile_data={"provisionConfiguration": {"type": "ALLOW_CREATE_NEW_DEVICES"}})

    assert refused(bench.ask(letter)) is Status.NOT_FOUND


def test_an_empty_key_or_secret_fits_nobody(bench: ProvisionBench) -> None:
    """Not even a profile that has the same (S14)."""
    bench.save("A", profile_data={"provisionConfiguration": {"provisionDeviceSecret": ""}})
    assert refused(bench.ask(provisionDeviceSecret="")) is Status.NOT_FOUND

    bench.save("C", provision_device_key="")
    bench.imported("dev")
    assert refused(bench.ask("C", provisionDeviceKey="")) is Status.NOT_FOUND


def test_a_number_for_no_type_is_never_answered(bench: ProvisionBench) -> None:
    """Over protobuf: the server comes upon it where it expects none."""
    known = encode_request(ProvisionKey("KA", "SA"), None, "dev", is_gateway=False)
    unknown = known + bytes.fromhex("1009")

    assert refused(bench.send(unknown)) is None
    assert bench.find("dev") is None
    assert bench.send(known).status is Status.SUCCESS


def test_answers_in_protobuf(bench: ProvisionBench) -> None:
    """S36, S37."""
    basic = bench.ask(name="basic", credentialsType="MQTT_BASIC", username="u")
    value = b'{"clientId":"","userName":"u","password":""}'

    assert protobuf_answer(bench.ask(token="abc")).hex() == "08011a03616263"
    assert protobuf_answer(bench.ask(token="abc")).hex() == "0803"
    assert protobuf_answer(bench.ask(provisionDeviceKey="none")).hex() == "0802"
    assert protobuf_answer(basic) == bytes.fromhex("080110021a") + bytes([len(value)]) + value


def test_a_switched_off_profile_or_a_new_secret_holds_at_once(bench: ProvisionBench) -> None:
    """S106."""
    bench.save("A", provision_type=ProvisionType.DISABLED)
    assert refused(bench.ask()) is Status.NOT_FOUND

    configuration = {"type": ProvisionType.ALLOW_CREATE, "provisionDeviceSecret": "S2"}
    bench.save("A", provision_type=ProvisionType.ALLOW_CREATE, profile_data={"provisionConfiguration": configuration})
    assert refused(bench.ask()) is Status.NOT_FOUND
    assert bench.ask(provisionDeviceSecret="S2").status is Status.SUCCESS


@pytest.mark.parametrize("kind", [{"credentialsType": "ACCESS_TOKEN"}, {}], ids=["S16", "S17"])
def test_a_device_may_bring_its_token(bench: ProvisionBench, kind: dict[str, str]) -> None:
    assert bench.said(bench.ask(token="mine", **kind))["credentialsValue"] == "mine"
    assert bench.credentials("dev").credentials_id == "mine"


@pytest.mark.parametrize("letter", ["A", "B"])
def test_a_token_in_use_fails_and_leaves_no_device(bench: ProvisionBench, letter: str) -> None:
    """S18: tokens are unique over all tenants."""
    bench.ask(name="first", token="mine")

    assert refused(bench.ask(letter, token="mine")) is Status.FAILURE
    assert bench.find("dev", letter) is None
    assert bench.ask(letter, token="other").status is Status.SUCCESS


def test_all_parts_of_mqtt_basic(bench: ProvisionBench) -> None:
    """S19."""
    decision = bench.ask(credentialsType="MQTT_BASIC", clientId="c", username="u", password="p")

    assert bench.said(decision) == {
        "credentialsValue": {"clientId": "c", "userName": "u", "password": "p"},
        "credentialsType": "MQTT_BASIC",
        "status": "SUCCESS",
    }
    assert bench.credentials("dev").credentials_id == sha3("c|u")
    assert bench.credentials("dev").value == '{"clientId":"c","userName":"u","password":"p"}'


@pytest.mark.parametrize(
    ("members", "value", "credentials_id"),
    [
        ({"username": "u"}, {"clientId": "", "userName": "u", "password": ""}, "u"),
        ({"clientId": "c"}, {"clientId": "c", "userName": "", "password": ""}, sha3("c")),
    ],
    ids=["S21", "S22"],
)
def test_some_parts_of_mqtt_basic(
    bench: ProvisionBench, members: dict[str, str], value: dict[str, str], credentials_id: str
) -> None:
    assert bench.said(bench.ask(credentialsType="MQTT_BASIC", **members))["credentialsValue"] == value
    assert bench.credentials("dev").credentials_id == credentials_id


@pytest.mark.parametrize(
    "members",
    [
        {"credentialsType": "MQTT_BASIC", "clientId": "c", "password": "p"},
        {"credentialsType": "MQTT_BASIC", "password": "p"},
        {"credentialsType": "MQTT_BASIC", "clientId": "a\tb"},
        {"credentialsType": "MQTT_BASIC", "username": "u", "password": "\u0085"},
        {"credentialsType": "MQTT_BASIC", "token": "t"},
        {"credentialsType": "ACCESS_TOKEN", "username": "u"},
        {"token": "a\x7fb"},
        {"credentialsType": "LWM2M_CREDENTIALS", "token": "t"},
    ],
    ids=["S23", "password alone", "control", "control in password", "other values", "S27", "control in token", "S97"],
)
def test_values_that_make_no_credentials_fail(bench: ProvisionBench, members: dict[str, str]) -> None:
    assert refused(bench.ask(**members)) is Status.FAILURE
    assert bench.find("dev") is None


@pytest.mark.parametrize("kind", ["MQTT_BASIC", "X509_CERTIFICATE", "LWM2M_CREDENTIALS"])
def test_without_values_there_is_a_token_whatever_was_asked(bench: ProvisionBench, kind: str) -> None:
    """S24, S97."""
    answer = bench.said(bench.ask(credentialsType=kind, token="", clientId="", username="", password="", hash=""))

    assert answer["credentialsType"] == "ACCESS_TOKEN"
    assert ALNUM20.fullmatch(answer["credentialsValue"])


def test_a_certificate_is_kept_without_armour_and_line_ends(bench: ProvisionBench) -> None:
    """S25."""
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\r\nAQAB\n-----END CERTIFICATE-----\n"

    answer = bench.said(bench.ask(credentialsType="X509_CERTIFICATE", hash=pem))

    assert answer["credentialsValue"] == "MIIBAQAB"
    assert bench.credentials("dev").credentials_id == sha3("MIIBAQAB")


def test_the_vector_of_a_certificate(bench: ProvisionBench) -> None:
    """S26."""
    bench.ask(credentialsType="X509_CERTIFICATE", hash="testHash")

    expected = "57f6600424d6553263f1f32e0117012894a36fbf07e3e9c3c556272f86b7d985"
    assert bench.credentials("dev").credentials_id == expected


def test_of_several_values_the_type_chooses(bench: ProvisionBench) -> None:
    answer = bench.said(bench.ask(credentialsType="MQTT_BASIC", token="t", hash="h", username="u"))

    assert answer["credentialsType"] == "MQTT_BASIC"


@pytest.mark.parametrize(
    ("gateway", "info"),
    [(True, {"gateway": True}), ("TRUE", {"gateway": True}), (False, None), ("yes", None), (1, None)],
)
def test_a_gateway_says_so(bench: ProvisionBench, gateway: Any, info: dict[str, bool] | None) -> None:
    """S29."""
    bench.ask(gateway=gateway)

    assert bench.device("dev").additional_info == info
    assert bench.device("dev").is_gateway is (info is not None)


def test_unknown_members_are_ignored(bench: ProvisionBench) -> None:
    """S30."""
    assert bench.ask(provisionDeviceStatus=None, more={"a": [1, 2]}).status is Status.SUCCESS


def test_a_number_is_a_name(bench: ProvisionBench) -> None:
    """S31."""
    bench.send(b'{"deviceName":4.20,"provisionDeviceKey":"KA","provisionDeviceSecret":"SA"}')

    assert bench.find("4.20") is not None


@pytest.mark.parametrize("name", ["dev", "listed"])
def test_a_name_of_another_profile_fails(bench: ProvisionBench, name: str) -> None:
    """S47: never provisioned, and of whatever profile."""
    bench.imported(name, "N")

    assert refused(bench.ask(name=name)) is Status.FAILURE
    assert bench.state(name) is None


def test_after_deletion_the_name_is_free(bench: ProvisionBench) -> None:
    """S48."""
    first = bench.ask()
    device = bench.device("dev")
    devices.delete_device(bench.registry, device)

    second = bench.ask()

    assert second.status is Status.SUCCESS
    assert bench.device("dev").id != device.id
    assert first.credentials is not None
    assert second.credentials is not None
    assert first.credentials.credentials_id != second.credentials.credentials_id
    assert devices.credentials_by_id(bench.registry, first.credentials.credentials_id) is None
    assert attribute(bench.registry, device.id, Scope.SERVER, "provisionState") is None


def test_of_many_requests_for_one_name_one_succeeds(bench: ProvisionBench) -> None:
    """S49."""
    statuses = [bench.ask().status for _ in range(20)]

    assert statuses.count(Status.SUCCESS) == 1
    assert bench.how_many() == 1


def test_a_hundred_names_get_a_hundred_tokens(bench: ProvisionBench) -> None:
    """S50."""
    tokens = {bench.said(bench.ask(name=f"dev-{number}"))["credentialsValue"] for number in range(100)}

    assert len(tokens) == 100


def test_two_tenants_may_have_the_same_name(bench: ProvisionBench) -> None:
    """S51."""
    assert [bench.ask(letter).status for letter in "AB"] == [Status.SUCCESS] * 2


def test_names_mind_case(bench: ProvisionBench) -> None:
    assert [bench.ask(name=name).status for name in ("dev", "DEV")] == [Status.SUCCESS] * 2


def test_a_tenant_has_only_so_many_devices() -> None:
    """S82."""
    bench = ProvisionBench(most_devices=1)
    bench.ask(name="first")

    assert refused(bench.ask()) is Status.FAILURE
    assert bench.ask("B").status is Status.SUCCESS, "another tenant has a number of its own"


@pytest.mark.parametrize(
    "name",
    ["x" * 256, "\U0001f600" * 128, "<b>dev</b>", "a</P>", "<?dev?>", "{{dev}}"],
    ids=["length", "length in halves", "markup", "end tag", "instruction", "template"],
)
def test_a_name_that_no_device_may_have_fails(bench: ProvisionBench, name: str) -> None:
    """S96."""
    assert refused(bench.ask(name=name)) is Status.FAILURE
    assert bench.find(name) is None


@pytest.mark.parametrize("members", [{"provisionDeviceKey": "K\0"}, {"name": "a\0b"}], ids=["key", "name"])
def test_a_look_up_of_a_nul_is_never_answered(bench: ProvisionBench, members: dict[str, str]) -> None:
    """The real server's database refuses the text, and the request runs into the internal time-out."""
    assert refused(bench.ask(**members)) is None


@pytest.mark.parametrize("name", ["\u2028", "\u3000", "x" * 255, "a < b", "{dev}", "dev>", "<!--", "</b>"])
def test_a_name_that_looks_odd_only_is_taken(bench: ProvisionBench, name: str) -> None:
    assert bench.ask(name=name).status is Status.SUCCESS


# CHECK_PRE_PROVISIONED_DEVICES


def test_a_listed_device_gets_what_it_has(bench: ProvisionBench) -> None:
    """S38."""
    bench.imported("dev")

    assert bench.said(bench.ask("C"))["credentialsValue"] == bench.credentials("dev").credentials_id
    assert bench.state("dev") == "provisioned"
    assert bench.events("dev") == ["PROVISION_SUCCESS"]


def test_what_a_restarted_server_gives_away_is_masked_again(bench: ProvisionBench) -> None:
    """Also where no place tells that it is a secret: in protobuf."""
    bench.imported("dev")
    bench.registry.new_secrets.clear()

    bench.ask("C")

    token = bench.credentials("dev").credentials_id
    assert set(bench.registry.new_secrets) == {("provision-secret", "SC"), ("access-token", token)}


def test_a_second_request_fails_until_the_attribute_is_deleted(bench: ProvisionBench) -> None:
    """S39, S41, S86."""
    bench.imported("dev")
    bench.ask("C")
    device = bench.device("dev")
    before = attribute(bench.registry, device.id, Scope.SERVER, "provisionState")

    assert refused(bench.ask("C")) is Status.FAILURE
    assert attribute(bench.registry, device.id, Scope.SERVER, "provisionState") == before
    assert bench.events("dev") == ["PROVISION_SUCCESS", "PROVISION_FAILURE"]

    bench.forget_state("dev")
    assert bench.ask("C").status is Status.SUCCESS


@pytest.mark.parametrize("generation", [Profile.PREVIOUS, Profile.OLD])
def test_an_older_server_answers_for_ever(generation: Profile) -> None:
    """S40."""
    bench = ProvisionBench(generation)
    bench.imported("dev")

    answers = [bench.said(bench.ask("C")) for _ in range(3)]

    assert answers == [answers[0]] * 3
    assert answers[0]["status"] == "SUCCESS"
    assert bench.events("dev") == ["PROVISION_SUCCESS"] * 3


@pytest.mark.parametrize(("generation", "heard"), [(Profile.CURRENT, []), (Profile.PREVIOUS, ["PROVISION_FAILURE"])])
@pytest.mark.parametrize("state", ["x", "", True, 1])
def test_another_state_fails(generation: Profile, heard: list[str], state: Any) -> None:
    """S42: a newer server tells nobody."""
    bench = ProvisionBench(generation)
    bench.imported("dev")
    bench.set_state("dev", state)

    assert refused(bench.ask("C")) is Status.FAILURE
    assert bench.events("dev") == heard


@pytest.mark.parametrize("name", ["stranger", None])
def test_a_name_that_is_not_listed_fails(bench: ProvisionBench, name: str | None) -> None:
    """S43."""
    assert refused(bench.ask("C", name=name)) is Status.FAILURE
    assert bench.how_many() == 0


def test_a_name_listed_in_another_profile_fails(bench: ProvisionBench) -> None:
    """S44."""
    bench.imported("dev", "A")

    assert refused(bench.ask("C")) is Status.FAILURE
    assert bench.events("dev") == []


def test_what_a_listed_device_brings_is_ignored(bench: ProvisionBench) -> None:
    """S45."""
    bench.imported("dev")
    before = bench.credentials("dev")

    answer = bench.said(bench.ask("C", token="mine", gateway=True))

    assert answer["credentialsValue"] == before.credentials_id
    assert bench.credentials("dev") == before
    assert not bench.device("dev").is_gateway


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("MQTT_BASIC", basic_value("c", "u", None), {"clientId": "c", "userName": "u", "password": None}),
        ("X509_CERTIFICATE", "MIIB\nAQAB", "MIIBAQAB"),
    ],
)
def test_a_listed_device_gets_credentials_of_its_kind(bench: ProvisionBench, kind: str, value: str, said: Any) -> None:
    """S46: parts that an operator has left out are null."""
    bench.imported("dev", credentials=formed(CredentialsType(kind), None, value))

    answer = bench.said(bench.ask("C"))

    assert (answer["credentialsType"], answer["credentialsValue"]) == (kind, said)


# X509_CERTIFICATE_CHAIN, generations, events


def test_a_chain_profile_never_answers(bench: ProvisionBench) -> None:
    """S81: whatever the secret is."""
    for secret in ("SX", "wrong"):
        assert refused(bench.ask("X", provisionDeviceSecret=secret)) is None
    assert bench.find("dev") is None


def test_the_oldest_server_makes_no_gateways() -> None:
    bench = ProvisionBench(Profile.OLD)
    bench.ask(gateway=None)

    assert bench.device("dev").additional_info is None


def test_the_documented_answers() -> None:
    bench = ProvisionBench(Profile.AS_DOCUMENTED)

    token = bench.said(bench.ask())
    basic = bench.said(bench.ask(name="other", credentialsType="MQTT_BASIC", username="u"))

    assert token == {
        "deviceId": bench.device("dev").id,
        "provisionDeviceStatus": "SUCCESS",
        "credentialsType": "ACCESS_TOKEN",
        "accessToken": bench.credentials("dev").credentials_id,
    }
    assert basic["credentialsValue"] == {"clientId": "", "userName": "u", "password": ""}
    assert "accessToken" not in basic
    assert bench.said(bench.ask()) == {"provisionDeviceStatus": "FAILURE"}
    assert bench.said(bench.ask(provisionDeviceKey="none")) == {"provisionDeviceStatus": "NOT_FOUND"}


def test_an_event_quotes_the_request(bench: ProvisionBench) -> None:
    """The rule engine gets key and secret in clear."""
    bench.ask(token="mine")

    assert events_of(bench.registry, bench.device("dev").id)[-1].body == {
        "deviceName": "dev",
        "credentialsType": "ACCESS_TOKEN",
        "credentialsData": {"token": "mine", "clientId": "", "username": "", "password": "", "x509CertHash": ""},
        "credentials": {"provisionDeviceKey": "KA", "provisionDeviceSecret": "SA"},
        "gateway": False,
    }


def test_no_reason_gives_a_secret_away(bench: ProvisionBench) -> None:
    """S83."""
    bench.ask(token="my-token-of-the-device")
    decisions = [
        bench.ask(token="my-token-of-the-device"),
        bench.ask(name="other", token="my-token-of-the-device"),
        bench.ask(provisionDeviceSecret="a-wrong-secret"),
        bench.ask("N"),
    ]

    text = " ".join(decision.reason for decision in decisions)
    assert not re.search("my-token-of-the-device|a-wrong-secret|SA|SN", text)
