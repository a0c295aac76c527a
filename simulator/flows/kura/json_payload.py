"""KuraPayload as JSON (`payload.encoding` = `simple-json`, spec 2.7): for people, and lossy in its types.

Members are read one after the other, as a gateway does it: of a member that comes twice the latter counts, but metrics
come together. A number that is no whole one, where one is needed, is as little understood as an unknown member.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import struct
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from fleetrig.simulator.flows.kura.payload import KuraPayload, Metric, MetricType, Position

POSITION_MEMBERS: Final = (
    "latitude", "longitude", "altitude", "heading", "precision", "satellites", "speed", "timestamp", "status",
)  # fmt: skip
WHOLE_MEMBERS: Final = {"satellites": 31, "timestamp": 63, "status": 31}
"""Name -> how many bits its number has, without the sign."""
LONG_BITS: Final = 63
MOST_DIGITS: Final = 1_000
"""Far more than any number of so few bits has, and fewer than Python reads."""
WHOLE_NUMBER: Final = re.compile(r"-?[0-9]+")
PLAIN_FROM, PLAIN_BELOW = 1e-3, 1e7
"""Between them numbers are written without an exponent."""
ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"} | {
    letter: f"\\u{ord(letter):04x}" for letter in ("\u2028", "\u2029", *map(chr, range(0x20))) if letter not in "\n\r\t"
}
ESCAPED: Final = re.compile("[" + re.escape("".join(ESCAPES)) + "]")
MOST_PADDING: Final = 2
QUANTUM: Final = 4


class NotUnderstood(Exception):
    """A member that no payload has, or a value that it cannot have: the whole text is taken for a body."""


class Number(str):
    """A number as it is written."""

    __slots__ = ()


class Members(list[tuple[str, object]]):
    """An object's members, in order."""

    __slots__ = ()


def encode(payload: KuraPayload) -> bytes:
    """Numbers that are not finite are left out."""
    made: list[str] = []
    if payload.timestamp_ms is not None:
        made.append(f'"sentOn":{payload.timestamp_ms}')
    if payload.position is not None:
        made.append(f'"position":{{{",".join(_position_members(payload.position))}}}')
    metrics = (f"{_quoted(name)}:{text}" for name, one in payload.metrics.items() if (text := _value(one)) is not None)
    made.append(f'"metrics":{{{",".join(metrics)}}}')
    if payload.body is not None:
        made.append(f'"body":"{base64.b64encode(payload.body).decode()}"')
    return f"{{{','.join(made)}}}".encode()


def decode(data: bytes) -> KuraPayload | None:
    """None for what is no JSON object; a text with something unknown in it is the body."""
    try:
        document = json.loads(
            data.decode("utf-8", "replace"),
            object_pairs_hook=Members,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_no_number,
        )
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, Members):
        return None
    try:
        return _read(document)
    except NotUnderstood:
        return KuraPayload(body=data)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _read(members: Iterable[tuple[str, object]]) -> KuraPayload:
    read = KuraPayload()
    for name, value in members:
        match _folded(name), value:
            case "senton", Number():
                read = replace(read, timestamp_ms=_whole(value, LONG_BITS))
            case "body", str() if not isinstance(value, Number):
                read = replace(read, body=_base64(value))
            case "senton" | "body", _:
                pass
            case "position", Members():
                read = replace(read, position=_read_position(value))
            case "metrics", Members():
                read = replace(read, metrics={**read.metrics, **{key: _read_metric(one) for key, one in value}})
            case _:
                raise NotUnderstood
    return read


def _folded(name: str) -> str:
    """Java compares in upper case first."""
    return name.upper().lower()


def _whole(number: str, bits: int) -> int:
    if len(number) > MOST_DIGITS or not WHOLE_NUMBER.fullmatch(number) or not -(1 << bits) <= int(number) < 1 << bits:
        raise NotUnderstood
    return int(number)


def _base64(text: str) -> bytes:
    """Padding may be missing, but not half of it."""
    content = text.rstrip("=")
    padding = len(text) - len(content)
    if padding > MOST_PADDING or (padding and len(text) % QUANTUM):
        raise NotUnderstood
    try:
        return base64.b64decode(content + "=" * (-len(content) % QUANTUM), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotUnderstood from error


def _read_metric(value: object) -> Metric:
    match value:
        case bool():
            return Metric(MetricType.BOOL, value)
        case Number():
            try:
                return Metric(MetricType.INT64, _whole(value, LONG_BITS))
            except NotUnderstood:
                return Metric(MetricType.DOUBLE, float(value))
        case str():
            return Metric(MetricType.STRING, value)
        case _:
            raise NotUnderstood


def _read_position(members: Iterable[tuple[str, object]]) -> Position:
    found: dict[str, float] = {}
    for name, value in members:
        known = _folded(name)
        if known not in POSITION_MEMBERS or not isinstance(value, Number):
            raise NotUnderstood
        found[known] = _whole(value, WHOLE_MEMBERS[known]) if known in WHOLE_MEMBERS else float(value)
    return Position(**found)  # type: ignore[arg-type]


def _position_members(position: Position) -> list[str]:
    found = ((name, getattr(position, name)) for name in POSITION_MEMBERS)
    return [f'"{name}":{_number(value)}' for name, value in found if value is not None and math.isfinite(value)]


def _value(metric: Metric) -> str | None:
    """None for what is left out."""
    match metric.type, metric.value:
        case MetricType.BOOL, value:
            return "true" if value else "false"
        case MetricType.STRING, str(text):
            return _quoted(text)
        case MetricType.BYTES, bytes(data):
            return f'"{base64.b64encode(data).decode()}"'
        case MetricType.FLOAT, float(number):
            return _number(_shortest(number)) if math.isfinite(number) else None
        case _, float(number):
            return _number(number) if math.isfinite(number) else None
        case _, number:
            return str(number)


def _number(value: float) -> str:
    """As Java writes it, without a nought behind the point at its end."""
    if isinstance(value, int):
        return str(value)
    if value == 0 or PLAIN_FROM <= abs(value) < PLAIN_BELOW:
        return repr(value).removesuffix(".0")
    digits, _, exponent = f"{value!r}".partition("e")
    if not exponent:
        shifted = f"{value:.{max(len(digits.replace('-', '').replace('.', '').strip('0')) - 1, 0)}e}"
        digits, _, exponent = shifted.partition("e")
    return f"{digits if '.' in digits else digits + '.0'}E{int(exponent)}"


def _shortest(number: float) -> float:
    """The shortest number that is the same in four bytes."""
    wanted = struct.pack("<f", number)
    texts = (f"{number:.{digits}g}" for digits in range(1, 10))
    return next(float(text) for text in texts if struct.pack("<f", float(text)) == wanted)


def _quoted(text: str) -> str:
    return f'"{ESCAPED.sub(lambda found: ESCAPES[found[0]], text)}"'
