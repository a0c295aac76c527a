"""`fleetrig ca new`: authorities in folders, whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography import x509

from tests.harness.commands.ca.conftest import Command, Openssl, snapshot


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def open_umask() -> object:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_keys_and_folders_are_for_their_owner_only(ca: Command, tmp_path: Path) -> None:
    assert ca("new", "deep/plant").returncode == 0
    assert ca("issue", "deep/plant", "HB-1").returncode == 0
    folders = ("deep", "deep/plant", "deep/plant/issued")
    assert [oct(mode(tmp_path / folder)) for folder in folders] == ["0o700"] * 3
    keys = ("ca-key.pem", "index.txt", "issued/HB-1-key.pem")
    assert [oct(mode(tmp_path / "deep/plant" / key)) for key in keys] == ["0o600"] * 3
    assert mode(tmp_path / "deep/plant/ca.pem") == 0o666


def test_an_authority_carries_what_strict_verifiers_want(plant: Path, openssl: Openssl) -> None:
    said = openssl("x509", "-in", "plant/ca.pem", "-noout", "-text")
    assert "Subject: CN = Plant CA" in said
    assert "CA:TRUE" in said
    assert "Certificate Sign, CRL Sign" in said
    assert "X509v3 Subject Key Identifier" in said
    assert openssl("verify", "-x509_strict", "-CAfile", "plant/ca.pem", "plant/ca.pem") == "plant/ca.pem: OK\n"


@pytest.mark.parametrize(
    ("kind", "said"),
    [("p256", "prime256v1"), ("rsa2048", "Public-Key: (2048 bit)"), ("ed25519", "ED25519 Public-Key")],
)
def test_its_key_is_of_the_kind_that_was_asked_for(ca: Command, openssl: Openssl, kind: str, said: str) -> None:
    assert ca("new", "plant", "--key", kind).returncode == 0
    assert said in openssl("x509", "-in", "plant/ca.pem", "-noout", "-text")
    assert ca("issue", "plant", "HB-1").returncode == 0
    assert openssl("verify", "-CAfile", "plant/ca.pem", "plant/issued/HB-1.pem") == "plant/issued/HB-1.pem: OK\n"


def test_authorities_below_each_other(ca: Command, plant: Path, openssl: Openssl) -> None:
    assert ca("new", "line", "--parent", "plant", "--subject", "CN=Line 1,O=ACME").returncode == 0
    assert ca("new", "cell", "--parent", "line").returncode == 0
    assert ca("issue", "cell", "HB-1", "--out", ".").returncode == 0
    assert openssl("verify", "-CAfile", "plant/ca.pem", "-untrusted", "HB-1.pem", "HB-1.pem") == "HB-1.pem: OK\n"
    chain = x509.load_pem_x509_certificates((plant.parent / "HB-1.pem").read_bytes())
    names = [one.subject.rfc4514_string() for one in chain]
    assert names == ["CN=HB-1", "CN=cell", "CN=Line 1,O=ACME", "CN=Plant CA"]
    assert "/O=ACME/CN=Line 1\n" in (plant / "index.txt").read_text()


def test_the_folder_gives_the_name_and_days_are_kept(ca: Command, openssl: Openssl) -> None:
    done = ca("new", "acme", "--not-before", "2020-01-01", "--not-after", "2030-06-30T12:00:00+02:00")
    assert done.stdout == "wrote acme/ca.pem and ca-key.pem: CN=acme, valid until 2030-06-30\n"
    said = openssl("x509", "-in", "acme/ca.pem", "-noout", "-dates")
    assert said == "notBefore=Jan  1 00:00:00 2020 GMT\nnotAfter=Jun 30 10:00:00 2030 GMT\n"


def test_nothing_is_overwritten(ca: Command, plant: Path) -> None:
    before = snapshot(plant)
    done = ca("new", "plant")
    assert done.returncode == 4
    assert "plant/ca.pem exists already, nothing was written; choose another folder" in done.stderr
    (plant / "ca.pem").rename(plant / "old.pem")
    assert "ca-key.pem exists already" in ca("new", "plant").stderr
    (plant / "old.pem").rename(plant / "ca.pem")
    assert snapshot(plant) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--key", "rsa204"],
            "rsa1024, rsa2048, rsa3072, rsa4096, got 'rsa204'; did you mean rsa2048?",
        ),
        (["--name", "x" * 65], "64 characters at most"),
        (["--name", "x", "--subject", "CN=x"], "--name and --subject both name it"),
        (["--subject", "Plant CA"], "is no name such as CN=device-1,OU=iot,O=ACME"),
        (["--days", "1", "--not-after", "2030-01-01"], "give one of them"),
        (["--not-after", "2001-01-01"], "its end comes after its beginning"),
        (["--not-after", "soon"], "expected a date such as 2027-01-31"),
        (["--days", "1e9"], "between 1950 and 9999"),
        (["--days", "nan"], "--days"),
        (["--days", "-1"], "--days"),
        (["--parent", "nowhere"], "nowhere is not there: `fleetrig ca new nowhere` makes an authority"),
        (["--parent", "."], "it has no ca.pem: `fleetrig ca new` makes one; of an authority that you have, copy"),
    ],
)
def test_wrong_usage_is_told_and_leaves_nothing(ca: Command, tmp_path: Path, words: list[str], said: str) -> None:
    done = ca("new", "plant", *words)
    assert done.returncode == 4
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_one_is_told(ca: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder, said in (("file", "file is a file, and a folder is expected"), ("file/plant", "file is a file"),
                         ("x" * 300, "File name too long")):  # fmt: skip
        done = ca("new", folder, "--name", "Plant CA")
        assert (done.returncode, said in done.stderr) == (4, True), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
