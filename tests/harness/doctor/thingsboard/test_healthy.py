"""Devices that are right: nothing is found wrong with them, on any transport, with and without an account."""

from __future__ import annotations

import pytest

from fleetrig.simulator.contract.identity import as_pem
from tests.harness.doctor.thingsboard.bench import CHECK, NAME, TOKEN, Bench
from tests.harness.doctor.thingsboard.conftest import Doctor
from tests.harness.doctor.thingsboard.seeds import ASKS, BASIC, LOGS_IN, PARTS, document

pytestmark = pytest.mark.slow
EVERYWHERE = ["http", "mqtt", "mqtts", "coap", "coaps"]


@pytest.mark.parametrize("over", EVERYWHERE)
def test_a_request(over: str, bench: Bench, doctor: Doctor) -> None:
    bench.profile("Model A")

    seen = doctor(bench, *ASKS, over=over)
    unseen = doctor(bench, *ASKS, "--no-account", over=over)

    assert (seen.names, seen.notes, seen.code) == ([], ["answered-once"], 0)
    assert (unseen.names, unseen.code) == (["name-unseen"], 3)
    assert "--try" in unseen.one("name-unseen")["change"]
    assert bench.names() == []


@pytest.mark.parametrize("over", EVERYWHERE)
def test_a_token(over: str, bench: Bench, doctor: Doctor) -> None:
    bench.device()

    for options in ((), ("--name", NAME), ("--no-account",)):
        page = doctor(bench, *LOGS_IN, *options, over=over)
        assert (page.names, page.notes, page.code) == ([], [], 0), options


@pytest.mark.parametrize("over", ["mqtt", "mqtts"])
@pytest.mark.parametrize(
    ("stored", "options"),
    [
        (PARTS, BASIC),
        ({"userName": "u17"}, ("--user-name", "u17")),
        ({"clientId": "c17"}, ("--client-id", "c17")),
        ({"userName": "u17", "password": "pass-of-gw-17"}, ("--user-name", "u17", "--mqtt-password", "env:PASSWORD")),
    ],
    ids=["whole", "user-name", "client-id", "user-name-and-password"],
)
def test_basic(stored: dict[str, str], options: tuple[str, ...], over: str, bench: Bench, doctor: Doctor) -> None:
    bench.device()
    bench.set_credentials("MQTT_BASIC", stored)

    for more in ((), ("--name", NAME), ("--no-account",)):
        page = doctor(bench, *options, *more, over=over)
        assert (page.names, page.notes, page.code) == ([], [], 0), more


@pytest.mark.parametrize("over", ["mqtts", "coaps"])
def test_a_certificate_that_was_entered_by_hand(over: str, bench: Bench, doctor: Doctor) -> None:
    ca = bench.authority("Acme CA")
    leaf = ca.issue_client(NAME)
    bench.device()
    bench.set_credentials("X509_CERTIFICATE", as_pem(leaf.chain[0]).decode())

    for behind in ((), (ca,)):
        for options in ((), ("--name", NAME), ("--no-account",)):
            page = doctor(bench, *bench.cert_files(leaf, *behind), *options, over=over)
            assert (page.names, page.code) == ([], 0), (options, behind)


def test_a_chain_without_an_account(bench: Bench, doctor: Doctor) -> None:
    """Nothing can be told without doing it, and that is what it says."""
    ca = bench.chain_profile("Chained")

    page = doctor(bench, *bench.cert_files(ca.issue_client(NAME), ca), "--no-account", over="mqtts")

    assert (page.names, page.code) == (["certificate-unknown"], 3)
    assert "--try shows the whole chain" in page.one("certificate-unknown")["change"]
    assert bench.names() == []


def test_a_certificate_without_its_key_is_read_only(bench: Bench, doctor: Doctor) -> None:
    ca = bench.chain_profile("Chained")
    files = bench.cert_files(ca.issue_client(NAME), ca)

    page = doctor(bench, *files[:2], over="mqtts")

    assert (page.names, page.code) == ([], 0)
    assert page.document["asked"] == "nothing as the device"
    assert bench.names() == []


@pytest.mark.parametrize(
    "request_",
    [
        document(credentialsType="ACCESS_TOKEN", token="own-token-of-it"),
        document(credentialsType="MQTT_BASIC", clientId="c", username="u", password="p"),
        document(credentialsType="MQTT_BASIC", username="u"),
        document(gateway=True),
        document(deviceName=42),
        document(deviceName=["gw-17"]),
        document(deviceName="  gw-17  "),
        document(comment="whatever"),
    ],
    ids=["own-token", "own-basic", "user-name-only", "gateway", "number", "array-of-one", "outer-blanks", "more"],
)
def test_requests_of_every_kind(request_: dict[str, object], bench: Bench, doctor: Doctor) -> None:
    bench.profile("Model A")

    page = doctor(bench, *bench.request_file(request_))
    assert (page.names, page.code) == ([], 0)
    assert bench.names() == []


def test_own_credentials_are_ignored_where_devices_are_listed(bench: Bench, doctor: Doctor) -> None:
    bench.profile("Model A", CHECK)
    bench.device(profile="Model A")

    page = doctor(bench, *bench.request_file(document(token="own-token-of-it")))

    assert (page.names, page.code) == ([], 0)
    assert "own-credentials-ignored" in page.notes
    assert bench.credentials()["credentialsId"] == TOKEN


def test_a_gateway(bench: Bench, doctor: Doctor) -> None:
    device = bench.device()
    bench.asked("POST", "/device", {**device, "additionalInfo": {"gateway": True}})

    for options in ((), ("--name", NAME), ("--no-account",)):
        page = doctor(bench, *LOGS_IN, "--gateway", *options, over="mqtt")
        assert (page.names, page.code) == ([], 0), options
