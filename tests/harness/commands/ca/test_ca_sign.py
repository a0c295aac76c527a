"""`fleetrig ca sign`: requests that other programs made."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from tests.harness.commands.ca.conftest import Command, Openssl, snapshot


@pytest.fixture
def request_file(openssl: Openssl, tmp_path: Path) -> Path:
    """One that wants to be an authority, too."""
    openssl(
        "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "HB-1-key.pem",
        "-out", "HB-1.csr", "-subj", "/O=ACME/CN=HB-1", "-addext", "basicConstraints=critical,CA:TRUE",
        "-addext", "subjectAltName=DNS:hb-1.example",
    )  # fmt: skip
    return tmp_path / "HB-1.csr"


def test_a_request_is_signed_for_what_it_may_be(ca: Command, plant: Path, request_file: Path, openssl: Openssl) -> None:
    done = ca("sign", "plant", "HB-1.csr")
    assert done.stdout.startswith("wrote HB-1.pem: CN=HB-1,O=ACME, valid until ")
    assert done.stderr == "not taken over from the request: basicConstraints\n"
    said = openssl("x509", "-in", "HB-1.pem", "-noout", "-text")
    assert "CA:FALSE" in said
    assert "DNS:hb-1.example" in said
    assert openssl("verify", "-purpose", "sslclient", "-CAfile", "plant/ca.pem", "HB-1.pem") == "HB-1.pem: OK\n"
    own, key = (openssl(*words, "-pubout" if words[0] == "pkey" else "-pubkey") for words in
                (("x509", "-in", "HB-1.pem", "-noout"), ("pkey", "-in", "HB-1-key.pem")))  # fmt: skip
    assert own == key
    assert ca("revoke", "plant", "HB-1").stdout.startswith("revoked 1;")


def test_the_authority_can_decide_more(ca: Command, plant: Path, request_file: Path) -> None:
    words = ["--for-server", "--subject", "CN=other", "--without-names", "--days", "3", "--without-root"]
    done = ca("sign", "plant", "HB-1.csr", *words, "--out", "new.pem")
    assert done.returncode == 0
    assert "subjectAltName" in done.stderr
    (certificate,) = x509.load_pem_x509_certificates((plant.parent / "new.pem").read_bytes())
    assert certificate.subject.rfc4514_string() == "CN=other"
    assert not any(isinstance(one.value, x509.SubjectAlternativeName) for one in certificate.extensions)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["absent.csr"], "cannot read absent.csr"),
        (["plant"], "cannot read plant"),
        (["plant/ca.pem"], "it holds no certificate request"),
        (["forged.csr"], "the request is not signed by the key in it"),
        (["HB-1.csr", "--out", "plant/ca.pem"], "exists already"),
        (["HB-1.csr", "--subject", "other"], "is no name"),
        (["HB-1.csr", "--days", "1", "--expired"], "--expired says"),
    ],
)
def test_wrong_usage_is_told(
    ca: Command, plant: Path, request_file: Path, openssl: Openssl, words: list[str], said: str
) -> None:
    openssl("req", "-in", "HB-1.csr", "-outform", "DER", "-out", "forged.csr")
    forged = plant.parent / "forged.csr"
    forged.write_bytes(forged.read_bytes().replace(b"ACME", b"EVIL"))
    before = snapshot(plant.parent)
    done = ca("sign", "plant", *words)
    assert done.returncode == 4
    assert said in done.stderr
    assert snapshot(plant.parent) == before
