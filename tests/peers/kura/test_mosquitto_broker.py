"""A real mosquitto as broker: the recordings agree with it as they did, and our gateway provisions itself over it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from fleetrig.reference_server.platforms.kura.state.settings import Account, Settings
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPublish,
    MqttSuback,
    MqttSubscribe,
    Subscription,
)
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.director import Director, Until
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.flows.kura.components import DataService, ProvisioningService
from fleetrig.simulator.flows.kura.flow import KuraGateway
from fleetrig.simulator.flows.kura.settings import KuraSettings
from tests.golden.kura_player.broker_player import BrokerPlayer
from tests.golden.kura_player.codecs import SERVER
from tests.golden.kura_player.contents import Content
from tests.golden.kura_player.peer import Peer
from tests.golden.kura_player.recording import read_transcript
from tests.peers.kura.broker import SERVER_USER, Mosquitto
from tests.peers.programs import until
from tests.reference_server.platforms.kura.broker_rig import (
    BOOTSTRAP,
    GATEWAY,
    PASSWORD,
    PROVISION,
    BrokerRig,
    Told,
    told,
)

pytestmark = [pytest.mark.slow, pytest.mark.peer]

FILES = ("kura-session", "kura-poison", "kura-json-session", "simulator", "simulator-faults")
WITHIN_S = 30.0


@pytest.fixture
def open_mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    program = Mosquitto(tmp_path, has_rights=False)
    yield program
    program.stop()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    program = Mosquitto(tmp_path, has_rights=True)
    yield program
    program.stop()


class OnMosquitto:
    """What transcripts are played on."""

    def __init__(self, port: int) -> None:
        self._port = port

    def connect(self, who: str, hello: MqttConnect) -> Peer:
        peer = Peer(self._port)
        peer.say(hello)
        return peer

    def encode(self, content: Content) -> bytes:
        return SERVER.encode(content)

    def decode(self, data: bytes) -> Content:
        return SERVER.decode(data)


def test_the_recordings_agree_with_a_broker_that_nobody_here_wrote(open_mosquitto: Mosquitto) -> None:
    """So that it is the recordings which our server is held to, and not what their player takes them for."""
    for name in FILES:
        player = BrokerPlayer(OnMosquitto(open_mosquitto.port))
        player.play(read_transcript(name))
        assert {case: verdict for case, verdict in player.verdicts.items() if verdict} == {}, name


class Responder(threading.Thread):
    """The server's part behind mosquitto: what devices ask there is put to our server in this process."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        settings = Settings(
            accounts=(Account("acct", "acct-admin", PASSWORD),), target_broker_url=f"mqtt://127.0.0.1:{port}"
        )
        self.rig = BrokerRig(settings=settings, now_us=time.time_ns() // 1_000)
        self.rig.request()
        self.said: list[Told] = []
        self.topics: list[str] = []
        self._peer = Peer(port)
        self._peer.say(MqttConnect("the-server", SERVER_USER))
        assert self._peer.hear_one() == MqttConnack()
        self._peer.say(MqttSubscribe((Subscription("$EDC/#"),), 1))
        assert isinstance(self._peer.hear_one(), MqttSuback)
        assert self.rig.bootstrap() == ["1 CONNACK 0"]

    def run(self) -> None:
        with suppress(OSError):  # of the socket that is closed at the end
            while (packet := self._peer.hear_next()) is not None:
                if isinstance(packet, MqttPublish):
                    self._heard(packet)

    def _heard(self, publish: MqttPublish) -> None:
        self.topics.append(publish.topic)
        if publish.topic.startswith(f"$EDC/{PROVISION}/{GATEWAY}/PROV-SIM1/POST/"):
            for answer in told(self.rig.publish(1, publish.topic, publish.payload)):
                self.said.append(answer)
                self._peer.say(MqttPublish(answer.topic, answer.data))
        elif publish.topic == f"$EDC/acct/{GATEWAY}/MQTT/BIRTH":
            self.rig.leaves(1)
            self.rig.go_to_account(self.said[0], session=2)

    def end(self) -> None:
        self._peer.end()
        self.join(WITHIN_S)
        self._peer.close()


def test_our_gateway_provisions_itself_over_a_real_mosquitto(mosquitto: Mosquitto) -> None:
    """Its own publishes come back to it there, as its rights let it hear all that is its own (G-37)."""
    responder = Responder(mosquitto.port)
    responder.start()
    provisioning = ProvisioningService(
        enabled=True, ca_authentication=False, broker_url=f"mqtt://127.0.0.1:{mosquitto.port}", account_name=PROVISION,
        username=BOOTSTRAP, password=PASSWORD, client_id=GATEWAY, retry_interval_s=5, timeout_s=10,
    )  # fmt: skip
    settings = KuraSettings(
        provisioning, data=DataService(retry_interval_s=1), telemetry_interval_s=None, staging_s=0.1
    )
    agent = Agent(DeviceIdentity("SN1"), KuraGateway(settings))

    def until_it_is_there() -> Director[bool]:
        return bool(
            (yield Until(lambda: "provisioned" in str(agent.remembered) and agent.stage.value == "online", WITHIN_S))
        )

    async def run() -> bool:
        async with RealBench(Trace()) as bench:
            bench.power_on(agent)
            return await bench.run(until_it_is_there())

    assert asyncio.run(run())
    until("the server hears of it", lambda: f"$EDC/acct/{GATEWAY}/MQTT/BIRTH" in responder.topics, mosquitto)
    responder.end()
    assert responder.rig.job().status.value == "COMPLETED"
    asked = [topic.rpartition("/")[2] for topic in responder.topics if "/POST/" in topic]
    assert asked == ["request", "confirm"]
    assert [answer.code for answer in responder.said] == [200, 200]
