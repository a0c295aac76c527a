"""`fleetrig ca revoke`: lists of revoked certificates, as OpenSSL reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.commands.ca.conftest import Command, Openssl, snapshot


@pytest.fixture
def devices(ca: Command, plant: Path) -> Path:
    assert ca("issue", "plant", "HB-1", "HB-2", "HB-10", "--out", ".").returncode == 0
    return plant.parent


def verified(openssl: Openssl, name: str) -> bool:
    words = ("-crl_check", "-CRLfile", "plant/crl.pem", "-CAfile", "plant/ca.pem")
    return openssl("verify", *words, f"{name}.pem") == f"{name}.pem: OK\n"


def test_revoked_ones_count_no_more(ca: Command, devices: Path, openssl: Openssl) -> None:
    done = ca("revoke", "plant", "HB-1", "HB-2.pem", "--reason", "keyCompromise")
    assert done.stdout == "revoked 2; plant/crl.pem lists 2\n"
    assert [verified(openssl, name) for name in ("HB-1", "HB-2", "HB-10")] == [False, False, True]
    said = openssl("crl", "-in", "plant/crl.pem", "-noout", "-text", "-CAfile", "plant/ca.pem")
    assert "verify OK" in said
    assert said.count("Key Compromise") == 2
    again = ca("revoke", "plant", "HB-1", "HB-10")
    assert again.stdout == "revoked 1, 1 were before; plant/crl.pem lists 3\n"
    said = openssl("crl", "-in", "plant/crl.pem", "-noout", "-text")
    assert said.count("Key Compromise") == 2
    assert "X509v3 CRL Number: \n                2\n" in said


def test_without_a_name_the_list_is_written_anew(ca: Command, devices: Path, openssl: Openssl) -> None:
    assert ca("revoke", "plant", "--crl-days", "0").stdout == "revoked 0; plant/crl.pem lists 0\n"
    assert ca("revoke", "plant").returncode == 0
    assert verified(openssl, "HB-1")


def test_all_certificates_of_a_name_are_meant(ca: Command, devices: Path) -> None:
    assert ca("issue", "plant", "HB-1", "--out", "renewed").returncode == 0
    assert ca("revoke", "plant", "HB-1").stdout.startswith("revoked 2;")


def test_openssl_goes_on_with_the_index(ca: Command, devices: Path, openssl: Openssl) -> None:
    (devices / "ca.cnf").write_text(
        "[ca]\ndefault_ca=d\n[d]\ndatabase=plant/index.txt\ncertificate=plant/ca.pem\nprivate_key=plant/ca-key.pem\n"
        "default_md=sha256\ndefault_crl_days=9\n"
    )
    config = ("ca", "-config", "ca.cnf")
    assert "Revoking Certificate" in openssl(*config, "-revoke", "HB-2.pem", "-crl_reason", "superseded")
    assert "-----BEGIN X509 CRL-----" in openssl(*config, "-gencrl")
    assert ca("revoke", "plant").stdout == "revoked 0; plant/crl.pem lists 1\n"
    assert not verified(openssl, "HB-2")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["HB1"], "plant has issued nothing for 'HB1'; did you mean HB-1"),
        (["nobody/at/all"], "and there is no such file"),
        (["other/ca.pem"], "of another authority"),
        (["HB-1-key.pem"], "it holds no PEM certificate"),
        (["HB-1", "--reason", "keyComprmise"], "did you mean keyCompromise?"),
        (["HB-1", "--crl-days", "-1"], "--crl-days"),
        (["HB-1", "--crl-days", "1e9"], "--crl-days"),
    ],
)
def test_wrong_usage_is_told(ca: Command, devices: Path, words: list[str], said: str) -> None:
    assert ca("new", "other").returncode == 0
    before = snapshot(devices)
    done = ca("revoke", "plant", *words)
    assert done.returncode == 4
    assert said in done.stderr
    assert snapshot(devices) == before


def test_a_list_of_somebody_else_is_not_replaced(ca: Command, devices: Path) -> None:
    (devices / "plant/crl.pem").write_text("mine")
    done = ca("revoke", "plant", "HB-1")
    assert (done.returncode, "plant/crl.pem is no list of this authority" in done.stderr) == (4, True)
    assert (devices / "plant/crl.pem").read_text() == "mine"
    assert (devices / "plant/index.txt").read_text().count("R\t") == 0
