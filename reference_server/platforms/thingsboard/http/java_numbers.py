"""Whole numbers in a path or query, as Java reads them."""

from __future__ import annotations

import re
from typing import Final

from fleetrig.reference_server.platforms.thingsboard.http.errors import invalid

WHOLE: Final = re.compile(r"([+-]?)(?:(?:0[xX]|#)([0-9a-fA-F]{1,16})|([0-9]{1,19}))", re.ASCII)
LONG_MAX: Final = 2**63 - 1
INT_MAX: Final = 2**31 - 1


def java_int(text: str, *, most: int = LONG_MAX) -> int:
    """Spring's conversion: blanks do not count, a number may be hexadecimal. Raises 400 for what is none, too large."""
    if (found := WHOLE.fullmatch(text.strip())) is not None:
        sign, digits, decimal = found.groups()
        number = int(decimal) if digits is None else int(digits, 16)
        if -most - 1 <= (number := -number if sign == "-" else number) <= most:
            return number
    raise invalid(f'For input string: "{text[:50]}"')


def is_long(number: int) -> bool:
    """Whether it has 64 bits with its sign."""
    return -LONG_MAX - 1 <= number <= LONG_MAX
