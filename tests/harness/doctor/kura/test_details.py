"""How sure the doctor is, what it never does, and what it says to those who ask it wrongly."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from tests.harness.doctor.kura.bench import PASSWORD, PROVISIONING, KuraBench
from tests.harness.doctor.kura.conftest import Doctor
from tests.harness.doctor.kura.material import SECRETS, authority, configurations, connected, entries, provisioning
from tests.harness.doctor.kura.seeds import SeededGateway
from tests.harness.doctor.kura.test_seeded import looking

KEY = "a-key-that-stands-in-a-file-only"
RECOVERY = {"enable_recovery_on_connection_failure": "true"}


def written(folder: Path, content: str) -> str:
    path = folder / f"{len(list(folder.iterdir()))}"
    path.write_text(content, encoding="utf-8")
    return str(path)


# -- files alone


def test_a_configuration_with_nothing_wrong_does_not_decide_it_without_a_server(doctor: Doctor, tmp_path: Path) -> None:
    page = doctor("--configuration", written(tmp_path, configurations(provisioning())), "--mac", "00:60:0c:aa:bb:cc",
                  "--serial", "SN1")  # fmt: skip
    assert (page.names, page.code) == ([], 3)
    assert "user name 00600CAABBCC-SN1 (made of MAC and serial number)" in page.document["seen"]
    assert any("--against" in gap for gap in page.document["not_seen"])


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"timeout": "90"}, "timeout-over-interval"),
        ({"ca_authentication": "false"}, "ca-authentication-off"),
        ({"retry_max_attempts": "3"}, "retries-lock"),
    ],
)
def test_what_is_merely_unwise_is_a_note(changes: dict[str, str], note: str, doctor: Doctor, tmp_path: Path) -> None:
    page = doctor("--configuration", written(tmp_path, configurations(provisioning(**changes))))
    assert page.names == []
    assert note in page.notes
    good = {"timeout": "30", "retry_max_attempts": "2"}
    assert note not in doctor("--configuration", written(tmp_path, configurations(provisioning(**good)))).notes


def test_the_client_id_of_a_transport_has_colons(doctor: Doctor, tmp_path: Path) -> None:
    own = configurations(connected({"client-id": ""}))
    page = doctor("--configuration", written(tmp_path, own), "--mac", "00600caabbcc")
    assert "client id 00:60:0C:AA:BB:CC (made of the MAC)" in page.document["seen"]


def test_an_unchecked_chain_is_a_note(doctor: Doctor, tmp_path: Path) -> None:
    chain, other = written(tmp_path, authority().certificate_pem.decode()), authority("Other")
    options = ("--chain", chain, "--trust", written(tmp_path, other.certificate_pem.decode()))
    assert doctor(*options).names == ["chain-self-signed"]
    page = doctor(*options, "--no-ca-authentication")
    assert (page.names, page.notes, page.code) == ([], ["chain-unchecked"], 0)


def test_which_of_several_connections_is_said(doctor: Doctor, tmp_path: Path) -> None:
    bad = provisioning(retry_interval="0", broker_url="mqtts://127.0.0.2:8883")["ProvisioningService"]
    own = written(tmp_path, configurations({**provisioning(), "ProvisioningService-second": bad}))
    assert doctor("--configuration", own).names == []
    assert doctor("--configuration", own, "--connection", "second").names == ["retry-interval-invalid"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "say what is to be looked at"),
        (("--payload", "00"), "--payload belongs to --topic"),
        (("--topic", "a/b", "--payload", "zz"), "neither hex nor Base64"),
        (("--topic", "a/b", "--payload", "@nowhere"), "cannot read nowhere"),
        (("--connection", "a", "--client-id", "b"), "give --configuration FILE"),
        (("--client-id", "b", "--secret", "plain"), "--secret takes no secret itself"),
        (("--configuration", "nowhere"), "cannot read nowhere"),
        (("--configuration", "{file}"), "holds no XML"),
        (("--keystore", "{file}", "--client-id", "a"), "holds neither PEM nor a list of entries as JSON"),
        (("--signer", "{file}", "--client-id", "a"), "no PEM certificate"),
    ],
)  # fmt: skip
def test_wrong_usage_is_a_sentence(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, "garbage")
    assert main(["doctor", "kura", *(one.replace("{file}", file) for one in options)]) == 4
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    ["<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a/>", "<esf:configurations", "", "\0", "<x xmlns='y'><z/></x>"],
)
def test_what_is_no_configuration_is_refused_whatever_it_is(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "kura", "--configuration", written(tmp_path, content)]) == 4
    assert "holds" in capsys.readouterr().err


# -- with a server


@pytest.mark.slow
def test_a_key_that_is_not_in_the_configuration_is_missing_for_certain(
    bench: KuraBench, gateway: SeededGateway, doctor: Doctor, tmp_path: Path
) -> None:
    made = bench.request(gateway.account, gateway.bare, gateway.login, generateActivationKey=True)
    key = made["activationKey"]
    unsaid = doctor(*looking(bench, *gateway.asking()), masked=(key,))
    assert (unsaid.names, unsaid.code) == (["activation-key-missing"], 3)
    for own, name in (("", "activation-key-missing"), (KEY, "activation-key-wrong"), (key, "")):
        form = configurations(provisioning(activation_key=own, broker_url=bench.broker))
        options = ("--configuration", written(tmp_path, form), "--mac", gateway.mac, "--serial", gateway.serial)
        page = doctor(*looking(bench, *options), masked=(key, KEY))
        assert page.names == ([name] if name else [])


@pytest.mark.slow
def test_a_password_that_differs_is_found_by_asking(bench: KuraBench, gateway: SeededGateway, doctor: Doctor) -> None:
    bench.user(gateway.account, gateway.user)
    page = doctor(*looking(bench, *gateway.connected(secret="env:OTHER")), "--connect")
    assert (page.names, page.code) == (["secret-differs"], 1)
    assert page.document["answered"].startswith("CONNACK ")
    alone = doctor("--broker-url", bench.broker, *gateway.connected(secret="env:OTHER"), "--connect")
    assert (alone.names, alone.code) == (["secret-differs"], 1)
    assert alone.one("secret-differs")["weight"] == "possible"
    page = doctor(*looking(bench, *gateway.connected(secret="env:OTHER")), "--connect")
    assert page.names == []
    assert "one more wrong password could lock" in page.text
    page = doctor(*looking(bench, *gateway.connected()), "--connect")
    assert "wrong-passwords" in page.notes


@pytest.mark.slow
def test_a_gateway_that_is_connected_is_not_thrown_out(
    bench: KuraBench, gateway: SeededGateway, doctor: Doctor
) -> None:
    bench.user(gateway.account, gateway.user)
    host, _, port = str(bench.ready["mqtt"]).rpartition(":")
    with closing(ExactMqtt(host, int(port))) as connection:
        assert connection.connect(gateway.client_id, gateway.user, PASSWORD) == "CONNACK 0"
        page = doctor(*looking(bench, *gateway.connected()), "--connect")
        assert (page.names, page.code) == ([], 3)
        assert "would be thrown out" in page.text
        connection.expect_open("the gateway")


@pytest.mark.slow
def test_the_certificates_of_the_target_are_known_from_the_server(
    bench: KuraBench, gateway: SeededGateway, doctor: Doctor, tmp_path: Path
) -> None:
    bench.request(gateway.account, gateway.bare, gateway.login)
    form = configurations(provisioning(broker_url=bench.broker))
    own = ("--configuration", written(tmp_path, form), "--mac", gateway.mac, "--serial", gateway.serial)
    page = doctor(*looking(bench, *own, "--keystore", written(tmp_path, entries(("dm-old", authority())))))
    assert page.names == ["enabled-before-certificates"]
    (signer, *_) = [
        one["certificate"]
        for one in bench.items(f"/v1/{bench.account(gateway.account)}/certificateInfos?inherited=true")
        if {"name": "DEVICE_MANAGEMENT"}.items() <= (one.get("certificateUsages") or [{}])[0].items()
    ]
    page = doctor(*looking(bench, *own, "--keystore", written(tmp_path, signer)))
    assert page.names == []


@pytest.mark.slow
def test_who_cannot_be_reached(bench: KuraBench, gateway: SeededGateway, doctor: Doctor, tmp_path: Path,
                               free_port: int) -> None:  # fmt: skip
    bench.user(gateway.account, gateway.user)
    nobody = f"mqtt://127.0.0.1:{free_port}"
    page = doctor("--against", bench.rest, "--broker-url", nobody, *gateway.connected())
    assert (page.names, page.code) == (["broker-not-reached"], 3)
    own = configurations(connected({"broker-url": nobody}, **RECOVERY))
    page = doctor("--configuration", written(tmp_path, own), "--broker-url", nobody)
    assert page.names == ["broker-not-reached", "recovery-reboots"]
    page = doctor("--configuration", written(tmp_path, own), "--broker-url", bench.broker)
    assert (page.names, "recovery-reboots" in page.notes) == ([], True)
    no_rest = doctor("--against", f"http://127.0.0.1:{free_port}", *gateway.connected())
    assert (no_rest.names, no_rest.code) == ([], 3)
    assert "nobody listens" in no_rest.text


@pytest.mark.slow
def test_an_account_that_the_server_does_not_take(
    bench: KuraBench, gateway: SeededGateway, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = (*looking(bench, *gateway.asking()), "--user", "kapua-sys", "--password", "env:SECRET")
    page = doctor(*options)
    assert page.code == 3
    assert "does not take the account" in page.text


@pytest.mark.slow
def test_what_it_advises_is_printed_for_people(
    bench: KuraBench, gateway: SeededGateway, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", SECRETS["SECRET"])
    assert main(["doctor", "kura", *looking(bench, *gateway.asking())]) == 1
    page = capsys.readouterr().out
    assert "1 CAUSE     There is no provision request" in page
    assert f"{bench.rest}/v2/provisionRequests" in page
    assert SECRETS["SECRET"] not in page
    assert PROVISIONING in page


@pytest.mark.slow
def test_a_broker_whose_certificate_the_gateway_cannot_trust(
    bench: KuraBench, gateway: SeededGateway, doctor: Doctor
) -> None:
    bench.user(gateway.account, gateway.user)
    over_tls = ("--against", bench.rest, "--broker-url", f"mqtts://{bench.ready['mqtts']}", *gateway.connected())
    page = doctor(*over_tls, "--connect")
    assert (page.names, page.document["asked"]) == (["certificate-not-accepted"], "nothing as the gateway")
    assert "never sends its user name and password" in page.one("certificate-not-accepted")["cause"]
    trusting = doctor(*over_tls, "--connect", "--ca", str(bench.ready["ca"]))
    assert (trusting.names, trusting.code, trusting.document["answered"]) == ([], 0, "CONNACK 0")
    plain = doctor("--against", bench.rest, "--broker-url", f"mqtts://{bench.ready['mqtt']}", *gateway.connected())
    assert plain.names == ["broker-not-reached"]
    assert "does not speak TLS" in plain.text
