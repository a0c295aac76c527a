"""Recorded packets as packets of ours: what they say, who they are of, and which of them are echoes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPacket,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    MqttWill,
    PublishAckKind,
    Subscription,
)
from tests.golden.kura_player.contents import Differs
from tests.golden.kura_player.recording import Case, Packet

ACCOUNT: Final = "acct"
CONTROL: Final = "$EDC"


def echoes_of(case: Case) -> set[int]:
    """The steps at which a broker gives the device's own messages back to it."""
    found: set[int] = set()
    said: list[Packet] = []
    for packet in case.packets:
        if packet.kind != "PUBLISH":
            continue
        if packet.is_from_device:
            said.append(packet)
            continue
        own = next((one for one in said if one.topic == packet.topic and one.payload == packet.payload), None)
        if own is not None:
            said.remove(own)
            found.add(packet.step)
    return found


def client_id_of(packets: list[Packet]) -> str:
    """The device's, from the first packet that names it."""
    for packet in packets:
        if packet.kind == "CONNECT":
            return str(packet.what["client_id"])
        levels = packet.topic.split("/")
        if not packet.is_from_device and levels[0] == CONTROL:
            return levels[2]
        if packet.is_from_device and levels[0] == ACCOUNT:
            return levels[1]
        if packet.is_from_device and levels[0] == CONTROL and levels[3] == "MQTT":
            return levels[2]
    raise Differs("no packet names the device")


USUAL: Final[Mapping[str, tuple[int, bool]]] = {"kura": (30, True), "kapua-simulator": (60, False)}
"""Device -> keep-alive in seconds, and whether it leaves a will."""


def as_usual(device: str, client_id: str) -> MqttConnect:
    keep_alive_s, has_will = USUAL[device]
    will = MqttWill(f"{CONTROL}/{ACCOUNT}/{client_id}/MQTT/LWT") if has_will else None
    return MqttConnect(client_id, "dev", b"pw", True, keep_alive_s, will=will)


def usual_filters(packets: list[Packet], client_id: str) -> list[tuple[str, int]]:
    """What a device of its kind subscribes to: everything of its own, or each of its applications."""
    own = f"{CONTROL}/{ACCOUNT}/{client_id}"
    if packets[0].device == "kura":
        return [(f"{own}/#", 1)]
    asked = [one.topic.split("/") for one in packets if one.kind == "PUBLISH" and not one.is_from_device]
    return [(f"{own}/{application}/#", 0) for application in sorted({levels[3] for levels in asked} | {"CMD-V1"})]


def hello_of(packet: Packet) -> MqttConnect:
    what = packet.what
    assert (what["protocol"], what["level"]) == ("MQTT", 4), packet.place
    will = what["will"] and MqttWill(
        what["will"]["topic"], bytes.fromhex(what["will"]["payload_hex"]), what["will"]["qos"], what["will"]["retain"]
    )
    password = what.get("password")
    return MqttConnect(
        what["client_id"],
        what.get("username"),
        None if password is None else password.encode(),
        what["clean"],
        what["keepalive"],
        will=will,
    )


def packet_of(packet: Packet, payload: bytes) -> MqttPacket:
    """A recorded packet, but TCP, CLOSE and CONNECT, as one of ours."""
    what = packet.what
    match packet.kind:
        case "CONNACK":
            return MqttConnack(what["code"], bool(what["session_present"]))
        case "PUBLISH":
            return MqttPublish(packet.topic, payload, what["qos"], what["retain"], what["dup"], packet.packet_id)
        case "PUBACK":
            return MqttPublishAck(PublishAckKind.PUBACK, packet.packet_id)
        case "SUBSCRIBE":
            return MqttSubscribe(tuple(Subscription(*one) for one in what["filters"]), packet.packet_id)
        case "SUBACK":
            return MqttSuback(packet.packet_id, tuple(what["codes"]))
        case "UNSUBSCRIBE":
            return MqttUnsubscribe(tuple(what["filters"]), packet.packet_id)
        case "UNSUBACK":
            return MqttUnsuback(packet.packet_id)
        case "DISCONNECT":
            return MqttDisconnect()
        case kind:
            raise AssertionError(f"{packet.place}: no packet {kind} is played")


def alike(expected: MqttPacket, got: MqttPacket) -> bool:
    """Equal, but for the packet id of a message that the broker sends."""
    match expected, got:
        case MqttPublish(), MqttPublish():
            names = ("topic", "payload", "qos", "retain", "dup")
            return all(getattr(expected, name) == getattr(got, name) for name in names)
        case _:
            return expected == got


def shown(packet: MqttPacket) -> str:
    match packet:
        case MqttPublish():
            return f"{packet.line} qos {packet.qos} ({len(packet.payload)} bytes: {packet.payload[:40].hex()})"
        case MqttPublishAck() | MqttSuback() | MqttUnsuback():
            return f"{packet.line} of {packet.packet_id}"
        case _:
            return packet.line
