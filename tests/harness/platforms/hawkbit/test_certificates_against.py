"""Certificates on a server of its own process: `serve --client-ca`, SERVER.yaml, `simulate --certificates`."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from cryptography import x509

from fleetrig.harness.platforms.hawkbit.admin import HawkbitAdmin
from fleetrig.harness.report.exits import Exit
from fleetrig.reference_server.name_hash import name_hash
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.identity import ClientCertificate, UserPassword, as_pem
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.director import AdminCall
from fleetrig.simulator.drivers.realtime import RealBench
from tests.harness.command import PROJECT, Done, fleetrig
from tests.harness.served import Served, failing

pytestmark = pytest.mark.slow

NOW_US = time.time_ns() // 1_000
AUTHORITY = "authentication.header.authority"
MODE = "authentication.header.enabled"


@dataclass(frozen=True)
class Plant:
    """A server that asks for certificates of an authority, and that authority."""

    folder: Path
    served: Served
    authority: trustme.CA

    @property
    def ca(self) -> str:
        return str(self.served.ready["ca"])

    @property
    def http(self) -> str:
        return f"http://{self.served.ready['http']}"

    @property
    def https(self) -> str:
        return f"https://{self.served.ready['https']}"


def write_authority(authority: trustme.CA, folder: Path) -> None:
    """`ca.crt`, `ca.key`, and `ca.pem` with both."""
    files = {"ca.crt": [authority.cert_pem], "ca.key": [authority.private_key_pem]}
    files["ca.pem"] = files["ca.crt"] + files["ca.key"]
    for name, blobs in files.items():
        (folder / name).write_bytes(b"".join(blob.bytes() for blob in blobs))
        (folder / name).chmod(0o600)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    authority = trustme.CA(organization_name="Acme", organization_unit_name="Plant")
    write_authority(authority, tmp_path)
    options = ("--platform", "hawkbit", "--https", "127.0.0.1:0", "--client-ca", str(tmp_path / "ca.crt"))
    with Served(tmp_path, *options, "--set", "hawkbit.controller.minPollingTime=00:00:01") as served:
        yield Plant(tmp_path, served, authority)


def admin_of(plant: Plant) -> HawkbitAdmin:
    return HawkbitAdmin(plant.http, UserPassword("admin", "admin"))


async def asked(call: AdminCall[object]) -> object:
    async with RealBench(Trace()) as bench:
        return await bench.run(call)


def poll(plant: Plant, serial: str, certificate: trustme.LeafCert | None, **headers: str) -> int:
    context = ssl.create_default_context(cafile=plant.ca)
    if certificate is not None:
        certificate.configure_cert(context)
    host, _, port = plant.served.ready["https"].rpartition(":")
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=20)
    try:
        connection.request("GET", f"/DEFAULT/controller/v1/{serial}", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def server_file(plant: Plant, **more: object) -> str:
    ready = plant.served.ready
    document = {
        "platform": "hawkbit",
        "http": plant.http,
        "https": plant.https,
        "control": f"http://{ready['control']}",
        "ca": plant.ca,
        "can": ["hawkbit.fast_polling"],
        "client_ca": {"certificate": "ca.crt", "key": "ca.key"},
        **more,
    }
    (plant.folder / "server.yaml").write_text(json.dumps(document))  # JSON is YAML
    return str(plant.folder / "server.yaml")


def against(plant: Plant, name: str, server: str) -> Done:
    """A scenario that is shipped, on the plant's server."""
    words = ("run", f"hawkbit/{name}", "--against", server, "--results", str(plant.folder))
    return fleetrig(*words, cwd=PROJECT)


def settings_of(plant: Plant) -> dict[str, object]:
    config = asyncio.run(asked(admin_of(plant).read_config()))
    assert isinstance(config, dict)
    return {key: config[key]["value"] for key in (AUTHORITY, MODE)}


def configure(plant: Plant, **settings: object) -> None:
    asyncio.run(asked(admin_of(plant).configure({AUTHORITY: "x", MODE: True, **settings})))


def test_headers_of_a_client_are_worth_nothing(plant: Plant) -> None:
    """Who could write them would be any device it likes."""
    configure(plant, **{AUTHORITY: "x"})
    own, forged = plant.authority.issue_cert(common_name="HB-1"), {"X-Controller-Id": "HB-2", "X-Authority": "x"}
    assert poll(plant, "HB-2", own, **forged) == 401
    assert poll(plant, "HB-2", None, **forged) == 403
    assert poll(plant, "HB-2", trustme.CA().issue_cert(common_name="HB-2"), **forged) == 400
    connection = http.client.HTTPConnection(plant.served.ready["http"], timeout=20)
    connection.request("GET", "/DEFAULT/controller/v1/HB-2", headers=forged)
    assert connection.getresponse().status == 401
    connection.close()


@pytest.mark.parametrize("name", ["certificate", "certificate_expired", "certificate_untrusted", "certificate_foreign"])
def test_scenarios_pass_and_leave_the_settings_as_they_were(plant: Plant, name: str) -> None:
    configure(plant, **{AUTHORITY: "others, of them", MODE: False})
    before = settings_of(plant)
    done = fleetrig(
        "run", f"hawkbit/{name}", "--against", server_file(plant), "--results", str(plant.folder), cwd=PROJECT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert settings_of(plant) == before


def test_a_scenario_needs_somebody_who_issues_certificates(plant: Plant) -> None:
    server = server_file(plant, client_ca=None)
    done = against(plant, "certificate", server)
    assert "lacks client_certificates" in done.stdout
    rotates = against(plant, "certificate_rotation", server_file(plant))
    assert "lacks reference" in rotates.stdout


def test_what_the_proxy_says_of_the_authority_can_be_told(plant: Plant) -> None:
    """A fixed text in nginx, for instance; here it is not what our proxy says."""
    told = server_file(plant, client_ca={"certificate": "ca.crt", "key": "ca.key", "authority": "Hawkbit"})
    done = against(plant, "certificate", told)
    assert done.returncode == 1
    assert "401" in done.stdout or "never" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("client_ca", "said"),
    [
        ({"certificate": "absent.crt"}, "client_ca: cannot read"),
        ({"certificate": "ca.crt", "key": "open.key"}, "chmod 600"),
        ({"certificate": "ca.crt", "key": "other.key"}, "does not belong"),
        ({"key": "ca.key"}, "client_ca: certificate is missing"),
    ],
)
def test_a_client_ca_that_cannot_be_used_is_told(plant: Plant, client_ca: dict[str, str], said: str) -> None:
    (plant.folder / "open.key").write_bytes((plant.folder / "ca.key").read_bytes())
    (plant.folder / "other.key").write_bytes(trustme.CA().private_key_pem.bytes())
    (plant.folder / "other.key").chmod(0o600)
    server = server_file(plant, client_ca=client_ca)
    done = against(plant, "certificate", server)
    assert done.returncode != 0
    assert said in done.stdout + done.stderr


def simulated(plant: Plant, *words: str) -> tuple[int, str]:
    done = fleetrig(
        "simulate", "hawkbit", "--ca", plant.ca, "--for", "2s", "--spread", "0.1s", *words, cwd=plant.folder
    )
    return done.returncode, done.stdout + done.stderr


def trust_the_plant(plant: Plant) -> None:
    subject = x509.load_pem_x509_certificate(plant.authority.cert_pem.bytes()).subject
    configure(plant, **{AUTHORITY: name_hash(subject)})


def test_a_simulation_is_given_certificates_in_three_ways(plant: Plant) -> None:
    trust_the_plant(plant)
    code, said = simulated(plant, "--against", plant.https, "--certificates", "ca.pem", "--count", "3")
    assert "3 of 3 devices came through" in said, said

    (plant.folder / "units").mkdir()
    for serial in ("SIM-0001", "SIM-0002"):
        leaf = plant.authority.issue_cert(common_name=serial)
        (plant.folder / "units" / f"{serial}.crt").write_bytes(leaf.cert_chain_pems[0].bytes())
        (plant.folder / "units" / f"{serial}.key").write_bytes(leaf.private_key_pem.bytes())
    code, said = simulated(plant, "--against", plant.https, "--certificates", "units", "--count", "2")
    assert (code, "2 of 2 devices came through" in said) == (0, True), said

    lines = "serial,certificate,key\nSIM-0001,units/SIM-0001.crt,units/SIM-0001.key\n"
    (plant.folder / "units.csv").write_text(lines)
    code, said = simulated(plant, "--against", plant.https, "--tokens", "units.csv")
    assert (code, "1 of 1 device came through" in said) == (0, True), said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--certificates", "units"), "neither a folder nor a file"),
        (("--certificates", "ca.crt"), "it holds no PEM private key"),
        (("--certificates", "."), "cannot read"),
        (("--certificates", "ca.pem", "--register"), "contradict each other"),
        (("--certificates", "ca.pem", "--serial", "X" * 65, "--count", "1"), "64 characters at most"),
        (("--certificates", "ca.pem", "--against", "http://127.0.0.1:9"), "give an https:// address"),
    ],
)
def test_a_simulation_says_what_is_wrong_with_certificates(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    write_authority(trustme.CA(), tmp_path)
    where = () if "--against" in words else ("--against", "https://127.0.0.1:9")
    done = fleetrig("simulate", "hawkbit", "--for", "2s", *where, *words, cwd=tmp_path)
    assert done.returncode == Exit.WRONG_USAGE
    assert said in done.stderr


def test_a_simulation_that_is_refused_says_why(plant: Plant) -> None:
    (plant.folder / "stranger").mkdir()
    write_authority(trustme.CA(), plant.folder / "stranger")
    _, said = simulated(plant, "--against", plant.https, "--certificates", "ca.pem", "--count", "1")
    assert "does not list what the proxy tells of their authority" in " ".join(said.split()), said
    _, said = simulated(plant, "--against", plant.https, "--certificates", "stranger/ca.pem", "--count", "1")
    assert "does not trust the authority of their certificates" in " ".join(said.split()), said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--http", "127.0.0.1:0", "--client-ca", "ca.crt"), "--client-ca is for --https HOST:PORT"),
        (("--https", "127.0.0.1:0", "--client-ca", "absent.crt"), "cannot read absent.crt"),
        (("--https", "127.0.0.1:0", "--client-ca", "noise.crt"), "noise.crt holds no PEM certificate"),
        (("--https", "127.0.0.1:0", "--client-ca", "ca.crt", "--client-ca", "noise.crt"), "noise.crt holds no PEM"),
        (("--https", "127.0.0.1:0", "--client-ca", "crl.pem"), "--client-ca: no file holds an authority"),
    ],
)
def test_serve_says_what_is_wrong_with_a_client_ca(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    (tmp_path / "ca.crt").write_bytes(trustme.CA().cert_pem.bytes())
    (tmp_path / "noise.crt").write_text("noise")
    (tmp_path / "crl.pem").write_bytes(CertificateAuthority("Plant", NOW_US).crl(NOW_US))
    code, printed = failing("--platform", "hawkbit", *options, cwd=tmp_path)
    assert code != 0
    assert said in printed


def test_two_authorities_count_at_once_and_lists_have_files_of_their_own(tmp_path: Path) -> None:
    old, new = CertificateAuthority("Plant 26", NOW_US), CertificateAuthority("Plant 27", NOW_US)
    devices = {"of-old": old.issue_client("HB-1"), "of-new": new.issue_client("HB-1"), "bad": new.issue_client("HB-1")}
    new.revoke(devices["bad"].chain[0], NOW_US)
    files = {
        "old.pem": old.certificate_pem,
        "new.pem": new.certificate_pem,
        "lists.pem": old.crl(NOW_US) + new.crl(NOW_US),
    }
    options = ["--platform", "hawkbit", "--https", "127.0.0.1:0"]
    for name, pem in files.items():
        (tmp_path / name).write_bytes(pem)
        options += ["--client-ca", str(tmp_path / name)]
    with Served(tmp_path, *options) as served:
        said = {name: answer_to(served, device, tmp_path) for name, device in devices.items()}
    assert said == {"of-old": 401, "of-new": 401, "bad": 400}


def answer_to(served: Served, device: ClientCertificate, folder: Path) -> int:
    """The status of a poll; 401 is the platform's, whose tenant knows nothing of certificates yet."""
    (folder / "device.pem").write_bytes(as_pem(*device.chain) + device.key_pem)
    context = ssl.create_default_context(cafile=str(served.ready["ca"]))
    context.load_cert_chain(folder / "device.pem")
    connection = http.client.HTTPSConnection(str(served.ready["https"]), context=context)
    with closing(connection):
        connection.request("GET", "/DEFAULT/controller/v1/HB-1")
        return connection.getresponse().status


def test_the_banner_says_that_devices_are_asked(plant: Plant) -> None:
    assert "devices must show a certificate of --client-ca here" in plant.served.until_said("Refused requests")
