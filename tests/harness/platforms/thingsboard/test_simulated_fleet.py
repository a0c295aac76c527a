"""What options of `simulate thingsboard` mean, what the live table reads in ThingsBoard's messages, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.platforms.thingsboard.device_places import device_place
from fleetrig.harness.platforms.thingsboard.simulated_fleet import READINGS, TokenWatch
from fleetrig.harness.platforms.thingsboard.simulation_hints import Asking, advice, hint
from fleetrig.harness.platforms.thingsboard.simulation_options import measured, units_of
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.report.fleet_state import POWER_ON, FleetState
from fleetrig.harness.report.fleet_summary import summary
from fleetrig.harness.report.fleet_table import TableHeading, plain_line
from fleetrig.simulator.contract.coap import CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttDisconnect,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    PublishAckKind,
)
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent

SUCCESS = b'{"credentialsValue":"oTgXy2K3pQ9vLw7Zr1Bd","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}'
NOT_FOUND = b'{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}'
RESPONSE = "/provision/response"
URL = "mqtt://tb.example:1883"
ASKING = Asking(URL, "server_token", "given")
S_US = 1_000_000


# What is read


@pytest.mark.parametrize(
    ("name", "answer", "word", "is_good"),
    [
        ("provision", MqttPublish(RESPONSE, SUCCESS), "SUCCESS", True),
        ("provision", MqttPublish(RESPONSE, NOT_FOUND), "NOT_FOUND", False),
        ("provision", MqttPublish(RESPONSE, b"{"), "unusable", False),
        ("provision", HttpResponse(200, (), SUCCESS), "SUCCESS", True),
        ("provision", HttpResponse(200, (), NOT_FOUND), "NOT_FOUND", False),
        ("provision", HttpResponse(500, (), b"{}"), "500", False),
        ("provision", CoapResponse("2.01", SUCCESS), "SUCCESS", True),
        ("provision", CoapResponse("4.00", NOT_FOUND), "NOT_FOUND", False),
        ("provision", CoapResponse("4.00"), "4.00", False),
        ("provision-connect", MqttConnack(), "CONNACK 0", True),
        ("login", MqttConnack(5), "CONNACK 5", False),
        ("telemetry", HttpResponse(200), "200", True),
        ("telemetry", HttpResponse(401), "401", False),
        ("telemetry", CoapResponse("2.01"), "2.01", True),
        ("telemetry", CoapResponse("4.01"), "4.01", False),
        ("telemetry", MqttPublishAck(PublishAckKind.PUBACK, 1), "PUBACK", True),
        ("telemetry", MqttPublishAck(PublishAckKind.PUBACK, 1, 0x83), "PUBACK 131", False),
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

    def asks(self, device: int = 1) -> Story:
        self.tell("power_on", device=device, stage="blank").tell("entered", stage="enrolling", device=device)
        return self.tell("received", "provision-connect", device, envelope=MqttConnack(), stage="enrolling")

    def is_let_in(self, device: int = 1) -> Story:
        self.tell("received", "provision", device, envelope=MqttPublish(RESPONSE, SUCCESS), stage="enrolling")
        return self.tell("entered", stage="enrolled", device=device)

    def is_online(self, device: int = 1) -> Story:
        self.tell("received", "login", device, envelope=MqttConnack(), stage="enrolled")
        self.tell("entered", stage="online", device=device)
        ack = MqttPublishAck(PublishAckKind.PUBACK, 1)
        return self.tell("received", "telemetry", device, envelope=ack, stage="online")

    def summary(self) -> str:
        return summary(self.state, TableHeading(URL, 1), self.now_us, lambda answer: advice(answer, ASKING))


def test_a_device_from_its_key_to_its_telemetry() -> None:
    story = Story().asks()
    assert story.state.first_answers == {}, "that there is a server says nothing of the device"
    story.is_let_in()
    assert (story.state.came_through, story.state.all_first_answers()) == (1, "SUCCESS")
    story.is_online()
    assert (story.state.polls, story.state.failures, story.state.never_let_in()) == (1, 0, {})
    assert story.state.rows["D-1"].doing_text(story.now_us) == "waiting 30 s"


def test_a_ping_is_no_news() -> None:
    story = Story().asks().is_let_in().is_online()
    story.s = 20
    story.tell("sent", "ping", stage="online").tell("received", "ping", envelope=MqttPingresp(), stage="online")
    assert story.state.rows["D-1"].doing_text(story.now_us) == "waiting 10 s"


def test_no_answer_in_time_is_a_failure_and_idling_is_none() -> None:
    story = Story().asks().tell("waited", "provision", stage="enrolling").tell("entered", stage="backing_off")
    assert (story.state.failures, story.state.all_first_answers()) == (1, "timeout")
    assert story.state.rows["D-1"].doing_text(story.now_us) == "backing off: timeout"
    story = Story().asks().is_let_in().is_online().tell("waited", "idle", stage="online")
    assert story.state.failures == 0


def test_a_closed_session_says_that_there_is_a_server() -> None:
    story = Story().asks().tell("no_reply", "provision", reason="closed", stage="enrolling")
    assert (story.state.no_first_answer, story.state.all_first_answers()) == ("", "closed")
    story = Story().tell("power_on", stage="blank").tell("no_reply", "provision-connect", reason="refused")
    assert story.state.no_first_answer == "refused"


def test_those_who_were_never_let_in_are_told_with_the_reason() -> None:
    story = Story(2).asks(1).is_let_in(1).is_online(1).asks(2)
    story.tell("received", "provision", 2, envelope=MqttPublish(RESPONSE, NOT_FOUND), stage="enrolling")
    story.tell("entered", stage="refused", device=2).tell("ended", device=2, stage="refused")
    assert story.state.never_let_in() == {"NOT_FOUND": ["D-2"]}
    assert not story.state.is_over
    assert "1 online, 1 refused   messages 1" in plain_line(story.state, TableHeading(URL, 1), story.now_us)
    assert "let in 1, given up 1" in plain_line(story.state, TableHeading(URL, 1), story.now_us)
    last = story.summary().splitlines()[-2]
    assert last.startswith(
        "never let in: 1 device (D-2), the last answer was NOT_FOUND: no device profile has this key"
    )


def test_who_is_given_credentials_that_are_refused_never_came_online() -> None:
    story = Story().asks().is_let_in().tell("received", "login", envelope=MqttConnack(5), stage="enrolled")
    assert story.state.never_let_in() == {}
    assert story.state.never_online() == {"CONNACK 5": ["D-1"]}
    assert "let in, but never online: 1 device (D-1), the last answer was CONNACK 5: " in story.summary()


def test_how_fast_they_were_let_in() -> None:
    story = Story(2).asks(1).asks(2)
    story.s = 0.25
    story.is_let_in(1)
    story.s = 2.0
    story.is_let_in(2)
    assert (
        "came through: 2 devices in 2.0 s (1/s); after they were switched on p50 2.00 s, p99 2.00 s" in story.summary()
    )


def test_given_credentials_are_secrets_of_the_trace() -> None:
    secrets = Secrets()
    reply = MqttPublish(RESPONSE, SUCCESS)
    TokenWatch(secrets)(TraceEvent(0, 1, "D-1", Lane.DEVICE, "received", reply, name="provision"))
    assert "oTgXy2K3pQ9vLw7Zr1Bd" not in secrets.hide("POST /api/v1/oTgXy2K3pQ9vLw7Zr1Bd/telemetry")


# Advice


@pytest.mark.parametrize(
    ("answer", "asking", "words"),
    [
        ("NOT_FOUND", ASKING, "or its strategy is Disabled"),
        ("NOT_FOUND", Asking(URL, "server_token", "own"), "does this address lead to another server?"),
        ("FAILURE", ASKING, "a device of that name exists in the tenant"),
        (
            "FAILURE",
            Asking(URL, "server_token", "own", "CHECK_PRE_PROVISIONED_DEVICES"),
            "is not on the profile's list",
        ),
        ("timeout", ASKING, "any other MQTT broker takes the request and says nothing"),
        ("closed", ASKING, "its own log says more"),
        ("CONNACK 5", ASKING, "who calls himself `provision`"),
        ("CONNACK 5", Asking(URL, "certificate_chain", "own"), "names its authority"),
        ("404", ASKING, "has no api/v1/provision"),
        ("500", ASKING, "may have made the device all the same"),
        ("SUCCESS", ASKING, ""),
    ],
)
def test_advice_says_what_to_change(answer: str, asking: Asking, words: str) -> None:
    said = advice(answer, asking)
    assert words in said if words else not said
    assert hint(answer, asking) == (f"all devices heard {'HTTP ' * answer.isdigit()}{answer}: {said}" if said else "")


# Options


@pytest.mark.parametrize(
    ("against", "transport", "url"),
    [
        ("mqtt://tb.example", None, "mqtt://tb.example:1883"),
        ("coaps://[::1]", None, "coaps://[::1]:5684"),
        ("mqtts://tb.example:8884/", "mqtts", "mqtts://tb.example:8884"),
        ("https://tb.example", None, "https://tb.example"),
        ("http://tb.example:8080", "mqtt", "mqtt://tb.example:1883"),
        ("http://[::1]:8080", "coap", "coap://[::1]:5683"),
    ],
)
def test_where_devices_go(against: str, transport: str | None, url: str) -> None:
    assert device_place(against, transport).url == url


def test_a_server_file_names_the_place(tmp_path: Path) -> None:
    file = tmp_path / "server.yaml"
    file.write_text("platform: thingsboard\nhttp: http://a:1\nmqtts: a:2\ncoap: a:3\n")
    assert device_place(str(file), None).url == "mqtts://a:2"
    assert device_place(str(file), "coap").url == "coap://a:3"
    assert device_place(str(file), "http").url == "http://a:1"
    with pytest.raises(UsageError, match=r"has no mqtt listener that is known: name it in a SERVER.yaml"):
        device_place(str(file), "mqtt")


def test_what_devices_measure() -> None:
    assert measured([]) == {"temperature": 21.5}
    assert measured(["a=1", "b=x=y", "c=true", 'd={"e":1}']) == {"a": 1, "b": "x=y", "c": True, "d": '{"e":1}'}


def test_gateways_and_those_behind_them() -> None:
    units = units_of("G-{n}", 2, 2)
    assert [unit.serial for unit in units.listed] == ["G-1", "G-2"]
    assert units.behind == {"G-1-1", "G-1-2", "G-2-1", "G-2-2"}


KEYS = ["--provision-key", "env:K", "--provision-secret", "env:K"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "a device asks with key and secret of its profile: give --provision-key and --provision-secret"),
        (["--provision-key", "env:K"], "give --provision-key and --provision-secret, or --register"),
        (["--register", *KEYS], "--register makes a profile with a key of its own"),
        (["--provision-key", "the-key", "--provision-secret", "env:K"], "--provision-key takes no secret itself"),
        (["--provision-key", "env:NOT_THERE", "--provision-secret", "env:K"], "no variable NOT_THERE"),
        ([*KEYS, "--transport", "amqp"], "--transport 'amqp': expected http, https, mqtt, mqtts, coap or coaps"),
        ([*KEYS, "--credentials", "own-token"], "did you mean own_token?"),
        ([*KEYS, "--credentials", "mqtt_basic"], "can be used over mqtt and mqtts only, not over http"),
        ([*KEYS, "--credentials", "certificate_chain", "--transport", "mqtts"], "ask for nothing: leave"),
        (["--credentials", "certificate_chain", "--transport", "mqtts"], "whose chain?"),
        ([*KEYS, "--strategy", "check"], "--strategy is that of the profile that --register makes"),
        (["--register", "--strategy", "alow"], "--strategy 'alow': expected allow or check; did you mean allow?"),
        (["--register", "--strategy", "check", "--credentials", "own_token"], "is given what it was imported with"),
        (["--register", "--strategy", "check", "--transport", "mqtt", "--children", "1"], "is no gateway"),
        (["--register", "--children", "1"], "gateways speak MQTT only, not http"),
        ([*KEYS, "--certificates", "x"], "--certificates are shown by devices with --credentials certificate"),
        ([*KEYS, "--serial", "<b>{n}"], "ThingsBoard refuses markup in names"),
        ([*KEYS, "--serial", "SAME"], "gives every device the same name"),
        ([*KEYS, "--interval", "1"], "--interval: expected a time with its unit"),
        ([*KEYS, "--telemetry", "x"], "--telemetry takes KEY=VALUE"),
        ([*KEYS, "--ca", "x.pem", "--insecure"], "contradict each other"),
    ],
)
def test_wrong_options_are_told_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("K", "secret-itself")
    assert main(["simulate", "thingsboard", "--against", "http://127.0.0.1:9", *options]) == Exit.WRONG_USAGE
    said = capsys.readouterr()
    assert words in said.err
    assert "secret-itself" not in said.err + said.out


@pytest.mark.parametrize(
    ("against", "options", "words"),
    [
        ("mqtt://127.0.0.1:9", ["--register"], "--register needs a server's REST API, and mqtt://127.0.0.1:9 is an"),
        ("mqtt://127.0.0.1:9", ["--transport", "coap", *KEYS], "--transport coap contradicts the address"),
        ("mqtt://", KEYS, "is no address; expected HOST:PORT"),
    ],
)
def test_addresses_of_devices_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], against: str, options: list[str], words: str
) -> None:
    monkeypatch.setenv("K", "k")
    assert main(["simulate", "thingsboard", "--against", against, *options]) == Exit.WRONG_USAGE
    assert words in capsys.readouterr().err
