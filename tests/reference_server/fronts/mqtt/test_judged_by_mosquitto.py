"""The echo platform over the MQTT front, judged by mosquitto's clients."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence

import pytest

from fleetrig.reference_server.stores.memory import MemoryStore
from tests.conversation.echo_platform import PASSWORD, EchoPlatform
from tests.peers.programs import need_program
from tests.reference_server.echo import until
from tests.reference_server.fronts.mqtt.mqtt_bench import MqttBench, mqtt_served
from tests.reference_server.fronts.peer import LIMIT_S

pytestmark = pytest.mark.peer

VERSIONS = ("31", "311", "5")


@pytest.fixture(scope="module")
def echo() -> Iterator[MqttBench]:
    with mqtt_served(EchoPlatform(MemoryStore()), ("mqtt", "mqtts")) as bench:
        yield bench


def run(name: str, echo: MqttBench, *arguments: str, listener: str = "mqtt") -> subprocess.CompletedProcess[str]:
    program = need_program(name, "mosquitto-clients")
    command = [program, "-h", "127.0.0.1", "-p", str(echo.server.addresses["echo"][listener].port), "-u", "user"]
    if listener == "mqtts":
        command += ["--cafile", str(echo.server.ca)]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=LIMIT_S)


def own_password(arguments: Sequence[str] = ()) -> list[str]:
    return ["-P", PASSWORD, *arguments]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("listener", ["mqtt", "mqtts"])
def test_a_request_and_its_reply(echo: MqttBench, version: str, listener: str) -> None:
    request = ["-i", "gw-rr", "-V", version, "-t", "up", "-e", "echo/up", "-m", "hello", "-q", "1"]
    done = run("mosquitto_rr", echo, *own_password(request), listener=listener)
    assert (done.returncode, done.stdout.strip()) == (0, "hello"), done.stderr


@pytest.mark.parametrize("version", VERSIONS)
def test_publishing_with_qos_1_ends_when_it_is_acknowledged(echo: MqttBench, version: str) -> None:
    before = echo.platform.published(f"pub-{version}")
    lines = ["-i", f"pub-{version}", "-V", version, "-t", "a", "-m", "x", "-q", "1", "--repeat", "20"]
    done = run("mosquitto_pub", echo, *own_password(lines))
    assert done.returncode == 0, done.stderr
    assert echo.platform.published(f"pub-{version}") == before + 20


def test_a_large_payload(echo: MqttBench) -> None:
    done = run(
        "mosquitto_rr", echo, *own_password(["-i", "gw-large", "-t", "up", "-e", "echo/up", "-m", "x" * 100_000])
    )
    assert done.stdout.strip() == "x" * 100_000, done.stderr


def test_a_wrong_password_is_told(echo: MqttBench) -> None:
    done = run("mosquitto_pub", echo, "-P", "wrong", "-t", "a", "-m", "x")
    assert done.returncode != 0
    assert "not authorised" in done.stderr.lower()


def test_a_subscriber_hears_what_another_publishes(echo: MqttBench) -> None:
    program = need_program("mosquitto_sub", "mosquitto-clients")
    command = [program, "-h", "127.0.0.1", "-p", str(echo.port), "-u", "user", "-P", PASSWORD, "-i", "listener"]
    with subprocess.Popen(
        [*command, "-t", "from/#", "-C", "1", "-W", "20"], stdout=subprocess.PIPE, text=True
    ) as heard:
        try:
            until(lambda: echo.has_received("SUBSCRIBE from/#"))
            done = run("mosquitto_pub", echo, *own_password(["-i", "teller", "-t", "to/listener", "-m", "psst"]))
            assert done.returncode == 0, done.stderr
            assert heard.communicate(timeout=LIMIT_S)[0].strip() == "psst"
        finally:
            heard.terminate()
