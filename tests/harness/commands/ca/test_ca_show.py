"""`fleetrig ca show`: a file, as people ask about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.commands.ca.conftest import Command, Openssl


def test_a_chain_with_its_key(ca: Command, plant: Path) -> None:
    assert ca("issue", "plant", "HB-1", "--out", ".").returncode == 0
    folder = plant.parent
    parts = {name: (folder / name).read_bytes() for name in ("HB-1.pem", "HB-1-key.pem", "plant/ca-key.pem")}
    (folder / "both.pem").write_bytes(parts["HB-1.pem"] + parts["HB-1-key.pem"])
    said = ca("show", "both.pem").stdout
    assert said.startswith("certificate of CN=HB-1\n  issued by CN=Plant CA\n  for       clients\n  valid     20")
    assert " days left\n" in said
    assert "certificate of CN=Plant CA\n  issued by itself\n  for       an authority\n" in said
    assert said.endswith("the chain is in order\nprivate key, EC secp256r1: it belongs to the first certificate\n")
    (folder / "both.pem").write_bytes(parts["HB-1.pem"] + parts["plant/ca-key.pem"])
    assert "it belongs to CN=Plant CA, which is not the first\n" in ca("show", "both.pem").stdout
    assert ca("show", "HB-1-key.pem").stdout == "private key, EC secp256r1\n"


def test_chains_that_are_none(ca: Command, plant: Path) -> None:
    assert ca("new", "other").returncode == 0
    assert ca("issue", "plant", "HB-1", "--out", ".").returncode == 0
    own, root = (one + "-----END CERTIFICATE-----\n" for one in
                 (plant.parent / "HB-1.pem").read_text().split("-----END CERTIFICATE-----\n")[:2])  # fmt: skip
    other = (plant.parent / "other/ca.pem").read_text()
    for content, said in (
        (own + other, "the chain ends at CN=HB-1: what follows it has not issued it\n"),
        (own + other + root, "the chain is in the wrong order: after CN=HB-1 comes CN=Plant CA\n"),
    ):
        (plant.parent / "odd.pem").write_text(content)
        assert ca("show", "odd.pem").stdout.endswith(said)


def test_servers_lists_and_requests(ca: Command, plant: Path, openssl: Openssl) -> None:
    assert ca("issue", "plant", "--server", "a.example", "--server", "::1", "--expired", "--out", ".").returncode == 0
    said = ca("show", "a.example.pem").stdout
    assert "  for       servers\n" in said
    assert ": expired\n" in said
    assert "  names     a.example, ::1\n" in said
    assert ca("revoke", "plant", "a.example").returncode == 0
    assert ca("show", "plant/crl.pem").stdout.startswith(
        "list of 1 revoked certificates by CN=Plant CA\n  valid     20"
    )
    openssl("req", "-new", "-newkey", "ed25519", "-nodes", "-keyout", "k", "-out", "r.csr", "-subj", "/CN=HB-9")
    assert ca("show", "r.csr").stdout == "request for CN=HB-9, signed by its key\n  key       Ed25519\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it holds nothing of PEM"),
        (b"noise", "it holds nothing of PEM"),
        (b"-----BEGIN CERTIFICATE-----\nnoise\n-----END CERTIFICATE-----\n", "it holds no PEM certificate"),
        (b"-----BEGIN PRIVATE KEY-----\nnoise\n-----END PRIVATE KEY-----\n", "it holds no PEM private key"),
        (b"-----BEGIN X509 CRL-----\n", "it holds no PEM list"),
        (b"-----BEGIN DH PARAMETERS-----\n", "nothing of what is shown here"),
    ],
)
def test_what_cannot_be_read_is_told(ca: Command, tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "x.pem").write_bytes(content)
    done = ca("show", "x.pem")
    assert (done.returncode, said in done.stderr) == (4, True), done
    assert "cannot read absent" in ca("show", "absent").stderr


def test_names_of_others_move_no_cursor(ca: Command, openssl: Openssl) -> None:
    openssl("req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", "k", "-out", "c", "-subj", "/CN=a\x1b[2Jb")
    said = ca("show", "c").stdout
    assert "certificate of CN=a\\x1B[2Jb\n" in said
