"""A request from its bytes: JSON with the server's leniency, protobuf, and the two ways of being none (1.1, 1.6)."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.reference_server.platforms.thingsboard.provisioning.protobuf import (
    NotProtobuf,
    read_protobuf_request,
    write_protobuf_answer,
)
from fleetrig.reference_server.platforms.thingsboard.provisioning.reading import read_request
from fleetrig.reference_server.platforms.thingsboard.provisioning.request import (
    BadProvisionRequest,
    ProvisionRequest,
    Undecodable,
    Unusable,
)
from fleetrig.reference_server.platforms.thingsboard.state.generations import TRAITS, Profile, Traits
from fleetrig.reference_server.platforms.thingsboard.state.records import CredentialsType
from fleetrig.simulator.flows.thingsboard.credentials import (
    AccessToken,
    Credentials,
    MqttBasic,
    OwnCertificate,
    ProvisionKey,
)
from fleetrig.simulator.flows.thingsboard.protobuf import encode_request

TRAITS_NOW = Traits()
PB_BASIC = ProvisionRequest(client_id="c", username="u", password="p", is_protobuf=True)


def read(payload: bytes | str | dict[str, Any], profile: Profile = Profile.CURRENT) -> ProvisionRequest:
    if isinstance(payload, dict):
        payload = json.dumps({"provisionDeviceKey": "K", "provisionDeviceSecret": "S", **payload})
    return read_request(payload if isinstance(payload, bytes) else payload.encode(), TRAITS[profile])


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, ProvisionRequest("K", "S")),
        ({"deviceName": "d"}, ProvisionRequest("K", "S", "d")),
        ({"deviceName": ["d"]}, ProvisionRequest("K", "S", "d")),
        ({"deviceName": [["d"]]}, ProvisionRequest("K", "S", "d")),
        ({"deviceName": True}, ProvisionRequest("K", "S", "true")),
        ({"deviceName": 4.5}, ProvisionRequest("K", "S", "4.5")),
        ({"provisionDeviceKey": 42}, ProvisionRequest("42", "S")),
        ({"token": "t"}, ProvisionRequest("K", "S", token="t")),
        ({"clientId": "c", "username": "u"}, ProvisionRequest("K", "S", client_id="c", username="u")),
        ({"password": "p", "hash": "h"}, ProvisionRequest("K", "S", password="p", certificate="h")),
        ({"credentialsType": ["MQTT_BASIC"]}, ProvisionRequest("K", "S", credentials_type=CredentialsType.MQTT_BASIC)),
        ({"gateway": "tRuE"}, ProvisionRequest("K", "S", gateway=True)),
        ({"gateway": [True]}, ProvisionRequest("K", "S", gateway=True)),
        ({"gateway": 1}, ProvisionRequest("K", "S")),
        ({"userName": None, "devicename": {}}, ProvisionRequest("K", "S")),
    ],
)
def test_members_of_json(members: dict[str, Any], expected: ProvisionRequest) -> None:
    assert read(members) == expected


def test_single_quotes_and_words() -> None:
    assert read("{deviceName:'d','provisionDeviceKey':\"K\",provisionDeviceSecret:S}") == ProvisionRequest(
        "K", "S", "d"
    )


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"deviceName": None}, "JsonNull"),
        ({"token": None}, "JsonNull"),
        ({"credentialsType": None}, "JsonNull"),
        ({"provisionDeviceKey": None}, "JsonNull"),
        ({"gateway": None}, "JsonNull"),
        ({"hash": [None]}, "JsonNull"),
        ({"deviceName": {}}, "JsonObject"),
        ({"gateway": {}}, "JsonObject"),
        ({"credentialsType": "FOO"}, "No enum constant .*CredentialsType.FOO"),
        ({"credentialsType": "access_token"}, "No enum constant"),
        ({"credentialsType": ""}, "No enum constant"),
    ],
)
def test_members_that_are_no_value(members: dict[str, Any], said: str) -> None:
    """S28, S32: whatever the key is."""
    with pytest.raises(Unusable, match=said):
        read(members)


@pytest.mark.parametrize("missing", ["provisionDeviceKey", "provisionDeviceSecret"])
def test_a_missing_member_is_told_with_the_whole_request(missing: str) -> None:
    """S33: the secret goes over the wire, and not into the reason."""
    document = {"deviceName": "d", "provisionDeviceKey": "K-1", "provisionDeviceSecret": "S-1"}
    del document[missing]

    with pytest.raises(Unusable) as caught:
        read_request(json.dumps(document).encode(), TRAITS_NOW)

    text = json.dumps(document, separators=(",", ":"))
    assert str(caught.value) == f"Failed to find the field {missing} in JSON body {text}!"
    assert missing in caught.value.reason
    assert not any(value in caught.value.reason for value in ("K-1", "S-1"))


def test_the_first_bad_member_decides() -> None:
    """In the order in which the server asks for them, not in that of the document."""
    with pytest.raises(Undecodable, match="Array must have size 1, but has size 2"):
        read({"gateway": None, "provisionDeviceKey": None, "deviceName": ["a", "b"]})
    with pytest.raises(Unusable):
        read({"hash": ["a", "b"], "token": None})


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ("{", "End of input"),
        ("[]", "Can't parse value: \\[\\]"),
        ("[{}]", "Can't parse value: \\[\\{\\}\\]"),
        ("hello", 'Can\'t parse value: "hello"'),
        ("null", "Can't parse value: null"),
        ("42", "Can't parse value: 42"),
        ('"{}"', "Can't parse value"),
        ('{"deviceName":"d"} x', "Did not consume"),
        (b"\xff\xfe", "Can't parse value"),
    ],
)
def test_what_is_neither_json_nor_protobuf(payload: bytes | str, said: str) -> None:
    """S34."""
    with pytest.raises(Undecodable, match=said) as caught:
        read(payload)
    assert "nor is it protobuf" in caught.value.reason


@pytest.mark.parametrize("name", ["deviceName", "gateway"])
@pytest.mark.parametrize("items", [[], ["a", "b"]])
def test_an_array_that_is_no_single_value(name: str, items: list[str]) -> None:
    with pytest.raises(Undecodable, match=f"has size {len(items)}"):
        read({name: items})


def test_an_empty_payload_is_an_empty_protobuf_message() -> None:
    """S35."""
    assert read(b"") == ProvisionRequest(is_protobuf=True)


def test_the_oldest_server_does_not_look_at_gateway() -> None:
    """Not even at a null."""
    assert not read({"gateway": None}, Profile.OLD).gateway
    assert not read_request(bytes.fromhex("2801"), TRAITS[Profile.OLD]).gateway


# protobuf


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("1a0b0a066e6f626f6479120178", ProvisionRequest("nobody", "x", is_protobuf=True)),
        ("0a0164 1a06 0a014b 120153", ProvisionRequest("K", "S", "d", is_protobuf=True)),
        ("1002", ProvisionRequest(credentials_type=CredentialsType.MQTT_BASIC, is_protobuf=True)),
        ("1001", ProvisionRequest(credentials_type=CredentialsType.X509_CERTIFICATE, is_protobuf=True)),
        ("108280808010", ProvisionRequest(credentials_type=CredentialsType.MQTT_BASIC, is_protobuf=True)),
        ("1004", ProvisionRequest(credentials_type=None, is_protobuf=True)),
        ("10ffffffffffffffffff01", ProvisionRequest(credentials_type=None, is_protobuf=True)),
        ("2200", ProvisionRequest(is_protobuf=True)),
        ("22050a030a0174", ProvisionRequest(token="t", is_protobuf=True)),
        ("22051203 0a0168", ProvisionRequest(certificate="h", is_protobuf=True)),
        (
            "220b1a09 0a0163 120175 1a0170",
            ProvisionRequest(client_id="c", username="u", password="p", is_protobuf=True),
        ),
        ("2801", ProvisionRequest(gateway=True, is_protobuf=True)),
        ("2802", ProvisionRequest(gateway=True, is_protobuf=True)),
        ("0a0161 0a0162", ProvisionRequest(device_name="b", is_protobuf=True)),
        ("1a030a014b 1a03120153", ProvisionRequest("K", "S", is_protobuf=True)),
        ("32017a 3801 4100000000000000003d00000000", ProvisionRequest(is_protobuf=True)),
        ("3b 0801 3c", ProvisionRequest(is_protobuf=True)),
        ("0801", ProvisionRequest(is_protobuf=True)),
        ("0a818080800078", ProvisionRequest(device_name="x", is_protobuf=True)),
    ],
)
def test_protobuf_messages(message: str, expected: ProvisionRequest) -> None:
    """Unknown fields are skipped, groups as well; of two values the last counts, and messages are merged."""
    assert read_protobuf_request(bytes.fromhex(message), TRAITS_NOW) == expected


@pytest.mark.parametrize(
    "message",
    [
        "0a", "0a05 6869", "0a01 ff", "08", "0000", "0401", "0c", "3b 44", "3b 0801", "3e", "80808080808080808080 01",
        "0affffffffffffffffff01", "3d0000", "3b"*101,
    ],
)  # fmt: skip
def test_bytes_that_are_no_message(message: str) -> None:
    with pytest.raises(NotProtobuf):
        read_protobuf_request(bytes.fromhex(message), TRAITS_NOW)


@pytest.mark.parametrize(
    ("status", "kind", "value", "message"),
    [
        ("NOT_FOUND", None, "", "0802"),
        ("FAILURE", None, "", "0803"),
        ("SUCCESS", CredentialsType.ACCESS_TOKEN, "abc", "08011a03616263"),
        ("SUCCESS", CredentialsType.MQTT_BASIC, "{}", "080110021a027b7d"),
        ("SUCCESS", CredentialsType.X509_CERTIFICATE, "x" * 200, "080110011ac801" + "78" * 200),
        ("SUCCESS", CredentialsType.LWM2M_CREDENTIALS, "", "08011003"),
    ],
)
def test_protobuf_answers(status: str, kind: CredentialsType | None, value: str, message: str) -> None:
    assert write_protobuf_answer(status, kind, value).hex() == message


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
OWN = st.one_of(
    st.builds(AccessToken, TEXTS), st.builds(OwnCertificate, TEXTS), st.builds(MqttBasic, TEXTS, TEXTS, TEXTS)
)


@given(st.builds(ProvisionKey, TEXTS, TEXTS), OWN, TEXTS, st.booleans())
def test_what_a_device_writes_is_read(key: ProvisionKey, own: Credentials, name: str, is_gateway: bool) -> None:
    brought: dict[str, Any] = {}
    match own:
        case AccessToken(token):
            brought = {"token": token}
        case OwnCertificate(leaf_pem):
            brought = {"credentials_type": CredentialsType.X509_CERTIFICATE, "certificate": leaf_pem}
        case MqttBasic(client_id, user_name, password):
            brought = {"client_id": client_id, "username": user_name, "password": password}
            brought["credentials_type"] = CredentialsType.MQTT_BASIC
    read_again = read_protobuf_request(encode_request(key, own, name, is_gateway=is_gateway), TRAITS_NOW)
    assert read_again == ProvisionRequest(key.key, key.secret, name, gateway=is_gateway, is_protobuf=True, **brought)


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(payload: bytes) -> None:
    with suppress(BadProvisionRequest):
        read_request(payload, TRAITS_NOW)
