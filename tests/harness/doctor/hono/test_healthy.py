"""Devices that are right, what a first contact makes, and what else can be seen of a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.doctor.hono.bench import (
    DEVICE_DN,
    TENANT,
    HonoBench,
    authority,
    leaf_of,
    password,
    psk,
    x509_entry,
)
from tests.harness.doctor.hono.conftest import Doctor, serving
from tests.harness.hostile_server import in_front_of, one_value_of_another_kind

pytestmark = pytest.mark.slow
RIGHT = ("--login", f"sensor1@{TENANT}", "--secret", "env:PASSWORD")
NOTHING = "nothing as the device"


@pytest.mark.parametrize("over", ["https", "mqtts", "coaps"])
def test_a_registered_device_is_asked_for(over: str, bench: HonoBench, doctor: Doctor) -> None:
    ca = authority()
    bench.trusting(ca, provisions=False)
    bench.device("d-1", [x509_entry()])

    page = doctor(bench, *bench.cert(leaf_of(ca)), over=over)

    assert (page.names, page.notes, page.code) == ([], [], 0)
    assert page.document["headline"] == "The adapter lets this device in: tenant acme, device d-1."
    assert "device-id d-1 (registered)" in page.document["seen"]
    assert bench.devices() == ["d-1"]


@pytest.mark.parametrize("over", ["https", "mqtts", "coaps"])
def test_a_first_contact_is_made_only_if_it_is_wanted(over: str, bench: HonoBench, doctor: Doctor) -> None:
    ca = authority()
    bench.trusting(ca, auto_provisioning_device_id_template="dev-{{subject-cn}}", auto_provision_as_gateway=True)
    options = bench.cert(leaf_of(ca))

    page = doctor(bench, *options, over=over)
    assert (page.names, page.notes, page.code) == ([], ["provisions"], 0)
    assert "provisions the device dev-device-1" in page.one("provisions")["cause"]
    assert page.one("provisions")["cause"].endswith("as a gateway.")
    assert page.document["asked"] == NOTHING
    assert any("--first-contact does it" in gap for gap in page.document["not_seen"])
    assert bench.devices() == []

    page = doctor(bench, *options, "--first-contact", over=over)
    assert (page.names, page.notes, page.code) == ([], ["provisioned"], 0)
    assert page.one("provisioned")["command"] == [f"curl -X DELETE {bench.registry}/v1/devices/acme/dev-device-1"]
    assert bench.devices() == ["dev-device-1"]


def test_a_device_with_an_id_that_the_registry_draws(bench: HonoBench, doctor: Doctor) -> None:
    ca = authority()
    bench.trusting(ca)

    page = doctor(bench, *bench.cert(leaf_of(ca)), "--first-contact")

    (device,) = bench.devices()
    assert page.document["headline"] == f"The adapter lets this device in: tenant acme, device {device}."


@pytest.mark.parametrize("over", ["http", "https", "mqtt", "mqtts", "coaps"])
def test_a_secret(over: str, bench: HonoBench, doctor: Doctor) -> None:
    bench.tenant({"alias": "the-alias"})
    bench.device("d-1", [password(), psk()])

    for options in (RIGHT, (*RIGHT, "--device-id", "d-1"), ("--login", "sensor1@the-alias", *RIGHT[2:])):
        page = doctor(bench, *options, over=over)
        assert (page.names, page.notes, page.code) == ([], [], 0), options
    unasked = doctor(bench, *RIGHT[:2], over=over)
    assert (unasked.names, unasked.code) == ([], 3), "no registry shows a secret"
    assert any("--secret env:NAME" in gap for gap in unasked.document["not_seen"])


def test_a_gateway_with_its_device(bench: HonoBench, doctor: Doctor) -> None:
    bench.tenant()
    bench.device("gw-1", [password()], memberOf=["g"], authorities=["auto-provisioning-enabled"])
    bench.device("e-1", viaGroups=["g"])

    for edge in ("e-1", "e-2", "gw-1"):
        page = doctor(bench, *RIGHT, "--for", edge, over="http")
        assert (page.names, page.code) == ([], 0), edge
    assert sorted(bench.devices()) == ["e-1", "gw-1"]


def test_without_its_key_a_certificate_is_read_only(bench: HonoBench, doctor: Doctor) -> None:
    ca = authority()
    bench.trusting(ca)
    options = bench.cert(leaf_of(ca))

    page = doctor(bench, *options[:2], "--first-contact")

    assert (page.names, page.code, page.document["asked"]) == ([], 0, NOTHING)
    assert bench.devices() == []


# -- tenants by name (SNI)


def test_a_shared_authority_and_the_host_that_is_asked_for(bench: HonoBench, doctor: Doctor) -> None:
    ca = authority()
    for name, alias in ((TENANT, "first"), ("beta", "second")):
        bench.tenant({"trusted-ca": [bench.entry(ca)], "trust-anchor-group": "g", "alias": alias}, name)
    options = bench.cert(leaf_of(ca))

    def asking_for(host: str) -> tuple[list[str], list[str], str]:
        page = doctor(bench, *options, "--server-name", host)
        tenants = [line for line in page.document["seen"] if line.startswith("tenant ")]
        return page.names, page.notes, tenants[0] if tenants else ""

    assert asking_for("beta.example.org")[::2] == ([], "tenant beta")
    assert asking_for("first.example.org")[::2] == ([], "tenant acme")
    assert asking_for("gamma.example.org")[0] == ["server-name-of-nobody"]
    assert asking_for("localhost")[:2] == (["shared-authority"], ["server-name-one-label"])
    assert asking_for("")[0] == ["shared-authority"]


def test_a_tenant_that_is_named_and_does_not_trust_the_issuer(bench: HonoBench, doctor: Doctor) -> None:
    bench.trusting(authority("CN=others,O=ACME"))

    page = doctor(bench, *bench.cert(leaf_of(authority())), "--server-name", "acme.example.org")

    assert page.names == ["issuer-unknown"]
    assert page.one("issuer-unknown")["cause"].startswith("Tenant acme, which the host name says, trusts")


# -- caches


def test_what_adapters_have_in_their_caches(tmp_path: Path, doctor: Doctor) -> None:
    with serving(tmp_path, "--profile", "2-jdbc") as bench:
        ca = authority()
        bench.trusting(ca)
        options = bench.cert(leaf_of(ca))
        assert doctor(bench, *options).document["asked"] == NOTHING, "its search shows no authorities"
        assert doctor(bench, *options, "--first-contact").code == 0
        bench.trusting(authority("CN=others,O=ACME"))

        page = doctor(bench, *options)

        assert (page.names, page.notes, page.code) == ([], ["cached"], 0)
        assert "(issuer-unknown). It was let in" in page.one("cached")["cause"]
        assert "60 s with a JDBC registry" in page.one("cached")["cause"]


def test_a_registry_that_lists_nothing(tmp_path: Path, doctor: Doctor) -> None:
    """1.1 cannot be searched: what is named can be read."""
    with serving(tmp_path, "--profile", "1") as bench:
        ca = authority()
        bench.asked("POST", f"/tenants/{TENANT}", {"trusted-ca": [bench.entry(ca, provisions=False)]})
        bench.asked("POST", f"/devices/{TENANT}/d-1", {})
        bench.asked("PUT", f"/credentials/{TENANT}/d-1", [x509_entry()])
        options = (*bench.cert(leaf_of(ca)), "--tenant", TENANT)

        page = doctor(bench, *options)
        assert (page.names, page.code) == (["auto-provisioning-off"], 3)
        assert [gap for gap in page.document["not_seen"] if "give --device-id" in gap]
        page = doctor(bench, *options, "--device-id", "d-1")
        assert (page.names, page.code, page.document["answered"]) == ([], 0, "CONNACK 0")
        page = doctor(bench, *options, "--device-id", "d-1", over="https")
        assert (page.names, page.code) == ([], 0), "its errors are plain text"


# -- places


def test_no_registry_there(bench: HonoBench, doctor: Doctor) -> None:
    ca = authority()
    bench.trusting(ca)

    page = doctor(None, *bench.cert(leaf_of(ca)), "--against", f"http://{bench.ready['http']}")

    assert (page.names, page.code) == ([], 3)
    assert any("which no registry of Hono does here" in gap for gap in page.document["not_seen"])


def test_no_adapter_there(bench: HonoBench, doctor: Doctor) -> None:
    bench.tenant()
    bench.device("d-1", [password()])

    page = doctor(None, *RIGHT, "--against", bench.registry, "--over", "mqtt://127.0.0.1:1")

    assert (page.names, page.code) == (["adapter-not-reached"], 3)


def test_a_server_that_is_not_trusted(bench: HonoBench, doctor: Doctor) -> None:
    bench.tenant()
    bench.device("d-1", [password()])

    page = doctor(None, *RIGHT, "--against", bench.registry, "--over", bench.over("mqtts"))

    assert (page.names, page.code) == (["certificate-not-accepted"], 3)


def test_a_registry_with_accounts(tmp_path: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN", "admin-secret-0123")
    with serving(tmp_path, "--admin-password", "env:ADMIN") as bench:
        options = ("--login", "a@b")
        page = doctor(bench, *options)
        assert any("the registry wants an account" in gap for gap in page.document["not_seen"])
        page = doctor(bench, *options, "--user", "admin", "--password", "env:ADMIN")
        assert page.names == ["no-such-tenant"]


@pytest.mark.parametrize("seed", range(12))
def test_answers_that_nobody_expects(seed: int, bench: HonoBench, doctor: Doctor) -> None:
    """Whatever the registry says, there is a page."""
    ca = authority()
    bench.tenant({"trusted-ca": [bench.entry(ca)], "adapters": [{"type": "hono-mqtt", "enabled": True}]})
    bench.device("d-1", [password(), x509_entry()], via=["gw-1"])
    cert = bench.cert(leaf_of(ca))[:2]

    with in_front_of(bench.ready["registry"], one_value_of_another_kind(seed)) as url:
        for options in (cert, RIGHT[:2], (*RIGHT[:2], "--for", "e-1")):
            page = doctor(None, *options, "--against", url)
            assert page.code in (0, 1, 3)


def test_a_server_file(bench: HonoBench, doctor: Doctor, tmp_path: Path) -> None:
    bench.tenant()
    bench.device("d-1", [password()])
    file = tmp_path / "server.yaml"
    file.write_text(
        f"platform: hono\nregistry: {bench.registry}\nmqtts: {bench.ready['mqtts']}\nca: {bench.server_ca}\n"
    )

    page = doctor(None, *RIGHT, "--against", str(file))

    assert (page.names, page.code) == ([], 0)
    assert page.document["asked"].startswith("CONNECT at mqtts://127.0.0.1:")


def test_the_page(bench: HonoBench, capsys: pytest.CaptureFixture[str], doctor: Doctor) -> None:
    """For people: the outcome first, then causes with what to change, then what they stand on."""
    from fleetrig.harness.cli import main

    del doctor
    ca = authority()
    bench.trusting(ca, provisions=False)
    options = bench.cert(leaf_of(ca))

    assert main(["doctor", "hono", "--against", bench.registry, *options[:2]]) == 1

    page = capsys.readouterr().out
    assert page.splitlines()[:3] == [
        f"the certificate of {DEVICE_DN} over mqtts", "", "REFUSED  This device would be refused."
    ]  # fmt: skip
    assert (
        '1 CAUSE     The authority "CN=devices,OU=iot,O=ACME" has\n            auto-provisioning-enabled false,' in page
    )
    assert f"    curl -s {bench.registry}/v1/tenants/acme \\\n      | jq " in page
    assert (
        f'            issuer "CN=devices,OU=iot,O=ACME"\n            tenant acme\n            auth-id "{DEVICE_DN}"'
        in page
    )


def test_whom_to_trust_has_an_option_of_its_own(bench: HonoBench, doctor: Doctor, tmp_path: Path) -> None:
    """`--ca` is what tenants trust."""
    bench.tenant()
    other = tmp_path / "other.pem"
    other.write_bytes(authority().certificate_pem)

    page = doctor(bench, *RIGHT, "--server-ca", str(other))

    assert "here with --server-ca FILE" in page.one("certificate-not-accepted")["change"]
