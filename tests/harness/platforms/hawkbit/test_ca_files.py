"""What `fleetrig ca` writes is taken by everything that takes certificates, as it is."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.harness.command import Done, fleetrig
from tests.harness.platforms.hawkbit.test_certificates_against import AUTHORITY, MODE
from tests.harness.served import Served

pytestmark = pytest.mark.slow

SCENARIO = """
scenario: Devices of the plant register themselves
devices: {flow: hawkbit, csv: devices.csv, credential: certificate}
phases:
  - name: first contact
    do: power_on
    within: 15s
    expect:
      - reaches: {stage: online}
"""
OPTIONS = ("--platform", "hawkbit", "--https", "127.0.0.1:0", "--set", "hawkbit.controller.minPollingTime=00:00:01")


def done(*words: str, cwd: Path) -> Done:
    found = fleetrig(*words, cwd=cwd)
    assert found.returncode == 0, found.stdout + found.stderr
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plant with a production line: a server's certificate of one, devices of the other."""
    path = tmp_path_factory.mktemp("bench")
    for words in (
        ("new", "plant", "--name", "Plant CA"),
        ("new", "line", "--parent", "plant"),
        ("issue", "plant", "--server", "localhost", "--server", "127.0.0.1", "--out", "."),
        ("issue", "line", "--count", "3", "--serial", "SIM-{n:04d}", "--out", "devices", "--csv", "devices.csv"),
        ("revoke", "line", "SIM-0003"),
        ("revoke", "plant"),
    ):
        done("ca", *words, cwd=path)
    (path / "mine.yaml").write_text(SCENARIO)
    lists = (path / folder / "crl.pem" for folder in ("plant", "line"))
    (path / "trusted.pem").write_bytes((path / "plant/ca.pem").read_bytes() + b"".join(map(Path.read_bytes, lists)))
    return path


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    own = ("--cert", str(folder / "localhost.pem"), "--key", str(folder / "localhost-key.pem"))
    with Served(folder, *OPTIONS, *own, "--client-ca", str(folder / "trusted.pem")) as served:
        settings = {AUTHORITY: issuer_hash(folder), MODE: True}
        address = f"http://{served.ready['http']}/rest/v1/system/configs"
        changed = httpx.put(address, json=settings, auth=("admin", "admin"))
        assert changed.is_success, changed.text
        yield served


def issuer_hash(folder: Path) -> str:
    words = ["openssl", "x509", "-in", "devices/SIM-0001.pem", "-noout", "-issuer_hash"]
    return subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def https(served: Served) -> str:
    return f"https://localhost:{served.ready['https'].rpartition(':')[2]}"


def curl(folder: Path, served: Served, serial: str) -> int:
    """The status of a device's poll."""
    words = ["curl", "-s", "-o", "answer", "-w", "%{http_code}", "--cacert", "plant/ca.pem"]
    words += ["--cert", f"devices/{serial}.pem", "--key", f"devices/{serial}-key.pem"]
    words.append(f"{https(served)}/DEFAULT/controller/v1/{serial}")
    return int(subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout)


def test_a_server_and_its_devices_know_each_other(folder: Path, served: Served) -> None:
    assert [curl(folder, served, serial) for serial in ("SIM-0001", "SIM-0003")] == [200, 400]
    reasons = httpx.get(f"http://{served.ready['control']}/reasons").text
    assert "the proxy: certificate revoked (the certificate of the device)" in reasons


@pytest.mark.parametrize("given", ["devices", "line"])
def test_a_simulation_takes_devices_and_authorities(folder: Path, served: Served, given: str) -> None:
    said = done(
        "simulate", "hawkbit", "--against", https(served), "--ca", "plant/ca.pem", "--certificates", given,
        "--count", "2", "--for", "1s", "--spread", "0.1s", cwd=folder,
    ).stdout  # fmt: skip
    assert "2 of 2 devices came through" in said


def test_a_scenario_takes_the_list(folder: Path, tmp_path: Path) -> None:
    said = done("run", "mine.yaml", "--results", str(tmp_path), cwd=folder).stdout
    assert "1 passed" in said


def test_a_server_file_takes_the_authority(folder: Path, served: Served, tmp_path: Path) -> None:
    document = {
        "platform": "hawkbit", "http": f"http://{served.ready['http']}", "https": https(served),
        "control": f"http://{served.ready['control']}", "ca": "plant/ca.pem", "can": ["hawkbit.fast_polling"],
        "client_ca": {"certificate": "line/ca.pem", "key": "line/ca-key.pem"},
    }  # fmt: skip
    (folder / "server.yaml").write_text(json.dumps(document))
    (folder / "own.yaml").write_text(SCENARIO.replace("csv: devices.csv", 'count: 2, serial: "HB-{n}"'))
    words = ("run", "own.yaml", "--against", "server.yaml", "--results", str(tmp_path))
    assert "1 passed" in done(*words, cwd=folder).stdout
