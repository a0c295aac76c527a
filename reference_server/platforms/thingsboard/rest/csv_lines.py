"""A CSV text as the records of commons-csv's default format, and the value that stands in a cell.

Quotes may enclose a cell and are doubled inside it; empty lines are no records (section 4, "Bulk").
"""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from typing import Any, Final

MOST_PLACES: Final = 16
"""More than these behind the point, and a number stays text."""
NUMBER: Final = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
LONG_MAX: Final = 2**63 - 1


def records(text: str, delimiter: str) -> list[list[str]]:
    """The cells of each line that is not empty. Raises ValueError for a delimiter that is none, for broken quotes."""
    if len(delimiter) != 1 or delimiter in '\r\n"':
        raise ValueError(f"expected one character between cells, got {delimiter[:20]!r}")
    try:
        return [record for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if record]
    except csv.Error as error:
        raise ValueError(str(error)) from None


def cell_value(text: str) -> Any:
    """What a cell means as an attribute or a measurement: a number (a comma will do), true, false, JSON, else text."""
    number = _number(text.replace(",", "."))
    if number is not None:
        return number
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    bare = text.strip()
    if (bare[:1], bare[-1:]) in {("{", "}"), ("[", "]")}:
        try:
            return json.loads(bare)
        except (ValueError, RecursionError):
            return text
    return text


def _number(text: str) -> int | float | None:
    if not NUMBER.fullmatch(text):
        return None
    value = Decimal(text)
    if value != value.to_integral_value() or ("." in text and "e" not in text.lower()):
        places = -int(value.as_tuple().exponent)
        return float(value) if places <= MOST_PLACES else None
    return int(value) if -LONG_MAX - 1 <= value <= LONG_MAX else None
