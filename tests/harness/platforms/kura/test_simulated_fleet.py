"""What options of `simulate kura` mean, what the live table reads in answers, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.platforms.kura.device_places import device_place
from fleetrig.harness.platforms.kura.gateway_names import names_of
from fleetrig.harness.platforms.kura.simulated_fleet import Bootstrap, build_agents, gateway, readings_of
from fleetrig.harness.platforms.kura.simulation_hints import SigningIn, advice, hint
from fleetrig.harness.platforms.kura.simulation_options import (
    Given,
    check_options,
    measured,
    temporary_account,
    units_of,
    with_credentials,
)
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    PublishAckKind,
)
from fleetrig.simulator.flows.kura.settings import KuraSettings

REST = "http://kura.test:8081"
BROKER = "mqtt://kura.test:1883"
READINGS = readings_of(KuraSettings())
USER: dict[str, Any] = {"account": "acct", "user": "anna", "secret": "env:S"}


@pytest.mark.parametrize(
    ("given", "against", "sentence"),
    [
        (Given("token", True, None, None, None), REST, "expected bootstrap or password"),
        (Given("bootstrap", True, None, None, None, "soon"), REST, "expected kura or full-jitter"),
        (Given("bootstrap", True, None, None, None), BROKER, "is the address of a broker"),
        (Given("password", True, "acct", None, None), REST, "leave --account, --user and --secret away"),
        (Given("bootstrap", False, None, None, None), REST, "needs a provision request each"),
        (Given("password", False, "acct", None, None), BROKER, "whose gateways?"),
        (Given("password", False, "a/b", "u", "s"), BROKER, "letters, digits, _ and -"),
    ],
)
def test_options_that_contradict_each_other(given: Given, against: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence.replace("?", r"\?")):
        check_options(given, device_place(against, None))


@pytest.mark.parametrize(
    ("against", "transport", "url"),
    [
        (REST, None, BROKER),
        (REST, "mqtts", "mqtts://kura.test:8883"),
        ("mqtts://kura.test", None, "mqtts://kura.test:8883"),
        ("mqtt://kura.test:7", "mqtt", "mqtt://kura.test:7"),
    ],
)
def test_where_gateways_go(against: str, transport: str | None, url: str) -> None:
    assert device_place(against, transport).url == url


@pytest.mark.parametrize(
    ("against", "transport", "sentence"),
    [(REST, "http", "expected mqtt or mqtts"), (BROKER, "mqtts", "contradicts the address")],
)
def test_where_no_gateway_goes(against: str, transport: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        device_place(against, transport)


def test_a_file_without_a_broker_is_told(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(f"platform: kura\nhttp: {REST}\nmqtt: kura.test:1884\n")
    assert device_place(str(file), None).url == "mqtt://kura.test:1884"
    with pytest.raises(UsageError, match="names no mqtts listener"):
        device_place(str(file), "mqtts")


@pytest.mark.parametrize("serial", ["a/b{n}", "a+{n}", "a.{n}", "a::{n}"])
def test_names_that_are_no_client_ids(serial: str) -> None:
    with pytest.raises(UsageError, match="is no client id"):
        units_of(serial, 2)


def test_what_is_measured() -> None:
    assert measured(["a=1.5", "b=true", "c=x"]) == {"a": 1.5, "b": True, "c": "x"}
    assert measured([]) == {"temperature": 21.5}


def test_each_gateway_has_its_own_names_and_what_its_request_says() -> None:
    settings = with_credentials(
        KuraSettings(), Given("bootstrap", True, None, None, None), device_place(REST, None), Secrets()
    )
    first, second = (gateway(settings, serial, Bootstrap("pass", "key")).settings for serial in ("A-1", "A-2"))
    assert first.provisioning.enabled
    assert first.provisioning.broker_url == BROKER
    assert (first.provisioning.password, first.provisioning.activation_key) == ("pass", "key")
    assert (first.provisioning.client_id, first.hardware.mac) == ("A-1", names_of("A-1").mac)
    assert first.hardware.mac != second.hardware.mac


def test_those_that_are_configured_share_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S", "open-sesame")
    secrets = Secrets()
    settings = with_credentials(KuraSettings(), Given("password", False, **USER), device_place(BROKER, None), secrets)
    transport = settings.transport
    assert (transport.account_name, transport.username, transport.password) == ("acct", "anna", "open-sesame")
    assert not settings.provisioning.enabled
    assert "open-sesame" not in secrets.hide("an open-sesame")


def test_what_would_be_left_behind_is_named() -> None:
    agents = build_agents(units_of("A-{n}", 2), KuraSettings())
    given = Given("bootstrap", True, None, None, None)
    account = temporary_account(device_place(REST, None), KuraSettings(), agents, given, Secrets())
    assert account.left_behind() == ""
    account._was_asked_for = True
    assert account.left_behind() == f"the account {account.name} and perhaps its gateways"
    account.created = {"A-2", "A-1"}
    assert account.left_behind() == f"the account {account.name} and 2 gateways such as A-1"
    assert account.name in account.how_to_remove()


@pytest.mark.parametrize(
    ("name", "answer", "is_good"),
    [
        ("provision-connect", MqttConnack(0), True),
        ("login", MqttConnack(5), False),
        ("provision-subscribe", MqttSuback(1, (1, 1)), True),
        ("subscribe", MqttSuback(1, (0x80,)), False),
        ("birth", MqttPublishAck(PublishAckKind.PUBACK, 1), True),
        ("provision", MqttPublish("$EDC/p/c/PROV-SIM1/REPLY/1"), True),
    ],
)
def test_what_is_an_answer_that_helps(name: str, answer: Envelope, is_good: bool) -> None:
    assert READINGS.is_good(name, answer) is is_good


@pytest.mark.parametrize(
    ("answer", "is_bootstrap", "sentence"),
    [
        ("CONNACK 4", True, "for whom no provision request waits"),
        ("CONNACK 5", False, "a user of the account acct"),
        ("CONNACK 2", True, "the client id is not taken"),
        ("CONNACK 3", True, "is busy"),
        ("timeout", True, "said nothing in time"),
    ],
)
def test_who_is_not_let_in_hears_what_to_do(answer: str, is_bootstrap: bool, sentence: str) -> None:
    way = SigningIn(BROKER, is_bootstrap, "acct")
    assert sentence in advice(answer, way)
    assert hint(answer, way).startswith(f"all devices heard {answer}: ")


def test_of_what_says_nothing_nothing_is_said() -> None:
    assert hint("PUBACK", SigningIn(BROKER, True)) == ""
