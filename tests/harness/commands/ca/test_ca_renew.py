"""`fleetrig ca renew` and `ca cross-sign`: the same names again, also by an authority that takes over."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.reference_server.client_certificates import ClientAuthorities
from fleetrig.simulator.certificates.pem import certificates_in, key_in
from tests.harness.commands.ca.conftest import Command, Openssl, snapshot

pytestmark = pytest.mark.slow


@pytest.fixture
def devices(ca: Command, plant: Path) -> Path:
    """The folder around an authority that has issued for two devices and a server."""
    assert ca("issue", "plant", "HB-1", "HB-2", "--days", "1").returncode == 0
    assert ca("issue", "plant", "--server", "localhost", "--key", "ed25519").returncode == 0
    return plant.parent


@pytest.fixture
def successor(ca: Command, devices: Path) -> Path:
    assert ca("new", "plant27").returncode == 0
    done = ca("cross-sign", "plant27", "plant")
    assert done.stdout.startswith("wrote plant27/cross.pem: CN=plant27 by CN=Plant CA;"), done.stderr
    return devices / "plant27"


def first_in(path: Path) -> x509.Certificate:
    return certificates_in(path.read_bytes())[0]


def chain_in(path: Path) -> tuple[bytes, ...]:
    return tuple(one.public_bytes(Encoding.DER) for one in certificates_in(path.read_bytes()))


def test_the_same_names_with_later_dates_and_another_key(ca: Command, devices: Path, openssl: Openssl) -> None:
    done = ca("renew", "plant", "HB-1", "plant/issued/localhost.pem")
    assert done.stdout.startswith("wrote 2 certificates, HB-1 to localhost, to plant/renewed; valid until "), (
        done.stderr
    )
    for name in ("HB-1", "localhost"):
        old, new = first_in(devices / f"plant/issued/{name}.pem"), first_in(devices / f"plant/renewed/{name}.pem")
        key = devices / f"plant/renewed/{name}-key.pem"
        assert new.subject == old.subject
        assert new.public_key() != old.public_key()
        assert type(new.public_key()) is type(old.public_key())
        assert key_in(key.read_bytes()).public_key() == new.public_key()
        assert key.stat().st_mode & 0o777 == 0o600
        assert {one.oid for one in new.extensions} == {one.oid for one in old.extensions}
    assert first_in(devices / "plant/renewed/HB-1.pem").not_valid_after_utc > (
        first_in(devices / "plant/issued/HB-1.pem").not_valid_after_utc
    )
    assert openssl("verify", "-CAfile", "plant/ca.pem", "plant/renewed/HB-1.pem").endswith(": OK\n")
    assert ca("revoke", "plant", "HB-1").stdout.startswith("revoked 2;")


def test_all_files_of_a_folder_can_be_named(ca: Command, devices: Path) -> None:
    """As a shell writes out `plant/issued/*.pem`: with the keys."""
    files = sorted(str(path.relative_to(devices)) for path in (devices / "plant/issued").iterdir())
    assert len(files) == 6
    assert ca("renew", "plant", *files).stdout.startswith("wrote 3 certificates, HB-1 to localhost,")
    assert ca("revoke", "plant", *files).stdout.startswith("revoked 3;")


@pytest.mark.parametrize("has_key", [True, False])
def test_a_kept_key(ca: Command, devices: Path, has_key: bool) -> None:
    issued = devices / "plant/issued"
    old_key = (issued / "HB-1-key.pem").read_bytes()
    if not has_key:
        (issued / "HB-1-key.pem").unlink()
    assert ca("renew", "plant", "HB-1", "--same-key", "--out", "new").returncode == 0
    assert first_in(devices / "new/HB-1.pem").public_key() == key_in(old_key).public_key()
    assert snapshot(devices / "new").get("HB-1-key.pem") == (old_key if has_key else None)


def test_whoever_trusts_either_authority_takes_what_the_new_one_issues(
    ca: Command, successor: Path, openssl: Openssl
) -> None:
    assert ca("renew", "plant27", "plant/issued/HB-1.pem").returncode == 0
    assert ca("issue", "plant27", "HB-3", "--out", "plant27/renewed").returncode == 0
    for name in ("plant27/renewed/HB-1.pem", "plant27/renewed/HB-3.pem"):
        assert "the chain is in order" in ca("show", name).stdout
        for trusted in ("plant", "plant27"):
            assert openssl("verify", "-CAfile", f"{trusted}/ca.pem", "-untrusted", name, name).endswith(": OK\n")
            ours = ClientAuthorities((successor.parent / trusted / "ca.pem").read_bytes())
            assert ours.verify(chain_in(successor.parent / name), time.time_ns() // 1_000).reason == ""
    assert ca("revoke", "plant27", "HB-3").stdout.startswith("revoked 1;")


def test_without_the_cross_certificate_the_roll_over_is_done(ca: Command, successor: Path) -> None:
    (successor / "cross.pem").unlink()
    assert ca("issue", "plant27", "HB-3").returncode == 0
    chain = certificates_in((successor / "issued/HB-3.pem").read_bytes())
    assert [one.issuer.rfc4514_string() for one in chain] == ["CN=plant27", "CN=plant27"]


def test_an_authority_below_the_new_one_knows_nothing_of_the_old_one(ca: Command, successor: Path) -> None:
    assert ca("new", "line", "--parent", "plant27").returncode == 0
    assert "Plant CA" not in ca("show", "line/ca.pem").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["renew", "plant", "HB-9"], "there is no certificate plant/issued/HB-9.pem to renew"),
        (["renew", "plant", "plant/ca.pem"], "roll over with `ca cross-sign`"),
        (["renew", "plant", "plant/issued/HB-1-key.pem"], "it holds no PEM certificate"),
        (["renew", "plant", "HB-1", "--key", "p255"], "did you mean p256?"),
        (["renew", "plant", "HB-1", "--key", "p256", "--same-key"], "--same-key and --key contradict each other"),
        (["renew", "plant", "HB-1", "--out", "plant/issued"], "exists already, nothing was written"),
        (["renew", "plant", "HB-1", "HB-1"], "two of the names want the same file"),
        (["renew", "plant", "mixed.pem", "--same-key"], "does not belong to the certificate"),
        (["renew", "other", "HB-1"], "other is not there: `fleetrig ca new other`"),
        (["cross-sign", "plant", "plant/../plant"], "both the new authority and the old one"),
        (["cross-sign", "plant", "other"], "other is not there"),
        (["cross-sign", "plant27", "plant"], "plant27/cross.pem exists already"),
    ],
)
def test_wrong_usage_is_told_and_changes_nothing(ca: Command, successor: Path, words: list[str], said: str) -> None:
    folder, issued = successor.parent, successor.parent / "plant/issued"
    (folder / "mixed.pem").write_bytes((issued / "HB-1.pem").read_bytes())
    (folder / "mixed-key.pem").write_bytes((issued / "HB-2-key.pem").read_bytes())
    before = snapshot(folder)
    done = ca(*words)
    assert done.returncode == 4
    assert said in done.stderr
    assert snapshot(folder) == before


def test_what_outlives_its_authority_is_told(ca: Command, devices: Path) -> None:
    assert ca("new", "short", "--days", "30").returncode == 0
    for words in (["issue", "short", "HB-1"], ["renew", "short", "HB-1"]):
        assert "CN=short above it ends on " in ca(*words).stderr
    assert ca("issue", "short", "HB-2", "--days", "30").stderr == ""
