"""What a payload holds, apart from how a recording and either codec write it down; placeholders of recordings.

A content is a dict: `timestamp`, `position`, `metrics` (name -> [type, value]), `body` (hex), each only where it is
there. Numbers of type FLOAT have the precision of four bytes, numbers that are not finite are texts, bytes are hex.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final

Content = dict[str, Any]

TIME: Final = "${time}"
HOLES: Final[Mapping[str, re.Pattern[str]]] = {
    "${request}": re.compile(r"\d{13}-(-?\d+)"),
    "${stack}": re.compile(r"[\s\S]+"),
}
"""Placeholder -> what it stands for, whole values only; `${time}` stands for a number."""
STAND_IN: Final = re.compile(r"<\w+>( <\w+>)*")
"""What a stand-in of the recording has said in the place of a system."""
LIST_METRICS: Final = frozenset({"application_ids"})
"""Comma-separated lists whose order is that of a set."""
LEAST_TIME_MS: Final = 1_000_000_000_000


class Differs(Exception):
    """Something is not as it was recorded; says where, what was expected and what came."""


def content_of_fields(fields: Mapping[str, Any]) -> Content:
    """As a recording writes it."""
    content: Content = {}
    if "timestamp" in fields:
        content["timestamp"] = fields["timestamp"]
    if "position" in fields:
        content["position"] = {name: plain_number(value) for name, value in fields["position"].items()}
    content["metrics"] = {
        metric["name"]: [metric["type"], neutral(metric["type"], metric["value"])]
        for metric in fields.get("metrics", ())
    }
    if "body_hex" in fields:
        content["body"] = fields["body_hex"]
    unknown = fields.keys() - {"timestamp", "position", "metrics", "body_hex", "gzip"}
    assert not unknown, f"fields with {sorted(unknown)}"
    return content


def neutral(kind: str | None, value: Any) -> Any:
    """A metric's value as contents have it."""
    match kind, value:
        case _, bytes():
            return value.hex()
        case "FLOAT", int() | float() if math.isfinite(value):
            return struct.unpack("!f", struct.pack("!f", value))[0]
        case (("FLOAT" | "DOUBLE"), int() | float()):
            return plain_number(float(value))
        case _:
            return value


def plain_number(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def content_of_json(text: str) -> Content:
    """Of a payload in JSON: members as they stand there, under the names of a content."""
    members = json.loads(text)
    assert isinstance(members, dict), text
    return {"timestamp" if name == "sentOn" else name: value for name, value in members.items()}


def compare(expected: Content, got: Content, where: str) -> None:
    """Equal but for placeholders. Raises Differs."""
    if difference := next(differences(expected, got), None):
        raise Differs(f"{where}: {difference}")


def differences(expected: Content, got: Content) -> Iterator[str]:
    for part in sorted(expected.keys() | got.keys()):
        if part not in got or part not in expected:
            yield f"{part} is {'missing' if part in expected else 'not expected'}"
        elif part == "timestamp":
            if not _same_time(expected[part], got[part]):
                yield f"timestamp: expected {expected[part]!r}, got {got[part]!r}"
        elif part == "metrics":
            yield from _metric_differences(expected[part], got[part])
        elif expected[part] != got[part]:
            yield f"{part}: expected {expected[part]!r}, got {got[part]!r}"


def _metric_differences(expected: Mapping[str, Any], got: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(expected.keys() | got.keys()):
        if name not in got or name not in expected:
            yield f"metric {name!r} is {'missing' if name in expected else 'not expected'}"
        elif not _same_metric(name, expected[name], got[name]):
            yield f"metric {name!r}: expected {expected[name]!r}, got {got[name]!r}"


def _same_metric(name: str, expected: Any, got: Any) -> bool:
    if not isinstance(expected, list):  # JSON has no types
        return _same_value(name, expected, got)
    return expected[0] == got[0] and _same_value(name, expected[1], got[1])


def _same_value(name: str, expected: object, got: object) -> bool:
    if type(expected) is not type(got):
        return False
    if not isinstance(expected, str) or not isinstance(got, str):
        return expected == got
    if expected in HOLES:
        return HOLES[expected].fullmatch(got) is not None
    if STAND_IN.fullmatch(expected):
        return got.strip() != ""
    if name in LIST_METRICS:
        return sorted(expected.split(",")) == sorted(got.split(","))
    return expected == got


def _same_time(expected: Any, got: Any) -> bool:
    if expected == TIME:
        return isinstance(got, int) and got > LEAST_TIME_MS
    return type(expected) is type(got) and expected == got
