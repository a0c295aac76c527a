"""`fleetrig ca issue`: all files or none, names that are no paths, and OpenSSL takes what was written."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from fleetrig.harness.commands.ca.issue import files_of
from fleetrig.harness.commands.ca.new_files import NewFiles
from fleetrig.harness.commands.ca.options import file_name
from fleetrig.harness.scenario_file.unit_list import read_units
from fleetrig.simulator.certificates.pem import client_certificate_in, common_name_of
from fleetrig.simulator.contract.errors import UsageError
from tests.harness.commands.ca.conftest import Command, Openssl, snapshot

pytestmark = pytest.mark.slow


def chain(path: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(path.read_bytes())


def test_a_device_gets_a_certificate_with_its_chain_and_a_key(ca: Command, plant: Path, openssl: Openssl) -> None:
    done = ca("issue", "plant", "HB-1", "HB-2")
    assert done.stdout.startswith("wrote 2 certificates and keys, HB-1 to HB-2, to plant/issued; valid until ")
    both = b"".join((plant / "issued" / name).read_bytes() for name in ("HB-1.pem", "HB-1-key.pem"))
    certificate = client_certificate_in(both)
    assert common_name_of(certificate) == "HB-1"
    assert len(certificate.chain) == 2
    verify = ("verify", "-purpose", "sslclient", "-CAfile", "plant/ca.pem")
    assert openssl(*verify, "plant/issued/HB-2.pem") == "plant/issued/HB-2.pem: OK\n"
    assert (plant / "index.txt").read_text().count("\n") == 2


def test_a_server_gets_its_hosts(ca: Command, plant: Path, openssl: Openssl) -> None:
    done = ca("issue", "plant", "--server", "localhost", "--server", "127.0.0.1", "--out", ".", "--without-root")
    assert done.stdout.startswith("wrote localhost.pem and localhost-key.pem; valid until ")
    said = openssl("x509", "-in", "localhost.pem", "-noout", "-text")
    assert "DNS:localhost, IP Address:127.0.0.1" in said
    assert "TLS Web Server Authentication" in said
    verify = ("verify", "-purpose", "sslserver", "-verify_hostname", "localhost", "-CAfile", "plant/ca.pem")
    assert openssl(*verify, "localhost.pem") == "localhost.pem: OK\n"
    assert len(chain(plant.parent / "localhost.pem")) == 1


def test_devices_by_number_and_a_list_of_them(ca: Command, plant: Path) -> None:
    done = ca("issue", "plant", "--count", "3", "--serial", "GW-{n:04d}", "--out", "units", "--csv", "units.csv")
    assert "; listed in units.csv\n" in done.stdout
    units = read_units(plant.parent / "units.csv")
    assert [unit.serial for unit in units] == ["GW-0001", "GW-0002", "GW-0003"]
    assert [common_name_of(client_certificate_in(unit.certificate_pem or b"")) for unit in units] == [
        unit.serial for unit in units
    ]
    assert ca("issue", "plant", "--from", "units.csv", "--out", "more").returncode == 0
    assert len(list((plant.parent / "more").iterdir())) == 6


def test_subjects_have_more_parts(ca: Command, plant: Path, openssl: Openssl) -> None:
    assert ca("issue", "plant", "a, b", "--subject", "CN={},OU=iot,O=ACME").returncode == 0
    said = openssl("x509", "-in", "plant/issued/a, b.pem", "-noout", "-subject", "-nameopt", "RFC2253")
    assert said == "subject=CN=a\\, b,OU=iot,O=ACME\n"
    assert (plant / "index.txt").read_text().endswith("\tunknown\t/O=ACME/OU=iot/CN=a, b\n")


def test_no_name_makes_another_line_of_the_index(ca: Command, plant: Path) -> None:
    assert ca("issue", "plant", "odd", "--subject", "CN=a\\0A\\09b/CN=HB-1").returncode == 0
    index = (plant / "index.txt").read_text()
    assert index.endswith("\t/CN=a\\x0A\\x09b\\x2FCN=HB-1\n")
    assert index.count("\n") == 1
    assert "has issued nothing for 'HB-1'" in ca("revoke", "plant", "HB-1").stderr


def test_dates(ca: Command, plant: Path, openssl: Openssl) -> None:
    dated = ("--not-before", "2050-01-01", "--not-after", "2051-01-01")
    for name, words in {"old": ("--expired",), "young": dated, "short": ("--days", "0.5")}.items():
        assert ca("issue", "plant", name, *words, "--out", ".").returncode == 0
    assert "certificate has expired" in openssl("verify", "-CAfile", "plant/ca.pem", "old.pem")
    assert "certificate is not yet valid" in openssl("verify", "-CAfile", "plant/ca.pem", "young.pem")
    assert "will expire" in openssl("x509", "-in", "short.pem", "-noout", "-checkend", "50000")
    assert "will not expire" in openssl("x509", "-in", "short.pem", "-noout", "-checkend", "40000")


def test_rsa_keys_can_be_shared(ca: Command, plant: Path) -> None:
    words = ("--key", "rsa1024", "--share-keys", "2", "--count", "5", "--serial", "HB-{n}")
    assert ca("issue", "plant", *words).returncode == 0
    assert len({path.read_bytes() for path in (plant / "issued").glob("*-key.pem")}) == 2


def test_all_files_or_none(ca: Command, plant: Path) -> None:
    assert ca("issue", "plant", "HB-2").returncode == 0
    before = snapshot(plant)
    done = ca("issue", "plant", "HB-1", "HB-2", "HB-3")
    assert done.returncode == 4
    assert "HB-2.pem exists already, nothing was written; choose another folder with --out" in done.stderr
    assert snapshot(plant) == before


def test_commands_at_the_same_time_wait_for_each_other(
    ca: Command, plant: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another one writes while this one waits for the folder is found, and kept."""
    by_another = f"V\t301231000000Z\t\t{7:02X}\tunknown\t/CN=HB-7\n"

    def wait(descriptor: int, how: int) -> None:
        assert (os.path.samestat(os.fstat(descriptor), plant.stat()), how) == (True, fcntl.LOCK_EX)
        (plant / "index.txt").write_text(by_another)

    monkeypatch.setattr(fcntl, "flock", wait)
    assert ca("issue", "plant", "HB-1").returncode == 0
    first, second = (plant / "index.txt").read_text().splitlines(keepends=True)
    assert first == by_another
    assert second.endswith("/CN=HB-1\n")


@pytest.mark.parametrize("failing", ["HB-2.pem", "index.txt"])
def test_what_fails_in_the_middle_is_taken_back(
    ca: Command, plant: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    assert ca("issue", "plant", "HB-0").returncode == 0
    before = snapshot(plant)

    rename = os.rename

    def refuse(source: str, target: str) -> None:
        if Path(target).name == failing:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(target))
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse)
    monkeypatch.setattr(os, "replace", refuse)
    done = ca("issue", "plant", "HB-1", "HB-2")
    assert done.returncode == 3
    assert "Permission denied" in done.stderr
    assert snapshot(plant) == before


def test_a_stop_leaves_nothing(ca: Command, plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshot(plant)
    write = NewFiles.write

    def stop(self: NewFiles, name: str, content: bytes, *, is_private: bool = False) -> None:
        write(self, name, content, is_private=is_private)
        if name == "HB-2.pem":
            raise KeyboardInterrupt

    monkeypatch.setattr(NewFiles, "write", stop)
    done = ca("issue", "plant", "HB-1", "HB-2")
    assert (done.returncode, done.stderr) == (2, "interrupted\n")
    assert snapshot(plant) == before
    assert not (plant / "issued").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nobody to issue for"),
        (["HB-1", "--count", "2", "--serial", "x{n}"], "NAME and --count with --serial all say"),
        (["--count", "2"], "--count and --serial belong together"),
        (["--count", "2", "--serial", "x"], "gives every device the same name"),
        (["--from", "absent.csv"], "cannot read absent.csv"),
        (["a", "b", "--server", "h"], "--server makes one certificate"),
        (["--server", "http://h"], "neither a host name nor an address"),
        (["HB-1", "HB-1"], "want the same file HB-1.pem"),
        (["HB", "HB-key"], "want the same file HB-key.pem"),
        (["x" * 65], "64 characters at most"),
        (["../HB-1"], "cannot be a name"),
        (["a/b"], "cannot be a name"),
        ([".."], "cannot be a name"),
        ([""], "cannot be a name"),
        (["a\0b"], "cannot be a name"),
        (["a\nb"], "cannot be a name"),
        (["HB-1", "--key", "p265"], "did you mean p256?"),
        (["HB-1", "--share-keys", "2"], "--share-keys is for RSA keys"),
        (["HB-1", "--subject", "x={}"], "--subject: 'x=HB-1' is no name"),
        (["HB-1", "--expired", "--days", "3"], "--expired says when it begins and ends"),
        (["HB-1", "--csv", "elsewhere/x.csv"], "lists name files below their own folder"),
        (["HB-1", "--csv", "plant/ca.pem"], "exists already"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_written(ca: Command, plant: Path, words: list[str], said: str) -> None:
    before = snapshot(plant.parent)
    done = ca("issue", "plant", *words)
    assert done.returncode == 4, done
    assert said in done.stderr
    assert snapshot(plant.parent) == before


def test_what_is_no_authority_is_told(ca: Command, plant: Path) -> None:
    (plant / "ca-key.pem").chmod(0o644)
    assert "chmod 600 plant/ca-key.pem" in ca("issue", "plant", "HB-1").stderr
    (plant / "ca-key.pem").chmod(0o600)
    (plant / "index.txt").write_text("V\t1\n")
    assert "plant/index.txt: line 1: it is no line of an index" in ca("issue", "plant", "HB-1").stderr
    (plant / "index.txt").unlink()
    assert ca("issue", "plant", "HB-1").returncode == 0
    (plant / "ca-key.pem").write_text("noise")
    assert "plant is no authority: it holds no PEM private key" in ca("issue", "plant", "HB-2").stderr
    (plant / "ca-key.pem").unlink()
    assert "it has no ca-key.pem" in ca("issue", "plant", "HB-2").stderr


@settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(st.text(max_size=70) | st.sampled_from([".", "..", "/", "a/b", "a\0", "-", "a\x1b[2J", "x" * 64, "ä" * 33]))
def test_a_name_is_a_file_in_its_folder_or_refused(name: str) -> None:
    try:
        certificate, key = (Path("out", file) for file in files_of(file_name(name)))
    except UsageError as wrong:
        said = str(wrong)
        event(said[-40:])
    else:
        said = ""
        assert certificate.parent == key.parent == Path("out")
        assert len(os.fsencode(key.name)) <= 255
    assert said.isprintable()
