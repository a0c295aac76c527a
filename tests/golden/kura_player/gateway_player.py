"""Plays transcripts on our simulated gateway in virtual time: it gets what the recorded one got, and must do as that.

What comes over the wire is in the recordings. What somebody has done on the gateway itself (published something, put
an application in, changed its name) is not: those are cues, handed in.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any, Final

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import (
    MqttConnect,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    MqttUnsubscribe,
    MqttWill,
)
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.effects import Effect, Flow, Outcome, Pause
from fleetrig.simulator.flows.kura.components import CloudService, DataService, MqttDataTransport
from fleetrig.simulator.flows.kura.flow import living
from fleetrig.simulator.flows.kura.life import GatewayLife, switched_on
from fleetrig.simulator.flows.kura.settings import GatewayHardware, KuraSettings
from tests.golden.kura_player.bodies import say_the_same
from tests.golden.kura_player.broker_player import ACCOUNT, CONTROL, client_id_of, echoes_of
from tests.golden.kura_player.codecs import FLOW
from tests.golden.kura_player.contents import Content, Differs, content_of_fields, content_of_json, differences
from tests.golden.kura_player.recorded_broker import CLOSED, Heard, RecordedBroker
from tests.golden.kura_player.recording import Case, Packet, Transcript

RETRY_INTERVAL_S: Final = 10
"""Of the recorded gateway: each first attempt after 1 s."""
SETTLED_S: Final = 5.0
"""So long nothing more comes before a case is over."""
TOLERANCE_S: Final = 0.5
"""What the recorded machine took for what takes no time here."""
RACE_S: Final = 0.05
"""What the recorded gateway's threads do so close together, they do in any order."""
RECORDED_QUIRKS: Final = frozenset({"poisoned-queue", "reply-answered"})
ENVIRONMENT: Final = frozenset(
    {"connection_interface", "connection_ip", "available_processors", "total_memory", "uptime"}
)
"""Metrics of BIRTH and DC that come from where the recording was made."""
NOT_RECORDED: Final = frozenset({"DEPLOY-V2"})
"""Applications that ours has, and the recorded gateway had not."""
LIFECYCLE: Final = ("/MQTT/BIRTH", "/MQTT/APPS", "/MQTT/DC")

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


def value_of(metric: object) -> object:
    """JSON knows no types."""
    return metric[1] if isinstance(metric, list) else metric


def ends_connection(case: Case) -> bool:
    return any(packet.kind == "CLOSE" for packet in case.packets)


def is_cut_by_the_broker(case: Case, close: Packet) -> bool:
    """The first CLOSE of its connection, and nobody has said good-bye."""
    before = case.packets[: case.packets.index(close)]
    same = [packet for packet in before if packet.connection == close.connection]
    return not any(packet.kind in ("CLOSE", "DISCONNECT") for packet in same)


# -- Comparing


NOT_AWAITED: Final = frozenset({"CLOSE", "PUBACK"})
"""Whether a message comes back to its sender, to be acknowledged, can be a race; the broker of the play sees to it."""


def compare_case(case: Case, heard: Sequence[tuple[float, Heard]], problems: Sequence[str]) -> None:
    """Raises Differs. Messages come in their order, and so does all else; what two threads did at once has none."""
    if problems:
        raise Differs(f"{case.name}: {problems}")
    expected = [
        one for one in case.packets if one.is_from_device and one.kind not in NOT_AWAITED and not one.is_injected
    ]
    got = [(at_s, one) for at_s, one in heard if one != CLOSED and not isinstance(one, MqttPublishAck)]
    for wanted, came in (
        ([one for one in expected if one.kind == "PUBLISH"], [one for one in got if isinstance(one[1], MqttPublish)]),
        (
            [one for one in expected if one.kind != "PUBLISH"],
            [one for one in got if not isinstance(one[1], MqttPublish)],
        ),
    ):
        for packet, one in zip_longest(wanted, came):
            if packet is None:
                raise Differs(f"{case.name}: the gateway has said {shown(one[1])} at {one[0]:.2f} s too")
            if one is None:
                raise Differs(f"{packet.place}: the gateway has not said that")
            if abs(packet.at_s - one[0]) > TOLERANCE_S:
                raise Differs(f"{packet.place}: expected at {packet.at_s} s, came at {one[0]:.2f} s: {shown(one[1])}")
            compare_packet(packet, one[1])
    announces_first([one for _, one in got], case)


def announces_first(got: Sequence[Heard], case: Case) -> None:
    births = [at for at, one in enumerate(got) if isinstance(one, MqttPublish) and one.topic.endswith("/MQTT/BIRTH")]
    subscribes = [at for at, one in enumerate(got) if isinstance(one, MqttSubscribe)]
    if births and subscribes and subscribes[0] < births[-1]:
        raise Differs(f"{case.name}: it subscribes before it announces itself")


def relative(heard: Sequence[tuple[int, Heard]], start_us: int) -> list[tuple[float, Heard]]:
    return [((at_us - start_us) / 1e6, one) for at_us, one in heard]


def shown(one: Heard) -> str:
    return one if isinstance(one, str) else one.line


def compare_packet(packet: Packet, got: Heard) -> None:
    """Packet ids are the client's own choice."""
    wanted, said = what_is_said(packet), what_was_said(got)
    if wanted != said:
        raise Differs(f"{packet.place}: expected {wanted}, got {said}")
    if isinstance(got, MqttPublish):
        compare_payload(packet, got.payload)


def what_is_said(packet: Packet) -> tuple[Any, ...]:
    what = packet.what
    match packet.kind:
        case "CONNECT":
            names = ("client_id", "username", "password", "clean", "keepalive", "level")
            return packet.kind, *(what.get(name) for name in names), will_of(packet)
        case "PUBLISH":
            return packet.kind, packet.topic, what["qos"], what["retain"], what["dup"]
        case "SUBSCRIBE" | "UNSUBSCRIBE":
            return packet.kind, what["filters"]
        case kind:
            return (kind,)


def what_was_said(got: Heard) -> tuple[Any, ...]:
    match got:
        case MqttConnect():
            password = None if got.password is None else got.password.decode()
            said = (got.client_id, got.user_name, password, got.clean_start, got.keep_alive_s, int(got.version))
            return "CONNECT", *said, got.will
        case MqttPublish():
            return "PUBLISH", got.topic, got.qos, got.retain, got.dup
        case MqttSubscribe():
            return "SUBSCRIBE", [[one.topic_filter, one.qos] for one in got.subscriptions]
        case MqttUnsubscribe():
            return "UNSUBSCRIBE", list(got.topic_filters)
        case _:
            return (shown(got),)


def will_of(packet: Packet) -> MqttWill | None:
    will = packet.what["will"]
    return will and MqttWill(will["topic"], bytes.fromhex(will["payload_hex"]), will["qos"], will["retain"])


def expected_content(packet: Packet) -> Content:
    if "text" in packet.what:
        return {**content_of_json(packet.what["text"]), "timestamp": "${time}"}
    return content_of_fields(packet.what.get("fields", {}))


def compare_payload(packet: Packet, payload: bytes) -> None:
    if not {"fields", "text"} & packet.what.keys():
        if payload != packet.payload:
            raise Differs(f"{packet.place}: expected {packet.what['payload_hex']}, got {payload.hex()}")
        return
    is_json = "text" in packet.what
    expected = expected_content(packet)
    got = content_of_json(payload.decode()) if is_json else FLOW.decode(payload)
    wanted, came = (body_in(content, is_json=is_json) for content in (expected, got))
    if (wanted is None) is not (came is None):
        raise Differs(f"{packet.place}: a body is {'missing' if came is None else 'not expected'}")
    if wanted is not None and came is not None and not say_the_same(wanted, came):
        raise Differs(f"{packet.place}: expected the body {wanted!r}, got {came!r}")
    if packet.topic.endswith(LIFECYCLE):
        expected, got = without_environment(expected), without_environment(got)
    if difference := next(differences(expected, got), None):
        raise Differs(f"{packet.place}: {difference}")
    compare_gzip(packet, payload)


def body_in(content: Content, *, is_json: bool) -> bytes | None:
    """Takes it out."""
    body = content.pop("body", None)
    if body is None:
        return None
    return base64.b64decode(body) if is_json else bytes.fromhex(body)


def without_environment(content: Content) -> Content:
    """Metrics that are there, whatever they say."""
    metrics = {name: "there" if name in ENVIRONMENT else value for name, value in content["metrics"].items()}
    if "application_ids" in metrics:
        ids = str(value_of(metrics["application_ids"])).split(",")
        metrics["application_ids"] = ["STRING", ",".join(sorted(set(ids) - NOT_RECORDED))]
    return {**content, "metrics": metrics}


def compare_gzip(packet: Packet, payload: bytes) -> None:
    """Close to the limit, compressors differ; and ours has other texts to compress in some messages."""
    is_packed = payload.startswith(GZIP)
    should_be = packet.what.get("fields", {}).get("gzip", False)
    if is_packed is should_be or packet.topic.endswith(LIFECYCLE) or is_close_to_the_limit(payload):
        return
    raise Differs(f"{packet.place}: its payload is {'' if is_packed else 'not '}compressed")


def is_close_to_the_limit(payload: bytes) -> bool:
    """Whether it pays to compress it."""
    plain = gzip.decompress(payload) if payload.startswith(GZIP) else payload
    return abs(len(gzip.compress(plain)) - len(plain)) <= CLOSE_BYTES


GZIP: Final = b"\x1f\x8b"
CLOSE_BYTES: Final = 3
