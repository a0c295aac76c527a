"""Files alone: what is wrong with tenants, authorities, credentials and requests before anybody sends them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fleetrig.harness.cli import main
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.keys import KeyKind
from fleetrig.simulator.contract.identity import as_pem
from tests.harness.doctor.hono.bench import (
    CA_DN,
    DEVICE_DN,
    PASSWORD,
    authority,
    base64_of,
    days,
    leaf_base64,
    leaf_of,
    x509_entry,
)
from tests.harness.doctor.hono.conftest import Doctor

CA = authority()
LEAF = leaf_of(CA)
KEY = CA.certificate.public_key()
SPKI = KEY.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PEM_KEY = KEY.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
DATES = {"not-before": "2020-01-01T00:00:00Z", "not-after": "2099-01-01T00:00:00Z"}
PROVISIONS = {"auto-provisioning-enabled": True}


def text(raw: bytes) -> str:
    return b64encode(raw).decode()


def by_key(**members: Any) -> dict[str, Any]:
    named = {key.replace("_", "-"): value for key, value in members.items()}
    return {"subject-dn": CA_DN, "public-key": text(SPKI), "algorithm": "EC", **DATES, **PROVISIONS, **named}


@pytest.fixture
def cert(tmp_path: Path) -> str:
    file = tmp_path / "device.pem"
    file.write_bytes(as_pem(LEAF.chain[0]))
    return str(file)


def in_file(folder: Path, content: object) -> str:
    """JSON, or bytes as they are."""
    file = folder / "given"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(file)


TENANTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("PEM in cert", {"cert": CA.certificate_pem.decode()}, "authority-as-pem", "cert is PEM text"),
    ("PEM in public-key", by_key(public_key=PEM_KEY.decode()), "authority-as-pem", "public-key is PEM text"),
    ("a key in cert", {"cert": text(SPKI)}, "authority-is-public-key", "holds a public key: 400. A bare key goes into"),
    ("a PEM key in cert", {"cert": text(PEM_KEY)}, "authority-is-public-key", "holds a public key"),
    ("a private key in cert", {"cert": text(CA.key_pem)}, "authority-is-private-key", "consider it disclosed"),
    ("garbage in cert", {"cert": text(b"garbage")}, "authority-is-no-certificate", "holds nothing that is known"),
    ("a certificate in public-key", by_key(public_key=base64_of(CA)), "key-is-certificate", "a whole certificate"),
    ("no algorithm of an EC key", by_key(algorithm=None), "authority-algorithm", "when it is left out"),
    ("RSA said of an EC key", by_key(algorithm="RSA"), "authority-algorithm", "a key of EC, and algorithm says RSA"),
    ("no dates", {"subject-dn": CA_DN, "public-key": text(SPKI), "algorithm": "EC"}, "tenant-refused", "not-before"),
    ("an unknown member", {"cert": base64_of(CA), "auto-provisioning": True}, "tenant-refused", "auto-provisioning"),
    ("an unknown placeholder", {"cert": base64_of(CA), "auth-id-template": "{{subject-serial}}"}, "tenant-refused",
     "there is no placeholder"),
    ("a template without one", {"cert": base64_of(CA), "auto-provisioning-device-id-template": "dev"}, "tenant-refused",
     "no placeholder"),
    ("not provisioning", {"cert": base64_of(CA)}, "auto-provisioning-off", "as it is by default"),
    ("expired", by_key(not_after="2024-01-01T00:00:00Z"), "authority-expired", "expired on 2024-01-01T00:00:00Z"),
    ("the name in the other order", by_key(subject_dn="O=ACME,OU=iot,CN=devices"), "dn-order", "the other order"),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "name", "cause"), [row[1:] for row in TENANTS], ids=[row[0] for row in TENANTS])
def test_a_tenant_that_is_to_be_sent(
    entry: dict[str, Any], name: str, cause: str, cert: str, tmp_path: Path, doctor: Doctor
) -> None:
    given = {key: value for key, value in entry.items() if value is not None}
    file = in_file(tmp_path, {"trusted-ca": [given]})

    page = doctor(None, "--cert", cert, "--tenant-file", file, "--tenant", "acme")

    assert (page.names, page.code) == ([name], 1)
    assert cause in page.one(name)["cause"]


def test_a_tenant_that_is_right(cert: str, tmp_path: Path, doctor: Doctor) -> None:
    file = in_file(tmp_path, {"trusted-ca": [{"cert": base64_of(CA), **PROVISIONS}]})

    page = doctor(None, "--cert", cert, "--tenant-file", file, "--tenant", "acme")

    assert (page.names, page.notes, page.code) == ([], [], 0)
    assert page.document["headline"] == (
        "This device would be let in: tenant acme, device under a UUID that the registry draws."
    )
    assert f'auth-id "{DEVICE_DN}"' in page.document["seen"]


@pytest.mark.parametrize(
    ("name", "names"),
    [("2.5.4.5=#0c023737,CN=devices", ["dn-string-type"]), ("SERIALNUMBER=77,CN=devices", [])],
    ids=["UTF8String", "as-java-reads-it"],
)
def test_an_attribute_without_a_keyword(name: str, names: list[str], tmp_path: Path, doctor: Doctor) -> None:
    """Java prints it by its DER, in which the kind of string counts."""
    ca = authority("serialNumber=77,CN=devices")
    key = text(ca.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    cert = tmp_path / "leaf.pem"
    cert.write_bytes(as_pem(leaf_of(ca).chain[0]))
    file = in_file(tmp_path, {"trusted-ca": [by_key(subject_dn=name, public_key=key)]})

    page = doctor(None, "--cert", str(cert), "--tenant-file", file)

    assert (page.names, page.code) == (names, 1 if names else 0)


def test_base64_of_a_pem_file_is_taken_by_java(cert: str, tmp_path: Path, doctor: Doctor) -> None:
    file = in_file(tmp_path, {"trusted-ca": [{"cert": text(CA.certificate_pem), **PROVISIONS}]})

    page = doctor(None, "--cert", cert, "--tenant-file", file)

    assert (page.names, page.notes, page.code) == ([], ["authority-base64-of-pem"], 0)


def test_which_ids_come_of_templates(cert: str, tmp_path: Path, doctor: Doctor) -> None:
    ca = in_file(tmp_path, CA.certificate_pem)
    templates = ("--auth-id-template", "{{subject-cn}}@{{subject-o}}", "--device-id-template", "dev-{{subject-cn}}")

    page = doctor(None, "--cert", cert, "--ca", ca, "--tenant", "acme", *templates)

    assert (page.names, page.code) == ([], 0)
    assert 'auth-id "device-1@ACME"' in page.document["seen"]
    assert "not yet registered: device-id dev-device-1" in page.document["seen"]
    (command,) = [one["command"] for one in page.document["diagnoses"] if one["name"] == "how-to-upload"]
    assert base64_of(CA) in command[1]
    assert "dev-{{subject-cn}}" in command[1]


@pytest.mark.parametrize("form", ["DER", "base64", "PEM"])
def test_files_of_certificates_in_every_form(form: str, tmp_path: Path, cert: str, doctor: Doctor) -> None:
    der = CA.certificate.public_bytes(Encoding.DER)
    content = {"DER": der, "base64": b64encode(der), "PEM": CA.certificate_pem}[form]

    page = doctor(None, "--cert", cert, "--ca", in_file(tmp_path, content))

    assert (page.names, page.code) == ([], 0)


@pytest.mark.parametrize(
    ("content", "name"),
    [(PEM_KEY, "authority-is-public-key"), (CA.key_pem, "authority-is-private-key"),
     (b"nothing", "authority-is-no-certificate")],
    ids=["public-key", "private-key", "garbage"],
)  # fmt: skip
def test_an_authority_that_is_none(content: bytes, name: str, cert: str, tmp_path: Path, doctor: Doctor) -> None:
    page = doctor(None, "--cert", cert, "--ca", in_file(tmp_path, content))

    assert (page.names, page.code) == ([name], 1)


@pytest.mark.parametrize(
    ("common_name", "told", "code"),
    [("dev$1", "fails over it (500 No group", 3), ("dev\\1", "makes id-dev1 of it", 0)],
    ids=["dollar", "backslash"],
)
def test_letters_that_java_takes_for_a_regular_expression(
    common_name: str, told: str, code: int, tmp_path: Path, doctor: Doctor
) -> None:
    leaf = CA.issue_client(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)]))
    cert, ca = tmp_path / "leaf.pem", in_file(tmp_path, CA.certificate_pem)
    cert.write_bytes(as_pem(leaf.chain[0]))

    page = doctor(None, "--cert", str(cert), "--ca", ca, "--auth-id-template", "id-{{subject-cn}}")

    assert page.code == code
    assert told in page.one("auth-id-template-letters")["cause"]


@pytest.mark.parametrize(
    ("kind", "over", "names", "notes"),
    [
        (KeyKind.RSA1024, "coaps", [], ["no-ec-key", "short-key"]),
        (KeyKind.RSA2048, "coaps", [], ["no-ec-key"]),
        (KeyKind.RSA2048, "mqtts", [], []),
        (KeyKind.ED25519, "coaps", ["no-ec-key"], []),
        (KeyKind.ED25519, "https", [], []),
    ],
)
def test_other_keys_than_ec(
    kind: KeyKind, over: str, names: list[str], notes: list[str], tmp_path: Path, doctor: Doctor
) -> None:
    cert, ca = tmp_path / "leaf.pem", in_file(tmp_path, CA.certificate_pem)
    cert.write_bytes(as_pem(leaf_of(CA, kind=kind).chain[0]))

    page = doctor(None, "--cert", str(cert), "--ca", ca, over=over)

    assert (page.names, page.code) == (names, 1 if names else 0)
    assert [name for name in page.notes if name != "how-to-upload"] == notes


def test_a_key_that_is_too_short_to_be_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cert, key = tmp_path / "leaf.pem", tmp_path / "key.pem"
    leaf = leaf_of(CA, kind=KeyKind.RSA1024)
    cert.write_bytes(as_pem(leaf.chain[0]))
    key.write_bytes(leaf.key_pem)

    assert main(["doctor", "hono", "--cert", str(cert), "--key", str(key)]) == 4
    assert "--key away" in capsys.readouterr().err


# -- requests


@pytest.mark.parametrize(
    ("options", "members", "name", "cause"),
    [
        (("--if-match", '"0b9e"'), {}, "if-match-form", "without quotation marks"),
        (("--if-match", "*"), {}, "if-match-form", "412"),
        (("--content-type", ""), {}, "content-type", "Unsupported Content-Type []"),
        (("--content-type", "text/plain"), {}, "content-type", "[text/plain]"),
        ((), {"ext": {"note": "x" * 2048}}, "body-too-large", "stock registries take 2048 (413)"),
    ],
    ids=["quoted-etag", "star", "no-content-type", "text", "large"],
)
def test_the_request_that_carries_it(
    options: tuple[str, ...], members: Mapping[str, Any], name: str, cause: str, cert: str, tmp_path: Path,
    doctor: Doctor,
) -> None:  # fmt: skip
    file = in_file(tmp_path, {"trusted-ca": [{"cert": base64_of(CA), **PROVISIONS}], **members})

    page = doctor(None, "--cert", cert, "--tenant-file", file, *options)

    assert (page.names, page.code) == ([name], 1)
    assert cause in page.one(name)["cause"]


# -- credentials

BCRYPTED = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", "$2a$")
SALT = b"salty"
RIGHT_HASH = text(sha256(SALT + PASSWORD.encode()).digest())


def hashed(pwd_hash: str, **more: str) -> list[dict[str, Any]]:
    named = {key.replace("_", "-"): value for key, value in more.items()}
    return [{"type": "hashed-password", "auth-id": "sensor1", "secrets": [{"pwd-hash": pwd_hash, **named}]}]


CREDENTIALS: list[tuple[str, Any, str, str]] = [
    ("bcrypt said to be sha-256", hashed(BCRYPTED, hash_function="sha-256"), "hash-function", "one of bcrypt, but"),
    ("bcrypt without a function", hashed(BCRYPTED), "hash-function", "'hash-function' must not be empty"),
    ("sha-256 said to be bcrypt", hashed(RIGHT_HASH, hash_function="bcrypt"), "hash-function", "pwd-hash is none"),
    ("md5", hashed("abcd", hash_function="md5"), "hash-function", "no adapter knows it"),
    ("bcrypt of PHP", hashed(BCRYPTED.replace("$2a$", "$2y$"), hash_function="bcrypt"), "bcrypt-version", "$2y$"),
    ("a high cost", hashed(BCRYPTED.replace("$04$", "$12$"), hash_function="bcrypt"), "bcrypt-cost", "is 12"),
    ("in hex", hashed(sha256(PASSWORD.encode()).hexdigest(), hash_function="sha-256"), "hash-in-hex", "hex"),
    ("salt not in the hash", hashed(text(sha256(PASSWORD.encode()).digest()), hash_function="sha-256", salt=text(SALT)),
     "hash-function", "of the password without the salt"),
    ("another function", hashed(RIGHT_HASH, hash_function="sha-512", salt=text(SALT)), "hash-function",
     "is the sha-256 of the password with the salt"),
    ("another password", hashed(text(sha256(b"x").digest()), hash_function="sha-256"), "password-differs", "is not"),
    ("no array", hashed(RIGHT_HASH)[0], "credentials-no-array", "no JSON array"),
    ("no secrets", [{"type": "hashed-password", "auth-id": "sensor1"}], "credentials-refused", "secrets"),
    ("a time without offset", [{**hashed("")[0], "secrets": [{"pwd-plain": "x", "not-after": "2026-01-01T00:00:00"}]}],
     "credentials-refused", "is no time"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "name", "cause"), [row[1:] for row in CREDENTIALS], ids=[row[0] for row in CREDENTIALS]
)
def test_passwords_that_are_to_be_sent(document: Any, name: str, cause: str, tmp_path: Path, doctor: Doctor) -> None:
    file = in_file(tmp_path, document)

    page = doctor(
        None, "--login", "sensor1@acme", "--secret", "env:PASSWORD", "--credentials", file, over="http"
    )  # fmt: skip

    assert (page.names, page.code) == ([name], 1)
    assert cause in page.one(name)["cause"]


@pytest.mark.parametrize(
    "document",
    [hashed(RIGHT_HASH, hash_function="sha-256", salt=text(SALT)), hashed(BCRYPTED, hash_function="bcrypt")],
    ids=["sha-256", "bcrypt"],
)
def test_a_hash_that_is_right(document: Any, tmp_path: Path, doctor: Doctor) -> None:
    file = in_file(tmp_path, document)

    page = doctor(None, "--login", "sensor1@acme", "--secret", "env:PASSWORD", "--credentials", file, over="http")

    assert page.names == []


def test_certificate_credentials_that_are_to_be_sent(cert: str, tmp_path: Path, doctor: Doctor) -> None:
    tenant = tmp_path / "tenant.json"
    tenant.write_text(json.dumps({"trusted-ca": [{"cert": base64_of(CA)}]}))
    rows: list[tuple[list[dict[str, Any]], list[str]]] = [
        ([x509_entry()], []),
        ([{"type": "x509-cert", "cert": leaf_base64(LEAF)}], []),
        ([{"type": "x509-cert", "cert": as_pem(LEAF.chain[0]).decode()}], ["credentials-as-pem"]),
        ([x509_entry("O=ACME,OU=iot,CN=device-1")], ["auth-id-order"]),
        ([x509_entry("CN=device-1, OU=iot, O=ACME")], []),
        ([x509_entry("CN=device-1,OU=iot,O=Acme")], ["auth-id-case"]),
    ]
    for document, names in rows:
        file = in_file(tmp_path, document)
        page = doctor(None, "--cert", cert, "--tenant-file", str(tenant), "--credentials", file)
        assert [name for name in page.names if name != "auto-provisioning-off"] == names, document


def test_who_cannot_tell_says_what_is_missing(doctor: Doctor, cert: str) -> None:
    rows = [(("--cert", cert), "give --ca FILE"), (("--login", "a@t"), "give --against a registry")]
    for options, missing in rows:
        page = doctor(None, *options)
        (gap,) = page.document["not_seen"]
        assert (page.document["exit_code"], missing in gap) == (3, True), options


# -- wrong usage


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "say what the device has: --cert FILE, or --login"),
        (("--login", "a@b", "--key", "k.pem"), "--key belongs to --cert FILE, which is missing"),
        (("--cert", "nope.pem"), "cannot read nope.pem, which --cert names"),
        (("--login", "a@b", "--over", "amqp"), "--over amqp: expected https, mqtts, coaps, http or mqtt"),
        (("--login", "a@b", "--secret", "word"), "--secret takes no secret itself"),
        (("--login", "a@b", "--over", "mqtts://host/path"), "--over 'mqtts://host/path' is no address"),
        (("--login", "a@b", "--user", "me"), "--user NAME and --password env:NAME belong together"),
        (("--login", "a@b", "--device-id-template", "x"), "--auth-id-template and --device-id-template belong to --ca"),
    ],
    ids=str,
)
def test_wrong_usage(options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "hono", *options]) == 4
    assert capsys.readouterr().err.startswith(said)


def test_a_device_s_certificate_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    rows: list[tuple[bytes, str]] = [
        (PEM_KEY, "a public key"), (request.public_bytes(Encoding.PEM), "a certificate request (CSR)"),
        (b"{}", "nothing that is known"),
    ]  # fmt: skip
    for content, what in rows:
        assert main(["doctor", "hono", "--cert", in_file(tmp_path, content)]) == 4
        assert f"holds {what}; expected a certificate" in capsys.readouterr().err


def test_a_key_of_another_certificate(cert: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(leaf_of(CA).key_pem)

    assert main(["doctor", "hono", "--cert", cert, "--key", str(key)]) == 4
    assert "the device's own has to stand first" in capsys.readouterr().err


def test_an_authority_below_another(tmp_path: Path, doctor: Doctor) -> None:
    """Only the root is trusted, and the file with the chain tells what is between."""
    root: CertificateAuthority = authority(validity=days(-10, 400))
    below = root.authority_below("line 7")
    cert = tmp_path / "chain.pem"
    cert.write_bytes(as_pem(leaf_of(below).chain[0]) + below.certificate_pem)

    page = doctor(None, "--cert", str(cert), "--ca", in_file(tmp_path, root.certificate_pem))

    assert (page.names, page.code) == (["not-direct-issuer"], 1)
