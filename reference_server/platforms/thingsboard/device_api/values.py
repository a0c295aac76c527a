"""Values of telemetry and attributes as the server takes them (spec 3.2; JsonConverter of the real server)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Final

from fleetrig.reference_server.platforms.thingsboard.provisioning.lenient_json import JsonNumber, as_text
from fleetrig.simulator.contract.json_types import Json

LOOKS_LIKE_A_NUMBER: Final = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)")
LEAST_LONG: Final = -(1 << 63)
MOST_LONG: Final = (1 << 63) - 1
MOST_DECIMALS: Final = 16
"""A number with more of them stays text."""
MOST_DIGITS: Final = 1_023
"""Written out; the real server has no such bound, and runs out of memory over a few characters."""


class BadValue(Exception):
    """What was sent is no telemetry, or no attributes: the transport says it in its own way."""


class BadTime(BadValue):
    """A `ts` that is no number."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Values of one time; `at_ms` None: when they came."""

    values: Mapping[str, Json]
    at_ms: int | None = None


def read_values(document: Json) -> dict[str, Json]:
    """Members that are null are left out. Raises BadValue."""
    if not isinstance(document, dict):
        raise BadValue(f"Can't parse value: {as_text(document)}")
    return {key: _typed(value) for key, value in document.items() if value is not None}


def read_telemetry(document: Json) -> list[Measured]:
    """`{"k":v}`, `{"ts":ms,"values":{}}`, or an array of either. Raises BadValue."""
    return list(_measured(document))


def _measured(document: Json) -> Iterator[Measured]:
    for one in document if isinstance(document, list) else [document]:
        if not isinstance(one, dict):
            raise BadValue(f"Can't parse value: {as_text(one)}")
        if "ts" in one and "values" in one:
            yield Measured(read_values(one["values"]), _time_ms(one["ts"]))
        else:
            yield Measured(read_values(one))


def _time_ms(value: Json) -> int:
    """Raises BadTime."""
    try:
        return whole_number(value)
    except BadValue as bad:
        raise BadTime(str(bad)) from None


def _finite(number: JsonNumber) -> Json:
    """As text where Python has no such number."""
    return float(number) if isfinite(float(number)) else str(number)


def whole_number(value: Json) -> int:
    """As the real server reads a time or a duration, text included. Raises BadValue."""
    try:
        return int(_decimal(str(value)))
    except (ValueError, OverflowError):
        raise BadValue(f"Can't parse value: {value}") from None


def _typed(value: Json) -> Json:
    """Text that looks like a number is one; other text, objects and arrays stay what they are (S102)."""
    if isinstance(value, JsonNumber) or (isinstance(value, int | float) and not isinstance(value, bool)):
        return _number(str(value))
    if isinstance(value, str):
        return _number(value) if LOOKS_LIKE_A_NUMBER.fullmatch(value) else value
    return _plain(value)


def _plain(value: Json) -> Json:
    """As Python has it, whatever reader it comes from."""
    if isinstance(value, JsonNumber):
        return int(value) if value.removeprefix("-").isdigit() else _finite(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _number(text: str) -> Json:
    number = _decimal(text)
    if number == number.to_integral_value() and not ("." in text and "e" not in text.lower()):
        whole = int(number)
        return whole if LEAST_LONG <= whole <= MOST_LONG else format(number, "f")
    exponent = number.as_tuple().exponent
    return float(number) if isinstance(exponent, int) and -exponent <= MOST_DECIMALS else format(number, "f")


def _decimal(text: str) -> Decimal:
    """Raises BadValue, also for a number that is too long to be written out."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > MOST_DIGITS:
        raise BadValue(f"Can't parse value: {text[:MOST_DIGITS]}")
    return number
