"""mosquitto's clients on our broker of the Kura namespace."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleetrig.reference_server.platforms.kura.payload.codec import decode, encode
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, string
from tests.peers.care import Care
from tests.peers.kura.serving import ACCOUNT, ADMIN, ADMIN_PASSWORD, DEVICE, PASSWORD, REQUESTER, ServedKura
from tests.peers.programs import Program, need_program, until

pytestmark = [pytest.mark.slow, pytest.mark.peer]

PACKAGE = "mosquitto-clients"
REFUSED = (4, 5)
"""Exit codes: the CONNACK's."""
WITHIN_S = 30


def words(kura: ServedKura, user: str, password: str, client_id: str) -> list[str]:
    return ["-h", "127.0.0.1", "-p", kura.port("mqtt"), "-u", user, "-P", password, "-i", client_id]


def pub(kura: ServedKura, *more: str, user: str = DEVICE, password: str = PASSWORD, client_id: str = "dev-1") -> int:
    command = [need_program("mosquitto_pub", PACKAGE), *words(kura, user, password, client_id), "-q", "1", *more]
    return subprocess.run(command, check=False, capture_output=True, timeout=WITHIN_S).returncode


class Watcher(Program):
    """mosquitto_sub of the administrator, or of another user: `lines` has `topic payload` of what came."""

    def __init__(
        self, kura: ServedKura, folder: Path, name: str, *more: str, user: tuple[str, str] | None = None
    ) -> None:
        who, password = user or (ADMIN, ADMIN_PASSWORD)
        program = need_program("mosquitto_sub", PACKAGE)
        command = ["stdbuf", "-oL", program, *words(kura, who, password, name), "-d", "-F", "> %t %p", *more]
        super().__init__(name, command, folder / f"{name}.log", dict(os.environ))
        until("it is subscribed", lambda: "Subscribed" in self.said(), self)

    @property
    def lines(self) -> list[str]:
        return [line[2:] for line in self.said().splitlines() if line.startswith("> ")]

    def until_heard(self, line: str) -> None:
        until(f"{self.name} hears {line}", lambda: line in self.lines, self)


def test_who_watches_everything_sees_nothing_of_the_control_topics(
    kura: ServedKura, care: Care, tmp_path: Path
) -> None:
    everything = care.take(Watcher(kura, tmp_path, "everything", "-t", "#"))
    control = care.take(Watcher(kura, tmp_path, "control", "-t", "$EDC/#"))
    assert pub(kura, "-t", f"$EDC/{ACCOUNT}/dev-1/MQTT/BIRTH", "-m", "born") == 0
    assert pub(kura, "-t", f"{ACCOUNT}/dev-1/APP/data", "-m", "5") == 0
    assert pub(kura, "-t", f"$EDC/{ACCOUNT}/dev-1/MQTT/DC", "-m", "gone") == 0
    everything.until_heard(f"{ACCOUNT}/dev-1/APP/data 5")
    control.until_heard(f"$EDC/{ACCOUNT}/dev-1/MQTT/DC gone")
    assert everything.lines == [f"{ACCOUNT}/dev-1/APP/data 5"]
    assert control.lines == [f"$EDC/{ACCOUNT}/dev-1/MQTT/BIRTH born", f"$EDC/{ACCOUNT}/dev-1/MQTT/DC gone"]


def test_what_is_not_a_devices_own_is_dropped_without_a_word(kura: ServedKura, care: Care, tmp_path: Path) -> None:
    watcher = care.take(Watcher(kura, tmp_path, "watcher", "-t", f"$EDC/{ACCOUNT}/#", "-t", f"{ACCOUNT}/#"))
    for topic in (f"{ACCOUNT}/dev-2/APP/data", f"$EDC/{ACCOUNT}/dev-2/CONF-V1/PUT/configurations"):
        assert pub(kura, "-t", topic, "-m", "forged") == 0
    assert pub(kura, "-t", f"$EDC/{ACCOUNT}/SRV-1/APP/REPLY/1", "-m", "any device may reply") == 0
    watcher.until_heard(f"$EDC/{ACCOUNT}/SRV-1/APP/REPLY/1 any device may reply")
    assert watcher.lines == [f"$EDC/{ACCOUNT}/SRV-1/APP/REPLY/1 any device may reply"]


def test_who_is_not_let_in(kura: ServedKura) -> None:
    about = ("-t", f"{ACCOUNT}/dev-1/x", "-m", "x")
    assert pub(kura, *about, password="Wrong-Sesame-1!") in REFUSED
    assert pub(kura, *about, user="nobody") in REFUSED
    assert pub(kura, *about) == 0


def test_the_will_of_who_goes_without_a_word(kura: ServedKura, care: Care, tmp_path: Path) -> None:
    watcher = care.take(Watcher(kura, tmp_path, "watcher", "-t", "$EDC/#"))
    will = f"$EDC/{ACCOUNT}/dev-3/MQTT/LWT"
    options = ("--will-topic", will, "--will-payload", "lost", "-t", f"$EDC/{ACCOUNT}/dev-3/#")
    device = care.take(Watcher(kura, tmp_path, "dev-3", *options, user=(DEVICE, PASSWORD)))
    device.kill()
    watcher.until_heard(f"{will} lost")


def test_a_requester_asks_a_simulated_gateway(kura: ServedKura, care: Care, tmp_path: Path) -> None:
    """mosquitto_rr asks, our gateway answers, over our broker. It sends what stands in its command line only."""
    ask = f"$EDC/{ACCOUNT}/rr-gateway/CONF-V1/GET/nothing"
    reply = f"$EDC/{ACCOUNT}/SRV-9/CONF-V1/REPLY/42"
    request = encode(KuraPayload(metrics={"request.id": string("42"), "requester.client.id": string("SRV-9")}))
    gateway = care.take(simulated(kura, tmp_path))
    watcher = care.take(Watcher(kura, tmp_path, "watcher", "-t", f"$EDC/{ACCOUNT}/+/MQTT/BIRTH"))
    until("the gateway is connected", lambda: "1 online" in gateway.said() or watcher.lines, gateway)
    client = words(kura, REQUESTER, PASSWORD, "SRV-9")
    command = [need_program("mosquitto_rr", PACKAGE), *client, "-t", ask, "-e", reply, "-F", "%x"]

    def answer() -> str:
        """BIRTH comes before it subscribes, so that the first may be lost."""
        done = subprocess.run([*command, "-W", "2", "-m", request], check=False, capture_output=True, timeout=WITHIN_S)
        return done.stdout.decode().strip()

    metrics = decode(bytes.fromhex(until("the gateway answers", answer, gateway))).metrics
    assert {name: metric.value for name, metric in metrics.items()} == {
        "response.code": 404,
        "response.exception.message": "Not found.",
    }


def simulated(kura: ServedKura, folder: Path) -> Program:
    broker = f"mqtt://127.0.0.1:{kura.port('mqtt')}"
    options = ["--credentials", "password", "--account", ACCOUNT, "--user", DEVICE, "--secret", "env:SECRET"]
    more = ["--count", "1", "--serial", "rr-gateway", "--spread", "0s", "--retry-interval", "1s"]
    command = [
        str(Path(sys.executable).with_name("fleetrig")),
        "simulate",
        "kura",
        "--against",
        broker,
        *options,
        *more,
    ]
    return Program("fleetrig simulate", command, folder / "simulate.log", {**os.environ, "SECRET": PASSWORD})
