"""What is read out of certificates, made by an authority of the test's own."""

from __future__ import annotations

import hashlib
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleetrig.harness.doctor.certificates import facts_of, from_der, read_certificate
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.errors import UsageError

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
AUTHORITY = CertificateAuthority("Acme Device CA", int(NOW.timestamp() * 1_000_000), valid_days=30)
ISSUED = AUTHORITY.issue_server(["gw-17", "*.acme.test", "127.0.0.1", "::1"])


def test_a_chain_is_read_from_pem(tmp_path: Path) -> None:
    path = tmp_path / "device.pem"
    path.write_bytes(ISSUED.certificate_pem + AUTHORITY.certificate_pem)

    read = read_certificate(path)

    assert (read.common_name, read.subject) == ("gw-17", "CN=gw-17")
    assert (read.issuer_common_name, read.issuer) == ("Acme Device CA", "CN=Acme Device CA")
    assert read.names == ("gw-17", "*.acme.test", "127.0.0.1", "::1")
    assert not read.is_self_signed
    der = ssl.PEM_cert_to_DER_cert(AUTHORITY.certificate_pem.decode())
    assert hashlib.sha1(der).hexdigest() in read.issuer_fingerprints
    assert hashlib.md5(der).digest().hex(":") in read.issuer_fingerprints


def test_a_der_file_is_read_too(tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(ISSUED.certificate_pem.decode())
    path = tmp_path / "device.der"
    path.write_bytes(der)

    assert read_certificate(path) == from_der(der)
    assert read_certificate(path).issuer_fingerprints == ()


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\x30\x82"]
)
def test_a_file_without_a_certificate(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "device.pem"
    path.write_bytes(content)

    with pytest.raises(UsageError, match=r"device\.pem holds no certificate; expected PEM"):
        read_certificate(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the certificate .*nope: there is no such file"):
        read_certificate(tmp_path / "nope")


def test_when_it_counts() -> None:
    facts = from_der(ssl.PEM_cert_to_DER_cert(ISSUED.certificate_pem.decode()))

    assert facts.outside(NOW) == ""
    assert facts.outside(NOW - timedelta(days=2)) == "is not valid before 2026-05-03 12:00 UTC"
    assert facts.outside(NOW + timedelta(days=31)) == "expired on 2026-06-03 12:00 UTC"


@pytest.mark.parametrize(
    ("host", "fits"),
    [
        ("gw-17", True),
        ("GW-17.", True),
        ("a.acme.test", True),
        ("a.b.acme.test", False),
        ("acme.test", False),
        ("127.0.0.1", True),
        ("0:0::1", True),
        ("127.0.0.2", False),
    ],
)
def test_whom_it_is_for(host: str, fits: bool) -> None:
    assert from_der(ssl.PEM_cert_to_DER_cert(ISSUED.certificate_pem.decode())).is_for(host) is fits


def test_self_signed() -> None:
    from cryptography import x509

    (root,) = x509.load_pem_x509_certificates(AUTHORITY.certificate_pem)

    assert facts_of(root).is_self_signed
    assert facts_of(root).names == ()
