"""What our gateway has said in a case beside what the recorded one said: in its order, in its time, and the same."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, Final

from fleetrig.simulator.contract.mqtt import (
    MqttConnect,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    MqttUnsubscribe,
    MqttWill,
)
from tests.golden.kura_player.bodies import say_the_same
from tests.golden.kura_player.codecs import FLOW
from tests.golden.kura_player.contents import Content, Differs, content_of_fields, content_of_json, differences
from tests.golden.kura_player.recorded_broker import CLOSED, Heard
from tests.golden.kura_player.recording import Case, Packet

TOLERANCE_S: Final = 0.5
"""What the recorded machine took for what takes no time here."""
ENVIRONMENT: Final = frozenset(
    {"connection_interface", "connection_ip", "available_processors", "total_memory", "uptime"}
)
"""Metrics of BIRTH and DC that come from where the recording was made."""
NOT_RECORDED: Final = frozenset({"DEPLOY-V2"})
"""Applications that ours has, and the recorded gateway had not."""
LIFECYCLE: Final = ("/MQTT/BIRTH", "/MQTT/APPS", "/MQTT/DC")
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


def value_of(metric: object) -> object:
    """JSON knows no types."""
    return metric[1] if isinstance(metric, list) else metric


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
