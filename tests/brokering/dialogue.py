"""A dialogue of several clients with a broker, over sockets: what each of them hears after each step, in lines.

After each step everybody who is connected pings, and what comes before the answer belongs to the step. Nobody pings
where a ping would come upon a closed connection, since the reset that answers it takes back what was sent before.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from select import select

from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPacket,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttVersion,
    PublishAckKind,
)
from tests.reference_server.fronts.mqtt.mqtt_bench import MqttPeer


class Cut:
    """The client's connection is cut. Nobody can say when the server notices, so nobody listens after this step."""

    line = "is cut"


class Hears:
    """Nothing is said until the client has heard something."""

    line = "hears"


@dataclass(frozen=True)
class LastWords:
    """What is said ends the connection."""

    packet: MqttPacket

    @property
    def line(self) -> str:
        return self.packet.line


Turn = tuple[str, MqttPacket | LastWords | Cut | Hears]
"""Who, and what it does. Whoever has no connection gets one."""


def held_with(port: int, turns: Iterable[Turn], *, acknowledges: bool = True) -> list[str]:
    """`name CONNACK 0 +`, `name PUBLISH a/b 'x' q1`, `name closed`.

    Clients acknowledge what they are sent, or do not.
    """
    peers: dict[str, MqttPeer] = {}
    heard: list[str] = []
    try:
        for name, does in turns:
            heard.append(f"> {name} {does.line}")
            heard += _take(port, peers, name, does)
            everybody = sorted(peers, key=lambda one: (one != name, one))
            for other in () if isinstance(does, Cut) else everybody:
                heard += _hear(peers, other, acknowledges=acknowledges)
    finally:
        for peer in peers.values():
            peer.socket.close()
    return heard


def _take(port: int, peers: dict[str, MqttPeer], name: str, does: MqttPacket | LastWords | Cut | Hears) -> list[str]:
    if name not in peers:
        peers[name] = MqttPeer(port, does.version if isinstance(does, MqttConnect) else MqttVersion.V311)
        peers[name].socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    match does:
        case Cut():
            peers.pop(name).socket.close()
        case Hears():
            return [f"{name} {_line(peers[name].hear())}"]
        case LastWords(packet):
            peers[name].say(packet)
            return _until_closed(peers, name)
        case packet:
            peers[name].say(packet)
    return []


def _until_closed(peers: dict[str, MqttPeer], name: str) -> list[str]:
    peer, lines = peers.pop(name), list[str]()
    with suppress(EOFError, ConnectionError), peer:
        while True:
            lines.append(f"{name} {_line(peer.hear())}")
    return [*lines, f"{name} closed"]


def _hear(peers: dict[str, MqttPeer], name: str, *, acknowledges: bool) -> list[str]:
    """Until a ping is answered, and what it has acknowledged too."""
    peer, lines = peers[name], list[str]()
    try:
        is_new = True
        while is_new:
            packets = _heard_by(peer)
            lines += [f"{name} {_line(packet)}" for packet in packets]
            answers = [answer for packet in packets if (answer := _answer(packet)) is not None] if acknowledges else []
            peer.say(*answers)
            is_new = bool(answers)
    except (EOFError, ConnectionError):
        peers.pop(name).socket.close()
        lines.append(f"{name} closed")
    return lines


def _heard_by(peer: MqttPeer) -> list[MqttPacket]:
    packets = []
    while select([peer.socket], [], [], 0)[0]:
        packets.append(peer.hear())
    peer.say(MqttPingreq())
    while not isinstance(packet := peer.hear(), MqttPingresp):
        packets.append(packet)
    return packets


def _answer(packet: MqttPacket) -> MqttPacket | None:
    match packet:
        case MqttPublish(qos=1):
            return MqttPublishAck(PublishAckKind.PUBACK, packet.packet_id)
        case MqttPublish(qos=2):
            return MqttPublishAck(PublishAckKind.PUBREC, packet.packet_id)
        case MqttPublishAck(PublishAckKind.PUBREC, packet_id, code) if code < 0x80:
            return MqttPublishAck(PublishAckKind.PUBREL, packet_id)
        case MqttPublishAck(PublishAckKind.PUBREL, packet_id):
            return MqttPublishAck(PublishAckKind.PUBCOMP, packet_id)
        case _:
            return None


def _line(packet: MqttPacket) -> str:
    match packet:
        case MqttConnack(code, session_present):
            return f"CONNACK {code}{' +' if session_present else ''}"
        case MqttPublish():
            marks = f"{' retain' if packet.retain else ''}{' dup' if packet.dup else ''}"
            return f"PUBLISH {packet.topic} {packet.payload.decode()!r} q{packet.qos}{marks}"
        case MqttDisconnect(code):
            return f"DISCONNECT {code}"
        case _:
            return packet.line
