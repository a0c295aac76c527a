"""Near misses of transcripts: copies of a case with one thing changed in one of its packets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from tests.golden.kura_player.recording import Case, Packet

Damage = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]
"""What a packet says -> the same with a near miss; None where there is nothing of this kind."""
BYTE: Final = "ff"


def member(name: str, change: Callable[[Any], Any]) -> Damage:
    """One member changed, if it is there and the change is one."""

    def damage(what: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if name not in what:
            return None
        changed = change(what[name])
        return None if changed is None or changed == what[name] else {**what, name: changed}

    return damage


def one_more(found: Any) -> Any:
    return found + 1


def flipped(found: Any) -> Any:
    return not found


def longer(found: Any) -> Any:
    return f"{found}x"


def other_code(found: Any) -> Any:
    return [found[0] + 1, *found[1:]]


def other_filter(found: Any) -> Any:
    first = found[0]
    return [f"{first}x", *found[1:]] if isinstance(first, str) else [[f"{first[0]}/x", first[1]], *found[1:]]


def other_qos(found: Any) -> Any:
    first = found[0]
    return None if isinstance(first, str) else [[first[0], 1 - first[1]], *found[1:]]


def other_byte(found: Any) -> Any:
    """In front, so that gzip is none any more: what stands behind it does not count."""
    return None if found is None else f"{BYTE}{found}"


def other_will(found: Any) -> Any:
    return (
        {**found, "topic": f"{found['topic']}x"}
        if found
        else {"topic": "x", "qos": 0, "retain": False, "payload_hex": ""}
    )


def other_fields(found: Any) -> Any:
    """The last metric has another value, or the body another byte."""
    if found.get("metrics"):
        *others, last = found["metrics"]
        value = not last["value"] if isinstance(last["value"], bool) else None
        value = longer(last["value"]) if isinstance(last["value"], str) else value
        value = last["value"] + 1 if value is None else value
        return {**found, "metrics": [*others, {**last, "value": value}]}
    return {**found, "body_hex": found.get("body_hex", "") + BYTE}


def other_type(found: Any) -> Any:
    if not found.get("metrics"):
        return None
    *others, last = found["metrics"]
    return {**found, "metrics": [*others, {**last, "type": "INT64" if last["type"] != "INT64" else "INT32"}]}


def fewer_metrics(found: Any) -> Any:
    return {**found, "metrics": found["metrics"][1:]} if found.get("metrics") else None


def more_metrics(found: Any) -> Any:
    return {**found, "metrics": [*found.get("metrics", []), {"name": "a new one", "type": "BOOL", "value": True}]}


def other_gzip(found: Any) -> Any:
    return {**found, "gzip": not found.get("gzip", False)}


def no_timestamp(found: Any) -> Any:
    return {name: value for name, value in found.items() if name != "timestamp"} if "timestamp" in found else None


OF_PACKETS: Final[Mapping[str, Damage]] = {
    "code": member("code", one_more),
    "session present": member("session_present", one_more),
    "codes": member("codes", other_code),
    "packet id": member("mid", one_more),
    "topic": member("topic", longer),
    "qos": member("qos", lambda found: 1 - found),
    "retain": member("retain", flipped),
    "payload": member("payload_hex", other_byte),
    "value": member("fields", other_fields),
    "type": member("fields", other_type),
    "fewer metrics": member("fields", fewer_metrics),
    "more metrics": member("fields", more_metrics),
    "gzip": member("fields", other_gzip),
    "timestamp": member("fields", no_timestamp),
    "text": member("text", longer),
    "filter": member("filters", other_filter),
    "subscribed qos": member("filters", other_qos),
    "will": member("will", other_will),
    "keep-alive": member("keepalive", one_more),
    "clean": member("clean", flipped),
    "client id": member("client_id", longer),
    "username": member("username", longer),
    "password": member("password", longer),
}


def changed(packet: Packet, kind: str) -> Packet | None:
    what = OF_PACKETS[kind](packet.what)
    return None if what is None else replace(packet, what=what)


def with_packet(case: Case, packet: Packet) -> Case:
    """The same with another packet in its place."""
    return Case(case.name, tuple(packet if one.step == packet.step else one for one in case.packets))


def without(case: Case, packet: Packet) -> Case:
    return Case(case.name, tuple(one for one in case.packets if one is not packet))


def twice(case: Case, packet: Packet) -> Case:
    at = case.packets.index(packet)
    return Case(case.name, (*case.packets[: at + 1], packet, *case.packets[at + 1 :]))


def near_misses(case: Case, of: Callable[[Packet], bool]) -> Iterator[tuple[str, Packet, Case]]:
    """Every copy of a case with one of its packets changed, left out or doubled: kind, the packet, the copy."""
    for packet in case.packets:
        if not of(packet):
            continue
        for kind in OF_PACKETS:
            if (other := changed(packet, kind)) is not None:
                yield kind, packet, with_packet(case, other)
        yield "left out", packet, without(case, packet)
        yield "twice", packet, twice(case, packet)
