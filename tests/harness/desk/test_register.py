"""`fleetrig register`: a device is let in, and whoever writes it is told how, on every platform."""

from __future__ import annotations

import os
import stat
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.harness.desk.at_the_desk import Desk, commands_in

pytestmark = pytest.mark.slow

SECRETS = {"hawkbit": "token", "thingsboard": "access_token", "hono": "password", "kura": "password"}
WAYS = {
    "hawkbit": {"poll as it does": '"polling"'},
    "thingsboard": {"send telemetry over MQTT": "", "send telemetry over HTTP": ""},
    "hono": {"send telemetry over HTTP": "", "send telemetry over MQTT": ""},
    "kura": {"be born with an empty BIRTH": ""},
}


@pytest.mark.parametrize("platform", SECRETS)
def test_what_is_printed_can_be_pasted_and_lets_the_device_in(desk: Desk, platform: str) -> None:
    printed = desk.register(platform, "pasted-1")

    commands = commands_in(printed)
    for title, answer in WAYS[platform].items():
        done = desk.shell(commands[title].replace("curl ", "curl --fail --silent --show-error "), "pasted-1")
        assert (done.returncode, answer in done.stdout) == (0, True), (title, done.stdout, done.stderr)
    doctor = desk.shell(commands["if it is refused"], "pasted-1")
    assert (doctor.returncode, "LET IN" in doctor.stdout) == (0, True), doctor.stdout + doctor.stderr


def test_nothing_in_the_name_of_a_device_is_a_command_where_it_is_pasted(desk: Desk) -> None:
    device = "odd-$(touch${IFS}hit)"
    commands = commands_in(desk.register("hawkbit", device, "--env", "odd.env"))
    [swupdate] = [command for command in commands.values() if command.startswith("swupdate ")]
    done = desk.shell(f'swupdate() {{ echo "$2"; }}\n{swupdate}', "odd")
    token = desk.variables("odd")["token"]
    assert done.stdout.endswith(f" -i {device} -k {token}\n"), done.stdout + done.stderr
    assert not Path("hit").exists()


@pytest.mark.parametrize("platform", SECRETS)
def test_the_secret_is_in_a_file_for_its_owner_alone_and_nowhere_else(desk: Desk, platform: str) -> None:
    printed = desk.register(platform, "quiet-1")

    secret = desk.variables("quiet-1")[SECRETS[platform]]
    assert len(secret) >= 32
    assert secret not in printed
    assert stat.S_IMODE(Path("quiet-1.env").stat().st_mode) == 0o600


@pytest.mark.parametrize("platform", SECRETS)
def test_a_known_device_keeps_its_secret_until_another_is_wanted(desk: Desk, platform: str) -> None:
    desk.register(platform, "known-1")
    first = desk.variables("known-1")[SECRETS[platform]]

    known = desk.fleetrig("register", "known-1", "--against", f"{platform}.yaml", "--env", "other.env")
    assert known.returncode == 4
    assert "the server knows known-1 already" in known.stderr
    assert not Path("other.env").exists()

    printed = desk.register(platform, "known-1", "--again")
    assert desk.variables("known-1")[SECRETS[platform]] != first
    title = next(iter(WAYS[platform]))
    done = desk.shell(commands_in(printed)[title].replace("curl ", "curl --fail "), "known-1")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("platform", SECRETS)
def test_what_was_let_in_goes_again(desk: Desk, platform: str) -> None:
    desk.register(platform, "gone-1")

    removed = desk.fleetrig("register", "gone-1", "gone-2", "--against", f"{platform}.yaml", "--remove")
    assert removed == (0, "gone-1 is removed\ngone-2 was not there\n", "")
    again = desk.fleetrig("register", "gone-1", "--against", f"{platform}.yaml", "--remove")
    assert again.returncode == 4
    assert "the server knows no gone-1: nothing is removed" in again.stderr


@pytest.mark.parametrize("platform", SECRETS)
def test_a_device_whose_values_could_not_be_written_is_not_left_behind(desk: Desk, platform: str) -> None:
    full = desk.fleetrig("register", "full-1", "--against", f"{platform}.yaml", "--env", "/dev/full")

    assert full.returncode == 3
    assert "cannot write /dev/full: No space left on device" in full.stderr
    again = desk.fleetrig("register", "full-1", "--against", f"{platform}.yaml", "--remove")
    assert "the server knows no full-1" in again.stderr


def test_no_secret_goes_into_a_pipe_that_lies_where_the_file_would_be(desk: Desk) -> None:
    os.mkfifo("piped-1.env")

    piped = desk.fleetrig("register", "piped-1", "--against", "hawkbit.yaml")
    assert (piped.returncode, "piped-1.env is there and is no file" in piped.stderr) == (4, True), piped.stderr


@pytest.mark.parametrize(("platform", "listener"), [("hawkbit", "http"), ("thingsboard", "http"),
                                                    ("hono", "registry"), ("kura", "http")])  # fmt: skip
def test_an_address_is_enough_to_know_what_the_server_is(desk: Desk, platform: str, listener: str) -> None:
    done = desk.fleetrig("register", "found-1", "--against", desk.address(platform, listener))

    assert done.returncode == 0, done.stderr
    assert set(WAYS[platform]) < commands_in(done.stdout).keys()
    assert desk.variables("found-1")["id"] == "found-1"


@pytest.mark.parametrize(("platform", "variable"), [("thingsboard", "provision_url"), ("kura", "broker_url")])
def test_a_program_is_told_where_to_connect_as_in_a_run(desk: Desk, platform: str, variable: str) -> None:
    desk.register(platform, "where-1")

    assert desk.variables("where-1")[variable] == f"mqtt://{desk.served.ready[platform]['mqtt']}"


@pytest.mark.parametrize("platform", ["hawkbit", "thingsboard", "kura"])
def test_a_wrong_password_makes_a_server_no_other_one(
    desk: Desk, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISTYPED", "admim")
    url = desk.address(platform)

    done = desk.fleetrig("register", "no-1", "--against", url, "--user", "somebody", "--password", "env:MISTYPED")

    assert done.returncode == 4
    assert done.stderr.startswith(f"{url} does not accept the account 'somebody': check user and password")
    assert f"It answers 401 as {platform} does" in done.stderr


@pytest.mark.parametrize("platform", ["hawkbit", "thingsboard", "kura"])
def test_what_answers_404_is_not_therefore_a_registry(desk: Desk, platform: str) -> None:
    done = desk.fleetrig("register", "no-1", "--against", desk.address(platform), "--platform", "hono")

    assert done.returncode == 3
    assert "is no device registry" in done.stderr


@pytest.mark.parametrize("platform", ["thingsboard", "kura"])
def test_a_control_interface_says_where_devices_connect(desk: Desk, platform: str) -> None:
    control = f"http://{desk.served.ready['control']}"

    done = desk.fleetrig("register", "told-1", "--against", control, "--platform", platform)

    assert done.returncode == 0, done.stderr
    port = desk.served.ready[platform]["mqtt"].rpartition(":")[2]
    [command] = [one for one in commands_in(done.stdout).values() if one.startswith("mosquitto_pub")]
    assert f"--port {port} " in command
    assert desk.shell(command, "told-1").returncode == 0


def test_serve_says_how_a_device_is_let_in(desk: Desk) -> None:
    said = desk.served.until_said("Refused requests and why:")
    ready = desk.served.ready
    for platform, listener in (("hawkbit", "http"), ("thingsboard", "http"), ("hono", "registry"), ("kura", "http")):
        assert f"  devices  fleetrig register ID --against http://{ready[platform][listener]}\n" in said


def test_a_file_that_does_not_say_what_the_server_is_is_enough_too(desk: Desk) -> None:
    for platform in ("kura", "hono"):
        text = Path(f"{platform}.yaml").read_text()
        Path("SERVER.yaml").write_text(text.replace(f"platform: {platform}\n", ""))

        done = desk.fleetrig("register", f"file-{platform}", "--against", "SERVER.yaml")

        assert done.returncode == 0, done.stderr
        assert set(WAYS[platform]) < commands_in(done.stdout).keys()


@pytest.mark.parametrize(("platform", "operator"), [("thingsboard", "http"), ("hono", "registry"), ("kura", "http")])
def test_a_server_with_tls_alone_is_called_over_tls(desk: Desk, platform: str, operator: str) -> None:
    own, ready = desk.served.ready[platform], desk.served.ready
    lines = [f"{operator}: http://{own[operator]}", f"mqtts: {own['mqtts']}", f"ca: {ready['ca']}"]
    Path("TLS.yaml").write_text("\n".join([f"platform: {platform}", *lines]) + "\n")

    done = desk.fleetrig("register", "tls-1", "--against", "TLS.yaml")

    [(_, command)] = [one for one in commands_in(done.stdout).items() if one[1].startswith("mosquitto_pub")]
    assert "--cafile" in command
    pasted = desk.shell(command, "tls-1")
    assert (pasted.returncode, pasted.stderr) == (0, "")


def test_several_devices_have_a_file_each(desk: Desk) -> None:
    desk.register("hawkbit", "many-1", "--again")
    desk.fleetrig("register", "many-2", "many-3", "--against", "hawkbit.yaml")

    tokens = {desk.variables(f"many-{n}")["token"] for n in (1, 2, 3)}
    assert len(tokens) == 3


def test_a_secret_of_ones_own_is_taken_by_reference(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "a token of my own")
    desk.register("hawkbit", "own-1", "--secret", "env:MY_TOKEN")
    assert desk.variables("own-1")["token"] == "a token of my own"

    plain = desk.fleetrig("register", "own-2", "--against", "hawkbit.yaml", "--secret", "a-token")
    assert plain.returncode == 4
    assert "give env:NAME or a file" in plain.stderr


def test_a_device_can_be_left_to_provision_itself(desk: Desk) -> None:
    printed = desk.register("thingsboard", "self-1", "--credential", "provision")

    command = commands_in(printed)["ask for credentials over HTTP"]
    done = desk.shell(command.replace("curl ", "curl --fail --silent "), "self-1")
    assert '"status":"SUCCESS"' in done.stdout.replace(" ", "")


def test_a_gateway_can_be_given_a_provision_request(desk: Desk) -> None:
    desk.register("kura", "self-2", "--credential", "provision", "--group", "plant-a")

    given = desk.variables("self-2")
    assert given["tenant"] == "plant-a"
    assert given["activation_key"]
    assert given["provisioning"] == "true"


def test_the_values_can_be_printed(desk: Desk) -> None:
    done = desk.fleetrig("register", "shown-1", "--against", "hawkbit.yaml", "--env", "-")

    assert done.returncode == 0
    assert "  export FLEETRIG_ID=shown-1\n  export FLEETRIG_TOKEN=" in done.stdout
    assert not list(desk.folder.glob("*.env"))
    assert "which only you can read" not in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("a b",), "'a b': expected a serial without blanks"),
        (("a", "a"), "'a' is named twice"),
        (("a/b",), "expected a controllerId of at most 256 characters, without blanks, /"),
        (("a", "b", "--env", "F"), "--env is one file, and each device has its own"),
        (("a", "--env", "nowhere/a.env"), "nowhere is not there: make that folder first"),
        (("a", "--credential", "tokn"), "--credential 'tokn': expected token; did you mean token? on hawkbit"),
        (("a", "--group", "x"), "--group: hawkbit has none"),
        (("a", "--user", "x"), "--user needs --password env:NAME"),
        (("a", "--platform", "hwkbit"), "there is no platform 'hwkbit'; expected hawkbit,"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_before_anything_is_made(desk: Desk, words: tuple[str, ...], said: str) -> None:
    done = desk.fleetrig("register", *words, "--against", desk.address("hawkbit"))

    assert done.returncode == 4
    assert said in done.stderr
    assert not list(desk.folder.glob("*.env"))


def test_a_file_that_is_there_is_not_overwritten(desk: Desk) -> None:
    Path("kept-1.env").write_text("mine")

    done = desk.fleetrig("register", "kept-1", "--against", "hawkbit.yaml")

    assert done.returncode == 4
    assert "kept-1.env is there already and would be lost" in done.stderr
    assert Path("kept-1.env").read_text() == "mine"


def test_who_is_not_there_and_what_is_nothing_known_are_told(desk: Desk, free_port: int) -> None:
    nobody = desk.fleetrig("register", "a", "--against", f"http://127.0.0.1:{free_port}")
    assert nobody.returncode == 3
    assert "nobody listens" in nobody.stderr

    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever).start()
        address = f"http://127.0.0.1:{server.server_port}"
        other = desk.fleetrig("register", "a", "--against", address)
        server.shutdown()
    assert other.returncode == 4
    assert f"nothing that is known answers at {address}" in other.stderr
    assert "--platform" in other.stderr
