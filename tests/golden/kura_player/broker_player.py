"""Plays transcripts on a broker: the device's packets, and what its requester asks, word for word.

What the broker has said then must be what is recorded, but for packet ids that it chooses. Two watchers see whether all
that was published is routed as it should: one below `$EDC`, and one with `#`, which sees nothing of `$EDC`.

A transcript may begin, or go on, in the middle of a session: then the device has connected and subscribed before as
one of its kind does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPacket,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttWill,
    Subscription,
)
from tests.golden.kura_player.contents import Content, Differs, compare, content_of_fields
from tests.golden.kura_player.packets import (
    ACCOUNT,
    CONTROL,
    alike,
    as_usual,
    client_id_of,
    echoes_of,
    hello_of,
    packet_of,
    shown,
    usual_filters,
)
from tests.golden.kura_player.peer import Peer
from tests.golden.kura_player.recording import Case, Packet, Transcript

REQUESTER: Final = "SRV-1"
WATCHED: Final = (f"{CONTROL}/{ACCOUNT}/#", "#")
STACK: Final = {"${stack}": "java.lang.RuntimeException: x"}


class Broker(Protocol):
    """What is played on."""

    def connect(self, who: str, hello: MqttConnect) -> Peer:
        """A connection of `device`, `requester` or `watcher`, whose CONNECT is sent with credentials of that kind."""

    def encode(self, content: Content) -> bytes:
        """A payload whose bytes are not in the recording."""

    def decode(self, data: bytes) -> Content:
        """By the broker's own codec."""


@dataclass
class Place:
    """Where a session of the device stands."""

    peer: Peer
    will: MqttWill | None
    heard: list[MqttPacket] = field(default_factory=list)
    """What the broker has said, and the recording has not come to yet."""
    packet_ids: dict[int, int] = field(default_factory=dict)
    """Recorded packet id of a message to the device -> the broker's."""
    is_leaving: bool = False
    """It has sent DISCONNECT."""


class BrokerPlayer:
    """`verdicts`: case -> where it differs; empty for those that agree. After its first difference a case is over."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.verdicts: dict[str, str] = {}
        self.judged = 0
        """How many packets of the server were compared."""

    def play(self, transcript: Transcript) -> None:
        scene: Scene | None = None
        try:
            for number, case in enumerate(transcript.cases):
                if scene is None or case.part != transcript.cases[number - 1].part:
                    if scene is not None:
                        self._over(scene)
                    scene = Scene(self._broker, transcript, case.part)
                self.verdicts[case.name] = scene.play(case)
        finally:
            if scene is not None:
                self._over(scene)

    def _over(self, scene: Scene) -> None:
        self.judged += scene.judged
        scene.close()


class Scene:
    """A device with its sessions, the requester and the watchers."""

    def __init__(self, broker: Broker, transcript: Transcript, part: str) -> None:
        self._broker = broker
        self._packets = [packet for packet in transcript.packets if packet.part == part]
        self._client_id = client_id_of(self._packets)
        self._place: Place | None = None
        self._connection = 0
        self.judged = 0
        self._requester = self._listener("requester", REQUESTER, f"{CONTROL}/{ACCOUNT}/{REQUESTER}/#")
        self._watchers = [
            self._listener("watcher", f"WATCH-{number}", topic_filter) for number, topic_filter in enumerate(WATCHED)
        ]
        self._published: list[MqttPublish] = []
        """What the listeners must have heard by the end of the case."""
        self._requester_heard: list[MqttPacket] = []

    def close(self) -> None:
        for peer in (self._requester, *self._watchers, *([self._place.peer] if self._place else [])):
            peer.say(MqttDisconnect())
            peer.close()

    def play(self, case: Case) -> str:
        """Where it differs."""
        echoes = echoes_of(case)
        try:
            for packet in case.packets:
                try:
                    self._step(packet, packet.step in echoes)
                except Differs as differs:
                    self._forget()
                    return f"{packet.place}: {differs}"
            try:
                self._end_of(case)
            except Differs as differs:
                return f"{case.name}, at its end: {differs}"
            return ""
        finally:
            self._published, self._requester_heard = [], []

    # Steps

    def _step(self, packet: Packet, is_echo: bool) -> None:
        check_fields(packet, self._broker)
        if packet.kind == "TCP":
            return  # CONNECT opens it
        if packet.kind == "CONNECT":
            self._arrive(packet.connection, hello_of(packet))
            return
        place = self._at(packet.connection, packet.kind)
        if packet.kind == "CLOSE":
            self._close(place, packet.is_from_device)
        elif packet.is_from_device:
            self._device_says(place, packet)
        elif packet.is_injected:
            return
        else:
            if packet.kind == "PUBLISH" and not is_echo:
                self._ask(packet)
            self._expect(place, packet)

    def _device_says(self, place: Place, packet: Packet) -> None:
        said = packet_of(packet, self._payload(packet))
        if isinstance(said, MqttPublishAck):
            said = MqttPublishAck(said.kind, place.packet_ids.get(said.packet_id, said.packet_id))
        place.peer.say(said)
        if isinstance(said, MqttPublish):
            self._published.append(said)
        if isinstance(said, MqttDisconnect):
            place.is_leaving = True
            if not place.peer.hears_the_end():
                raise Differs("the broker keeps the connection")
        else:
            place.heard += place.peer.hear_all()

    def _ask(self, packet: Packet) -> None:
        """As the requester has asked it."""
        if (packet.what["qos"], packet.what["retain"]) != (0, False):
            raise Differs("nobody asks like this")
        asked = MqttPublish(packet.topic, self._payload(packet))
        self._requester.say(asked)
        self._requester_heard += self._requester.hear_all()
        self._published.append(asked)
        place = self._at(packet.connection, packet.kind)
        place.heard += place.peer.hear_all()

    def _expect(self, place: Place, packet: Packet) -> None:
        """The broker has said it, or says it now."""
        self.judged += 1
        expected = packet_of(packet, self._payload(packet))
        for number, got in enumerate(place.heard):
            if alike(expected, got):
                del place.heard[number]
                if isinstance(got, MqttPublish) and got.qos:
                    place.packet_ids[packet.packet_id] = got.packet_id
                return
        raise Differs(f"expected {shown(expected)}, the broker has said {list(map(shown, place.heard)) or 'nothing'}")

    def _close(self, place: Place, is_from_device: bool) -> None:
        if place.is_leaving:
            if not is_from_device and not place.peer.is_over:
                raise Differs("the broker keeps the connection")
            return
        if place.peer.is_over:
            return
        place.peer.close()
        place.peer.is_over = True
        if place.will is not None:
            self._published.append(MqttPublish(place.will.topic, place.will.payload, place.will.qos))

    def _end_of(self, case: Case) -> None:
        """Nothing is left that the recording does not have, and everything published was routed."""
        if self._place is not None:
            if not self._place.peer.is_over:
                self._place.heard += self._place.peer.hear_all()
            if self._place.heard:
                raise Differs(f"the broker has said {list(map(shown, self._place.heard))} too")
        for name, heard, sees in self._listeners():
            wanted = [one for one in self._published if sees(one.topic)]
            if [(one.topic, one.payload) for one in wanted] != [(one.topic, one.payload) for one in heard]:
                raise Differs(f"{name} has heard {list(map(shown, heard))}, not {list(map(shown, wanted))}")

    # The device's connection

    def _at(self, connection: int, kind: str) -> Place:
        """The session; one that the recording has no beginning of is opened first."""
        if self._place is None or connection != self._connection:
            self._leave()
            hello = as_usual(self._packets[0].device, self._client_id)
            place = self._arrive(connection, hello)
            expect_welcome(place)
            filters = usual_filters(self._packets, self._client_id)
            place.peer.say(MqttSubscribe(tuple(Subscription(*one) for one in filters), 60_000))
            heard = place.peer.hear_all()
            if [type(one) for one in heard] != [MqttSuback]:
                raise Differs(f"a subscription to {filters} is answered with {list(map(shown, heard))}")
            self._forget()
        assert self._place is not None
        return self._place

    def _arrive(self, connection: int, hello: MqttConnect) -> Place:
        self._leave()
        peer = self._broker.connect("device", hello)
        first = peer.hear_one()
        self._connection = connection
        self._place = Place(peer, hello.will, [] if first is None else [first])
        return self._place

    def _leave(self) -> None:
        if self._place is not None and not self._place.peer.is_over:
            self._place.peer.say(MqttDisconnect())
            self._place.peer.hears_the_end()
            self._place.peer.close()
        self._place = None

    # Those who listen

    def _listener(self, who: str, client_id: str, topic_filter: str) -> Peer:
        peer = self._broker.connect(who, MqttConnect(client_id))
        assert peer.hear_one() == MqttConnack(), who
        peer.say(MqttSubscribe((Subscription(topic_filter),), 1))
        heard = peer.hear_all()
        assert heard == [MqttSuback(1, (0,))], (who, heard)
        return peer

    def _listeners(self) -> list[tuple[str, list[MqttPublish], Callable[[str], bool]]]:
        """Name, what each has heard in this case, and which topics it sees."""
        self._requester_heard += self._requester.hear_all()
        heard = [self._requester_heard, *(watcher.hear_all() for watcher in self._watchers)]
        messages = [[one for one in its if isinstance(one, MqttPublish)] for its in heard]
        sees: list[Callable[[str], bool]] = [
            lambda topic: topic.startswith(f"{CONTROL}/{ACCOUNT}/{REQUESTER}/"),
            lambda topic: topic.startswith(f"{CONTROL}/{ACCOUNT}/"),
            lambda topic: not topic.startswith("$"),
        ]
        return list(zip((REQUESTER, f"a watcher of {WATCHED[0]}", "a watcher of #"), messages, sees, strict=True))

    def _forget(self) -> None:
        """What was said is no part of a case."""
        self._published = []
        self._requester_heard = []
        for peer in (self._requester, *self._watchers):
            peer.hear_all()

    def _payload(self, packet: Packet) -> bytes:
        if packet.kind != "PUBLISH":
            return b""
        if packet.payload is not None:
            return packet.payload
        content = content_of_fields(packet.what["fields"])
        content["metrics"] = {
            name: [kind, STACK.get(value, value) if isinstance(value, str) else value]
            for name, (kind, value) in content["metrics"].items()
        }
        return self._broker.encode(content)


def expect_welcome(place: Place) -> None:
    if place.heard != [MqttConnack()]:
        raise Differs(f"a usual CONNECT is answered with {list(map(shown, place.heard))}")
    place.heard.clear()


def check_fields(packet: Packet, broker: Broker) -> None:
    """The bytes of a recording hold what it says they do. Raises Differs."""
    if packet.kind == "PUBLISH" and packet.payload is not None and "fields" in packet.what:
        compare(content_of_fields(packet.what["fields"]), broker.decode(packet.payload), "its payload")
        is_packed = packet.payload.startswith(b"\x1f\x8b")
        if packet.what["fields"].get("gzip", False) is not is_packed:
            raise Differs("its payload is compressed, or not, other than it says")
    if "text" in packet.what and packet.payload != packet.what["text"].encode():
        raise Differs("its payload is not its text")
