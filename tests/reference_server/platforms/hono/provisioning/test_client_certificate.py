"""A client certificate against a trusted authority, as Java's PKIX looks at a path of one certificate (spec 2.2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from fleetrig.reference_server.platforms.hono.provisioning.client_certificate import (
    Unreadable,
    read,
    refused_by_authority,
    same_name,
)
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US

ISSUER = "CN=devices,O=ACME"
NOW = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=VIRTUAL_EPOCH_US)
DAY = timedelta(days=1)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
SMALL_KEY = rsa.generate_private_key(65537, 1024)
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def named(common_name: str) -> x509.Name:
    attributes = [(NameOID.ORGANIZATION_NAME, "ACME"), (NameOID.COMMON_NAME, common_name)]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])


def issued(by: Any, own: Any = EC_KEY, *extensions: tuple[x509.ExtensionType, bool], **how: Any) -> bytes:
    """DER of a certificate of `own`, signed by `by`."""
    algorithm = None if isinstance(by, ed25519.Ed25519PrivateKey) else how.pop("hashed", hashes.SHA256())
    builder = x509.CertificateBuilder(named(how.pop("issuer", "devices")), named("device-1"), own.public_key(), 7)
    builder = builder.not_valid_before(NOW - DAY).not_valid_after(how.pop("until", NOW + DAY))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(by, algorithm, **how).public_bytes(Encoding.DER)


def der(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def flaw(certificate: bytes, key: Any, authority_dn: str = ISSUER) -> str:
    return refused_by_authority(read(certificate), authority_dn, der(key), VIRTUAL_EPOCH_US)


@pytest.mark.parametrize(
    ("by", "how"),
    [
        (EC_KEY, {}),
        (RSA_KEY, {}),
        (RSA_KEY, {"rsa_padding": padding.PSS(padding.MGF1(hashes.SHA256()), 32)}),
        (SMALL_KEY, {}),
        (ED_KEY, {}),
        (ec.generate_private_key(ec.SECP384R1()), {"hashed": hashes.SHA384()}),
    ],
    ids=["P-256", "RSA", "RSA-PSS", "RSA 1024", "Ed25519", "P-384"],
)  # fmt: skip
def test_signatures_that_java_takes(by: Any, how: dict[str, Any]) -> None:
    """`jdk.certpath.disabledAlgorithms`: 1024 bits are just enough."""
    assert flaw(issued(by, EC_KEY, **how), by) == ""


def test_keys_and_signatures_that_java_refuses() -> None:
    tiny = ec.generate_private_key(ec.SECP192R1())
    assert "Java refuses EC below 224" in flaw(issued(EC_KEY, tiny), EC_KEY)
    assert "the key of the authority has 192 bits" in flaw(issued(tiny), tiny)


@pytest.mark.parametrize(("by", "key"), [(EC_KEY, RSA_KEY), (RSA_KEY, EC_KEY), (ED_KEY, EC_KEY), (SMALL_KEY, RSA_KEY)])
def test_another_key_has_signed(by: Any, key: Any) -> None:
    assert "another authority of the same name has issued it" in flaw(issued(by), key)


def test_another_name_and_other_dates() -> None:
    assert flaw(issued(EC_KEY, issuer="others"), EC_KEY) == f"{ISSUER} is not its issuer CN=others,O=ACME"
    assert "has expired" in flaw(issued(EC_KEY, until=NOW - timedelta(seconds=1)), EC_KEY)


def test_a_public_key_that_is_none() -> None:
    told = refused_by_authority(read(issued(EC_KEY)), ISSUER, b"\x30\x00", VIRTUAL_EPOCH_US)
    assert told == "the public key of the authority cannot be read"


def test_extensions() -> None:
    """Which may stand in it does not matter; a critical one that Java does not know is a refusal."""
    usage = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH])
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    assert flaw(issued(EC_KEY, EC_KEY, (usage, True), (constraints, True), (unknown, False)), EC_KEY) == ""
    assert (
        flaw(issued(EC_KEY, EC_KEY, (unknown, True)), EC_KEY) == "its critical extension 1.2.3.4 is not known to Java"
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("CN=a,O=b", "cn=A,o=B", True),
        ("CN=a  b", "CN=a b", True),
        ("CN=a,O=b", "O=b,CN=a", False),
        ("CN=a", "CN=b", False),
    ],
)
def test_names_are_the_same_to_java(one: str, other: str, *, same: bool) -> None:
    assert same_name(one, other) is same


@pytest.mark.parametrize("shown", [b"", b"\x30\x03abc", b"-----BEGIN CERTIFICATE-----"])
def test_what_is_no_certificate(shown: bytes) -> None:
    with pytest.raises(Unreadable, match="the client certificate cannot be read"):
        read(shown)
