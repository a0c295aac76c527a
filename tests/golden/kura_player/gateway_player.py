"""Plays transcripts on our simulated gateway in virtual time: it gets what the recorded one got, and must do as that.

What comes over the wire is in the recordings. What somebody has done on the gateway itself (published something, put
an application in, changed its name) is not: those are cues, handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import (
    MqttPublish,
)
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.effects import Effect, Flow, Outcome, Pause
from fleetrig.simulator.flows.kura.components import CloudService, DataService, MqttDataTransport
from fleetrig.simulator.flows.kura.flow import living
from fleetrig.simulator.flows.kura.life import GatewayLife, switched_on
from fleetrig.simulator.flows.kura.settings import GatewayHardware, KuraSettings
from tests.golden.kura_player.comparing import LIFECYCLE, compare_case, expected_content, relative, value_of
from tests.golden.kura_player.contents import Differs
from tests.golden.kura_player.packets import ACCOUNT, CONTROL, client_id_of, echoes_of
from tests.golden.kura_player.recorded_broker import CLOSED, Heard, RecordedBroker
from tests.golden.kura_player.recording import Case, Packet, Transcript

RETRY_INTERVAL_S: Final = 10
"""Of the recorded gateway: each first attempt after 1 s."""
SETTLED_S: Final = 5.0
"""So long nothing more comes before a case is over."""
RECORDED_QUIRKS: Final = frozenset({"poisoned-queue", "reply-answered"})

Doing = Generator[Effect, Outcome, None]
Cue = Callable[[GatewayLife], Doing]
Cues = Mapping[str, Sequence[tuple[float, Cue]]]
"""Case -> what is done on the gateway, and how long after the case began."""


@dataclass
class PromptedGateway:
    """A gateway on which somebody does something at the times that are given. Its `Behaviour`."""

    settings: KuraSettings
    prompts: Sequence[tuple[float, Cue]]
    lives: list[GatewayLife] = field(default_factory=list)

    def __call__(self, device: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
        life = switched_on(self.settings, device, remembered)
        self.lives.append(life)
        for after_s, cue in self.prompts:
            life.later(after_s, lambda cue=cue: cue(life))  # type: ignore[misc]
        return living(life)


@dataclass(frozen=True)
class GatewayPlayer:
    """`before`: cues that come before a case, as if they were of one that is not recorded."""

    cues: Cues = field(default_factory=dict)
    before: Cues = field(default_factory=dict)
    withheld: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Transcript -> the topics whose first messages nobody acknowledges, until the first connection is lost."""
    quirks: frozenset[str] = RECORDED_QUIRKS
    verdicts: dict[str, str] = field(default_factory=dict)

    def play(self, transcript: Transcript, said: dict[str, list[tuple[float, Heard]]] | None = None) -> dict[str, str]:
        """Case -> where it differs; empty for those that agree. `said` gets what the gateway has said in each."""
        scene = GatewayScene(self, transcript)
        for case in transcript.cases:
            self.verdicts[case.name] = scene.play(case)
            if said is not None:
                said[case.name] = scene.said
        return self.verdicts


class GatewayScene:
    """One gateway, from its power-on to the end of the transcript. When a case begins is planned before."""

    def __init__(self, player: GatewayPlayer, transcript: Transcript) -> None:
        self._client_id = client_id_of(transcript.packets)
        control = f"{CONTROL}/{ACCOUNT}/{self._client_id}/"
        self.broker = RecordedBroker(control, withholds=set(player.withheld.get(transcript.name, ())))
        self._connection = transcript.packets[0].connection
        self._starts_s = starts_of(transcript, player)
        prompts = [
            (start_s + after_s + JUST_AFTER_S, cue)
            for name, start_s in self._starts_s.items()
            for after_s, cue in player.cues.get(name, ())
        ]
        prompts += [
            (self._starts_s[name] - after_s, cue) for name, cues in player.before.items() for after_s, cue in cues
            if name in self._starts_s
        ]  # fmt: skip
        gateway = PromptedGateway(settings_of(transcript, player.quirks), sorted(prompts, key=lambda one: one[0]))
        self.said: list[tuple[float, Heard]] = []
        """In the case that was played last."""
        self._bench = VirtualBench(self.broker, Trace(), seed=1)
        self._on_us = self._bench.now_us()
        self._bench.power_on(Agent(DeviceIdentity("gw"), gateway))

    def play(self, case: Case) -> str:
        start_us = self._on_us + to_us(self._starts_s[case.name])
        try:
            self._until(start_us, case)
            self.broker.heard.clear()
            self._plan(case, start_us)
            self._bench.run_for(duration_s(case))
            self.said = relative(self.broker.heard, start_us)
            compare_case(case, self.said, self.broker.all_problems())
        except Differs as differs:
            return str(differs)
        finally:
            self.broker.problems.clear()
        return ""

    def _until(self, start_us: int, case: Case) -> None:
        """A connection that the recording has no beginning of is a new one all the same."""
        connection = case.packets[0].connection
        is_new = connection != self._connection and case.packets[0].kind != "TCP" and not ends_connection(case)
        if is_new:
            self.broker.withholds.clear()
            self.broker.say(self._bench.now_us() + 1, CLOSED)
        self._connection = case.packets[-1].connection
        self._bench.run(self._wait((start_us - self._bench.now_us()) / 1e6))

    def _plan(self, case: Case, start_us: int) -> None:
        echoes = echoes_of(case)
        for packet in case.packets:
            at_us = start_us + to_us(packet.at_s)
            if packet.kind == "CLOSE" and is_cut_by_the_broker(case, packet):
                self.broker.withholds.clear()
                self.broker.say(at_us, CLOSED)
            elif packet.kind == "PUBLISH" and not packet.is_from_device and packet.step not in echoes:
                payload = packet.payload
                assert payload is not None, packet.place
                self.broker.say(at_us, MqttPublish(packet.topic, payload, packet.what["qos"]))
        self._bench.run(self._wait(0.0))

    def _wait(self, for_s: float) -> Director[None]:
        yield Pause(for_s, for_s, "wait")


# -- When a case begins, and how a gateway is made for it


FIRST_ATTEMPT_S: Final = 0.9
"""Just before a gateway calls its broker for the first time."""
CONNECTED_S: Final = 5.0
JUST_AFTER_S: Final = 0.001
BETWEEN_S: Final = 5.0
"""Time for a new connection."""


def starts_of(transcript: Transcript, player: GatewayPlayer) -> dict[str, float]:
    """Case -> seconds after power-on. What comes before a case takes as long as it is to come before it."""
    starts: dict[str, float] = {}
    at_s = FIRST_ATTEMPT_S if transcript.packets[0].kind == "TCP" else CONNECTED_S
    for case in transcript.cases:
        at_s += max((after_s for after_s, _ in player.before.get(case.name, ())), default=0.0)
        starts[case.name] = at_s
        at_s += duration_s(case) + BETWEEN_S
    return starts


def duration_s(case: Case) -> float:
    return max(packet.at_s for packet in case.packets) + SETTLED_S


def settings_of(transcript: Transcript, quirks: frozenset[str]) -> KuraSettings:
    """The recorded gateway's, as far as its packets tell."""
    client_id = client_id_of(transcript.packets)
    hello = next((packet.what for packet in transcript.packets if packet.kind == "CONNECT"), None)
    transport = MqttDataTransport("mqtt://broker.test:1883", ACCOUNT, "dev", "pw", client_id)
    if hello is not None:
        is_mac = ":" in client_id
        transport = replace(
            transport,
            username=hello.get("username", ""),
            password=hello.get("password", ""),
            client_id="" if is_mac else client_id,
            keep_alive_s=hello["keepalive"],
            clean_session=hello["clean"],
            lwt_topic=transport.lwt_topic if hello["will"] else "",
        )
    is_json = any("text" in packet.what for packet in transcript.packets if packet.is_from_device)
    cloud = CloudService("custom", name_in(transcript), payload_encoding="simple-json" if is_json else "kura-protobuf")
    return KuraSettings(
        transport=transport,
        data=DataService(retry_interval_s=RETRY_INTERVAL_S),
        cloud=cloud,
        hardware=GatewayHardware(mac="00:60:0C:AA:BB:CC"),
        keystores=("DMKeystore",),
        applications=("TEST-V1",),
        telemetry_interval_s=None,
        quirks=quirks,
        stays_on=True,
    )


def name_in(transcript: Transcript) -> str:
    """What the gateway is called in its first message that says so."""
    for packet in transcript.packets:
        if packet.is_from_device and packet.topic.endswith(LIFECYCLE):
            return str(value_of(expected_content(packet)["metrics"]["display_name"]))
    return "Gate 1"


def ends_connection(case: Case) -> bool:
    return any(packet.kind == "CLOSE" for packet in case.packets)


def is_cut_by_the_broker(case: Case, close: Packet) -> bool:
    """The first CLOSE of its connection, and nobody has said good-bye."""
    before = case.packets[: case.packets.index(close)]
    same = [packet for packet in before if packet.connection == close.connection]
    return not any(packet.kind in ("CLOSE", "DISCONNECT") for packet in same)
