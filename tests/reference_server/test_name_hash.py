"""The hash by which proxies tell authorities apart is that of OpenSSL."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from fleetrig.reference_server.name_hash import name_hash


@pytest.mark.parametrize(
    "subject",
    [
        "/CN=Plant CA/O=Acme  GmbH",
        "/C=DE/O=Größe AG /OU=A/CN=x",
        "/DC=com/DC=example/CN=Sub CA",
        "/O=a/O=b/emailAddress=X@Y.z/serialNumber=12 A",
        "/CN=Fleet+OU=Two/O=Acme",
        f"/O={'Q' * 64}/OU={'R' * 64}/CN={'S' * 64}",
    ],
)
def test_the_issuer_hash_is_that_of_openssl(tmp_path: Path, subject: str) -> None:
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    files = ["-keyout", str(tmp_path / "k"), "-out", str(tmp_path / "c")]
    make = ["openssl", "req", "-x509", "-utf8", *new_key, *files, "-subj", subject, "-multivalue-rdn"]
    subprocess.run(make, check=True, capture_output=True)
    ask = ["openssl", "x509", "-in", str(tmp_path / "c"), "-issuer_hash", "-noout"]
    printed = subprocess.run(ask, check=True, capture_output=True, text=True)
    certificate = x509.load_pem_x509_certificate((tmp_path / "c").read_bytes())
    assert name_hash(certificate.issuer) == printed.stdout.strip()
