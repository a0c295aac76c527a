"""What options of `simulate hono` mean, what the live table reads in Hono's answers, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.platforms.hono.admin import HonoAdmin
from fleetrig.harness.platforms.hono.device_places import device_place
from fleetrig.harness.platforms.hono.simulated_fleet import FleetMake, build_agents, readings_of
from fleetrig.harness.platforms.hono.simulation_hints import SigningIn, advice, hint
from fleetrig.harness.platforms.hono.simulation_options import Given, held_by, measured, temporary_tenant, units_of
from fleetrig.harness.platforms.hono.temporary_tenant import TemporaryTenant
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.report.fleet_state import POWER_ON, FleetState
from fleetrig.harness.report.fleet_summary import summary
from fleetrig.harness.report.fleet_table import TableHeading, plain_line
from fleetrig.simulator.contract.coap import CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.identity import ClientCertificate, PreSharedKey, UserPassword
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttDisconnect,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    PublishAckKind,
)
from fleetrig.simulator.contract.trace import Lane, Trace
from fleetrig.simulator.flows.hono.flow import HonoDevice
from fleetrig.simulator.flows.hono.settings import Endpoint, HonoSettings

READINGS = readings_of(HonoSettings("mqtts://hono.example"))
URL = "mqtts://hono.example:8883"
BY_CERTIFICATE, BY_PASSWORD, BY_KEY = (SigningIn(URL, kind, "acme") for kind in ("certificate", "password", "psk"))
S_US = 1_000_000


# What is read


@pytest.mark.parametrize(
    ("name", "answer", "word", "is_good"),
    [
        ("login", MqttConnack(), "CONNACK 0", True),
        ("login", MqttConnack(5), "CONNACK 5", False),
        ("telemetry", HttpResponse(202), "202", True),
        ("telemetry", HttpResponse(200), "200", True),
        ("telemetry", HttpResponse(401), "401", False),
        ("telemetry", CoapResponse("2.04"), "2.04", True),
        ("telemetry", CoapResponse("4.03"), "4.03", False),
        ("telemetry", MqttPublishAck(PublishAckKind.PUBACK, 1), "PUBACK", True),
        ("telemetry", MqttPublishAck(PublishAckKind.PUBACK, 1, 0x80), "PUBACK 128", False),
        ("subscribe", MqttSuback(1, (1, 0x80)), "SUBACK 1 128", False),
        ("subscribe", MqttSuback(1, (1,)), "SUBACK 1", True),
        ("gateway-telemetry", MqttPublish("error///telemetry/3/404"), "PUBLISH error///telemetry/3/404", False),
        ("idle", MqttPublish("command///req/7/on"), "PUBLISH command///req/7/on", True),
        ("idle", MqttDisconnect(0x98), "DISCONNECT 152", False),
        ("ping", MqttPingresp(), "PINGRESP", True),
    ],
)
def test_answers_in_a_word(name: str, answer: Envelope, word: str, is_good: bool) -> None:
    assert (READINGS.word(name, answer), READINGS.is_good(name, answer)) == (word, is_good)


class Story:
    """Tells what devices do, second by second."""

    def __init__(self, devices: int = 1) -> None:
        self.state = FleetState.of([f"D-{n}" for n in range(1, devices + 1)], 30.0, READINGS)
        self.trace = Trace()
        self.trace.listen(self.state.take)
        self.s = 0.0
        self.trace.emit(self.now_us, Lane.BENCH, "phase", name=POWER_ON)

    @property
    def now_us(self) -> int:
        return int((1_000 + self.s) * S_US)

    def tell(self, kind: str, name: str = "", device: int = 1, **rest: Any) -> Story:
        self.trace.emit(self.now_us, Lane.DEVICE, kind, f"D-{device}", name=name, **rest)
        return self

    def hears(self, answer: Envelope, name: str = "login", device: int = 1) -> Story:
        self.tell("power_on", device=device, stage="blank").tell("entered", stage="enrolling", device=device)
        return self.tell("received", name, device, envelope=answer, stage="enrolling")

    def is_online(self, device: int = 1) -> Story:
        for stage in ("enrolled", "online"):
            self.tell("entered", stage=stage, device=device)
        ack = MqttPublishAck(PublishAckKind.PUBACK, 1)
        return self.tell("received", "telemetry", device, envelope=ack, stage="online")


def test_a_device_that_is_let_in_and_sends() -> None:
    story = Story().hears(MqttConnack()).is_online()
    assert (story.state.came_through, story.state.polls, story.state.failures) == (1, 1, 0)
    assert story.state.rows["D-1"].doing_text(story.now_us) == "waiting 30 s"


def test_those_who_were_never_let_in_are_told_with_the_reason() -> None:
    story = Story(2).hears(MqttConnack()).is_online().hears(MqttConnack(4), device=2)
    story.tell("entered", stage="refused", device=2).tell("ended", device=2, stage="refused")
    assert story.state.never_let_in() == {"CONNACK 4": ["D-2"]}
    heading = TableHeading(URL, 1)
    assert "1 online, 1 refused   messages 1" in plain_line(story.state, heading, story.now_us)
    said = summary(story.state, heading, story.now_us, lambda answer: advice(answer, BY_CERTIFICATE)).splitlines()[-2]
    assert said.startswith(
        "never let in: 1 device (D-2), the last answer was CONNACK 4: no tenant takes such a certificate"
    )


def test_a_gateway_whose_message_is_not_acknowledged_is_in_trouble() -> None:
    story = Story().hears(MqttConnack()).is_online().tell("waited", "gateway-telemetry", stage="online")
    assert story.state.failures == 1


def test_what_has_no_answer_counts_when_it_is_out() -> None:
    settings = HonoSettings("mqtts://hono.example", at_least_once=False)
    state = FleetState.of(["D-1"], 30.0, readings_of(settings))
    trace = Trace()
    trace.listen(state.take)
    for kind, name in (("power_on", ""), ("sent", "telemetry"), ("sent", "telemetry")):
        trace.emit(S_US, Lane.DEVICE, kind, "D-1", name=name, stage="online")
    assert (state.polls, state.rows["D-1"].doing_text(S_US)) == (2, "waiting 30 s")
    assert not readings_of(HonoSettings("https://h", at_least_once=False)).is_told
    assert readings_of(HonoSettings("https://h", endpoint=Endpoint.EVENT)).noun == "event"


# Advice


@pytest.mark.parametrize(
    ("answer", "way", "words"),
    [
        ("401", BY_CERTIFICATE, "must trust the direct issuer"),
        ("CONNACK 4", BY_PASSWORD, "user names are SERIAL@acme"),
        ("CONNACK 134", BY_PASSWORD, "user names are SERIAL@acme"),
        ("403", BY_CERTIFICATE, "is disabled, or a limit of the tenant is reached"),
        ("CONNACK 135", BY_CERTIFICATE, "is disabled, or a limit of the tenant is reached"),
        ("404", BY_CERTIFICATE, "no tenant trusts the issuer"),
        ("404", BY_PASSWORD, "the device is disabled or deleted"),
        ("4.04", BY_KEY, "the device is disabled or deleted"),
        ("CONNACK 3", BY_PASSWORD, "is an application connected"),
        ("429", BY_PASSWORD, "is used up"),
        ("409", BY_CERTIFICATE, "somebody else provisions"),
        ("405", BY_PASSWORD, "and not its registry?"),
        ("tls", BY_CERTIFICATE, "certificate in date"),
        ("timeout", BY_KEY, "identities are SERIAL@acme"),
        ("timeout", BY_PASSWORD, ""),
        ("202", BY_CERTIFICATE, ""),
    ],
)
def test_advice_says_what_to_change(answer: str, way: SigningIn, words: str) -> None:
    said = advice(answer, way)
    assert words in said if words else not said
    assert hint(answer, way) == (f"all devices heard {'HTTP ' * answer.isdigit()}{answer}: {said}" if said else "")


# Options


@pytest.mark.parametrize(
    ("against", "transport", "url"),
    [
        ("mqtt://hono.example", None, "mqtt://hono.example:1883"),
        ("https://hono.example", None, "https://hono.example:8443"),
        ("coaps://[::1]", None, "coaps://[::1]:5684"),
        ("mqtts://hono.example:8884/", "mqtts", "mqtts://hono.example:8884"),
    ],
)
def test_where_devices_go(against: str, transport: str | None, url: str) -> None:
    assert device_place(against, transport, "certificate").url == url


def test_a_server_file_names_the_places(tmp_path: Path) -> None:
    file = tmp_path / "server.yaml"
    file.write_text("platform: hono\nregistry: http://a:1\nmqtts: a:2\nmqtt: a:3\ncoaps: a:4\nhttps: https://a:5\n")
    assert device_place(str(file), None, "certificate").url == "https://a:5"
    assert device_place(str(file), "mqtts", "certificate").url == "mqtts://a:2"
    assert device_place(str(file), None, "psk").url == "coaps://a:4"
    assert device_place(str(file), "mqtt", "password").url == "mqtt://a:3"
    with pytest.raises(UsageError, match=r"names no http adapter: add a line such as http: HOST:PORT"):
        device_place(str(file), "http", "password")


def test_what_devices_measure() -> None:
    assert measured([]) == {"temperature": 21.5}
    assert measured(["a=1", "b=x=y", "c=true"]) == {"a": 1, "b": "x=y", "c": True}


def made(kind: str, edge: int = 0) -> tuple[TemporaryTenant, FleetMake, Secrets]:
    given, units, secrets = Given(kind, True, None, None, None, edge), units_of("S-{n}", 2, edge), Secrets()
    held = held_by(units, given, secrets)
    tenant = temporary_tenant(HonoAdmin("http://h", UserPassword("", ""), "T"), units, given, held)
    make = FleetMake(HonoSettings("coaps://h" if kind == "psk" else "https://h"), tenant.admin.tenant,
                     held.certificates, held.secrets, units.edge)  # fmt: skip
    return tenant, make, secrets


def test_a_tenant_for_certificates_trusts_who_issued_them() -> None:
    tenant, make, _ = made("certificate")
    (trusted,) = tenant.document["trusted-ca"]
    assert trusted["auto-provisioning-enabled"] is True
    assert "auto-provision-as-gateway" not in trusted
    assert (tenant.registered, set(make.certificates)) == ([], {"S-1", "S-2"})
    (agent, _) = build_agents(units_of("S-{n}", 2, 0).listed, make, is_psk=False)
    assert isinstance(agent.tls_credential, ClientCertificate)
    assert isinstance(agent.behaviour, HonoDevice)
    assert agent.behaviour.login is None


def test_gateways_with_certificates_may_provision_others() -> None:
    tenant, make, _ = made("certificate", edge=2)
    assert tenant.document["trusted-ca"][0]["auto-provision-as-gateway"] is True
    (agent, _) = build_agents(units_of("S-{n}", 2, 2).listed, make, is_psk=False)
    assert isinstance(agent.behaviour, HonoDevice)
    assert agent.behaviour.settings.edge_devices == ("S-1-1", "S-1-2")


@pytest.mark.parametrize("kind", ["password", "psk"])
def test_others_are_registered_with_secrets_of_their_own(kind: str) -> None:
    tenant, make, secrets = made(kind)
    assert [one.device_id for one in tenant.registered] == ["S-1", "S-2"]
    assert make.secrets["S-1"] != make.secrets["S-2"]
    assert make.secrets["S-1"] not in secrets.hide(f"POST {make.secrets['S-1']}")
    (agent, _) = build_agents(units_of("S-{n}", 2, 0).listed, make, is_psk=kind == "psk")
    user = f"S-1@{tenant.admin.tenant}"
    if kind == "psk":
        assert agent.tls_credential == PreSharedKey(user, make.secrets["S-1"].encode())
    else:
        assert isinstance(agent.behaviour, HonoDevice)
        assert agent.behaviour.login == UserPassword(user, make.secrets["S-1"])


HAVE = ["--credentials", "password", "--tenant", "acme", "--secret", "env:K"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "whose certificates? Give --certificates with those of an authority that a tenant trusts, or --register"),
        (["--credentials", "password"], "whose devices? Give --tenant and --secret"),
        (["--credentials", "password", "--tenant", "acme"], "whose devices? Give --tenant and --secret"),
        (["--tenant", "acme", "--certificates", "x"], "a certificate says whose it is by its issuer"),
        ([*HAVE, "--certificates", "x"], "--certificates are shown by devices with --credentials certificate"),
        (["--register"], "--register needs the registry and an adapter, and https://127.0.0.1:9 is a single address"),
        ([*HAVE, "--register"], "--register"),
        (["--credentials", "psk", "--tenant", "a", "--secret", "env:K"], "can be used over coaps only, not over https"),
        (["--credentials", "pasword"], "did you mean password?"),
        ([*HAVE, "--transport", "mqtt"], "--transport mqtt contradicts the address"),
        ([*HAVE, "--transport", "amqp"], "--transport 'amqp': expected http, https, mqtt, mqtts, coap or coaps"),
        (["--credentials", "password", "--tenant", "a", "--secret", "the-secret"], "--secret takes no secret itself"),
        ([*HAVE, "--secret", "env:NOT_THERE"], "no variable NOT_THERE"),
        ([*HAVE, "--serial", "SAME"], "gives every device the same name"),
        ([*HAVE, "--event", "--at-most-once"], "events are sent at least once"),
        ([*HAVE, "--interval", "1"], "--interval: expected a time with its unit"),
        ([*HAVE, "--telemetry", "x"], "--telemetry takes KEY=VALUE"),
    ],
)
def test_wrong_options_are_told_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("K", "secret-itself")
    assert main(["simulate", "hono", "--against", "https://127.0.0.1:9", *options]) == Exit.WRONG_USAGE
    said = capsys.readouterr()
    assert words in said.err
    assert "secret-itself" not in said.err + said.out


def test_a_registry_alone_is_told_what_is_lacking(capsys: pytest.CaptureFixture[str]) -> None:
    """Its address stands first in what `serve` prints, and no --transport would help."""
    assert main(["simulate", "hono", "--against", "http://127.0.0.1:9", "--register"]) == Exit.WRONG_USAGE
    said = capsys.readouterr().err
    assert "give a SERVER.yaml with registry: and its adapters, or of a `fleetrig serve` the address of its" in said


@pytest.mark.parametrize(
    ("against", "words"),
    [("amqp://127.0.0.1:9", "expected http, https, mqtt"), ("mqtts://", "is no address; expected HOST:PORT")],
)
def test_addresses_that_are_none(capsys: pytest.CaptureFixture[str], against: str, words: str) -> None:
    assert main(["simulate", "hono", "--against", against, "--certificates", "x"]) == Exit.WRONG_USAGE
    assert words in capsys.readouterr().err
