"""Credentials over the management API. What is made of odd values is what Hono 2.7 makes."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.reference_server.platforms.hono.state.credentials import credentials_by_auth_id, credentials_of_device
from fleetrig.reference_server.platforms.hono.state.passwords import is_password_right
from fleetrig.reference_server.platforms.hono.state.secrets import is_usable
from fleetrig.reference_server.platforms.hono.state.settings import Settings
from fleetrig.reference_server.platforms.hono.state.times import read_time
from tests.reference_server.platforms.hono.registry_rig import (
    RegistryRig,
    authority,
    base64_of,
    document_of,
    name_of,
    public_key_of,
    rig_of,
    told,
)

TARGET = "/v1/credentials/t/d"
INVALID = (400, "request body does not contain valid Credentials objects")
KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
CERTIFICATE = authority(KEY, name_of(O="ACME", OU="iot", CN="device-1"))
HASH = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
SHA = {"hash-function": "sha-256", "pwd-hash": "AAAA"}
VALIDITY = {"not-before": "2026-01-01T00:00:00Z", "not-after": "2034-12-31T23:59:59Z"}


def password(*secrets: Any, auth_id: str = "sensor1") -> dict[str, Any]:
    return {"type": "hashed-password", "auth-id": auth_id, "secrets": list(secrets)}


def psk(*secrets: Any, auth_id: str = "sensor1") -> dict[str, Any]:
    return {"type": "psk", "auth-id": auth_id, "secrets": list(secrets)}


def rpk(*secrets: Any) -> dict[str, Any]:
    return {"type": "rpk", "auth-id": "r", "secrets": list(secrets)}


def x509_cert(auth_id: str = "CN=a", *secrets: Any) -> dict[str, Any]:
    return {"type": "x509-cert", "auth-id": auth_id, "secrets": list(secrets or ({},))}


@pytest.fixture
def rig() -> RegistryRig:
    return RegistryRig(Settings(max_bcrypt_cost=4)).with_device()


def shown(rig: RegistryRig, *entries: Any) -> list[Any]:
    """What GET shows of them, without the ids of secrets, which are looked at."""
    rig.done("PUT", TARGET, list(entries))
    found = rig.shown(TARGET)
    for entry in found:
        assert all(len(secret.pop("id")) == 36 for secret in entry["secrets"])
    return list(found)


def secret_ids(rig: RegistryRig) -> list[str]:
    return [secret["id"] for entry in rig.shown(TARGET) for secret in entry["secrets"]]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (password({"pwd-plain": "x"}), password({})),
        (password({"pwd-plain": "x", **SHA, "salt": "AAAA", "comment": "c"}), password({"comment": "c"})),
        (password({**SHA, "enabled": False}), password({"enabled": False})),
        (password({"hash-function": "md5", "pwd-hash": "AA=="}), password({})),
        ({**password(SHA), "enabled": None, "comment": 5, "ext": None}, {**password({}), "comment": "5"}),
        ({**password(SHA), "ext": {"client-id": "m"}}, {**password({}), "ext": {"client-id": "m"}}),
        (psk({"key": "AAAA"}, {"key": "BBBB"}, auth_id="ü /"), psk({}, {}, auth_id="ü /")),
        (rpk({"key": public_key_of(KEY), "algorithm": "EC"}), rpk({"key": public_key_of(KEY), "algorithm": "EC"})),
        (
            rpk({"key": public_key_of(ED_KEY), "algorithm": "EdDSA"}),
            rpk({"key": public_key_of(ED_KEY), "algorithm": "EdDSA"}),
        ),
        (
            rpk({"cert": base64_of(CERTIFICATE), "not-after": "2030-01-01T00:00:00Z"}),
            rpk({"key": public_key_of(KEY), "algorithm": "EC", **VALIDITY, "not-after": "2030-01-01T00:00:00Z"}),
        ),
        (
            rpk({"not-after": "2030-01-01T00:00:00Z", "cert": base64_of(CERTIFICATE)}),
            rpk({"key": public_key_of(KEY), "algorithm": "EC", **VALIDITY}),
        ),
        (x509_cert("cn=x, o=y"), x509_cert("CN=x,O=y")),
        (x509_cert("no name"), x509_cert("no name")),
        (
            {"type": "x509-cert", "cert": base64_of(CERTIFICATE), "auth-id": "CN=other", "secrets": [{}, {}]},
            x509_cert("CN=device-1,OU=iot,O=ACME", VALIDITY),
        ),
        (
            {"type": "own-kind", "auth-id": "g", "secrets": [{"a": 1, "k": None, "id": None}]},
            {"type": "own-kind", "auth-id": "g", "secrets": [{"a": 1, "k": None}]},
        ),
        (
            password({**SHA, "not-before": "2020-01-01T00:00:00.5+01:00", "not-after": ""}),
            password({"not-before": "2019-12-31T23:00:00Z"}),
        ),
    ],
)
def test_what_is_shown_of_what_was_given(rig: RegistryRig, given: Any, expected: Any) -> None:
    assert shown(rig, given) == [expected]


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"type": "psk"},
        {"auth-id": "a", "secrets": [{}]},
        {"type": "psk", "auth-id": "a"},
        {"type": "psk", "auth-id": "a", "secrets": []},
        {"type": "psk", "auth-id": None, "secrets": [{"key": "AAAA"}]},
        {**psk({"key": "AAAA"}), "foo": 1},
        psk({"key": "AAAA", "algorithm": "EC"}),
        psk({"key": "!"}),
        psk({"key": None}),
        psk("x"),
        password({"pwd-plain": "x"}, auth_id="a b"),
        password({"pwd-plain": "x"}, auth_id=""),
        password({"pwd-plain": "x", "not-before": 5}),
        rpk({"key": public_key_of(KEY), "algorithm": None}),
        rpk({"cert": "AAAA"}),
        x509_cert("CN=a", {}, {}),
        x509_cert("CN=a", {"key": "AAAA"}),
        x509_cert(""),
        {"type": "x509-cert", "cert": public_key_of(KEY)},
        {"type": "#illegal", "auth-id": "g", "secrets": [{}]},
        {"type": "own-kind", "auth-id": "g", "secrets": [{}], "foo": 1},
    ],
)
def test_what_cannot_be_read(rig: RegistryRig, entry: Any) -> None:
    assert told(rig.ask("PUT", TARGET, [entry])) == INVALID
    assert rig.shown(TARGET) == []


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        (password({}), "'hash-function' must not be empty"),
        (password({"pwd-hash": "x"}), "'hash-function' must not be empty"),
        (password({"hash-function": "sha-256"}), "'pwd-hash' must not be empty"),
        (
            password({"hash-function": "bcrypt", "pwd-hash": HASH}),
            "BCrypt hash algorithm cost factor exceeds configured maximum value of 4",
        ),
        (password({"hash-function": "bcrypt", "pwd-hash": "x"}), "password hash is not a supported BCrypt hash"),
        (password({"hash-function": "bcrypt"}), "password hash is not a supported BCrypt hash"),
        (password({"pwd-plain": "x" * 73}), "password cannot be more than 72 bytes"),
        (
            password({"pwd-plain": "x", "not-before": "2030-01-01T00:00:00Z", "not-after": "2020-01-01T00:00:00Z"}),
            "'not-before' must not be after 'not-after'",
        ),
        (psk({}), "'key' must be set"),
        (psk({"id": "x"}), "'key' must be set"),
        (psk({"key": "AAAA"}, auth_id=""), "missing auth ID"),
        (rpk({"key": public_key_of(KEY)}), "secret requires key and algorithm"),
        (rpk({"key": public_key_of(KEY), "algorithm": "RSA"}), "key cannot be deserialized"),
        (rpk({"key": "AAAA", "algorithm": "EC"}), "key cannot be deserialized"),
    ],
)
def test_secrets_that_are_not_right(rig: RegistryRig, entry: Any, error: str) -> None:
    assert told(rig.ask("PUT", TARGET, [entry])) == (400, error)
    assert rig.shown(TARGET) == []


def test_a_set_is_replaced_as_a_whole(rig: RegistryRig) -> None:
    rig.done("PUT", TARGET, [psk({"key": "AAAA"}), password(SHA)])
    assert [(one.type, one.position) for one in credentials_of_device(rig.registry, "t", "d")] == [
        ("psk", 0),
        ("hashed-password", 1),
    ]
    rig.done("PUT", TARGET, [password(SHA, auth_id="sensor2")])
    assert [entry["auth-id"] for entry in rig.shown(TARGET)] == ["sensor2"]
    assert credentials_by_auth_id(rig.registry, "t", "psk", "sensor1") is None
    rig.done("PUT", TARGET, [])
    assert rig.shown(TARGET) == []


def test_a_set_is_looked_at_before_its_device(rig: RegistryRig) -> None:
    assert told(rig.ask("PUT", "/v1/credentials/t/nobody", [psk({})])) == (400, "'key' must be set")
    assert told(rig.ask("PUT", "/v1/credentials/t/nobody", [])) == (404, "Error Code: 404")
    assert told(rig.ask("PUT", "/v1/credentials/nobody/d", [psk({})])) == (404, "no such tenant")
    assert told(rig.ask("GET", "/v1/credentials/t/nobody")) == (404, "Error Code: 404")


def test_entries_that_are_no_objects_are_looked_over(rig: RegistryRig) -> None:
    assert shown(rig, 1, "x", None, [], psk({"key": "AAAA"})) == [psk({})]


def test_an_auth_id_stands_once_for_each_type(rig: RegistryRig) -> None:
    both = [psk({"key": "AAAA"}), psk({"key": "BBBB"})]
    assert told(rig.ask("PUT", TARGET, both)) == (400, "credentials must have unique (type, auth-id)")
    same_name = [x509_cert("CN=a, O=b"), x509_cert("cn=a,o=b")]
    assert rig.ask("PUT", TARGET, same_name).response.status == 400
    rig.done("PUT", TARGET, [psk({"key": "AAAA"}), password(SHA)])


def test_an_auth_id_belongs_to_one_device_of_its_tenant(rig: RegistryRig) -> None:
    rig.with_device(device="e").with_device("other", "d")
    rig.done("PUT", TARGET, [psk({"key": "AAAA"})])
    rig.done("PUT", "/v1/credentials/other/d", [psk({"key": "AAAA"})])
    answer = rig.ask("PUT", "/v1/credentials/t/e", [password(SHA), psk({"key": "AAAA"})])
    assert told(answer) == (409, "credentials (type, auth-id) must be unique for device")
    assert "the device 'd' has the auth-id 'sensor1'" in answer.reason
    assert rig.shown("/v1/credentials/t/e") == []
    assert len(rig.shown(TARGET)) == 1
    rig.done("PUT", TARGET, [])
    rig.done("PUT", "/v1/credentials/t/e", [psk({"key": "AAAA"})])


def test_the_limit_of_credentials(rig: RegistryRig) -> None:
    rig.done("PUT", "/v1/tenants/t", {"registration-limits": {"max-credentials-per-device": 1}})
    error = "configured credentials limit exceeded [tenant-id: t, max credentials: 1]"
    assert told(rig.ask("PUT", TARGET, [psk({"key": "AAAA"}), password(SHA)])) == (403, error)
    rig.done("PUT", TARGET, [psk({"key": "AAAA"}, {"key": "BBBB"})])


def test_versions(rig: RegistryRig) -> None:
    first = rig.send("GET", TARGET).response.header("etag")
    assert told(rig.ask("PUT", TARGET, [], If_Match="x")) == (412, "resource version mismatch")
    answer = rig.ask("PUT", TARGET, [psk({"key": "AAAA"})], If_Match=first or "")
    assert answer.response.status == 204
    assert rig.send("GET", TARGET).response.header("etag") == answer.response.header("etag") != first
    assert rig.send("GET", "/v1/devices/t/d").response.header("etag") == answer.response.header("etag")


def test_a_secret_that_names_its_id_keeps_its_password(rig: RegistryRig) -> None:
    rig.done("PUT", TARGET, [password({"pwd-plain": "first"}, {**SHA, "salt": "AAAA"})])
    first, second = secret_ids(rig)
    changed = [{"id": first, "not-after": "2040-01-01T00:00:00Z"}, {"id": second, "comment": "c", "salt": "BBBB"}]
    rig.done("PUT", TARGET, [password(*changed, {"pwd-plain": "third"})])
    assert secret_ids(rig)[:2] == [first, second]
    found = credentials_by_auth_id(rig.registry, "t", "hashed-password", "sensor1")
    assert found is not None
    one, two, three = found.secrets
    assert is_password_right(one, "first")
    assert is_password_right(three, "third")
    assert two == {**SHA, "salt": "AAAA", "id": second, "comment": "c"}


def test_a_secret_that_names_its_id_and_a_new_password_has_that(rig: RegistryRig) -> None:
    rig.done("PUT", TARGET, [password({"pwd-plain": "first"}), rpk({"key": public_key_of(KEY), "algorithm": "EC"})])
    first, second = secret_ids(rig)
    rig.done("PUT", TARGET, [password({"id": first, "pwd-plain": "second"}), rpk({"id": second, **key_of(ED_KEY)})])
    assert secret_ids(rig) == [first, second]
    found = credentials_by_auth_id(rig.registry, "t", "hashed-password", "sensor1")
    assert found is not None
    assert is_password_right(found.secrets[0], "second")
    assert not is_password_right(found.secrets[0], "first")
    assert rig.shown(TARGET)[1]["secrets"][0]["algorithm"] == "EdDSA"


def key_of(key: Any) -> dict[str, str]:
    return {"key": public_key_of(key), "algorithm": "EdDSA"}


def test_a_secret_of_a_kind_of_its_own_keeps_what_it_leaves_out(rig: RegistryRig) -> None:
    entry = {"type": "own-kind", "auth-id": "g", "secrets": [{"a": 1, "comment": "c"}]}
    rig.done("PUT", TARGET, [entry])
    (first,) = secret_ids(rig)
    rig.done("PUT", TARGET, [{**entry, "secrets": [{"id": first, "enabled": False}]}])
    assert rig.shown(TARGET)[0]["secrets"] == [{"id": first, "enabled": False, "a": 1}]
    rig.done("PUT", TARGET, [{**entry, "secrets": [{"id": first, "b": 2}]}])
    assert rig.shown(TARGET)[0]["secrets"] == [{"id": first, "b": 2}]


def test_ids_that_are_not_on_record(rig: RegistryRig) -> None:
    named = [password({"id": "x", "pwd-plain": "y"})]
    assert told(rig.ask("PUT", TARGET, named)) == (400, "no credentials on record for device")
    rig.done("PUT", TARGET, [password(SHA)])
    (known,) = secret_ids(rig)
    assert told(rig.ask("PUT", TARGET, named)) == (400, "other credential has no secret with id: x")
    twice = [password({"id": known}, {"id": known})]
    error = "secret IDs must be unique within each credentials object"
    assert told(rig.ask("PUT", TARGET, twice)) == (400, error)
    rig.done("PUT", TARGET, [password({"id": "x", **SHA}, auth_id="another")])
    assert secret_ids(rig) == ["x"]


def test_secrets_and_passwords_are_masked(rig: RegistryRig) -> None:
    rig.registry.new_secrets.clear()
    rig.done("PUT", TARGET, [password({"pwd-plain": "open sesame"}), psk({"key": "c2VjcmV0LWtleQ=="})])
    kinds = dict(rig.registry.new_secrets)
    assert kinds["password"] == "open sesame"
    assert kinds["psk"] == "c2VjcmV0LWtleQ=="
    assert kinds["pwd-hash"].startswith("$2a$04$")
    rig.registry.new_secrets.clear()
    rig.done("PUT", TARGET, [rpk({"key": public_key_of(KEY), "algorithm": "EC"})])
    assert rig.registry.new_secrets == []


def test_secrets_count_while_they_are_valid_and_enabled() -> None:
    begins, ends = read_time("2026-01-01T00:00:00Z"), read_time("2026-01-02T00:00:00Z")
    secret = {"not-before": "2026-01-01T00:00:00Z", "not-after": "2026-01-02T00:00:00Z"}
    assert [is_usable(secret, at_us) for at_us in (begins - 1, begins, ends, ends + 1)] == [False, True, True, False]
    assert is_usable({}, 0)
    assert not is_usable({"enabled": False}, 0)


def test_a_certificate_as_pem_in_base64_is_read_as_java_does(rig: RegistryRig) -> None:
    pem = b64encode(CERTIFICATE.public_bytes(Encoding.PEM)).decode()
    assert shown(rig, {"type": "x509-cert", "cert": pem}) == [x509_cert("CN=device-1,OU=iot,O=ACME", VALIDITY)]


def test_what_is_wrong_is_named(rig: RegistryRig) -> None:
    answer = rig.ask("PUT", TARGET, [psk({"key": "AAAA"}), {**password({"pwd-plan": "x"})}])
    assert "credentials[1].secrets[0] has no member 'pwd-plan'; did you mean 'pwd-plain'?" in answer.reason
    assert document_of(answer) == {"error": INVALID[1]}


@pytest.mark.parametrize("kind", ["hashed-password", "psk", "rpk", "x509-cert", "custom"])
def test_a_null_for_a_secret(kind: str) -> None:
    entries = [{"type": kind, "auth-id": "a", "secrets": [None]}]
    better, real = rig_of("2").with_device(), rig_of("2-jdbc").with_device()
    assert told(better.ask("PUT", "/v1/credentials/t/d", entries))[0] == 400
    assert told(real.ask("PUT", "/v1/credentials/t/d", entries))[0] == 500
    assert told(real.ask("PUT", "/v1/credentials/nosuch/d", entries)) == (404, "no such tenant")
    assert told(real.ask("PUT", "/v1/credentials/t/d", [*entries, *entries]))[0] == 400
    assert real.shown("/v1/credentials/t/d") == []
